import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KeyTable } from '../../src/core/key-table.ts'
import type { State } from '../../src/plugins/rate-limit/algorithm.ts'
import type { Decision } from '../../src/plugins/rate-limit/decision.ts'
import type { AlgorithmName, LimitSize } from '../../src/plugins/rate-limit/options.ts'
import { type Quota, quotaOf } from '../../src/plugins/rate-limit/quota.ts'
import { read } from '../../src/plugins/rate-limit/redis-limiter.ts'
import { script } from '../../src/plugins/rate-limit/script.ts'
import { takeInMemory } from '../../src/plugins/rate-limit/take-in-memory.ts'
import { redisForFile } from '../services/redis-for-file.ts'
import { seeded } from './harness.ts'
import { algorithms, quotaFor, randomLimit } from './rate-limit-models.ts'

// The script by a clock that the test sets, beside the arithmetic in memory, which is proven against models elsewhere.

const clocked = script.replace("redis.call('TIME')", '{0, ARGV[#ARGV]}')
assert.notEqual(clocked, script)

const { client: redis } = await redisForFile()

interface Asked {
  readonly quota: Quota
  readonly key: string
  readonly table: KeyTable<State>
  readonly cost: number
}

let keys = 0
function asked(quota: Quota, table = new KeyTable<State>()): Asked {
  return { quota, key: `k${++keys}`, table, cost: 1 }
}

/** The same request in both; they must agree on all that is told. */
async function take(stack: readonly Asked[], now: number, why = ''): Promise<Decision> {
  const limits = stack.map(({ quota, key, table, cost }) => ({
    algorithm: quota.algorithm,
    key,
    table,
    cost,
    redisKey: `{t}${key}`,
  }))
  const sent = limits.flatMap(({ algorithm, cost }) => [...algorithm.script, cost, cost])
  const names = limits.map(({ redisKey }) => redisKey)
  const answer = (await redis.eval(clocked, names.length, ...names, 1, ...sent, now)) as number[]
  const found = read(limits, answer)
  assert.deepEqual(found, takeInMemory(limits, now), why)
  return found
}

for (const algorithm of algorithms) {
  test(`${algorithm}: Redis decides what memory decides, whatever requests cost and wherever the clock jumps`, async () => {
    const random = seeded(31)
    for (let round = 0; round < 20; round++) {
      const small = randomLimit(algorithm, { random, maxWindowMicros: 60_000_000 })
      const one = asked(quotaFor(small))
      let now = 1_763_000_000_000_000
      for (let i = 0; i < 40; i++) {
        const forth = (random() * random() * 6 * small.windowMicros) / small.limit
        // Memory notes that a window has turned when it refuses, Redis does not: if the clock then goes back, both are within what is promised, but differ.
        const back = algorithm !== 'slidingWindow' && random() < 0.05
        now += Math.floor(back ? -random() * small.windowMicros : forth)
        const cost = 1 + Math.floor(random() * 4)
        await take([{ ...one, cost }], now, `${JSON.stringify(small)}, request ${i} of ${cost}`)
      }
    }
  })
}

test('stacks of limits of any kinds, each with a cost of its own: Redis decides what memory decides', async () => {
  const random = seeded(37)
  for (let round = 0; round < 20; round++) {
    const stack = Array.from({ length: 3 }, () => {
      const algorithm = algorithms[Math.floor(random() * algorithms.length)] ?? 'slidingLog'
      return asked(quotaFor(randomLimit(algorithm, { random, maxWindowMicros: 20_000_000 })))
    })
    let now = 1_763_000_000_000_000
    for (let i = 0; i < 30; i++) {
      now += Math.floor(random() * random() * 10_000_000)
      await take(
        stack.map((one) => ({ ...one, cost: 1 + Math.floor(random() * 3) })),
        now,
      )
    }
  }
})

describe('a quota by the month', () => {
  const quota = quotaOf({ name: 'n', algorithm: 'tokenBucket' }, { limit: 2, window: 'month' })

  // Gregorian calendar: 2000 and 2028 are leap years, 2100 is not.
  const months: readonly [last: string, next: string][] = [
    ['1999-12-31T00:00:00.000Z', '2000-01-01'],
    ['2000-02-29T00:00:00.000Z', '2000-03-01'],
    ['2026-02-28T00:00:00.000Z', '2026-03-01'],
    ['2026-11-30T00:00:00.000Z', '2026-12-01'],
    ['2026-12-31T00:00:00.000Z', '2027-01-01'],
    ['2028-02-29T00:00:00.000Z', '2028-03-01'],
    ['2100-02-28T00:00:00.000Z', '2100-03-01'],
    ['2026-03-29T01:30:00.000Z', '2026-04-01'],
  ]
  for (const [last, next] of months) {
    test(`used up at ${last}, there again on ${next}`, async () => {
      const one = asked(quota)
      const now = Date.parse(last) * 1_000
      const begin = Date.parse(next) * 1_000
      await take([one], now)
      await take([one], now)
      const refused = await take([one], now)
      assert.equal(refused.admitted, false)
      assert.equal(refused.standings[0]?.retryMicros, begin - now)
      assert.equal((await take([one], begin - 1)).admitted, false)
      assert.equal((await take([one], begin)).standings[0]?.remaining, 1)
    })
  }

  test('every day of five years belongs to its month', async () => {
    const one = asked(quotaOf({ name: 'n', algorithm: 'tokenBucket' }, { limit: 1_000, window: 'month' }))
    let count = 0
    let current = ''
    for (let day = Date.UTC(2027, 11, 30); day < Date.UTC(2033, 0, 2); day += 86_400_000) {
      const month = new Date(day).toISOString().slice(0, 7)
      count = month === current ? count + 1 : 1
      current = month
      assert.equal((await take([one], day * 1_000)).standings[0]?.remaining, 1_000 - count, month)
    }
  })

  test('its key stays until the month is over', async () => {
    const one = asked(quota)
    await take([one], Date.UTC(2026, 10, 3) * 1_000)
    const days = (await redis.pttl(`{t}${one.key}`)) / 86_400_000
    assert.ok(days > 27.9 && days <= 28, `${days}`)
  })
})

describe('another algorithm, limit or window goes on with what was used', () => {
  // Half seconds, and requests at whole ones: what a log forgets is never in doubt by the milliseconds that a key has lived.
  const sizes: readonly (LimitSize & { readonly algorithm: AlgorithmName })[] = [
    { algorithm: 'tokenBucket', limit: 20, window: 60_500 },
    { algorithm: 'tokenBucket', limit: 50, window: 20_500, burst: 5 },
    { algorithm: 'leakyBucket', limit: 30, window: 30_500, queue: 9 },
    { algorithm: 'fixedWindow', limit: 20, window: 60_500 },
    { algorithm: 'fixedWindow', limit: 40, window: 3_600_500 },
    { algorithm: 'slidingWindow', limit: 20, window: 60_500 },
    { algorithm: 'slidingWindow', limit: 10, window: 30_500 },
    { algorithm: 'slidingLog', limit: 20, window: 60_500 },
    { algorithm: 'slidingLog', limit: 30, window: 20_500 },
    { algorithm: 'tokenBucket', limit: 60, window: 'day' },
    { algorithm: 'tokenBucket', limit: 70, window: 'month' },
  ]
  const nameOf = ({ algorithm, limit, window }: (typeof sizes)[number]): string =>
    typeof window === 'string' ? `${limit} a ${window}` : `${algorithm} ${limit} in ${window} ms`

  const mostOf = ({ limit, burst, queue }: LimitSize): number =>
    burst ?? (queue === undefined ? limit : queue + 1)

  for (const [i, from] of sizes.entries()) {
    test(`from ${nameOf(from)} to each other, in Redis as in memory, and back`, async () => {
      const random = seeded(41 + i)
      for (const to of sizes) {
        const [old, next] = [from, to].map((size) => quotaOf({ name: 'n', algorithm: size.algorithm }, size))
        assert.ok(old && next)
        const one = asked(old)
        let now = 1_763_000_000_000_000
        let used = 0
        for (let n = 0; n < 12; n++) {
          const { admitted } = await take([one], now)
          if (admitted) used++
          now += Math.floor(random() * 2) * 1_000_000
        }
        const before = await take([one], now)
        const changed = { ...one, quota: next }
        const first = await take([changed], now, `to ${nameOf(to)}`)
        const [left, right] = [before.standings[0], first.standings[0]]
        assert.ok(left && right)
        // What was used of the old one is used of the new one, but for the part of a token that is being earned.
        const counted = mostOf(from) - left.remaining
        const room = right.remaining + (first.admitted ? 1 : 0)
        assert.ok(
          used > 0 && room <= Math.max(mostOf(to) - counted + 1, 0),
          `to ${nameOf(to)}: ${counted}, ${room}`,
        )
        await take([one], now, `back from ${nameOf(to)}`)
      }
    })
  }

  test('a window that was longer ends where it would have ended, and gives no second allowance before', async () => {
    const size = (window: number, limit: number): Quota =>
      quotaOf({ name: 'n', algorithm: 'fixedWindow' }, { limit, window })
    const one = asked(size(86_400_000, 5))
    const now = 1_763_000_000_000_000
    for (let n = 0; n < 5; n++) await take([one], now)
    const hourly = { ...one, quota: size(3_600_000, 3) }
    assert.equal((await take([hourly], now)).admitted, false)
    assert.equal((await take([hourly], now + 3_600_000_000)).admitted, true, 'the next hour has its own')
  })
})

test('the work on a log does not grow with what falls out of it', async () => {
  const one = asked(
    quotaFor({ algorithm: 'slidingLog', limit: 10_000, windowMicros: 60_000_000, burst: 10_000 }),
  )
  const start = 1_763_000_000_000_000
  for (let n = 0; n < 10; n++) await take([{ ...one, cost: 1_000 }], start + n)
  await redis.config('RESETSTAT')
  const found = await take([one], start + 60_000_000 + 4)
  assert.equal(found.standings[0]?.remaining, 4_999)
  const stats = await redis.info('commandstats')
  const calls = [...stats.matchAll(/cmdstat_(?!eval|config|info)\w+:calls=(\d+)/g)].map(([, n]) => Number(n))
  assert.ok(calls.reduce((sum, n) => sum + n, 0) < 40, stats)
})
