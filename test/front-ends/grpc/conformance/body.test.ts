import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Case, runCases } from './cases.ts'
import { startWorld } from './world.ts'

const bodies: readonly Case[] = [
  {
    rule: 'http.proto: body "*"',
    ask: 'POST /whole/a',
    body: { int32: 1 },
    request: { text: 'a', int32: 1 },
  },
  { rule: 'http.proto: path over body', ask: 'POST /whole/a', body: { text: 'b' }, request: { text: 'a' } },
  {
    rule: 'path over body, nested',
    ask: 'POST /part/a',
    body: { text: 'b', int32: 1 },
    request: { child: { text: 'a', int32: 1 } },
  },
  { rule: 'an absent body is an empty message', ask: 'POST /whole/a', request: { text: 'a' } },
  {
    rule: 'ProtoJSON: both kinds of names',
    ask: 'POST /whole/a',
    body: { someLongName: 'b', customName: 'c' },
    request: { text: 'a', some_long_name: 'b', renamed: 'c' },
  },
  {
    rule: 'ProtoJSON: null is absent',
    ask: 'POST /whole/a',
    body: { int32: null, child: null },
    request: { text: 'a' },
  },
  { rule: 'http.proto: body "text", a scalar', ask: 'POST /body/text', body: '"a"', request: { text: 'a' } },
  {
    rule: 'http.proto: body "int64", exact unquoted',
    ask: 'POST /body/int64',
    body: '9007199254740993',
    request: { int64: '9007199254740993' },
  },
  {
    rule: 'http.proto: body "items", a list',
    ask: 'POST /body/items',
    body: [{ sku: 'a' }, {}],
    request: { items: [{ sku: 'a' }, {}] },
  },
  {
    rule: 'http.proto: body "labels", a map',
    ask: 'POST /body/labels',
    body: { a: 'b' },
    request: { labels: { a: 'b' } },
  },
  {
    rule: 'http.proto: body "at", a well-known type',
    ask: 'POST /body/at',
    body: '"1970-01-01T00:00:01Z"',
    request: { at: { seconds: '1' } },
  },
  {
    rule: 'parameters beside a body field',
    ask: 'POST /body/text?tags=x',
    body: '"a"',
    request: { text: 'a', tags: ['x'] },
  },
  {
    rule: 'http.proto: no body in the rule: it is not read',
    ask: 'DELETE /several/a',
    body: '{"text":',
    request: { text: 'a' },
  },
  {
    rule: 'unknown fields are refused',
    ask: 'POST /whole/a',
    body: { nope: 1 },
    status: 400,
    method: 'none',
    says: /nope/,
  },
  {
    rule: 'unknown nested ones by their path',
    ask: 'POST /whole/a',
    body: { child: { nope: 1 } },
    status: 400,
    says: /child\.nope|child.*nope/,
  },
  { rule: 'no JSON', ask: 'POST /whole/a', body: '{', status: 400, method: 'none' },
  {
    rule: 'RFC 8259: nothing after the value',
    ask: 'POST /whole/a',
    body: '{} {}',
    status: 400,
    method: 'none',
  },
  { rule: 'no object', ask: 'POST /whole/a', body: '[]', status: 400, method: 'none' },
  {
    rule: 'no UTF-8',
    ask: 'POST /whole/a',
    body: Buffer.from([0x22, 0xff, 0x22]),
    status: 400,
    method: 'none',
  },
  {
    rule: 'a wrong scalar by its path',
    ask: 'POST /whole/a',
    body: { child: { int32: 'x' } },
    status: 400,
    says: /int32/,
  },
  { rule: 'a oneof twice', ask: 'POST /whole/a', body: { left: 'a', right: 1 }, status: 400, method: 'none' },
  {
    rule: 'RFC 9110 15.5.16: 415',
    ask: 'POST /whole/a',
    body: 'a=b',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    status: 415,
    method: 'none',
  },
  {
    rule: 'a charset is no other type',
    ask: 'POST /whole/a',
    body: {},
    headers: { 'content-type': 'application/json; charset=utf-8' },
  },
]

const replies: readonly Case[] = [
  {
    rule: 'http.proto: response_body "text"',
    ask: 'POST /reply/text',
    body: { text: 'a', int32: 1 },
    reply: 'a',
  },
  { rule: 'response_body of a field at its default', ask: 'POST /reply/text', body: {}, reply: '' },
  { rule: 'ProtoJSON: int64 is a string', ask: 'POST /reply/int64', body: { int64: '1' }, reply: '1' },
  {
    rule: 'response_body of a list',
    ask: 'POST /reply/items',
    body: { items: [{ sku: 'a' }] },
    reply: [{ sku: 'a' }],
  },
  { rule: 'response_body of an empty list', ask: 'POST /reply/items', body: {}, reply: [] },
  {
    rule: 'response_body of a map',
    ask: 'POST /reply/labels',
    body: { labels: { a: 'b' } },
    reply: { a: 'b' },
  },
  {
    rule: 'response_body of a message',
    ask: 'POST /reply/child',
    body: { child: { text: 'a' } },
    reply: { text: 'a' },
  },
  {
    rule: 'no response_body: the whole',
    ask: 'POST /whole/a',
    body: { int32: 1 },
    reply: { text: 'a', int32: 1 },
    has: { 'content-type': 'application/json' },
  },
  { rule: 'google.protobuf.Empty', ask: 'GET /metadata', reply: {} },
]

test('bodies go where the rule says', async (t) => runCases(t, await startWorld(t), bodies))
test('answers come from where the rule says', async (t) => runCases(t, await startWorld(t), replies))

test('google.api.HttpBody, both ways', async (t) => {
  const { ask, heard } = await startWorld(t)
  const bytes = Buffer.from([0, 255, 0x7b])
  for (const path of ['/raw', '/raw/name']) {
    await t.test(`${path}: bytes and their type, untouched`, async () => {
      const answer = await ask(`POST ${path}`, {
        body: bytes,
        headers: { 'content-type': 'image/x-odd; q="1"' },
      })
      assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'image/x-odd; q="1"'])
      assert.equal(answer.headers['content-length'], '3')
      const { request } = heard.at(-1) as { readonly request: { readonly file?: Raw } & Raw }
      const { content_type, data } = request.file ?? request
      assert.deepEqual([content_type, data], ['image/x-odd; q="1"', bytes.toString('base64')])
    })
  }
  await t.test('no bytes are no body', async () => {
    const answer = await ask('POST /raw/name', { body: '' })
    assert.deepEqual([answer.status, answer.text], [200, ''])
  })
})

interface Raw {
  readonly content_type?: string
  readonly data?: string
}
