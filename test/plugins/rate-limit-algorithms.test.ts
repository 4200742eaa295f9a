import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KeyTable } from '../../src/core/key-table.ts'
import type { State } from '../../src/plugins/rate-limit/algorithm.ts'
import type { Decision } from '../../src/plugins/rate-limit/decision.ts'
import type { Quota } from '../../src/plugins/rate-limit/quota.ts'
import { takeInMemory } from '../../src/plugins/rate-limit/take-in-memory.ts'
import { seeded } from './harness.ts'
import { algorithms, Model, quotaFor, randomLimit, type Small } from './rate-limit-models.ts'

/** One limit alone, asked for one key after another. */
function limited(
  quota: Quota,
  table = new KeyTable<State>(),
): (now: number, key?: string, cost?: number) => Decision {
  const { algorithm } = quota
  return (now, key = 'k', cost = 1) => takeInMemory([{ algorithm, key, table, cost }], now)
}

interface Course {
  readonly random: () => number
  readonly gaps: number
  /** What a request costs at the most. */
  readonly mostCost?: number
}

function compare(smalls: readonly Small[], { random, gaps, mostCost = 1 }: Course): void {
  const counted = smalls.map((small) => ({
    algorithm: quotaFor(small).algorithm,
    key: 'k',
    table: new KeyTable<State>(),
  }))
  const models = smalls.map((small) => new Model(small))
  let now = 1_000_000
  for (let i = 0; i < 50; i++) {
    now += Math.floor(random() * random() * gaps)
    const costs = models.map(() => 1 + Math.floor(random() * mostCost))
    const costOf = (n: number): number => costs[n] ?? 1
    const admits = models.map((model, n) => model.remaining(now) >= costOf(n))
    const admitted = !admits.includes(false)
    const turns = models.map((model) => (admitted ? model.turn(now) : 0))
    const retries = models.map((model, n) => model.retry(now, costOf(n)))
    if (admitted) for (const [n, model] of models.entries()) model.add(now, costOf(n))
    const standings = models.map((model, n) => ({
      admits: admits[n],
      remaining: model.remaining(now),
      waitMicros: model.wait(now),
      retryMicros: retries[n],
      turnMicros: turns[n],
    }))
    const found = takeInMemory(
      counted.map((limit, n) => ({ ...limit, cost: costOf(n) })),
      now,
    )
    assert.deepEqual(
      found,
      { admitted, nowMicros: now, standings },
      `${JSON.stringify(smalls)}, request ${i}, ${costs}`,
    )
  }
}

for (const algorithm of algorithms) {
  describe(algorithm, () => {
    test('decides like a model that remembers everything, whatever the requests', () => {
      const random = seeded(7)
      for (let round = 0; round < 60; round++) {
        const small = randomLimit(algorithm, { random, maxWindowMicros: 300 })
        compare([small], { random, gaps: (3 * small.windowMicros) / small.limit })
      }
    })

    test('decides like that model when requests cost more than one, also more than there ever is', () => {
      const random = seeded(23)
      for (let round = 0; round < 60; round++) {
        const small = randomLimit(algorithm, { random, maxWindowMicros: 300 })
        const gaps = (6 * small.windowMicros) / small.limit
        compare([small], { random, gaps, mostCost: 5 })
      }
    })

    for (const [limit, windowMs] of [
      [7, 60_000],
      [1, 1],
      [100, 60_000],
      [999, 1_000],
      [10_000, 86_400_000],
    ] as const) {
      test(`${limit} in ${windowMs} ms: so many at once are admitted, and no more`, () => {
        const ask = limited(quotaFor({ algorithm, limit, windowMicros: windowMs * 1_000, burst: limit }))
        const start = 1_763_000_000_123_456
        let admitted = 0
        while (ask(start).admitted) admitted++
        assert.equal(admitted, limit)
      })
    }

    test('a refused request that waits as long as it is told is admitted, one that comes sooner is not', () => {
      const random = seeded(3)
      for (let round = 0; round < 200; round++) {
        const small = randomLimit(algorithm, { random, maxWindowMicros: 60_000_000 })
        const [early, due] = [limited(quotaFor(small)), limited(quotaFor(small))]
        let now = 1_763_000_000_000_000
        let found = due(now)
        early(now)
        for (let i = 0; i < 100 && found.admitted; i++) {
          now += Math.floor((random() * small.windowMicros) / small.limit / 4)
          found = due(now)
          early(now)
        }
        assert.equal(found.admitted, false)
        const wait = found.standings[0]?.waitMicros ?? 0
        assert.equal(early(now + wait - 1).admitted, false, JSON.stringify(small))
        assert.equal(due(now + wait).admitted, true, JSON.stringify(small))
      }
    })

    test('a clock that jumps back an hour costs at most two windows', () => {
      const ask = limited(quotaFor({ algorithm, limit: 10, windowMicros: 1_000_000, burst: 10 }))
      const start = 1_763_003_600_300_000
      while (ask(start).admitted);
      const back = start - 3_600_000_000
      const found = ask(back)
      assert.equal(found.admitted, false)
      assert.ok((found.standings[0]?.waitMicros ?? 0) <= 2_000_000)
      let admitted = 0
      while (ask(back + 2_000_000).admitted) admitted++
      assert.equal(admitted, 10)
    })

    test('keys do not share a count', () => {
      const ask = limited(quotaFor({ algorithm, limit: 1, windowMicros: 1_000_000, burst: 1 }))
      assert.equal(ask(1, 'a').admitted, true)
      assert.equal(ask(2, 'a').admitted, false)
      assert.equal(ask(3, 'b').admitted, true)
    })

    test('idle keys leave as new ones come', () => {
      const table = new KeyTable<State>()
      const ask = limited(quotaFor({ algorithm, limit: 10, windowMicros: 1_000_000, burst: 10 }), table)
      for (let i = 0; i < 40_000; i++) ask(i * 1_000, `k${i}`)
      assert.ok(table.size < 6_000, `${table.size}`)
    })

    test('more keys than fit push out those that lose little, and never the one that is used up', () => {
      const table = new KeyTable<State>()
      const ask = limited(quotaFor({ algorithm, limit: 100, windowMicros: 60_000_000, burst: 100 }), table)
      let now = 1
      while (ask(now, 'greedy').admitted) now++
      for (let i = 0; i < 101_000; i++) ask(now++, `k${i}`)
      assert.ok(table.size <= 100_000, `${table.size}`)
      assert.equal(ask(now, 'greedy').admitted, false)
    })
  })
}

test('several limits of any kinds: a request is counted at all of them or at none', () => {
  const random = seeded(19)
  for (let round = 0; round < 60; round++) {
    const count = 2 + Math.floor(random() * 2)
    const smalls = Array.from({ length: count }, () =>
      randomLimit(algorithms[Math.floor(random() * algorithms.length)] ?? 'slidingLog', {
        random,
        maxWindowMicros: 200,
      }),
    )
    compare(smalls, { random, gaps: 100, mostCost: 1 + (round % 3) })
  }
})

test('what a limit keeps in memory is bounded: a log of many times has room for few keys', () => {
  const keys = (limit: number): number =>
    quotaFor({ algorithm: 'slidingLog', limit, windowMicros: 60_000_000, burst: limit }).algorithm.maxKeys
  assert.equal(keys(10), 100_000)
  assert.equal(keys(10_000), 400)
})

test('a reload that leaves room for fewer keys shrinks the table as new ones come', () => {
  const table = new KeyTable<State>()
  const log = (limit: number): Quota =>
    quotaFor({ algorithm: 'slidingLog', limit, windowMicros: 60_000_000, burst: limit })
  const before = limited(log(10), table)
  for (let i = 0; i < 2_000; i++) before(1 + i, `k${i}`)
  const after = limited(log(10_000), table)
  for (let i = 0; i < 1_000; i++) after(3_000 + i, `n${i}`)
  assert.equal(table.size, 400)
})

test('a token bucket announces a burst of its own, and admits no more than the limit after it', () => {
  const [limit, windowMicros] = [100, 60_000_000]
  const quota = quotaFor({ algorithm: 'tokenBucket', limit, windowMicros, burst: 5 })
  assert.equal(quota.policyItem, '"n";q=100;w=60;trivium-burst=5')
  const ask = limited(quota)
  let admitted = 0
  for (let now = 0; now <= windowMicros; now += 10_000)
    while (ask(1_763_000_000_000_000 + now).admitted) admitted++
  assert.ok(admitted <= limit + 5 && admitted >= limit, `${admitted}`)
})
