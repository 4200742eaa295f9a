import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis as Client } from 'ioredis'
import { KeyTable } from '../../src/core/key-table.ts'
import type { Plugin } from '../../src/core/plugin.ts'
import type { State } from '../../src/plugins/rate-limit/algorithm.ts'
import { rateLimit } from '../../src/plugins/rate-limit/rate-limit.ts'
import { RedisLimiter } from '../../src/plugins/rate-limit/redis-limiter.ts'
import { takeInMemory } from '../../src/plugins/rate-limit/take-in-memory.ts'
import { type Redis, startRedis } from '../services/redis.ts'
import { exchange, host, make, policy, seeded, type TestExchange, type TestHost, values } from './harness.ts'
import { type Algorithm, algorithms, Model, quotaFor, randomLimit, type Small } from './rate-limit-models.ts'

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

/** A stack as both stores count it: in memory, and under keys of its own in Redis. */
function counted(smalls: readonly Small[], name: string) {
  return smalls.map((small, i) => ({
    algorithm: quotaFor(small).algorithm,
    key: 'k',
    table: new KeyTable<State>(),
    redisKey: `{${name}}:${i}`,
    cost: 1,
  }))
}

test('Redis decides what memory decides at that time, to the token, for every algorithm and for stacks of them', async () => {
  const redis = await connect()
  const inRedis = new RedisLimiter(redis, 5_000)
  const random = seeded(11)
  const stacks: (readonly Algorithm[])[] = [
    ...algorithms.map((algorithm) => [algorithm]),
    algorithms,
    ...algorithms.map((algorithm) => [algorithm, 'slidingLog'] as const),
  ]
  for (const [round, stack] of [...stacks, ...stacks].entries()) {
    const smalls = stack.map((algorithm) => randomLimit(algorithm, { random, maxWindowMicros: 60_000 }))
    const limits = counted(smalls, `twin${round}`)
    const models = smalls.map((small) => new Model(small))
    let admitted = 0
    for (let i = 0; i < 60; i++) {
      const found = await inRedis.take(limits)
      assert.deepEqual(takeInMemory(limits, found.nowMicros), found, JSON.stringify(smalls))
      if (found.admitted) for (const model of models) model.add(found.nowMicros)
      const left = models.map((model) => model.remaining(found.nowMicros))
      assert.deepEqual(
        left,
        found.standings.map(({ remaining }) => remaining),
      )
      if (found.admitted) admitted++
      await delay(random() * 6)
    }
    assert.ok(admitted >= 1)
  }
})

const expiries: readonly [Algorithm, number, number][] = [
  ['tokenBucket', 5_000, 6_000],
  ['leakyBucket', 5_000, 6_000],
  ['slidingWindow', 59_000, 120_000],
  ['slidingLog', 59_000, 60_000],
  ['fixedWindow', 0, 60_000],
]
for (const [algorithm, atLeast, atMost] of expiries) {
  test(`a key of ${algorithm} leaves Redis when it is idle`, async () => {
    const redis = await connect()
    const small: Small = { algorithm, limit: 10, windowMicros: 60_000_000, burst: 10 }
    const [limit] = counted([small], `ttl-${algorithm}`)
    assert.ok(limit)
    await new RedisLimiter(redis, 5_000).take([limit])
    const ttlMs = await redis.pttl(limit.redisKey)
    assert.ok(ttlMs >= atLeast && ttlMs <= atMost, `${ttlMs}`)
  })
}

const kinds = { tokenBucket: 1, leakyBucket: 1, fixedWindow: 2, slidingWindow: 3, slidingLog: 4 } as const
for (const algorithm of algorithms) {
  test(`in Redis, ${algorithm} takes a clock that went back for at most two windows lost`, async () => {
    const redis = await connect()
    const limits = counted([{ algorithm, limit: 1, windowMicros: 20_000, burst: 1 }], `back-${algorithm}`)
    const key = limits[0]?.redisKey ?? ''
    const ahead = (Number((await redis.time())[0]) + 3_600) * 1_000_000 // a multiple of the window
    if (algorithm === 'slidingLog') await redis.rpush(key, ahead)
    else await redis.set(key, `${kinds[algorithm]} 20000 ${ahead} 1 0`)
    const limiter = new RedisLimiter(redis, 5_000)
    const found = await limiter.take(limits)
    assert.equal(found.admitted, false)
    const wait = found.standings[0]?.waitMicros ?? 0
    assert.ok(wait <= 40_000)
    await delay(wait / 1_000 + 2)
    assert.equal((await limiter.take(limits)).admitted, true)
  })
}

test('several limits cost one round trip, and a refusal writes to none of them', async () => {
  const redis = await connect()
  const stack = algorithms.map((algorithm, i) => ({
    algorithm,
    limit: i === 4 ? 1 : 10,
    windowMicros: 86_400_000_000,
    burst: i === 4 ? 1 : 10,
  }))
  const limits = counted(stack, 'atomic')
  const limiter = new RedisLimiter(redis, 5_000)
  const calls = async (): Promise<number> =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0)
  const first = await limiter.take(limits)
  assert.equal(first.admitted, true)
  const before = await calls()
  const refused = await limiter.take(limits)
  assert.equal(await calls(), before + 1)
  assert.equal(refused.admitted, false)
  assert.deepEqual(
    refused.standings.map(({ admits, remaining }) => [admits, remaining]),
    [
      [true, 9],
      [true, 9],
      [true, 9],
      [true, 9],
      [false, 0],
    ],
  )
})

for (const algorithm of algorithms.filter((one) => one !== 'leakyBucket')) {
  test(`three gateways on one Redis admit exactly the limit together by ${algorithm}`, async () => {
    const gateways = await Promise.all([connect(), connect(), connect()])
    const plugins = gateways.map(
      (redis) =>
        limited(redis, { limit: 100, window: '365d', storeTimeout: '10s', algorithm }, `shared-${algorithm}`)
          .plugin,
    )
    const asked = Array.from({ length: 600 }, (_, i) => ask(plugins[i % 3] as Plugin))
    const answers = await Promise.all(asked)
    assert.equal(answers.filter((x) => x.answered?.status === 200).length, 100)
    const left = answers
      .filter((x) => x.error === undefined)
      .map((x) => values(x.answered?.headers ?? [], 'RateLimit')[0])
    assert.equal(new Set(left).size, 100, 'each admitted request sees another remainder')
  })
}

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

test('a Redis that is slow (CLIENT PAUSE) costs a bounded wait, and counts again when it is not', async () => {
  const own = await startRedis()
  try {
    const redis = await connect(own.url)
    const other = new Client(own.url)
    clients.push(other)
    const { plugin, house } = limited(redis, { limit: 1_000, storeTimeout: '100ms' }, 'slow')
    await ask(plugin)
    await other.client('PAUSE', 2_000, 'ALL')
    const startedAt = performance.now()
    const during = await Promise.all(Array.from({ length: 50 }, () => ask(plugin)))
    assert.ok(performance.now() - startedAt < 5_000)
    assert.ok(during.every((x) => x.error === undefined))
    assert.deepEqual(
      house.logged.map(({ message }) => message),
      ['Redis fails rate limits'],
    )
    await other.ping()
    house.time = Date.now() + 1_001
    await ask(plugin)
    assert.deepEqual(
      house.logged.map(({ message }) => message),
      ['Redis fails rate limits', 'rate limits are counted in Redis again'],
    )
  } finally {
    await own.stop()
  }
})

const shares: readonly [object, number][] = [
  [{ limit: 10, localShare: 0.25 }, 2],
  [{ limit: 10, localShare: 1 }, 10],
  [{ limit: 3, localShare: 0.25 }, 1],
  [{ limit: 100, burst: 8, localShare: 0.5 }, 4],
  [{ limit: 8, window: 'month', localShare: 0.5 }, 4],
]
for (const [options, expected] of shares) {
  test(`while Redis is gone, ${JSON.stringify(options)} admits ${expected}, and the headers tell the share`, async () => {
    const own = await startRedis()
    const redis = await connect(own.url)
    const { plugin } = limited(redis, options, 'share')
    await ask(plugin)
    await own.kill()
    let admitted = 0
    let x = await ask(plugin)
    while (x.error === undefined) {
      admitted++
      assert.match(values(x.replyHeaders, 'RateLimit')[0] ?? '', new RegExp(`r=${expected - admitted};`))
      x = await ask(plugin)
    }
    assert.equal(admitted, expected)
  })
}

const reloads: readonly [string, object, object, number][] = [
  ['another algorithm', {}, { algorithm: 'slidingLog' }, 1],
  ['a queue instead of a burst', {}, { algorithm: 'leakyBucket', limit: 36_000, queue: 3 }, 0],
  ['a higher limit', { algorithm: 'fixedWindow' }, { algorithm: 'fixedWindow', limit: 9 }, 5],
  ['a lower limit', { algorithm: 'slidingWindow' }, { algorithm: 'slidingWindow', limit: 4 }, 0],
  ['a smaller burst', {}, { burst: 4 }, 0],
  [
    'a shorter window',
    { algorithm: 'fixedWindow', window: '365d' },
    { algorithm: 'fixedWindow', limit: 6 },
    2,
  ],
  ['a quota', { algorithm: 'slidingLog' }, { window: 'month', limit: 10, algorithm: undefined }, 6],
  ['an end of a quota', { window: 'month' }, { algorithm: 'tokenBucket' }, 1],
  [
    'a limit by something else beside it',
    {},
    {
      limits: [
        { name: 'default', limit: 6, window: '1h' },
        { name: 'b', limit: 50, window: '1h', by: 'ip' },
      ],
      limit: undefined,
      window: undefined,
    },
    2,
  ],
]
for (const store of ['redis', 'memory'] as const) {
  for (const [name, before, after, left] of reloads) {
    test(`a reload to ${name} goes on with what was used, in ${store}`, async () => {
      const redis = await connect()
      const house = host({ redis, policy: policy({ id: `reload ${name}` }) })
      const options = { limit: 5, window: '1h', store, storeTimeout: '5s' }
      const old = make(rateLimit, { ...options, ...before }, house)
      for (let i = 0; i < 3; i++) assert.equal((await ask(old)).error, undefined)
      const made = make(rateLimit, { ...options, ...after }, host({ redis, policy: house.policy }, house))
      const x = await ask(made)
      const told = Number(/r=(\d+)/.exec(values(x.answered?.headers ?? [], 'RateLimit')[0] ?? '')?.[1])
      assert.equal(told, left)
    })
  }
}

test('auto counts in Redis, memory does not', async () => {
  const redis = await connect()
  const counted = await redis.dbsize()
  await ask(limited(redis, { store: 'memory' }, 'in-memory').plugin)
  assert.equal(await redis.dbsize(), counted)
  await ask(limited(redis, {}, 'in-redis').plugin)
  assert.equal(await redis.exists('trivium:rl:{in-redis:i:192.0.2.1}:default'), 1)
})
