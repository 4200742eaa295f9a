import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bucket, bucketOf, take } from '../../src/plugins/rate-limit/gcra.ts'
import { MemoryLimiter } from '../../src/plugins/rate-limit/memory-limiter.ts'
import { seeded } from './harness.ts'

/** The same bucket, dumb: counts in whole microseconds how much of a token has dripped in. */
class Model {
  readonly #bucket: Bucket
  #dripped: number
  #at = 0

  constructor(bucket: Bucket) {
    this.#bucket = bucket
    this.#dripped = bucket.capacityMicros
  }

  take(now: number): { admitted: boolean; remaining: number; wait: number } {
    const { intervalMicros: token, capacityMicros } = this.#bucket
    for (; this.#at < now; this.#at++) if (this.#dripped < capacityMicros) this.#dripped++
    const admitted = this.#dripped >= token
    if (admitted) this.#dripped -= token
    let wait = 0
    let dripped = this.#dripped
    while (wait === 0 || dripped % token !== 0) {
      dripped++
      wait++
    }
    return { admitted, remaining: Math.floor(this.#dripped / token), wait }
  }
}

test('it decides like a bucket that is filled drop by drop, whatever the requests', () => {
  const random = seeded(7)
  for (let round = 0; round < 150; round++) {
    const limit = 1 + Math.floor(random() * 12)
    const burst = 1 + Math.floor(random() * 15)
    const bucket = bucketOf({ limit, windowMs: (1 + Math.floor(random() * 400)) / 1_000, burst })
    const model = new Model(bucket)
    let fullAt = 0
    let now = 0
    for (let i = 0; i < 60; i++) {
      now += Math.floor(random() * random() * 3 * bucket.intervalMicros)
      const expected = model.take(now)
      const found = take(bucket, fullAt, now)
      if (found.admitted) fullAt = now + found.backlogMicros
      const { admitted, remaining, waitMicros } = found
      assert.deepEqual(
        { admitted, remaining, wait: waitMicros },
        expected,
        `round ${round}, request ${i} at ${now}`,
      )
    }
  }
})

const limits: readonly [number, number][] = [
  [7, 60_000],
  [1, 1],
  [100, 60_000],
  [3, 1_000],
  [999, 1_000],
  [1_000_000, 86_400_000],
]
for (const [limit, windowMs] of limits) {
  test(`${limit} in ${windowMs} ms: the burst is whole, and no more than the limit follows it`, () => {
    const bucket = bucketOf({ limit, windowMs, burst: limit })
    const start = 1_763_000_000_123_456
    let fullAt = 0
    const ask = (now: number): boolean => {
      const { admitted, backlogMicros } = take(bucket, fullAt, now)
      if (admitted) fullAt = now + backlogMicros
      return admitted
    }
    let burst = 0
    while (ask(start)) burst++
    assert.equal(burst, limit)
    let more = 0
    const steps = 2_000
    for (let i = 1; i <= steps; i++) {
      while (ask(start + Math.floor((i / steps) * windowMs * 1_000))) more++
    }
    assert.ok(more <= limit && more >= limit * 0.95 - 1, `${more}`)
  })
}

test('a request that waited as long as it was told is admitted, one that came sooner is not', () => {
  const bucket = bucketOf({ limit: 7, windowMs: 60_000, burst: 1 })
  const fullAt = 1_000 + take(bucket, 0, 1_000).backlogMicros
  const { waitMicros } = take(bucket, fullAt, 5_000)
  assert.equal(take(bucket, fullAt, 5_000 + waitMicros - 1).admitted, false)
  assert.equal(take(bucket, fullAt, 5_000 + waitMicros).admitted, true)
})

test('a clock that jumps back an hour costs at most one window', () => {
  const bucket = bucketOf({ limit: 10, windowMs: 1_000, burst: 10 })
  const found = take(bucket, 3_600_000_000, 0)
  assert.equal(found.admitted, false)
  assert.ok(found.backlogMicros <= 1_000_000)
  assert.equal(found.waitMicros, 100_000)
})

test('keys do not share a bucket', () => {
  const limiter = new MemoryLimiter()
  const bucket = bucketOf({ limit: 1, windowMs: 1_000, burst: 1 })
  assert.equal(limiter.take(bucket, 'a', 1).admitted, true)
  assert.equal(limiter.take(bucket, 'a', 2).admitted, false)
  assert.equal(limiter.take(bucket, 'b', 3).admitted, true)
})

test('buckets that are full again leave as new ones come', () => {
  const limiter = new MemoryLimiter()
  const bucket = bucketOf({ limit: 10, windowMs: 1_000, burst: 10 })
  for (let i = 0; i < 20_000; i++) limiter.take(bucket, `k${i}`, i * 1_000)
  assert.ok(limiter.size < 400, `${limiter.size}`)
})

test('more keys than fit push out those that lose little, and never the one that is used up', () => {
  const limiter = new MemoryLimiter(1_000)
  const bucket = bucketOf({ limit: 100, windowMs: 60_000, burst: 100 })
  let now = 1
  while (limiter.take(bucket, 'greedy', now).admitted) now++
  for (let i = 0; i < 50_000; i++) limiter.take(bucket, `k${i}`, now++)
  assert.equal(limiter.size, 1_000)
  assert.equal(limiter.take(bucket, 'greedy', now).admitted, false)
})
