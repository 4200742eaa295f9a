import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { GatewayError } from '../../src/core/error.ts'
import type { Plugin } from '../../src/core/plugin.ts'
import { chargeOperation, requestCost } from '../../src/core/request-cost.ts'
import { rateLimit } from '../../src/plugins/rate-limit/rate-limit.ts'
import { redisForFile } from '../services/redis-for-file.ts'
import { type ExchangeOptions, exchange, host, make, policy, type TestExchange, values } from './harness.ts'

const { client: redis } = await redisForFile()

/** The global list: requests of every protocol. */
const place = { ...host().place, protocol: undefined }
let places = 0
function limited(store: 'memory' | 'redis', options: object): Plugin {
  const house = host({ redis, place, policy: policy({ id: `costs${++places}` }) })
  return make(rateLimit, { window: '1h', store, storeTimeout: '5s', name: 'n', ...options }, house)
}

async function ask(plugins: readonly Plugin[], options: ExchangeOptions = {}): Promise<TestExchange> {
  return exchange({ ...options, plugins }).run()
}

function left(x: TestExchange): string {
  return values(x.replyHeaders, 'RateLimit')
    .join(', ')
    .replaceAll(/;t=\d+/g, '')
}

const graphql = { route: { id: 'graphql', protocol: 'graphql' } } as const

/** A request of GraphQL whose operation turned out to cost so much. */
async function operate(
  plugins: readonly Plugin[],
  cost: number,
  name = '',
): Promise<{ left: string; error: GatewayError | undefined }> {
  const x = await ask(plugins, graphql)
  if (x.error !== undefined) return { left: left(x), error: x.error }
  const error = await Promise.resolve(x.get(chargeOperation)?.({ cost, name })).then(
    () => undefined,
    (thrown: GatewayError) => thrown,
  )
  return { left: left(x), error }
}

for (const store of ['memory', 'redis'] as const) {
  describe(`costs in ${store}`, () => {
    test('a request counts as much as it costs', async () => {
      const plugin = limited(store, { limit: 10, cost: 4 })
      const seen: string[] = []
      for (let i = 0; i < 3; i++) seen.push(left(await ask([plugin])))
      assert.deepEqual(seen, ['"n";r=6', '"n";r=2', '"n";r=2'])
    })

    test('a refused one is told to wait until all of its cost is there', async () => {
      const plugin = limited(store, { limit: 10, window: '10s', cost: 4 })
      await ask([plugin])
      await ask([plugin])
      const { error } = await ask([plugin])
      assert.ok(
        (error?.retryAfterMs ?? 0) > 1_500 && (error?.retryAfterMs ?? 0) <= 2_000,
        `${error?.retryAfterMs}`,
      )
    })

    test('gRPC methods cost what is said of each, by name or by full name, and 1 otherwise', async () => {
      const cost = { Search: 5, 'library.v1.LibraryService/Export': 8 }
      const plugin = limited(store, { limit: 20, cost })
      const method = (name: string): ExchangeOptions => ({
        route: { id: `library.v1.LibraryService/${name}`, protocol: 'grpc' },
      })
      const seen: string[] = []
      for (const name of ['Search', 'Export', 'GetBook', 'constructor'])
        seen.push(left(await ask([plugin], method(name))))
      assert.deepEqual(seen, ['"n";r=15', '"n";r=7', '"n";r=6', '"n";r=5'])
    })

    test('what runs before may say what a request costs', async () => {
      const expensive: Plugin = { onRequest: (x) => x.set(requestCost, 3) }
      const plugin = limited(store, { limit: 10, cost: 2 })
      assert.equal(left(await ask([expensive, plugin])), '"n";r=4')
    })

    test('an operation pays 1 at the door and the rest when its cost is known; one that is never read has paid 1', async () => {
      const plugin = limited(store, { limit: 10, cost: 'operation' })
      assert.equal(left(await ask([plugin], graphql)), '"n";r=9')
      assert.equal((await operate([plugin], 5)).left, '"n";r=4')
      assert.equal((await operate([plugin], 0.5)).left, '"n";r=3')
      assert.equal((await operate([plugin], 2.1)).left, '"n";r=0')
      const refused = await operate([plugin], 1)
      assert.equal(refused.error?.reason, 'RATE_LIMITED')
    })

    for (const algorithm of ['tokenBucket', 'slidingWindow', 'slidingLog', 'fixedWindow'] as const) {
      test(`${algorithm}: who waits as long as an operation was told is admitted with all of its cost`, async () => {
        const house = host({ redis, place, policy: policy({ id: `costs${++places}` }) })
        house.time = 1_763_000_000_000
        // Redis has a clock of its own.
        if (store === 'redis') return
        const options = { limit: 10, window: '10s', cost: 'operation', name: 'n', store, algorithm }
        const plugin = make(rateLimit, options, house)
        for (let i = 0; i < 6; i++) {
          await operate([plugin], 1)
          house.time += 100
        }
        const refused = await operate([plugin], 7)
        assert.equal(refused.error?.reason, 'RATE_LIMITED')
        const wait = refused.error.retryAfterMs ?? 0
        house.time += wait
        assert.equal((await operate([plugin], 7)).error, undefined, `${wait}`)
      })
    }

    test('an operation that costs more than there ever is gets no time to come again', async () => {
      const { error } = await operate([limited(store, { limit: 10, cost: 'operation' })], 11)
      assert.equal(error?.reason, 'RATE_LIMITED')
      assert.equal(error.retryAfterMs, undefined)
      assert.match(error.message, /costs 11, which is more than the rate limit "n" of 10/)
    })

    for (const algorithm of ['tokenBucket', 'slidingWindow', 'slidingLog', 'fixedWindow'] as const) {
      test(`${algorithm}: an operation that costs without end is refused, and no trouble to the store`, async () => {
        const house = host({ redis, place, policy: policy({ id: `costs${++places}` }) })
        const options = { limit: 10, window: '1h', cost: 'operation', store, storeTimeout: '5s', algorithm }
        const plugin = make(rateLimit, options, house)
        await operate([plugin], 4)
        for (const cost of [2 ** 53, 1e15, 1e300, Number.POSITIVE_INFINITY])
          assert.equal((await operate([plugin], cost)).error?.reason, 'RATE_LIMITED', `${cost}`)
        assert.equal((await operate([plugin], Number.NaN)).error, undefined)
        assert.deepEqual(house.logged, [])
      })
    }

    test('several limits: the rest of the cost is taken from all of them or from none', async () => {
      const limits = [
        { name: 'requests', limit: 100, window: '1h' },
        { name: 'hour', limit: 20, window: '1h', cost: 'operation' },
        { name: 'day', limit: 9, window: 'day', cost: 'operation' },
      ]
      const house = host({ redis, place, policy: policy({ id: `costs${++places}` }) })
      const plugin = make(rateLimit, { limits, store, storeTimeout: '5s' }, house)
      assert.equal((await operate([plugin], 6)).left, '"requests";r=99, "hour";r=14, "day";r=3')
      const { left, error } = await operate([plugin], 6)
      assert.equal(error?.reason, 'QUOTA_EXCEEDED')
      assert.equal(left, '"requests";r=98, "hour";r=13, "day";r=2', 'but for the 1 at the door')
    })

    test('two plugins of one exchange are both charged, and tell their own', async () => {
      const [a, b] = [
        limited(store, { limit: 10, cost: 'operation', name: 'a' }),
        limited(store, { limit: 20, cost: 'operation', name: 'b' }),
      ]
      assert.equal((await operate([a, b], 4)).left, '"a";r=6, "b";r=16')
    })

    test('by operation: counted by its name once that is known, apart from others', async () => {
      const plugin = limited(store, { limit: 2, by: ['consumer', 'operation'] })
      const seen: string[] = []
      for (const name of ['Books', 'Books', 'Books', 'Authors']) {
        const { left, error } = await operate([plugin], 50, name)
        seen.push(`${left} ${error?.reason ?? ''}`)
      }
      assert.deepEqual(seen, ['"n";r=1 ', '"n";r=0 ', '"n";r=0 RATE_LIMITED', '"n";r=1 '])
    })
  })
}

test('by operation: gRPC methods are counted apart at the door', async () => {
  const plugin = limited('memory', { limit: 1, by: 'operation' })
  const method = (id: string): ExchangeOptions => ({ route: { id, protocol: 'grpc' } })
  assert.equal((await ask([plugin], method('l.v1.L/Get'))).error, undefined)
  assert.equal((await ask([plugin], method('l.v1.L/List'))).error, undefined)
  assert.equal((await ask([plugin], method('l.v1.L/Get'))).error?.reason, 'RATE_LIMITED')
})

const apart: readonly [string, unknown, ExchangeOptions, ExchangeOptions][] = [
  ['one address, two tenants', ['ip', 'header:X-Tenant'], tenant('a'), tenant('b')],
  ['one tenant, two addresses', ['ip', 'header:X-Tenant'], tenant('a'), tenant('a', '192.0.2.7')],
  ['parts that spell the same together', ['header:X-A', 'header:X-B'], pair('a', 'bc'), pair('ab', 'c')],
  [
    'a value that holds what stands between parts',
    ['header:X-A', 'header:X-B'],
    pair('a\0h:b', 'c'),
    pair('a', 'b\0h:c'),
  ],
]
for (const [name, by, first, second] of apart) {
  test(`a list of who is counted together, apart: ${name}`, async () => {
    const plugin = limited('memory', { limit: 1, by })
    assert.equal((await ask([plugin], first)).error, undefined)
    assert.equal((await ask([plugin], second)).error, undefined)
    assert.equal((await ask([plugin], first)).error?.reason, 'RATE_LIMITED')
  })
}

function tenant(value: string, clientAddress = '192.0.2.1'): ExchangeOptions {
  return { request: { headers: { 'x-tenant': value }, clientAddress } }
}

function pair(a: string, b: string): ExchangeOptions {
  return { request: { headers: { 'x-a': a, 'x-b': b } } }
}

describe('quotas by the calendar', () => {
  test('a day ends at midnight UTC, a month on the first, and a refusal says which quota it was', async () => {
    const house = host({ policy: policy() })
    house.time = Date.UTC(2026, 1, 27, 23, 59, 50)
    const limits = [
      { name: 'daily', limit: 2, window: 'day' },
      { name: 'monthly', limit: 5, window: 'month' },
    ]
    const plugin = make(rateLimit, { limits, by: 'ip' }, house)
    const seen: string[] = []
    const policies = new Set<string>()
    for (const stepSeconds of [0, 0, 0, 10, 0, 0, 86_400, 0, 86_400]) {
      house.time += stepSeconds * 1_000
      const x = await ask([plugin])
      policies.add(values(x.replyHeaders, 'RateLimit-Policy').join())
      const refusal = x.error === undefined ? '' : ` ${x.error.reason} ${(x.error.retryAfterMs ?? 0) / 1_000}`
      seen.push(values(x.replyHeaders, 'RateLimit').join() + refusal)
    }
    assert.deepEqual([...policies], ['"daily";q=2;w=86400, "monthly";q=5;trivium-window="month"'])
    assert.deepEqual(seen, [
      '"daily";r=1;t=10, "monthly";r=4;t=86410',
      '"daily";r=0;t=10, "monthly";r=3;t=86410',
      '"daily";r=0;t=10, "monthly";r=3;t=86410 QUOTA_EXCEEDED 10',
      '"daily";r=1;t=86400, "monthly";r=2;t=86400',
      '"daily";r=0;t=86400, "monthly";r=1;t=86400',
      '"daily";r=0;t=86400, "monthly";r=1;t=86400 QUOTA_EXCEEDED 86400',
      '"daily";r=1;t=86400, "monthly";r=4;t=2678400',
      '"daily";r=0;t=86400, "monthly";r=3;t=2678400',
      '"daily";r=1;t=86400, "monthly";r=2;t=2592000',
    ])
  })

  test('in Redis, a quota outlives the gateway that counted it', async () => {
    const id = `costs${++places}`
    const options = { limit: 2, window: 'month', name: 'n', storeTimeout: '5s' }
    const gateway = (): Plugin => make(rateLimit, options, host({ redis, place, policy: policy({ id }) }))
    await ask([gateway()])
    await ask([gateway()])
    assert.equal((await ask([gateway()])).error?.reason, 'QUOTA_EXCEEDED')
  })
})

const refused: readonly [string, object, RegExp][] = [
  ['an algorithm for a month', { limit: 1, window: 'month', algorithm: 'slidingLog' }, /from month to month/],
  ['a burst for a day', { limit: 1, window: 'day', burst: 2 }, /a day has none/],
  ['a queue for a token bucket', { limit: 1, window: '1s', queue: 2 }, /is for leakyBucket/],
  [
    'a queue of hours',
    { limit: 1, window: '1m', algorithm: 'leakyBucket', queue: 60 * 24 },
    /more than a minute/,
  ],
  ['a cost above the limit', { limit: 5, window: '1s', cost: 6 }, /more than there ever is at once: 5/],
  [
    'a cost above the burst',
    { limit: 50, window: '1s', burst: 5, cost: { Search: 6 } },
    /more than there ever is/,
  ],
  [
    'a cost above the queue',
    { limit: 50, window: '1s', algorithm: 'leakyBucket', cost: 2 },
    /more than there ever/,
  ],
  ['a cost of nothing', { limit: 5, window: '1s', cost: 0 }, /./],
  [
    'overrides by address',
    { limit: 5, window: '1s', by: 'ip', overrides: { a: { limit: 1, window: '1s' } } },
    /for `by` consumer and user/,
  ],
  ['a lease in memory', { limit: 50, window: '1s', store: 'memory', lease: 5 }, /count in Redis/],
  ['a lease of turns', { limit: 50, window: '1s', algorithm: 'leakyBucket', lease: 5 }, /has its turn/],
  ['a lease of operations', { limit: 50, window: '1s', by: ['ip', 'operation'], lease: 5 }, /by operation/],
  ['a lease of more than there is', { limit: 50, window: '1s', cost: 20, lease: 5 }, /more than a limit has/],
  [
    'a share of what is not local',
    { limit: 5, window: '1s', onStoreError: 'deny', localShare: 0.5 },
    /onStoreError: local/,
  ],
  ['a share above one', { limit: 5, window: '1s', localShare: 2 }, /./],
  ['a list of one', { limit: 5, window: '1s', by: ['ip'] }, /./],
]
for (const [name, options, message] of refused) {
  test(`the configuration is refused: ${name}`, () => {
    const { error } = rateLimit.options.safeParse(options)
    assert.match(error?.message ?? '', message)
  })
}

test('the configuration is refused: the cost of operations where there are none', () => {
  const house = host({ place: { ...place, protocol: 'grpc' } })
  assert.throws(
    () => make(rateLimit, { limit: 5, window: '1s', cost: 'operation' }, house),
    /here, give numbers/,
  )
})
