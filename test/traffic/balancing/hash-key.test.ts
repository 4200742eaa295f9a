import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCookie } from '../../../src/traffic/balancing/cookie.ts'
import { compileHashKey } from '../../../src/traffic/balancing/hash-key.ts'
import { exchange } from '../../plugins/harness.ts'

const request = {
  path: '/v1/books/7',
  query: 'tenant=blue&x=&tenant=red&xtenant=green&flag&y=a%20b+c',
  clientAddress: '192.0.2.7',
  headers: { 'x-user-id': 'u1', 'x-empty': '', 'x-list': ['first', 'second'], cookie: 'sid=abc; theme=dark' },
}

const keys: readonly (readonly [specs: readonly string[], key: string | undefined])[] = [
  [['ip'], '192.0.2.7'],
  [['path'], '/v1/books/7'],
  [['user'], undefined],
  [['user', 'ip'], '192.0.2.7'],
  [['header:X-User-ID'], 'u1'],
  [['header:x-user-id', 'ip'], 'u1'],
  [['header:X-List'], 'first'],
  [['header:X-None', 'cookie:sid'], 'abc'],
  [['header:X-Empty', 'path'], '/v1/books/7'],
  [['cookie:theme'], 'dark'],
  [['cookie:THEME'], undefined],
  [['cookie:id', 'ip'], '192.0.2.7'],
  [['query:tenant'], 'blue'],
  [['query:enant'], undefined],
  [['query:x', 'query:tenant'], 'blue'],
  [['query:flag'], undefined],
  [['query:y'], 'a%20b+c'],
  [['query:none', 'header:none', 'cookie:none', 'user'], undefined],
  [[], undefined],
]

for (const [specs, key] of keys) {
  test(`[${specs.join(', ')}] gives ${key}`, () => {
    assert.equal(compileHashKey(specs)(exchange({ request })), key)
  })
}

test('"user" gives the id of the principal, and tells issuers apart', () => {
  const x = exchange({ request })
  x.principal = { id: 'alice', roles: [], scopes: [], via: 'jwt' }
  assert.equal(compileHashKey(['user', 'ip'])(x), 'alice')
  const users = ['https://a.example', 'https://b.example'].map((issuer) => {
    x.principal = { id: 'alice', issuer, roles: [], scopes: [], via: 'jwt' }
    return compileHashKey(['user'])(x)
  })
  assert.equal(new Set([...users, 'alice']).size, 3)
})

for (const spec of [
  '',
  'IP',
  'header',
  'header:',
  'cookie:a b',
  'query:a=b',
  'header:a\n',
  'body:x',
  ' ip',
  'query:ä',
]) {
  test(`refuses ${JSON.stringify(spec)} and says what there is`, () => {
    assert.throws(
      () => compileHashKey(['ip', spec]),
      (error: Error) => {
        assert.ok(error.message.startsWith(`"${spec}" is none of header:<name>, cookie:<name>`))
        return true
      },
    )
  })
}

/** RFC 6265 section 4.1.1 and 4.2.1; what is no cookie-value is not present. */
const cookies: readonly (readonly [rule: string, header: string | undefined, value: string | undefined])[] = [
  ['no header', undefined, undefined],
  ['nothing in it', '', undefined],
  ['the only one', 'a=1', '1'],
  ['the second', 'b=2; a=1', '1'],
  ['the first of two', 'a=1; a=2', '1'],
  ['without the blank', 'b=2;a=1', '1'],
  ['with more blanks', '  b=2;   a=1  ', '1'],
  ['a name that begins with it', 'ab=2; a=1', '1'],
  ['a name that ends with it', 'ba=2', undefined],
  ['case matters', 'A=1', undefined],
  ['no value', 'a', undefined],
  ['an empty value', 'a=', undefined],
  ['an empty value in quotes', 'a=""', undefined],
  ['a value in quotes', 'a="1"', '1'],
  ['a quote that does not end', 'a="1', undefined],
  ['one quote alone', 'a="', undefined],
  ['a comma', 'a=1,2', undefined],
  ['a backslash', 'a=1\\2', undefined],
  ['a blank within', 'a=1 2', undefined],
  ['a control character', 'a=1\t2', undefined],
  ['a letter beyond ASCII', 'a=é', undefined],
  ['an equals sign in the value', 'a=b=c', 'b=c'],
  ['a pair of nothing', ';;; a=1', '1'],
  ['a blank before the equals sign', 'a =1', undefined],
  ['a value as a name', 'b=a=1', undefined],
  ['4,096 characters', `a=${'x'.repeat(4_096)}`, 'x'.repeat(4_096)],
  ['4,097 characters', `a=${'x'.repeat(4_097)}`, undefined],
]

for (const [rule, header, value] of cookies) {
  test(`cookie: ${rule}`, () => assert.equal(readCookie(header, 'a'), value))
}
