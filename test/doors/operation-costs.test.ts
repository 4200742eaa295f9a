import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis } from '../services/redis.ts'
import { startGateway } from '../world.ts'
import { doors } from './door.ts'

const limits = [
  { name: 'requests', limit: 100, window: '1h' },
  { name: 'cost', limit: 7, window: '1h', cost: 'operation' },
  { name: 'operation', limit: 2, window: '1h', by: ['ip', 'operation'] },
]

for (const store of ['memory', 'redis'] as const) {
  test(`operations of GraphQL are charged what they cost, and counted by their name, in ${store}`, async (t) => {
    const door = doors.find(({ name }) => name === 'graphql')
    assert.ok(door)
    const redis = await startRedis()
    t.after(() => redis.stop())
    const backend = await door.start(t)
    const rateLimit = { by: 'ip', storeTimeout: '10s', store, limits }
    const config = backend.config({ auth: 'none', plugins: [{ rateLimit }] })
    const gateway = await startGateway(t, { ...config, stores: { redis: { url: redis.url } } })
    await gateway.logged((line) => line.message === 'Redis is up')
    const three = 'me { id } a: me { id } b: me { id }'
    const told: string[] = []
    for (const query of [
      '{ me { id } }',
      `query A { ${three} }`,
      'query A { me { id } }',
      'query A { me { id } }',
      '{ nonsense',
      `query B { ${three} }`,
    ]) {
      const reply = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ query }),
      })
      const body = (await reply.json()) as { errors?: { extensions: { reason: string } }[] }
      const left = reply.headers.get('ratelimit')?.replaceAll(/;t=\d+/g, '')
      told.push(`${reply.status} ${left} ${body.errors?.[0]?.extensions.reason ?? ''}`)
    }
    assert.deepEqual(told, [
      '200 "requests";r=99, "cost";r=6, "operation";r=1 ',
      '200 "requests";r=98, "cost";r=3, "operation";r=1 ',
      '200 "requests";r=97, "cost";r=2, "operation";r=0 ',
      '429 "requests";r=96, "cost";r=1, "operation";r=0 RATE_LIMITED',
      '200 "requests";r=95, "cost";r=0 GRAPHQL_PARSE_FAILED',
      '429 "requests";r=95, "cost";r=0 RATE_LIMITED',
    ])
    assert.equal(backend.seen.length, 3)
  })
}
