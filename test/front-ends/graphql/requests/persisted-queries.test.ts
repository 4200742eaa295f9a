import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { PersistedQueries } from '../../../../src/front-ends/graphql/requests/persisted-queries.ts'
import { startRedis } from '../../../services/redis.ts'
import { answerOf } from '../harness.ts'
import { type Shop, startShop } from './shop.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
/** As Apollo's clients write it: Apollo Server, "Automatic persisted queries". */
const persistedQuery = (text: string, hash = sha256(text)) => ({
  extensions: { persistedQuery: { version: 1, sha256Hash: hash } },
})
const me = 'query Me { me { id } }'
const ada = { me: { id: '1' } }

/** `200 {"me":..}` or `400 REASON: message`. */
async function said(answering: Promise<Response>): Promise<string> {
  const { status, data, errors } = await answerOf(await answering)
  const [error] = errors
  return `${status} ${error === undefined ? JSON.stringify(data) : `${error.extensions.code}: ${error.message}`}`
}

const found = `200 ${JSON.stringify(ada)}`
/** The code and the words that Apollo Client, urql and Apollo Kotlin look for. */
const notFound = '200 PERSISTED_QUERY_NOT_FOUND: PersistedQueryNotFound'

test('an operation is asked for by its hash once it was sent in full, by POST and by GET', async (t) => {
  const shop = await startShop(t, {})
  assert.equal(await said(shop.ask(persistedQuery(me))), notFound)
  const typed = { accept: 'application/graphql-response+json' }
  assert.equal((await shop.ask(persistedQuery(me), typed)).status, 404)
  assert.equal(await said(shop.ask({ query: me, ...persistedQuery(me) })), found)
  assert.equal(await said(shop.ask(persistedQuery(me))), found)
  const { extensions } = persistedQuery(me)
  const search = new URLSearchParams({ extensions: JSON.stringify(extensions), operationName: 'Me' })
  assert.equal(await said(fetch(`${shop.endpoint}?${search}`)), found)
  // GraphQL over HTTP, proposal "Persisted Documents".
  assert.equal(await said(shop.ask({ documentId: `sha256:${sha256(me)}` })), found)
})

const refused: [name: string, request: object, answer: RegExp][] = [
  [
    'a hash of something else',
    { query: me, ...persistedQuery(me, sha256('x')) },
    /^400 BAD_USER_INPUT: .*SHA-256/,
  ],
  [
    'a hash in capitals',
    { query: me, ...persistedQuery(me, sha256(me).toUpperCase()) },
    /^400 BAD_USER_INPUT/,
  ],
  ['a hash that is a key of objects', persistedQuery(me, '__proto__'), /^200 PERSISTED_QUERY_NOT_FOUND/],
  ['a hash of a megabyte', persistedQuery(me, 'a'.repeat(1_000_000)), /^200 PERSISTED_QUERY_NOT_FOUND/],
  [
    'a hash that is no text',
    { extensions: { persistedQuery: { version: 1, sha256Hash: 1 } } },
    /^400 BAD_USER_INPUT/,
  ],
  [
    'another version',
    { extensions: { persistedQuery: { version: 2, sha256Hash: 'a' } } },
    /^400 BAD_USER_INPUT/,
  ],
  ['no object', { extensions: { persistedQuery: true } }, /^400 BAD_USER_INPUT/],
  ['a document id that is no text', { documentId: ['a'] }, /^400 BAD_USER_INPUT/],
]

test('what is no right hash is refused', async (t) => {
  const shop = await startShop(t, {})
  for (const [name, request, answer] of refused) assert.match(await said(shop.ask(request)), answer, name)
  assert.equal(shop.accounts.requests.length, 0)
})

test('what is above a limit, not valid, or has variables that do not fit is not kept', async (t) => {
  const shop = await startShop(t, { limits: { depth: 3 } })
  const bad = [
    'query Deep { me { friends { friends { id } } } }',
    'query Wrong { nobody }',
    'query Torn {',
    'query Named($n: String!) { userByName(name: $n) { id } }',
  ]
  for (const query of bad) {
    assert.match(await said(shop.ask({ query, ...persistedQuery(query) })), /GRAPHQL_|BAD_USER_INPUT/)
    assert.equal(await said(shop.ask(persistedQuery(query))), notFound)
  }
})

test('a mutation is not run by GET, by its hash neither', async (t) => {
  const shop = await startShop(t, {})
  const rename = 'mutation { rename(name: "x") { id } }'
  assert.match(await said(shop.ask({ query: rename, ...persistedQuery(rename) })), /^200 \{/)
  const search = new URLSearchParams({ extensions: JSON.stringify(persistedQuery(rename).extensions) })
  const answer = await fetch(`${shop.endpoint}?${search}`)
  assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST'])
  assert.equal(shop.accounts.requests.length, 1)
})

test('what is asked for by its hash is charged as its text is', async (t) => {
  const limits = [{ name: 'cost', limit: 5, window: '1h', cost: 'operation' }]
  const shop = await startShop(t, { plugins: [{ rateLimit: { by: 'ip', limits } }] })
  const two = 'query Two { a: me { id } b: me { id } }'
  assert.match(await said(shop.ask({ query: two, ...persistedQuery(two) })), /^200 \{/)
  assert.match(await said(shop.ask(persistedQuery(two))), /^200 \{/)
  assert.match(await said(shop.ask(persistedQuery(two))), /^429 RATE_LIMITED/)
})

test('switched off, clients are told to send texts', async (t) => {
  const shop = await startShop(t, { persistedQueries: { enabled: false } })
  assert.equal(await said(shop.ask({ query: me, ...persistedQuery(me) })), found)
  const answer = '200 PERSISTED_QUERY_NOT_FOUND: PersistedQueryNotSupported'
  assert.equal(await said(shop.ask(persistedQuery(me))), answer)
})

test('memory is bounded by number and by bytes; what is used stays', async () => {
  const kept = async (queries: PersistedQueries, texts: readonly string[]): Promise<string[]> => {
    const there: string[] = []
    for (const text of texts)
      await queries.find(sha256(text)).then(
        (one) => there.push(one),
        () => {},
      )
    return there
  }
  const few = new PersistedQueries({ entries: 2, bytes: 1_000_000 })
  for (const text of ['a', 'b', 'c']) few.keep(sha256(text), text)
  assert.deepEqual(await kept(few, ['a', 'b', 'c']), ['b', 'c'])
  await few.find(sha256('b'))
  few.keep(sha256('d'), 'd')
  assert.deepEqual(await kept(few, ['b', 'c', 'd']), ['b', 'd'])
  const small = new PersistedQueries({ entries: 100, bytes: 1_000 })
  const texts = Array.from({ length: 10 }, (_, i) => `${i}`.repeat(200))
  for (const text of texts) small.keep(sha256(text), text)
  assert.deepEqual(await kept(small, texts), texts.slice(-3))
  small.keep(sha256('x'.repeat(901)), 'x'.repeat(901))
  assert.deepEqual(await kept(small, texts), texts.slice(-3))
})

test('gateways share them in Redis, and do without it while it is down', async (t) => {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const config = { stores: { redis: { url: redis.url, keyPrefix: 'shop:' } } }
  const shops: Shop[] = []
  for (const ttl of ['1h', '1h'] as const) {
    const shop = await startShop(t, { persistedQueries: { ttl } }, config)
    await shop.logged((line) => line.message === 'Redis is up')
    shops.push(shop)
  }
  const [one, other] = shops as [Shop, Shop]
  assert.equal(await said(one.ask({ query: me, ...persistedQuery(me) })), found)
  const client = new Redis(redis.url)
  t.after(() => client.disconnect())
  const key = `shop:trivium:graphql:persisted:${sha256(me)}`
  while ((await client.get(key)) === null);
  const left = await client.pttl(key)
  assert.ok(left > 3_000_000 && left <= 3_600_000, `${left}`)
  assert.equal(await said(other.ask(persistedQuery(me))), found)
  // Who writes to Redis cannot say what a hash stands for.
  const evil = 'query Evil { me { id } }'
  await client.set(`shop:trivium:graphql:persisted:${sha256('x')}`, evil)
  assert.equal(await said(one.ask(persistedQuery('x'))), notFound)
  redis.pause()
  assert.equal(await said(one.ask(persistedQuery(me))), found)
  assert.equal(await said(one.ask(persistedQuery('unknown'))), notFound)
  const you = 'query You { me { name } }'
  assert.equal(await said(one.ask({ query: you, ...persistedQuery(you) })), '200 {"me":{"name":"Ada"}}')
  assert.equal(await said(one.ask(persistedQuery(you))), '200 {"me":{"name":"Ada"}}')
  redis.resume()
})
