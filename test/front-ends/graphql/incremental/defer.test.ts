import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { readEvents } from '../subscriptions/peer.ts'
import { startWorld } from '../subscriptions/world.ts'

const accept = 'multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9'

/** The parts of an answer, as JSON. */
async function partsOf(
  t: TestContext,
  url: string,
  query: string,
): Promise<{ type: string | null; parts: unknown[] }> {
  const { response, rest } = await readEvents(t, url, query, accept)
  const type = response.headers.get('content-type')
  const text = await rest()
  if (type?.startsWith('multipart/') !== true) return { type, parts: [JSON.parse(text)] }
  assert.match(text, /^---\r\n/)
  assert.match(text, /\r\n-----\r\n$/)
  const parts = text.split('\r\n---').map((part) => part.split('\r\n\r\n')[1])
  return { type, parts: parts.flatMap((part) => (part === undefined ? [] : JSON.parse(part))) }
}

const whole = { last: [1, 2].map((id) => ({ text: `text ${id}`, author: { name: `name of ${id}` } })) }

test('what is deferred comes after the rest, with its label and for each object', async (t) => {
  const { url, asked, people } = await startWorld(t)
  const held = Promise.withResolvers<void>()
  people.before = () => held.promise
  const query = '{ last { text ... @defer(label: "who") { author { name } } } }'
  const stream = await readEvents(t, url, query, accept)
  assert.equal(
    stream.response.headers.get('content-type'),
    'multipart/mixed; boundary="-"; deferSpec=20220824',
  )
  const first = await stream.until(/"hasNext":true\}\r\n---$/)
  assert.match(first, /\{"data":\{"last":\[\{"text":"text 1"\},\{"text":"text 2"\}\]\},"hasNext":true\}/)
  held.resolve()
  const text = await stream.rest()
  const incremental = [0, 1].map((i) => ({
    path: ['last', i],
    data: { author: { name: `name of ${i + 1}` } },
    label: 'who',
  }))
  assert.ok(text.includes(JSON.stringify({ incremental, hasNext: true })), text)
  assert.ok(text.endsWith('{"hasNext":false}\r\n-----\r\n'), text)
  assert.equal(asked.length, 1)
})

test('who does not take parts gets everything at once', async (t) => {
  const { url } = await startWorld(t)
  const query = '{ last { text ... @defer { author { name } } } }'
  const { response, rest } = await readEvents(t, url, query, 'application/json')
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
  assert.deepEqual(JSON.parse(await rest()), { data: whole })
})

const nothingDeferred: readonly [name: string, query: string][] = [
  ['if: false', '{ last { text ... @defer(if: false) { author { name } } } }'],
  [
    'a variable that is false',
    'query ($no: Boolean! = false) { last { text ... @defer(if: $no) { author { name } } } }',
  ],
]
for (const [name, query] of nothingDeferred) {
  test(`${name}: one part`, async (t) => {
    const { url } = await startWorld(t)
    const { type, parts } = await partsOf(t, url, query)
    assert.match(type ?? '', /^multipart\/mixed/)
    assert.deepEqual(parts, [{ data: whole, hasNext: false }])
  })
}

test('a variable that is true, a named fragment and an alias', async (t) => {
  const { url } = await startWorld(t)
  const query =
    'query ($yes: Boolean! = true) { first: one { ...F @defer(if: $yes, label: "f") } } fragment F on Message { said: text by: author { called: name } }'
  const { parts } = await partsOf(t, url, query)
  const [first, ...others] = parts as [{ data: object }, ...{ incremental?: object[] }[]]
  assert.deepEqual(first, { data: { first: {} }, hasNext: true })
  assert.deepEqual(
    others.flatMap((one) => one.incremental ?? []),
    [{ path: ['first'], data: { said: 'one', by: { called: 'name of 1' } }, label: 'f' }],
  )
  assert.deepEqual(others.at(-1), { hasNext: false })
})

test('what is deferred within what is deferred comes after it', async (t) => {
  const { url } = await startWorld(t)
  const query = '{ one { text ... @defer(label: "a") { author { id ... @defer(label: "b") { name } } } } }'
  const { parts } = await partsOf(t, url, query)
  const came = (parts as { incremental?: { label: string }[] }[]).flatMap((one) => one.incremental ?? [])
  assert.deepEqual(came, [
    { path: ['one'], data: { author: { id: '1' } }, label: 'a' },
    { path: ['one', 'author'], data: { name: 'name of 1' }, label: 'b' },
  ])
})

test('what fails in a part is told there, where null may not be the part is null', async (t) => {
  const { url, people } = await startWorld(t)
  people.broken = true
  const { parts } = await partsOf(t, url, '{ one { text ... @defer(label: "x") { author { name } } } }')
  const [first, second] = parts as [
    object,
    {
      incremental: {
        path: unknown
        data: unknown
        errors: { path: unknown; extensions: { reason: string } }[]
      }[]
    },
  ]
  assert.deepEqual(first, { data: { one: { text: 'one' } }, hasNext: true })
  const [part] = second.incremental
  assert.deepEqual([part?.path, part?.data], [['one'], null])
  assert.deepEqual(part?.errors[0]?.path, ['one', 'author', 'name'])
  assert.equal(part?.errors[0]?.extensions.reason, 'UPSTREAM_BAD_ANSWER')
})

test('what is deferred within a part that came out null is neither told nor fetched', async (t) => {
  const { url, people, asked } = await startWorld(t)
  people.broken = true
  const query =
    '{ one { text ... @defer(label: "a") { author { name ... @defer(label: "b") { id } } ... @defer(label: "c") { again: text } } } }'
  const { parts } = await partsOf(t, url, query)
  const came = (parts as { incremental?: { label: string; data: unknown }[] }[]).flatMap(
    (one) => one.incremental ?? [],
  )
  assert.deepEqual(
    came.map(({ label, data }) => [label, data]),
    [['a', null]],
  )
  assert.deepEqual(parts.at(-1), { hasNext: false })
  assert.equal(asked.length, 1)
})

test('what is deferred within a part that is null for one object is told for the others', async (t) => {
  const { url, chat } = await startWorld(t)
  // Of author 9 nothing is known.
  chat.answer = (req, res) => {
    req.resume()
    const last = [1, 9].map((id) => ({ text: `${id}`, author: { id: `${id}`, __typename: 'User' } }))
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ data: { last } }))
    return true
  }
  const query = '{ last { text ... @defer(label: "a") { author { name ... @defer(label: "b") { id } } } } }'
  const { parts } = await partsOf(t, url, query)
  const came = (parts as { incremental?: { label: string; path: unknown; data: unknown }[] }[]).flatMap(
    (one) => one.incremental ?? [],
  )
  assert.deepEqual(
    came.map(({ label, path, data }) => [label, path, data]),
    [
      ['a', ['last', 0], { author: { name: 'name of 1' } }],
      ['a', ['last', 1], null],
      ['b', ['last', 0, 'author'], { id: '1' }],
    ],
  )
})

test('nothing is said of an object that is not there', async (t) => {
  const { url, asked } = await startWorld(t)
  const { parts } = await partsOf(t, url, '{ none { text ... @defer { author { name } } } }')
  assert.deepEqual(parts, [{ data: { none: null }, hasNext: true }, { hasNext: false }])
  assert.equal(asked.length, 0)
})

test('a mutation may defer what it answers', async (t) => {
  const { url } = await startWorld(t)
  const { parts } = await partsOf(
    t,
    url,
    'mutation { say(room: "a", text: "t") { text ... @defer { author { name } } } }',
  )
  assert.deepEqual(parts, [
    { data: { say: { text: 't' } }, hasNext: true },
    { incremental: [{ path: ['say'], data: { author: { name: 'name of 1' } } }], hasNext: true },
    { hasNext: false },
  ])
})

test('a client that leaves in between leaves nothing behind', async (t) => {
  const { gateway, url, people } = await startWorld(t)
  const held = Promise.withResolvers<void>()
  people.before = () => held.promise
  const stream = await readEvents(t, url, '{ one { text ... @defer { author { name } } } }', accept)
  await stream.until(/"hasNext":true/)
  stream.leave()
  const line = await gateway.logged((one) => one['gateway.error.reason'] === 'CLIENT_GONE')
  assert.equal(line['http.route'], '/graphql')
  held.resolve()
})

test('an operation of which the caller may not have everything is answered at once', async (t) => {
  const { url } = await startWorld(t)
  const { type, parts } = await partsOf(t, url, '{ one { text ... @defer { author { email } } } }')
  assert.match(type ?? '', /^multipart\/mixed/)
  assert.equal((parts as { hasNext: boolean }[])[0]?.hasNext, false)
  assert.deepEqual((parts as { data: unknown }[])[0]?.data, { one: { text: 'one', author: { email: null } } })
})

test('an operation without @defer is answered as JSON, whatever else the client takes', async (t) => {
  const { url } = await startWorld(t)
  const { type, parts } = await partsOf(t, url, '{ last { text author { name } } }')
  assert.equal(type, 'application/graphql-response+json; charset=utf-8')
  assert.deepEqual(parts, [{ data: whole }])
})

test('an alias named __proto__ is a key like any other, and changes nothing for anybody else', async (t) => {
  const { url } = await startWorld(t)
  const query =
    '{ one { text ... @defer { __proto__: author { polluted: id ... @defer { name } } } } last { text } }'
  const { parts } = await partsOf(t, url, query)
  const whole = parts.flatMap((part) => (part as { incremental?: object[] }).incremental ?? [])
  assert.deepEqual(whole.map((part) => JSON.stringify(part)).sort(), [
    '{"path":["one","__proto__"],"data":{"name":"name of 1"}}',
    '{"path":["one"],"data":{"__proto__":{"polluted":"1"}}}',
  ])
  assert.equal(({} as { polluted?: string }).polluted, undefined)
})
