import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { Answer } from 'dns-packet'
import { makeAuthority } from '../certificates.ts'
import { folderOf } from '../config/files.ts'
import { type Said, startNameServer } from '../discovery/name-server.ts'
import { startEtcd } from '../services/etcd.ts'
import { ownFolder } from '../services/own-process.ts'
import { startBackend, startGateway } from '../world.ts'
import { startLoad } from './load.ts'

const routes = [{ id: 'all', path: '/v1/**', upstream: 'users', auth: 'none' }]
const loopback: Answer = { type: 'A', name: 'users.internal', ttl: 0, data: '127.0.0.1' }

test('a configuration begins with the targets that are found', async (t) => {
  const backend = await startBackend(t)
  const dns = await startNameServer(t, () => ({ answers: [loopback] }))
  const discovery = { type: 'dns', name: 'users.internal', port: backend.port, servers: [dns.server] }
  const { url } = await startGateway(t, { upstreams: { users: { discovery } }, routes })
  assert.equal((await fetch(`${url}/v1/x`)).status, 200)
})

test('a provider that is down does not keep a gateway from starting', async (t) => {
  const backend = await startBackend(t)
  let said: Said | undefined
  const dns = await startNameServer(t, () => said)
  const discovery = { type: 'dns', name: 'users.internal', port: backend.port, servers: [dns.server] }
  const { url, logged } = await startGateway(t, { upstreams: { users: { discovery } }, routes })
  const refused = await fetch(`${url}/v1/x`)
  const { reason, detail } = (await refused.json()) as { reason: string; detail: string }
  assert.deepEqual([refused.status, reason], [503, 'NO_HEALTHY_TARGET'])
  assert.equal(detail, 'Upstream "users" has no targets: none were found yet.')
  said = { answers: [loopback] }
  await logged(({ message }) => message === 'discovery changed the targets')
  assert.equal((await fetch(`${url}/v1/x`)).status, 200)
})

test('an upstream that is configured anew keeps what was found, while its provider is down', async (t) => {
  const backend = await startBackend(t)
  let said: Said = { answers: [loopback] }
  const dns = await startNameServer(t, () => said)
  const path = folderOf(t, {})
  const write = (request: string): void => {
    const servers = [dns.server]
    const refresh = { min: '100ms' }
    const discovery = { type: 'dns', name: 'users.internal', port: backend.port, servers, refresh }
    const upstreams = { users: { discovery, timeouts: { request } } }
    const server = { listen: '127.0.0.1:0', shutdown: { drainDelay: '0s' } }
    writeFileSync(path('gateway.yaml'), JSON.stringify({ server, upstreams, routes }))
  }
  write('10s')
  const { url, gateway, logged } = await startGateway(t, {}, { file: path('gateway.yaml') })
  assert.equal((await fetch(`${url}/v1/x`)).status, 200)
  said = { rcode: 2 }
  await logged(({ message }) => message === 'discovery is in trouble; the targets stay')
  write('20s')
  assert.equal(await gateway.reload(), true)
  assert.equal((await fetch(`${url}/v1/x`)).status, 200)
})

test('SRV records share the calls by weight', async (t) => {
  const [big, small, spare] = [await startBackend(t), await startBackend(t), await startBackend(t)]
  const services = [
    { port: big.port, weight: 3, priority: 1 },
    { port: small.port, weight: 1, priority: 1 },
    { port: spare.port, weight: 1, priority: 2 },
  ]
  const dns = await startNameServer(t, ({ name, type }) => ({
    answers:
      type === 'SRV'
        ? services.map((service) => ({
            type: 'SRV',
            name,
            ttl: 60,
            data: { ...service, target: 'a.internal' },
          }))
        : [{ ...loopback, name, ttl: 60 }],
  }))
  const discovery = { type: 'dnsSrv', name: '_http._tcp.users.internal', servers: [dns.server] }
  const { url } = await startGateway(t, { upstreams: { users: { discovery } }, routes })
  for (let i = 0; i < 40; i++) await (await fetch(`${url}/v1/x`)).text()
  assert.deepEqual(
    [big, small, spare].map(({ requests }) => requests.length),
    [30, 10, 0],
  )
})

test('certificates are verified for the name whose addresses are the targets', async (t) => {
  const authority = makeAuthority()
  const outcomes: number[] = []
  for (const certified of ['users.internal', 'others.internal']) {
    const server = createServer(authority.issue([certified]), (_, res) => void res.end('ok'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const dns = await startNameServer(t, () => ({ answers: [loopback] }))
    const found = { type: 'dns', name: 'users.internal', port, scheme: 'https', servers: [dns.server] }
    const users = { discovery: found, tls: { ca: authority.cert } }
    const { url } = await startGateway(t, { upstreams: { users }, routes })
    outcomes.push((await fetch(`${url}/v1/x`)).status)
  }
  assert.deepEqual(outcomes, [200, 502])
})

test('etcd is killed and started again under load: no request fails, and changes are followed again', async (t) => {
  const data = await ownFolder('etcd-data')
  t.after(() => rm(data, { recursive: true, force: true }))
  let etcd = await startEtcd({ data })
  t.after(() => etcd.kill())
  const [a, b] = [await startBackend(t), await startBackend(t)]
  await etcd.put('/users/a', a.url)
  const discovery = { type: 'etcd', endpoints: [etcd.url], prefix: '/users/' }
  const { url, logged, logs } = await startGateway(t, { upstreams: { users: { discovery } }, routes })
  const next = (message: string): Promise<unknown> => {
    const seen = logs.length
    return logged((line) => logs.indexOf(line) >= seen && line.message === message)
  }
  const load = startLoad(url, ['/v1/x', '/v1/y'], 4)
  const noticed = next('discovery is in trouble; the targets stay')
  await etcd.kill()
  await noticed
  const before = load.done
  while (load.done < before + 200) await new Promise((resolve) => setTimeout(resolve, 10))
  etcd = await startEtcd({ data, port: etcd.port })
  const added = next('discovery changed the targets')
  await etcd.put('/users/b', b.url)
  await added
  while (b.requests.length < 100) await new Promise((resolve) => setTimeout(resolve, 10))
  const removed = next('discovery changed the targets')
  await etcd.delete('/users/a')
  await removed
  const rest = a.requests.length
  const later = load.done
  while (load.done < later + 200) await new Promise((resolve) => setTimeout(resolve, 10))
  await load.stop()
  assert.deepEqual(load.failures, [])
  // Those that were under way when it was removed.
  assert.ok(a.requests.length <= rest + 4)
  t.diagnostic(`${load.done} requests, ${load.failures.length} failed`)
})

test('a gateway that is only looked into asks nobody', async (t) => {
  const dns = await startNameServer(t, () => ({ answers: [loopback] }))
  const discovery = { type: 'dns', name: 'users.internal', port: 1, servers: [dns.server] }
  await startGateway(t, { upstreams: { users: { discovery } }, routes }, { offline: true })
  assert.equal(dns.asked.length, 0)
})
