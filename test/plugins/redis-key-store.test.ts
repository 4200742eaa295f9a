import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { Redis as Client } from 'ioredis'
import { GatewayError } from '../../src/core/error.ts'
import { silentLog } from '../../src/core/log.ts'
import type { KeyRecord } from '../../src/plugins/identity/key-record.ts'
import { ManagedKeys } from '../../src/plugins/identity/managed-keys.ts'
import { RedisKeyStore } from '../../src/plugins/identity/redis-key-store.ts'
import { startRedis } from '../services/redis.ts'
import { until } from '../until.ts'
import { seeded } from './harness.ts'

const records = '{trivium:keys}:records'
const version = '{trivium:keys}:version'

/** The keys of one gateway, and its connection. */
async function node(t: TestContext, url: string, options: object = {}): Promise<ManagedKeys> {
  const client = await connect(t, url, options)
  const keys = new ManagedKeys({ store: new RedisKeyStore(client), log: silentLog, now: Date.now })
  t.after(() => keys.close())
  await keys.start()
  return keys
}

async function connect(t: TestContext, url: string, options: object = {}): Promise<Client> {
  const client = new Client(url, { enableOfflineQueue: false, maxRetriesPerRequest: 0, ...options })
  client.on('error', () => {})
  t.after(() => client.disconnect())
  await once(client, 'ready')
  return client
}

const fields = { consumer: 'shop', env: 'live' } as const
const sorted = (keys: Iterable<KeyRecord>): unknown =>
  JSON.parse(JSON.stringify([...keys].sort((a, b) => (a.id < b.id ? -1 : 1))))

test('nodes that change keys at random end with the same keys, and no change undoes a revocation', async (t) => {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const nodes = [await node(t, redis.url), await node(t, redis.url), await node(t, redis.url)]
  const random = seeded(11)
  const pick = <T>(of: readonly T[]): T | undefined => of[Math.floor(random() * of.length)]
  const revoked = new Set<string>()
  let stale = 0
  const change = async (): Promise<void> => {
    const keys = pick(nodes) as ManagedKeys
    const id = pick([...keys.all()])?.id ?? ''
    const kind = random()
    if (kind < 0.3 || id === '') await keys.create(fields)
    else if (kind < 0.6) await keys.rotate(id, { overlapMs: 1_000_000 })
    else if (kind < 0.9) await keys.revoke(id).then(() => revoked.add(id))
    else await keys.remove(id)
  }
  for (let round = 0; round < 60; round++) {
    const changes = await Promise.allSettled(Array.from({ length: 5 }, change))
    for (const { reason } of changes.filter((one) => one.status === 'rejected')) {
      assert.ok(reason instanceof GatewayError && [404, 409].includes(reason.status), String(reason))
      stale++
    }
  }
  const client = await connect(t, redis.url)
  const kept = sorted(Object.values(await client.hgetall(records)).map((one) => JSON.parse(one) as KeyRecord))
  for (const keys of nodes) {
    await until(() => JSON.stringify(sorted(keys.all())) === JSON.stringify(kept))
    for (const key of keys.all()) if (revoked.has(key.id)) assert.notEqual(key.revokedAt, undefined)
    for (const key of keys.all()) assert.equal(keys.find(key.hash)?.id, key.id)
  }
  assert.ok(stale > 0 && revoked.size > 20, `${stale} refused, ${revoked.size} revoked`)
})

test('a change whose message is lost is found', async (t) => {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const keys = await node(t, redis.url)
  const { record } = await keys.create(fields)
  const client = await connect(t, redis.url)
  await client.hset(records, record.id, JSON.stringify({ ...record, revokedAt: 1 }))
  await client.incr(version)
  await until(() => keys.get(record.id)?.revokedAt === 1)
})

test('a Redis that lost its data does not bring back what was revoked, whoever fills it', async (t) => {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const keys = await node(t, redis.url)
  const { record } = await keys.create(fields)
  await keys.revoke(record.id)
  const client = await connect(t, redis.url)
  // As one would that has not heard of it.
  await client
    .multi()
    .del(records)
    .hset(records, record.id, JSON.stringify(record))
    .set(version, Date.now())
    .exec()
  const stored = async (): Promise<KeyRecord> =>
    JSON.parse((await client.hget(records, record.id)) ?? '{}') as KeyRecord
  await until(async () => (await stored()).revokedAt !== undefined)
  assert.notEqual(keys.get(record.id)?.revokedAt, undefined)
})

test('gateways with different prefixes do not see each other, those with one hear of each other', async (t) => {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const [a, b, other] = [
    await node(t, redis.url, { keyPrefix: 'a:' }),
    await node(t, redis.url, { keyPrefix: 'a:' }),
    await node(t, redis.url, { keyPrefix: 'b:' }),
  ]
  const from = performance.now()
  const { record } = await a.create(fields)
  await until(() => b.get(record.id) !== undefined)
  t.diagnostic(`heard after ${(performance.now() - from).toFixed(1)} ms`)
  assert.equal(b.trouble, undefined)
  assert.equal(other.size, 0)
})

test('what is no record is passed over', async (t) => {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const client = await connect(t, redis.url)
  await client.multi().hset(records, 'x', 'no json', 'y', '[]', 'z', '{"id":"z"}').set(version, 1).exec()
  const keys = await node(t, redis.url)
  assert.deepEqual([keys.size, keys.complete], [0, true])
  for (const text of ['no json', 'null', '{"version":"x"}']) await client.publish('{trivium:keys}:news', text)
  const { record } = await keys.create(fields)
  assert.equal(keys.get(record.id)?.consumer, 'shop')
})
