import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { makeAuthority } from '../certificates.ts'
import { folderOf } from '../config/files.ts'
import { startBackend, startGateway } from '../world.ts'
import { knock } from './knock.ts'

const pair = makeAuthority().issue(['localhost', 'IP:127.0.0.1'])
const get = 'GET /api/1 HTTP/1.1\r\nHost: a\r\n\r\n'

async function open(t: TestContext, server: object) {
  const backend = await startBackend(t)
  const gateway = await startGateway(t, {
    server: { tls: { listen: '127.0.0.1:0', ...pair }, ...server },
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'api', path: '/api/**', upstream: 'backend', auth: 'none' }],
  })
  const tlsPort = Number(new URL(gateway.gateway.tlsUrl as string).port)
  const refusals = async (): Promise<Record<string, number>> => {
    const text = await gateway.gateway.metrics.metrics()
    const lines = text.matchAll(/^gateway_connections_refused_total\{reason="(\w+)"\} (\d+)$/gm)
    return Object.fromEntries([...lines].map(([, reason, count]) => [reason, Number(count)]))
  }
  return { ...gateway, tlsPort, refusals }
}

test('an address that is not allowed is disconnected before it has said a word, on both ports', async (t) => {
  const { port, tlsPort, refusals } = await open(t, { access: { allow: ['127.0.0.1'] } })
  for (const at of [port, tlsPort]) {
    const stranger = await knock(t, at, { from: '127.0.0.2' })
    assert.equal(await stranger.closed(), '')
  }
  assert.deepEqual(await refusals(), { address: 2 })
  const known = await knock(t, port, { bytes: get })
  assert.match(await known.until(/"url"/), /^HTTP\/1\.1 200/)
})

test('deny wins over allow for connections', async (t) => {
  const { port } = await open(t, { access: { allow: ['127.0.0.0/8'], deny: ['127.0.0.2/31'] } })
  for (const from of ['127.0.0.2', '127.0.0.3']) {
    assert.equal(await (await knock(t, port, { from, bytes: get })).closed(), '')
  }
  assert.match(await (await knock(t, port, { from: '127.0.0.4', bytes: get })).until(/"url"/), /200 OK/)
})

test('a reload changes who may connect; connections that there are stay', async (t) => {
  const backend = await startBackend(t)
  const yaml = (deny: string): string => `
server: { listen: "127.0.0.1:0", access: { deny: [${deny}] }, shutdown: { drainDelay: 0s, gracePeriod: 1s } }
upstreams: { a: { targets: [{ url: "${backend.url}" }] } }
routes: [{ id: api, path: /api/**, upstream: a, auth: none }]
`
  const path = folderOf(t, { 'gateway.yaml': yaml('') })
  const { port, gateway } = await startGateway(t, {}, { file: path('gateway.yaml') })
  const before = await knock(t, port, { from: '127.0.0.2' })
  writeFileSync(path('next.yaml'), yaml('127.0.0.2'))
  renameSync(path('next.yaml'), path('gateway.yaml'))
  assert.equal(await gateway.reload(), true)
  assert.equal(await (await knock(t, port, { from: '127.0.0.2' })).closed(), '')
  before.socket.write(get)
  assert.match(await before.until(/"url"/), /200 OK/)
})

test('an address has so many connections as it may, over both ports, and gets one back for each that ends', async (t) => {
  const { port, tlsPort, refusals } = await open(t, { limits: { connectionsPerAddress: 2 } })
  const first = await knock(t, port, { from: '127.0.0.2', bytes: get })
  await first.until(/"url"/)
  const second = connectTls({
    port: tlsPort,
    host: '127.0.0.1',
    localAddress: '127.0.0.2',
    rejectUnauthorized: false,
  } as object)
  t.after(() => second.destroy())
  await new Promise((resolve) => second.once('secureConnect', resolve))
  assert.equal(await (await knock(t, port, { from: '127.0.0.2', bytes: get })).closed(), '')
  assert.equal(await (await knock(t, tlsPort, { from: '127.0.0.2' })).closed(), '')
  assert.deepEqual(await refusals(), { per_address: 2 })
  const other = await knock(t, port, { from: '127.0.0.3', bytes: get })
  assert.match(await other.until(/"url"/), /200 OK/)
  first.socket.end()
  await first.closed()
  // The gateway hears of the end in its own time.
  for (;;) {
    const again = await knock(t, port, { from: '127.0.0.2', bytes: get })
    if ((await again.until(/"url"/)).includes('200 OK')) break
  }
})

test('a trusted proxy may have any number of connections', async (t) => {
  const { port, refusals } = await open(t, {
    trustedProxies: ['127.0.0.2'],
    limits: { connectionsPerAddress: 1 },
  })
  for (let i = 0; i < 5; i++) {
    const proxy = await knock(t, port, { from: '127.0.0.2', bytes: get })
    assert.match(await proxy.until(/"url"/), /200 OK/)
  }
  assert.deepEqual(await refusals(), {})
})
