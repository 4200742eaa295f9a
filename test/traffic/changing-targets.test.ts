import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener, ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { startTcpProxy } from '../tcp-proxy.ts'
import { startBackend, startGateway } from '../world.ts'

const named =
  (name: string): RequestListener =>
  (_, res) =>
    void res.end(name)

async function open(t: TestContext, upstream: object = {}) {
  const gateway = await startGateway(t, {
    upstreams: { pool: { discovery: { type: 'registry', service: 'pool' }, ...upstream } },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  const { registry } = gateway.gateway
  const ask = async (): Promise<string> => (await fetch(`${gateway.url}/v1/x`)).text()
  return {
    ...gateway,
    registry,
    register: (target: string | object) => registry.register('pool', target),
    deregister: (url: string) => registry.deregister('pool', url),
    ask,
    async count(requests: number): Promise<Record<string, number>> {
      const counts: Record<string, number> = {}
      for (let i = 0; i < requests; i++) {
        const name = await ask()
        counts[name] = (counts[name] ?? 0) + 1
      }
      return counts
    },
    metric: async (name: string): Promise<readonly string[]> => {
      const text = await (await fetch(`${gateway.url}/metrics`)).text()
      return text.split('\n').filter((line) => line.startsWith(`${name}{`))
    },
    upstreams: async () =>
      ((await (await fetch(`${gateway.url}/health?verbose`)).json()) as Verbose).upstreams.pool,
  }
}

interface Verbose {
  readonly upstreams: Readonly<
    Record<
      string,
      {
        readonly targets: readonly { readonly url: string; readonly state: string; readonly reason: string }[]
        readonly discovery?: { readonly ok: boolean; readonly reason?: string; readonly foundAt?: string }
      }
    >
  >
}

test('a call that is under way on a target that goes ends well, and only then its connection is closed', async (t) => {
  const held = Promise.withResolvers<ServerResponse>()
  const slow = await startBackend(t, (_, res) => {
    res.write('first, ')
    held.resolve(res)
  })
  const other = await startBackend(t, named('other'))
  const proxy = await startTcpProxy(t, slow.port)
  const { register, deregister, ask } = await open(t, { connections: { keepAlive: '1h' } })
  register(proxy.url)
  const asked = ask()
  const answer = await held.promise
  register(other.url)
  deregister(proxy.url)
  for (let i = 0; i < 3; i++) assert.equal(await ask(), 'other')
  answer.end('last')
  assert.equal(await asked, 'first, last')
  await proxy.idle()
  assert.equal(slow.requests.length, 1)
})

test('a changed weight takes effect, and 0 drains', async (t) => {
  const a = await startBackend(t, named('a'))
  const b = await startBackend(t, named('b'))
  const { register, count } = await open(t)
  register({ url: a.url, weight: 30 })
  register({ url: b.url, weight: 10 })
  assert.deepEqual(await count(40), { a: 30, b: 10 })
  register({ url: a.url, weight: 10 })
  assert.deepEqual(await count(40), { a: 20, b: 20 })
  register({ url: a.url, weight: 0 })
  assert.deepEqual(await count(4), { b: 4 })
  register({ url: b.url, weight: 10, priority: 1 })
  register({ url: a.url, weight: 1, priority: 0 })
  assert.deepEqual(await count(4), { a: 4 })
})

test('one that is new among others starts slowly', async (t) => {
  const a = await startBackend(t, named('a'))
  const b = await startBackend(t, named('b'))
  const { register, count } = await open(t, { loadBalancing: { slowStart: '100h' } })
  register(a.url)
  register(b.url)
  assert.deepEqual(await count(110), { a: 100, b: 10 })
})

test('what is known of a target stays when others come and go', async (t) => {
  const sick = await startBackend(t, (_, res) => void res.writeHead(500).end('sick'))
  const a = await startBackend(t, named('a'))
  const b = await startBackend(t, named('b'))
  const { register, deregister, count, logged, metric } = await open(t, {
    healthChecks: { passive: { consecutiveErrors: 1, ejectFor: '1h', maxEjectFor: '1h' } },
  })
  register(sick.url)
  register(a.url)
  await count(2)
  await logged(({ message }) => message === 'target is ejected')
  register(b.url)
  assert.deepEqual(await count(6), { a: 3, b: 3 })
  deregister(a.url)
  assert.deepEqual(await count(3), { b: 3 })
  assert.equal(sick.requests.length, 1)
  const changes = (await metric('gateway_upstream_health_changes_total')).filter((line) =>
    line.endsWith(' 1'),
  )
  assert.deepEqual(changes, [
    `gateway_upstream_health_changes_total{upstream="pool",target="${sick.url}",cause="ejection",to="unhealthy"} 1`,
  ])
  // One that comes back is a new one.
  deregister(sick.url)
  assert.equal((await metric('gateway_upstream_health_changes_total')).length, 4)
  register(sick.url)
  assert.deepEqual(await count(2), { b: 1, sick: 1 })
})

test('new targets are probed at once, those that went no more', async (t) => {
  const probes = { a: 0, b: 0 }
  const asked = Promise.withResolvers<void>()
  const a = await startBackend(t, (req, res) => {
    if (req.url === '/health') probes.a++
    res.end('a')
  })
  const b = await startBackend(t, (req, res) => {
    if (req.url === '/health' && ++probes.b === 3) asked.resolve()
    res.writeHead(req.url === '/health' ? 500 : 200).end('b')
  })
  const active = { interval: '20ms', unhealthyAfter: 1 }
  const { register, deregister, count, logged, upstreams } = await open(t, { healthChecks: { active } })
  register(a.url)
  await logged((line) => line.message === 'target is healthy' && line['gateway.target'] === a.url)
  register(b.url)
  await logged((line) => line.message === 'target is unhealthy' && line['gateway.target'] === b.url)
  assert.deepEqual(await count(4), { a: 4 })
  const { targets = [] } = (await upstreams()) ?? {}
  assert.deepEqual(
    targets.map(({ url, state, reason }) => [url, state, reason]).sort(),
    [
      [a.url, 'healthy', 'probe succeeded'],
      [b.url, 'unhealthy', 'probe was answered 500'],
    ].sort(),
  )
  deregister(a.url)
  const before = probes.a
  await asked.promise
  // One may have been on its way.
  assert.ok(probes.a <= before + 1, `${probes.a - before} more probes`)
})

test('state and metrics of discovery', async (t) => {
  const a = await startBackend(t, named('a'))
  const { url, register, metric, upstreams, logs } = await open(t)
  const ready = async (): Promise<unknown> => {
    const { checks } = (await (await fetch(`${url}/readyz?verbose`)).json()) as { checks: { name: string }[] }
    return checks.find(({ name }) => name === 'discovery pool')
  }
  const trouble = 'no instance of pool is registered'
  assert.deepEqual(await ready(), { name: 'discovery pool', ok: false, required: false, detail: trouble })
  assert.deepEqual(await metric('gateway_discovery_up'), ['gateway_discovery_up{upstream="pool"} 0'])
  register(a.url)
  assert.deepEqual(await ready(), {
    name: 'discovery pool',
    ok: true,
    required: false,
    detail: '1 targets were found',
  })
  assert.deepEqual(await metric('gateway_discovery_up'), ['gateway_discovery_up{upstream="pool"} 1'])
  assert.deepEqual(await metric('gateway_discovery_targets'), [
    'gateway_discovery_targets{upstream="pool"} 1',
  ])
  assert.deepEqual(await metric('gateway_discovery_failures_total'), [
    'gateway_discovery_failures_total{upstream="pool"} 1',
  ])
  const [line = ''] = await metric('gateway_discovery_last_success_timestamp_seconds')
  assert.ok(Math.abs(Number(line.split(' ')[1]) - Date.now() / 1_000) < 600)
  const { discovery } = (await upstreams()) ?? {}
  assert.equal(discovery?.ok, true)
  assert.ok(Math.abs(Date.parse(discovery.foundAt ?? '') - Date.now()) < 600_000)
  const told = logs
    .filter((line) => String(line.message).startsWith('discovery'))
    .map(({ message }) => message)
  assert.deepEqual(told, [
    'discovery is in trouble; there are no targets yet',
    'discovery changed the targets',
    'discovery works again',
  ])
})

test('more targets than an upstream takes are left out, and what was left out is told once', async (t) => {
  const { registry, register, upstreams, logs } = await open(t)
  for (let i = 0; i < 1_100; i++) register(`http://10.0.${Math.floor(i / 250)}.${i % 250}:1`)
  assert.equal(registry.instances('pool').length, 1_100)
  assert.equal((await upstreams())?.targets.length, 1_000)
  const told = logs.filter(({ message }) => message === 'discovery found entries that are no targets')
  assert.deepEqual(told.at(-1)?.skipped, ['100 more than the 1000 that are taken'])
})

test('the registry and what was found outlive a reload, also of another configuration of the upstream', async (t) => {
  const a = await startBackend(t, named('a'))
  const { register, ask, gateway } = await open(t)
  register(a.url)
  assert.equal(await ask(), 'a')
  assert.equal(await gateway.reload(), true)
  assert.equal(await ask(), 'a')
  const [socket] = a.requests.map((request) => request.socket)
  assert.equal(a.requests[1]?.socket, socket, 'the upstream that did not change kept its connection')
})

test('an upstream that listens nowhere is closed with the gateway', async (t) => {
  const a = await startBackend(t, named('a'))
  const { register, ask, gateway } = await open(t, { connections: { keepAlive: '1h' } })
  register(a.url)
  await ask()
  const closed = once(a.requests[0]?.socket ?? a.server, 'close')
  await gateway.shutdown()
  await closed
  register('http://10.0.0.1:1')
})
