import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startRedis } from '../services/redis.ts'
import { startGateway } from '../world.ts'
import { everyDoor } from './grpc-doors.ts'

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
    describe(`several limits in ${store} at the ${door.name} door`, () => {
      test('a refusal by one costs nothing of the other, and says when to come again', async (t) => {
        const redis = await startRedis()
        t.after(() => redis.stop())
        const backend = await door.start(t)
        const place = { auth: 'none', plugins: [{ rateLimit: { ...stacked, store } }] } as const
        const config = { ...backend.config(place), stores: { redis: { url: redis.url } } }
        const gateway = await startGateway(t, config)
        await gateway.logged((line) => line.message === 'Redis is up')
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
    })
  }
}
