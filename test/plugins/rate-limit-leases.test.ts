import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis as Client } from 'ioredis'
import type { Decision } from '../../src/plugins/rate-limit/decision.ts'
import { Leases } from '../../src/plugins/rate-limit/leases.ts'
import { type CountedInRedis, RedisLimiter } from '../../src/plugins/rate-limit/redis-limiter.ts'
import { startRedis } from '../services/redis.ts'
import { redisForFile } from '../services/redis-for-file.ts'
import { seeded } from './harness.ts'
import { type Algorithm, quotaFor } from './rate-limit-models.ts'

const { client: redis } = await redisForFile()

let keys = 0
function limitOf(
  algorithm: Algorithm,
  { limit, windowMs }: { limit: number; windowMs: number },
): CountedInRedis {
  const { algorithm: counted } = quotaFor({ algorithm, limit, windowMicros: windowMs * 1_000, burst: limit })
  return { algorithm: counted, redisKey: `lease${++keys}`, cost: 1 }
}

/** A gateway, with a clock that the test may stop. */
class Gateway {
  time: number | undefined
  readonly #leases: Leases

  constructor(most: number) {
    this.#leases = new Leases(new RedisLimiter(redis, 30_000), { most, now: () => this.time ?? Date.now() })
  }

  async ask(limit: CountedInRedis): Promise<Decision> {
    return this.#leases.spend([limit]) ?? this.#leases.take([limit])
  }

  async admits(limit: CountedInRedis): Promise<boolean> {
    return (await this.ask(limit)).admitted
  }
}

async function asked(): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0)
}

test('a caller that keeps coming is asked for in batches that grow, and gets exactly the limit', async () => {
  const limit = limitOf('tokenBucket', { limit: 100, windowMs: 31_536_000_000 })
  const gateway = new Gateway(16)
  const before = await asked()
  const left: number[] = []
  let admitted = 0
  for (let i = 0; i < 120; i++) {
    const decision = await gateway.ask(limit)
    if (decision.admitted) admitted++
    left.push(decision.standings[0]?.remaining ?? -1)
  }
  assert.equal(admitted, 100)
  assert.deepEqual(
    left.slice(0, 100),
    Array.from({ length: 100 }, (_, i) => 99 - i),
    'what is told counts what is leased',
  )
  // 1, 2, 4, 8, 16, ... and each of the twenty that were refused.
  assert.ok((await asked()) - before <= 12 + 20)
})

test('what one gateway has leased another cannot have, and what nobody spends is lost: at most lease - 1 for each', async () => {
  const limit = limitOf('tokenBucket', { limit: 100, windowMs: 31_536_000_000 })
  const gateways = [new Gateway(8), new Gateway(8), new Gateway(8)]
  let admitted = 0
  // Each leaves seven of its eight unspent.
  for (const gateway of gateways) for (let i = 0; i < 8; i++) if (await gateway.admits(limit)) admitted++
  const other = new Gateway(1)
  while (await other.admits(limit)) admitted++
  assert.ok(admitted <= 100 && admitted >= 100 - 3 * 7, `${admitted}`)
  assert.equal(admitted, 100 - 3 * 7)
})

test('a lease that is not spent dies, and who comes seldom takes one at a time', async () => {
  const limit = limitOf('tokenBucket', { limit: 100, windowMs: 31_536_000_000 })
  const gateway = new Gateway(8)
  gateway.time = 1_763_000_000_000
  for (let i = 0; i < 4; i++) await gateway.ask(limit) // 1 + 2 + 4 are taken
  gateway.time += 999
  assert.equal((await gateway.ask(limit)).standings[0]?.remaining, 100 - 5)
  gateway.time += 1
  assert.equal(
    (await gateway.ask(limit)).standings[0]?.remaining,
    100 - 7 - 1,
    'the last two of four are lost',
  )
  for (let i = 2; i < 10; i++) {
    gateway.time += 1_500
    assert.equal((await gateway.ask(limit)).standings[0]?.remaining, 100 - 7 - i, 'none is lost any more')
  }
})

test('requests that come at once share one question', async () => {
  const limit = limitOf('slidingWindow', { limit: 1_000, windowMs: 31_536_000_000 })
  const gateway = new Gateway(4)
  await gateway.ask(limit)
  const before = await asked()
  const decisions = await Promise.all(Array.from({ length: 200 }, () => gateway.ask(limit)))
  assert.ok(decisions.every(({ admitted }) => admitted))
  assert.ok((await asked()) - before <= 3)
})

test('when Redis fails, all who wait are told', async () => {
  const own = await startRedis()
  const client = new Client(own.url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    lazyConnect: true,
  })
  client.on('error', () => {})
  await client.connect()
  const leases = new Leases(new RedisLimiter(client, 200), { most: 8, now: Date.now })
  const limit = limitOf('tokenBucket', { limit: 100, windowMs: 60_000 })
  own.pause()
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => leases.take([limit])))
  assert.ok(outcomes.every(({ status }) => status === 'rejected'))
  own.resume()
  client.disconnect()
  await own.stop()
})

/** Several gateways under load for some seconds; when what they admitted was counted, by the clock of Redis, in microseconds. */
async function load(
  limit: CountedInRedis,
  { most, gateways, ms }: { most: number; gateways: number; ms: number },
): Promise<number[]> {
  const random = seeded(5)
  const times: number[] = []
  const until = performance.now() + ms
  const work = async (gateway: Gateway): Promise<void> => {
    while (performance.now() < until) {
      const { admitted, nowMicros } = await gateway.ask(limit)
      if (admitted) times.push(nowMicros)
      // Sometimes nobody comes for a while, so that leases are spent late.
      await delay(random() < 0.05 ? 300 + random() * 600 : random() * 3)
    }
  }
  await Promise.all(Array.from({ length: gateways }, () => work(new Gateway(most))))
  return times.sort((a, b) => a - b)
}

test('in no window are there more than the limit and lease - 1 for each gateway', async (t) => {
  const [limit, windowMs, most, gateways] = [60, 1_000, 8, 3]
  const times = await load(limitOf('slidingLog', { limit, windowMs }), { most, gateways, ms: 5_000 })
  let worst = 0
  for (const [i, end] of times.entries()) {
    let first = i
    while (first > 0 && (times[first - 1] ?? 0) > end - windowMs * 1_000) first--
    worst = Math.max(worst, i - first + 1)
  }
  t.diagnostic(`at most ${worst} of ${limit} in a window`)
  assert.ok(times.length > limit)
  assert.ok(worst <= limit + gateways * (most - 1), `${worst}`)
})

test('leases of fixed windows die with them: no window has more than its limit', async () => {
  const [limit, windowMs] = [40, 700]
  const times = await load(limitOf('fixedWindow', { limit, windowMs }), { most: 8, gateways: 3, ms: 5_000 })
  const counts = Map.groupBy(times, (time) => Math.floor(time / (windowMs * 1_000)))
  for (const [window, { length }] of counts) assert.ok(length <= limit, `${window}: ${length}`)
})
