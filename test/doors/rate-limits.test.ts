import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { startRedis } from '../services/redis.ts'
import { startGateway, type TestGateway } from '../world.ts'
import type { Door, DoorBackend } from './door.ts'
import { everyDoor } from './grpc-doors.ts'

async function start(
  t: TestContext,
  door: Door,
  rateLimit: object,
): Promise<{ backend: DoorBackend; gateway: TestGateway }> {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const backend = await door.start(t)
  const place = { auth: 'none', plugins: [{ rateLimit: { storeTimeout: '10s', ...rateLimit } }] } as const
  const config = { ...backend.config(place), stores: { redis: { url: redis.url } } }
  const gateway = await startGateway(t, config)
  await gateway.logged((line) => line.message === 'Redis is up')
  return { backend, gateway }
}

const stacked = {
  by: 'route',
  storeTimeout: '10s',
  limits: [
    { name: 'wide', limit: 100, window: '365d', algorithm: 'slidingWindow' },
    { name: 'tenant', limit: 2, window: '1h', algorithm: 'slidingLog', by: 'header:X-Tenant' },
  ],
}

for (const door of everyDoor) {
  for (const store of ['memory', 'redis'] as const) {
    describe(`limits in ${store} at the ${door.name} door`, () => {
      test('a refusal by one costs nothing of the other, and says when to come again', async (t) => {
        const { backend, gateway } = await start(t, door, { ...stacked, store })
        const told: string[] = []
        for (const tenant of ['a', 'a', 'a', 'a', 'b']) {
          const reply = await backend.ask(gateway.url, { 'X-Tenant': tenant })
          assert.equal(reply.headers.get('ratelimit-policy'), '"wide";q=100;w=31536000, "tenant";q=2;w=3600')
          told.push(`${reply.status} ${reply.headers.get('ratelimit')?.replaceAll(/;t=\d+/g, '')}`)
          const text = await reply.text()
          if (reply.status !== 429) continue
          assert.equal(backend.reason(text), 'RATE_LIMITED')
          const seconds = Number(reply.headers.get('retry-after'))
          assert.ok(seconds > 3_000 && seconds <= 3_600, `${seconds}`)
        }
        assert.deepEqual(told, [
          '200 "wide";r=99, "tenant";r=1',
          '200 "wide";r=98, "tenant";r=0',
          '429 "wide";r=98, "tenant";r=0',
          '429 "wide";r=98, "tenant";r=0',
          '200 "wide";r=97, "tenant";r=1',
        ])
        assert.equal(backend.seen.length, 3)
      })

      test('a quota of the month that is used up has a reason of its own', async (t) => {
        const { backend, gateway } = await start(t, door, { limit: 2, window: 'month', by: 'ip', store })
        const told: string[] = []
        for (let i = 0; i < 3; i++) {
          const reply = await backend.ask(gateway.url)
          const policy = reply.headers.get('ratelimit-policy')
          assert.equal(policy, '"default";q=2;trivium-window="month"')
          told.push(`${reply.headers.get('ratelimit')?.replaceAll(/;t=\d+/g, '')}`)
          const text = await reply.text()
          if (i < 2) continue
          assert.equal(backend.reason(text), 'QUOTA_EXCEEDED')
          const seconds = Number(reply.headers.get('retry-after'))
          assert.ok(seconds >= 1 && seconds <= 31 * 86_400, `${seconds}`)
        }
        assert.deepEqual(told, ['"default";r=1', '"default";r=0', '"default";r=0'])
        assert.equal(backend.seen.length, 2)
      })

      test('a leaky bucket holds what comes early until it is its turn', async (t) => {
        const queue = { limit: 4, window: '1s', algorithm: 'leakyBucket', queue: 3, by: 'ip', store }
        const { backend, gateway } = await start(t, door, queue)
        const startedAt = performance.now()
        for (let i = 0; i < 3; i++) {
          const reply = await backend.ask(gateway.url)
          assert.ok(reply.ok, `${reply.status}`)
          await reply.text()
          assert.match(reply.headers.get('ratelimit-policy') ?? '', /;w=1;trivium-queue=3$/)
        }
        // The third has its turn half a second after the first; a timer may be a few milliseconds early.
        assert.ok(performance.now() - startedAt >= 480)
        assert.equal(backend.seen.length, 3)
      })

      test('what costs more than one counts as that', async (t) => {
        const { backend, gateway } = await start(t, door, {
          limit: 5,
          window: '1h',
          cost: 2,
          by: 'ip',
          store,
        })
        const told: string[] = []
        for (let i = 0; i < 3; i++) {
          const reply = await backend.ask(gateway.url)
          await reply.text()
          told.push(`${reply.headers.get('ratelimit')?.replaceAll(/;t=\d+/g, '')}`)
        }
        assert.deepEqual(told, ['"default";r=3', '"default";r=1', '"default";r=1'])
        assert.equal(backend.seen.length, 2)
      })
    })
  }
}
