import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerOf } from '../harness.ts'
import { startShop } from './shop.ts'

const me = { query: 'query Me { me { id } }' }
const batching = { maxOperations: 4 }

interface One {
  readonly data?: unknown
  readonly errors?: { extensions: { reason: string } }[]
}

const told = (list: readonly One[]): string[] =>
  list.map(({ data, errors }) => errors?.[0]?.extensions.reason ?? JSON.stringify(data))

test('answers each operation in its place, and tells of one that fails there alone', async (t) => {
  const shop = await startShop(t, { batching })
  // The first is answered last.
  const late = Promise.withResolvers<void>()
  let first = true
  shop.accounts.before = async () => {
    if (!first) return late.resolve()
    first = false
    await late.promise
  }
  const response = await shop.ask([
    me,
    { query: '{ nobody }' },
    { query: 'query($n: String!) { userByName(name: $n) { name } }', variables: { n: 'Alan' } },
    { query: 'mutation { rename(name: "Eve") { name } }' },
  ])
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
  assert.deepEqual(told((await response.json()) as One[]), [
    '{"me":{"id":"1"}}',
    'GRAPHQL_VALIDATION_FAILED',
    '{"userByName":{"name":"Alan"}}',
    '{"rename":{"name":"Eve"}}',
  ])
})

test('is an answer of 200 whatever became of its operations, and not run where nobody would take it', async (t) => {
  const shop = await startShop(t, { batching })
  const typed = await shop.ask([{ query: '{' }], { accept: 'application/graphql-response+json' })
  assert.equal(typed.status, 200)
  assert.equal(typed.headers.get('content-type'), 'application/graphql-response+json; charset=utf-8')
  assert.deepEqual(told((await typed.json()) as One[]), ['GRAPHQL_PARSE_FAILED'])
  assert.equal((await shop.ask([me], { accept: 'text/csv' })).status, 406)
  assert.equal(shop.accounts.requests.length, 0)
})

const refused: [name: string, body: unknown, answer: string][] = [
  ['more than may be', [me, me, me, me, me], '400 GRAPHQL_LIMIT_EXCEEDED'],
  ['nothing', [], '400 INVALID_ARGUMENT'],
  ['what is no object', [me, '{ me { id } }'], '400 INVALID_ARGUMENT'],
  ['a list in the list', [me, [me]], '400 INVALID_ARGUMENT'],
  ['an operation of a wrong shape', [me, { query: 1 }], '400 INVALID_ARGUMENT'],
]

test('refuses as a whole what is no batch', async (t) => {
  const shop = await startShop(t, { batching })
  for (const [name, body, answer] of refused) {
    const { status, errors } = await answerOf(await shop.ask(body))
    assert.equal(`${status} ${errors[0]?.extensions.reason}`, answer, name)
  }
  const alone = await startShop(t, {})
  assert.equal((await alone.ask([me])).status, 400)
  assert.equal(shop.accounts.requests.length + alone.accounts.requests.length, 0)
})

test('knows persisted operations, and no subscriptions', async (t) => {
  const shop = await startShop(t, { batching })
  const hash = '0'.repeat(64)
  const persistedQuery = { extensions: { persistedQuery: { version: 1, sha256Hash: hash } } }
  const response = await shop.ask([persistedQuery, me, {}])
  assert.deepEqual(told((await response.json()) as One[]), [
    'PERSISTED_QUERY_NOT_FOUND',
    '{"me":{"id":"1"}}',
    'INVALID_ARGUMENT',
  ])
})

test('counts each of its operations at limits of requests and of costs', async (t) => {
  const limits = [
    { name: 'requests', limit: 6, window: '1h' },
    { name: 'cost', limit: 9, window: '1h', cost: 'operation' },
  ]
  const shop = await startShop(t, { batching, plugins: [{ rateLimit: { by: 'ip', limits } }] })
  const three = { query: '{ a: me { id } b: me { id } c: me { id } }' }
  const seen = async (body: unknown): Promise<string[]> =>
    told((await (await shop.ask(body)).json()) as One[])
  assert.equal((await seen([me, three])).filter((one) => one.startsWith('{')).length, 2)
  // 4 of the costs are used up, and 2 of the requests; what does not parse pays one of each.
  assert.equal((await seen([{ query: '{' }, three])).filter((one) => one.startsWith('{')).length, 1)
  // 8 and 4: the third finds its request, but not its cost.
  const more = await seen([me, three, me])
  assert.equal(more.filter((one) => one === 'RATE_LIMITED').length, 2)
  assert.equal((await shop.ask([me])).status, 429)
})
