import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis as Client } from 'ioredis'
import { makeAuthority } from '../certificates.ts'
import { freePort } from '../services/free-port.ts'
import { ownFolder } from '../services/own-process.ts'
import { startRedis } from '../services/redis.ts'
import { startRedisCluster } from '../services/redis-cluster.ts'
import { startRedisSentinel } from '../services/redis-sentinel.ts'
import { startBackend, startGateway, type TestGateway } from '../world.ts'

// Where Redis may be: a cluster, behind sentinels, behind a password and TLS; with a whole gateway.

async function gatewayAt(t: TestContext, redis: object, rateLimit: object): Promise<TestGateway> {
  const backend = await startBackend(t)
  const gateway = await startGateway(t, {
    stores: { redis },
    upstreams: { echo: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'echo', path: '/echo', upstream: 'echo', auth: 'none', plugins: [{ rateLimit }] }],
  })
  await gateway.logged((line) => line.message === 'Redis is up')
  return gateway
}

async function ask({ url }: TestGateway, tenant = 'a'): Promise<string> {
  const reply = await fetch(`${url}/echo`, { headers: { 'X-Tenant': tenant } })
  await reply.arrayBuffer()
  return `${reply.status} ${reply.headers.get('ratelimit')?.replaceAll(/;t=\d+/g, '')}`
}

const stack = {
  by: 'header:X-Tenant',
  storeTimeout: '5s',
  limits: [
    { name: 'day', limit: 10, window: 'day' },
    { name: 'log', limit: 3, window: '1h', algorithm: 'slidingLog' },
  ],
}

test('in a Redis Cluster, two gateways count together, and callers of one place are spread over all nodes', async (t) => {
  const cluster = await startRedisCluster()
  t.after(() => cluster.stop())
  const place = { cluster: cluster.places.slice(0, 1) }
  const options = { ...stack, onStoreError: 'deny' }
  const gateways = [await gatewayAt(t, place, options), await gatewayAt(t, place, options)]
  for (let i = 0; i < 24; i++) {
    const seen: string[] = []
    for (let n = 0; n < 4; n++) seen.push(await ask(gateways[n % 2] as TestGateway, `t${i}`))
    assert.deepEqual(seen, [
      '200 "day";r=9, "log";r=2',
      '200 "day";r=8, "log";r=1',
      '200 "day";r=7, "log";r=0',
      '429 "day";r=7, "log";r=0',
    ])
  }
  for (const { url } of cluster.nodes) {
    const client = new Client(url)
    assert.ok((await client.dbsize()) >= 2, url)
    client.disconnect()
  }
})

test('in a Redis Cluster, limits by different things are counted in one slot, all or nothing', async (t) => {
  const cluster = await startRedisCluster()
  t.after(() => cluster.stop())
  const limits = [
    { name: 'tenant', limit: 2, window: '1h' },
    { name: 'all', limit: 5, window: '1h', by: 'route' },
  ]
  const gateway = await gatewayAt(t, { cluster: cluster.places }, { ...stack, limits, onStoreError: 'deny' })
  const seen: string[] = []
  for (const tenant of ['a', 'a', 'a', 'b', 'c', 'd', 'e']) seen.push(await ask(gateway, tenant))
  assert.deepEqual(seen, [
    '200 "tenant";r=1, "all";r=4',
    '200 "tenant";r=0, "all";r=3',
    '429 "tenant";r=0, "all";r=3',
    '200 "tenant";r=1, "all";r=2',
    '200 "tenant";r=1, "all";r=1',
    '200 "tenant";r=1, "all";r=0',
    '429 "tenant";r=2, "all";r=0',
  ])
})

test('a Redis Cluster that lost a node costs a bounded wait, and each gateway counts for itself', async (t) => {
  const cluster = await startRedisCluster()
  t.after(() => cluster.stop())
  const options = { ...stack, storeTimeout: '200ms' }
  const gateway = await gatewayAt(t, { cluster: cluster.places }, options)
  await ask(gateway)
  await cluster.nodes[0]?.kill()
  for (let i = 0; i < 30; i++) {
    const startedAt = performance.now()
    assert.match(await ask(gateway, `t${i}`), /^200 "day";r=9, "log";r=2/)
    assert.ok(performance.now() - startedAt < 2_000)
  }
  await gateway.logged((line) => line.message === 'Redis fails rate limits')
})

test('a Redis Cluster with a node that hangs is used again when that answers', async (t) => {
  const cluster = await startRedisCluster()
  t.after(() => cluster.stop())
  const gateway = await gatewayAt(t, { cluster: cluster.places }, { ...stack, storeTimeout: '200ms' })
  const failures = async (): Promise<number> => {
    const text = await gateway.gateway.metrics.metrics()
    return Number(/store_errors_total (\d+)$/m.exec(text)?.[1])
  }
  cluster.nodes[0]?.pause()
  while ((await failures()) === 0) assert.match(await ask(gateway, `t${Math.random()}`), /^200/)
  cluster.nodes[0]?.resume()
  // Keys of all nodes, one after another, until all of them are counted: no failure, and no second in which nobody asks.
  for (let well = 0; well < 30; well++) {
    const before = await failures()
    assert.match(await ask(gateway, `t${Math.random()}`), /^200/)
    const again = gateway.logs.findLastIndex(
      ({ message }) => message === 'rate limits are counted in Redis again',
    )
    const failed = gateway.logs.findLastIndex(({ message }) => message === 'Redis fails rate limits')
    if ((await failures()) === before && again > failed) continue
    well = 0
    await delay(50)
  }
})

test('behind sentinels, a failover keeps the counts and is followed', async (t) => {
  const redis = await startRedisSentinel()
  t.after(() => redis.stop())
  const place = { sentinel: { name: redis.name, nodes: [redis.place] } }
  const gateway = await gatewayAt(t, place, { ...stack, storeTimeout: '500ms' })
  assert.match(await ask(gateway), /^200 "day";r=9/)
  const client = new Client(redis.master.url)
  client.on('error', () => {})
  // WAIT is for what this connection wrote, and so for all before it.
  await client.set('last', '')
  assert.equal(await client.wait(1, 10_000), 1, 'the replica has it')
  client.disconnect()
  await redis.master.kill()
  // Meanwhile this gateway counts for itself, then in the new master, which has seen the first request and none of these.
  const until = performance.now() + 25_000
  for (;;) {
    assert.match(await ask(gateway, 'meanwhile'), /^(?:200|429)/)
    if (gateway.logs.filter((line) => line.message === 'Redis is up').length >= 2) break
    assert.ok(performance.now() < until, `no failover: ${JSON.stringify(gateway.logs)}`)
    await delay(100)
  }
  await gateway.logged((line) => line.message === 'Redis fails rate limits')
  const again = (line: Record<string, unknown>): boolean =>
    line.message === 'rate limits are counted in Redis again'
  while (!gateway.logs.some(again)) {
    await ask(gateway, 'meanwhile')
    await delay(100)
  }
  assert.match(await ask(gateway), /^200 "day";r=8, "log";r=1/)
})

test('with a password, TLS and a prefix for keys', async (t) => {
  const authority = makeAuthority()
  const pair = authority.issue(['localhost'])
  const folder = await ownFolder('redis-tls')
  t.after(() => rm(folder, { recursive: true }))
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  await writeFile(certFile, pair.cert)
  await writeFile(keyFile, pair.key)
  const port = await freePort()
  const own = ['--requirepass', 'once upon a time', '--tls-port', `${port}`, '--tls-auth-clients', 'no']
  const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile]
  const redis = await startRedis({ args: [...own, ...files] })
  t.after(() => redis.stop())
  const place = { url: `rediss://127.0.0.1:${port}`, password: 'once upon a time', keyPrefix: 'shop:' }
  const tls = { ca: authority.cert, serverName: 'localhost' }
  const gateway = await gatewayAt(t, { ...place, tls }, stack)
  assert.match(await ask(gateway), /^200 "day";r=9/)
  const client = new Client({ port: redis.port, password: 'once upon a time' })
  await once(client, 'ready')
  t.after(() => client.disconnect())
  assert.deepEqual((await client.keys('*')).sort(), [
    'shop:trivium:rl:{echo:h:a}:day',
    'shop:trivium:rl:{echo:h:a}:log',
  ])
  assert.doesNotMatch(JSON.stringify([gateway.logs, gateway.gateway.shownConfig()]), /once upon/)
})
