import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis as Client } from 'ioredis'
import type { Plugin } from '../../src/core/plugin.ts'
import { bucketOf } from '../../src/plugins/rate-limit/gcra.ts'
import { MemoryLimiter } from '../../src/plugins/rate-limit/memory-limiter.ts'
import { rateLimit } from '../../src/plugins/rate-limit/rate-limit.ts'
import { RedisLimiter } from '../../src/plugins/rate-limit/redis-limiter.ts'
import { type Redis, startRedis } from '../services/redis.ts'
import { exchange, host, make, policy, seeded, type TestExchange, type TestHost, values } from './harness.ts'

let server: Redis
const clients: Client[] = []

before(async () => {
  server = await startRedis()
})
after(async () => {
  for (const client of clients) client.disconnect()
  await server.stop()
})

/** As gateway.ts makes it. */
async function connect(url = server.url): Promise<Client> {
  const client = new Client(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 1_000,
    retryStrategy: () => 50,
  })
  client.on('error', () => {})
  clients.push(client)
  await once(client, 'ready')
  return client
}

async function ask(plugin: Plugin): Promise<TestExchange> {
  const x = await exchange({ plugins: [plugin] }).run()
  if (!x.committed) x.answer(200, [], '')
  return x
}

function limited(redis: Client, options: object = {}, id = 'users'): { plugin: Plugin; house: TestHost } {
  const house = host({ redis, policy: policy({ id }) })
  return { plugin: make(rateLimit, { limit: 5, window: '1h', ...options }, house), house }
}

test('Redis decides what memory decides, to the token', async () => {
  const redis = await connect()
  const random = seeded(11)
  for (let round = 0; round < 8; round++) {
    const limit = 1 + Math.floor(random() * 20)
    const bucket = bucketOf({
      limit,
      windowMs: 40 + random() * 200,
      burst: round === 0 ? 1 : 1 + Math.floor(random() * 20),
    })
    const inRedis = new RedisLimiter(redis, `twin${round}`, 1_000)
    const inMemory = new MemoryLimiter()
    const clock = async (): Promise<number> => {
      const [s, micros] = await redis.time()
      return Number(s) * 1_000_000 + Number(micros)
    }
    const { intervalMicros } = bucket
    let fullAt = 0
    for (let i = 0; i < 60; i++) {
      const [earliest, found, latest] = await Promise.all([clock(), inRedis.take(bucket, 'k'), clock()])
      const { admitted, backlogMicros } = found
      // When Redis decided follows from what it answered; only of a bucket that was full it has to be read, and a key that is
      // gone by now was full again, so that any moment will do.
      let now = fullAt - backlogMicros
      if (admitted && backlogMicros > intervalMicros) now += intervalMicros
      else if (admitted) {
        const stored = Number(await redis.get(`trivium:rl:{twin${round}}:k`))
        now = stored === 0 ? earliest : stored - intervalMicros
      }
      assert.ok(now >= earliest && now <= latest, `${earliest} <= ${now} <= ${latest}`)
      assert.deepEqual(inMemory.take(bucket, 'k', now), found)
      if (admitted) fullAt = now + backlogMicros
      await delay(random() * 8)
    }
  }
})

test('a key leaves Redis when its bucket is full again', async () => {
  const redis = await connect()
  const bucket = bucketOf({ limit: 10, windowMs: 60_000, burst: 10 })
  await new RedisLimiter(redis, 'ttl', 1_000).take(bucket, 'k')
  const ttlMs = await redis.pttl('trivium:rl:{ttl}:k')
  assert.ok(ttlMs > 5_000 && ttlMs <= 6_000, `${ttlMs}`)
})

test('three gateways on one Redis admit exactly the limit together', async () => {
  const gateways = await Promise.all([connect(), connect(), connect()])
  const plugins = gateways.map((redis) => limited(redis, { limit: 100 }, 'shared').plugin)
  const asked = Array.from({ length: 600 }, (_, i) => ask(plugins[i % 3] as Plugin))
  const answers = await Promise.all(asked)
  assert.equal(answers.filter((x) => x.answered?.status === 200).length, 100)
  const left = answers
    .filter((x) => x.error === undefined)
    .map((x) => values(x.answered?.headers ?? [], 'RateLimit')[0])
  assert.equal(new Set(left).size, 100, 'each admitted request sees another remainder')
})

test('a script that Redis forgot is sent again', async () => {
  const redis = await connect()
  const { plugin } = limited(redis, {}, 'forgotten')
  await ask(plugin)
  await redis.script('FLUSH')
  const x = await ask(plugin)
  assert.equal(x.error, undefined)
  assert.match(values(x.answered?.headers ?? [], 'RateLimit')[0] ?? '', /r=3/)
})

const fallbacks: readonly ['allow' | 'deny' | 'local', string][] = [
  ['allow', '200 200 200'],
  ['deny', '503 503 503'],
  ['local', '200 200 429'],
]
for (const [onStoreError, expected] of fallbacks) {
  test(`while Redis is gone, ${onStoreError}: ${expected}; it counts again when Redis is back`, async () => {
    let own = await startRedis()
    const redis = await connect(own.url)
    const { plugin, house } = limited(redis, { limit: 2, onStoreError }, onStoreError)
    await ask(plugin)
    await own.kill()
    const startedAt = performance.now()
    const answers: TestExchange[] = []
    for (let i = 0; i < 3; i++) answers.push(await ask(plugin))
    assert.ok(performance.now() - startedAt < 250)
    assert.equal(answers.map((x) => x.answered?.status).join(' '), expected)
    if (onStoreError === 'deny') assert.ok((answers[0]?.error?.retryAfterMs ?? 0) >= 1_000)

    own = await startRedis({ port: own.port })
    try {
      if (redis.status !== 'ready') await once(redis, 'ready')
      house.time = Date.now() + 1_001
      const x = await ask(plugin)
      assert.match(values(x.answered?.headers ?? [], 'RateLimit')[0] ?? '', /r=1/)
      assert.equal(await redis.dbsize(), 1)
      assert.deepEqual(
        house.logged.map((line) => line.level),
        ['warn', 'info'],
      )
      assert.match(await house.metrics.metrics(), /gateway_ratelimit_store_errors_total 1$/m)
    } finally {
      await own.stop()
    }
  })
}

test('a Redis that hangs costs one wait, not one for each request', async () => {
  const own = await startRedis()
  try {
    const redis = await connect(own.url)
    const { plugin, house } = limited(redis, { limit: 1_000, storeTimeout: '50ms' }, 'hung')
    await ask(plugin)
    own.pause()
    const times: number[] = []
    for (let i = 0; i < 50; i++) {
      const startedAt = performance.now()
      assert.equal((await ask(plugin)).answered?.status, 200)
      times.push(performance.now() - startedAt)
    }
    assert.equal(times.filter((ms) => ms > 25).length, 1, `${times.map(Math.round)}`)
    assert.ok(Math.max(...times) < 250)
    assert.equal(house.logged.length, 1)

    house.time = Date.now() + 1_001
    const during = await Promise.all(Array.from({ length: 20 }, () => ask(plugin)))
    assert.ok(during.every((x) => x.error === undefined))
    assert.match(await house.metrics.metrics(), /gateway_ratelimit_store_errors_total 2$/m)
    assert.equal(house.logged.length, 1, 'nothing new to log: it was down before')
  } finally {
    own.resume()
    await own.stop()
  }
})

test('auto counts in Redis, memory does not', async () => {
  const redis = await connect()
  const counted = await redis.dbsize()
  await ask(limited(redis, { store: 'memory' }, 'in-memory').plugin)
  assert.equal(await redis.dbsize(), counted)
  await ask(limited(redis, {}, 'in-redis').plugin)
  assert.equal(await redis.exists('trivium:rl:{in-redis:default}:i:192.0.2.1'), 1)
})
