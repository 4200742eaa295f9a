import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Plugin } from '../../src/core/plugin.ts'
import { Cell } from '../../src/plugins/instruments.ts'
import { rateLimit } from '../../src/plugins/rate-limit/rate-limit.ts'
import { Turns } from '../../src/plugins/rate-limit/turns.ts'
import { redisForFile } from '../services/redis-for-file.ts'
import { startBackend, startGateway } from '../world.ts'
import { exchange, host, make, policy, type TestExchange, values } from './harness.ts'

const { client: redis } = await redisForFile()

let places = 0
function queued(store: 'memory' | 'redis', options: object): Plugin {
  const house = host({ redis, policy: policy({ id: `queue${++places}` }) })
  return make(
    rateLimit,
    { algorithm: 'leakyBucket', store, storeTimeout: '5s', name: 'n', ...options },
    house,
  )
}

/** A request that is under way. */
function start(plugin: Plugin): { readonly x: TestExchange; readonly ended: Promise<number> } {
  const x = exchange({ plugins: [plugin] })
  return { x, ended: x.run().then(() => performance.now()) }
}

/** Until Redis has decided what was asked of it so far. */
async function decided(): Promise<void> {
  await redis.ping()
  await delay(5)
}

for (const store of ['memory', 'redis'] as const) {
  describe(`a leaky bucket in ${store}`, () => {
    test('lets requests through one by one, an interval apart, and refuses what the queue does not hold', async () => {
      const plugin = queued(store, { limit: 10, window: '1s', queue: 3 })
      const startedAt = performance.now()
      const asked = Array.from({ length: 6 }, () => start(plugin))
      const times = await Promise.all(asked.map(({ ended }) => ended))
      const reasons = asked.map(({ x }) => x.error?.reason)
      assert.deepEqual(reasons, [undefined, undefined, undefined, undefined, 'RATE_LIMITED', 'RATE_LIMITED'])
      for (const [i, time] of times.slice(0, 4).entries()) {
        // A timer may be a millisecond early, and Redis' clock a little ahead of the first.
        assert.ok(time - startedAt >= 100 * i - 15, `${i}: ${time - startedAt}`)
      }
      assert.ok((times[5] ?? 0) < (times[1] ?? 0), 'a refusal does not wait')
      const left = asked.map(({ x }) => values(x.replyHeaders, 'RateLimit')[0]?.slice(0, 7))
      assert.deepEqual(left, ['"n";r=3', '"n";r=2', '"n";r=1', '"n";r=0', '"n";r=0', '"n";r=0'])
      assert.deepEqual(values(asked[0]?.x.replyHeaders ?? [], 'RateLimit-Policy'), [
        '"n";q=10;w=1;trivium-queue=3',
      ])
      const retryMs = asked[4]?.x.error?.retryAfterMs ?? 0
      assert.ok(retryMs > 0 && retryMs <= 100, `${retryMs}`)
    })

    test('without a queue, what comes too early is refused at once', async () => {
      const plugin = queued(store, { limit: 1, window: '1h' })
      const first = start(plugin)
      await first.ended
      assert.equal(first.x.error, undefined)
      const second = start(plugin)
      await second.ended
      assert.equal(second.x.error?.reason, 'RATE_LIMITED')
    })

    test('a client that leaves from the end of the queue frees its place; one in the middle leaves it empty', async () => {
      const plugin = queued(store, { limit: 60, window: '10m', queue: 3 })
      const [first, second, third, fourth] = [start(plugin), start(plugin), start(plugin), start(plugin)]
      await first.ended
      await decided()
      fourth.x.markGone()
      await fourth.ended
      await decided()
      const fifth = start(plugin)
      await decided()
      assert.equal(fifth.x.error, undefined, 'it takes the place of the fourth')
      second.x.markGone()
      await second.ended
      await decided()
      const sixth = start(plugin)
      await sixth.ended
      assert.equal(sixth.x.error?.reason, 'RATE_LIMITED', 'the turns behind the second are promised')
      third.x.markGone()
      fifth.x.markGone()
      await Promise.all([third.ended, fifth.ended])
    })

    test('one that costs more takes more places', async () => {
      const plugin = queued(store, { limit: 60, window: '10m', queue: 3, cost: 2 })
      const asked = [start(plugin), start(plugin), start(plugin)]
      await Promise.all([asked[0]?.ended, asked[2]?.ended])
      assert.equal(asked[2]?.x.error?.reason, 'RATE_LIMITED')
      asked[1]?.x.markGone()
      await asked[1]?.ended
    })

    test('several limits: it waits for the longest turn, and a refusal by another takes no place', async () => {
      const house = host({ redis, policy: policy({ id: `queue${++places}` }) })
      const limits = [
        { name: 'slow', limit: 5, window: '1s', queue: 9 },
        { name: 'fast', limit: 50, window: '1s', queue: 9 },
        { name: 'two', limit: 2, window: '1h', algorithm: 'slidingLog' },
      ]
      const plugin = make(rateLimit, { algorithm: 'leakyBucket', store, storeTimeout: '5s', limits }, house)
      const startedAt = performance.now()
      const asked = [start(plugin), start(plugin), start(plugin)]
      const [, second = 0] = await Promise.all(asked.map(({ ended }) => ended))
      assert.ok(second - startedAt >= 185, `${second - startedAt}`)
      const third = asked[2]?.x
      assert.match(third?.error?.message ?? '', /"two"/)
      assert.match(values(third?.replyHeaders ?? [], 'RateLimit')[0] ?? '', /"slow";r=8;t=1, "fast";r=[89];/)
    })
  })
}

test('a client that closes its connection while it waits is not served, and frees its place', async (t) => {
  const backend = await startBackend(t)
  const queue = { limit: 2, window: '1m', algorithm: 'leakyBucket', queue: 1, by: 'ip' }
  const { url, gateway } = await startGateway(t, {
    upstreams: { echo: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'echo', path: '/echo', upstream: 'echo', auth: 'none', plugins: [{ rateLimit: queue }] }],
  })
  const waiting = async (count: number): Promise<void> => {
    const line = new RegExp(`gateway_ratelimit_waiting\\{policy="echo"\\} ${count}$`, 'm')
    while (!line.test(await gateway.metrics.metrics())) await delay(5)
  }
  assert.equal((await fetch(`${url}/echo`)).status, 200)
  for (let i = 0; i < 3; i++) {
    const leaving = new AbortController()
    const asked = fetch(`${url}/echo`, { signal: leaving.signal })
    await waiting(1)
    assert.equal((await fetch(`${url}/echo`)).status, 429, 'its place is the only one')
    leaving.abort()
    await assert.rejects(asked)
    await waiting(0)
  }
  assert.equal(backend.requests.length, 1)
})

test('too many that wait in one place are refused, whoever they are', async () => {
  const waiting = new Cell()
  const turns = new Turns(waiting)
  const first = exchange()
  const held = turns.wait(first, 60_000)
  waiting.value = 10_000
  assert.throws(() => turns.wait(exchange(), 60_000), { reason: 'OVERLOADED' })
  first.markGone()
  assert.equal(await held, true)
  assert.equal(waiting.value, 9_999)
})
