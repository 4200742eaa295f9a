import { test } from 'node:test'
import { type Case, runCases } from './cases.ts'
import { startWorld } from './world.ts'

const single: readonly Case[] = [
  {
    rule: 'http.proto: {var} is {var=*}, one segment',
    ask: 'GET /single/a',
    method: 'Single',
    request: { text: 'a' },
  },
  { rule: 'http.proto: * is one segment, not two', ask: 'GET /single/a/b', status: 404, method: 'none' },
  { rule: 'http.proto: * is one segment, not none', ask: 'GET /single', status: 404, method: 'none' },
  {
    rule: 'http.proto: a single segment is decoded whole, %2F included',
    ask: 'GET /single/a%2Fb%2fc',
    request: { text: 'a/b/c' },
  },
  { rule: 'RFC 3986 2.4: nothing is decoded twice', ask: 'GET /single/a%252Fb', request: { text: 'a%2Fb' } },
  {
    rule: 'RFC 3986 2.4: nothing is decoded twice',
    ask: 'GET /single/100%2525',
    request: { text: '100%25' },
  },
  {
    rule: 'http.proto: decoded as UTF-8',
    ask: 'GET /single/%E2%98%95%F0%9F%93%9A',
    request: { text: '☕📚' },
  },
  { rule: 'RFC 3986 2.1: + in a path is a plus', ask: 'GET /single/a+b%20c', request: { text: 'a+b c' } },
  {
    rule: 'RFC 3986 3.3: sub-delimiters belong to the segment',
    ask: "GET /single/a=b&c'd,e@f",
    request: { text: "a=b&c'd,e@f" },
  },
  { rule: 'no UTF-8', ask: 'GET /single/%ff', status: 400, method: 'none' },
  { rule: 'a broken escape', ask: 'GET /single/%zz', status: 400, method: 'none' },
  { rule: 'a dot segment in disguise', ask: 'GET /single/%2e%2e', status: 400, method: 'none' },
  {
    rule: 'an ID with colons where no such verb is known',
    ask: 'GET /single/urn:isbn:1',
    request: { text: 'urn:isbn:1' },
  },
]

const multi: readonly Case[] = [
  {
    rule: 'http.proto: a variable of several segments',
    ask: 'GET /v1/shelves/1/books/2',
    method: 'Multi',
    request: { text: 'shelves/1/books/2' },
  },
  {
    rule: 'http.proto: a multi-segment variable leaves %2F as it stands',
    ask: 'GET /v1/shelves/a%2Fb/books/c%20d',
    request: { text: 'shelves/a%2Fb/books/c d' },
  },
  {
    rule: 'http.proto: nor is %252F decoded twice',
    ask: 'GET /v1/shelves/a%252Fb/books/c',
    request: { text: 'shelves/a%2Fb/books/c' },
  },
  {
    rule: 'http.proto: a literal in it must match',
    ask: 'GET /v1/shelves/1/boxes/2',
    status: 404,
    method: 'none',
  },
  {
    rule: 'http.proto: FieldPath = IDENT { "." IDENT }',
    ask: 'GET /nested/a%2Fb/7',
    request: { child: { int32: 7, child: { text: 'a/b' } } },
  },
  { rule: 'http.proto: {var=LITERAL}', ask: 'GET /literal/all', request: { text: 'all' } },
  {
    rule: 'http.proto: {var=LITERAL}, and nothing else',
    ask: 'GET /literal/some',
    status: 404,
    method: 'none',
  },
  { rule: 'http.proto: * and ** without a variable', ask: 'GET /anonymous/x/y/z/z', request: { text: 'y' } },
]

const open: readonly Case[] = [
  { rule: 'http.proto: ** is zero segments', ask: 'GET /open', method: 'Open', request: { text: '' } },
  { rule: 'http.proto: ** is one segment', ask: 'GET /open/a', request: { text: 'a' } },
  { rule: 'http.proto: ** is many segments', ask: 'GET /open/a/b/c/d', request: { text: 'a/b/c/d' } },
  {
    rule: 'http.proto: {var=**} leaves %2F as it stands, alone too',
    ask: 'GET /open/a%2Fb',
    request: { text: 'a%2Fb' },
  },
  { rule: 'http.proto: ... in any case', ask: 'GET /open/a%2fb%20c', request: { text: 'a%2Fb c' } },
  {
    rule: 'http.proto: ** after a literal, zero segments',
    ask: 'GET /below/files',
    request: { text: 'files' },
  },
  { rule: 'http.proto: ** after a literal', ask: 'GET /below/files/a/b', request: { text: 'files/a/b' } },
  {
    rule: 'http.proto: the verb ends a **',
    ask: 'GET /open/a/b:list',
    method: 'OpenVerb',
    request: { text: 'a/b' },
  },
  {
    rule: 'Firestore: a segment after **, which is none',
    ask: 'GET /then/docs/c',
    method: 'OpenThen',
    request: { text: 'docs', some_long_name: 'c' },
  },
  {
    rule: 'Firestore: a segment after **, which is several',
    ask: 'GET /then/docs/a/b%2Fb/c%2Fd',
    request: { text: 'docs/a/b%2Fb', some_long_name: 'c/d' },
  },
  {
    rule: 'Firestore: the segment after ** must be there',
    ask: 'GET /then/docs',
    status: 404,
    method: 'none',
  },
]

for (const [name, cases] of Object.entries({ single, multi, open })) {
  test(`paths: ${name}`, async (t) => runCases(t, await startWorld(t), cases))
}
