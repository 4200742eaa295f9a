import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { Agent, request } from 'undici'
import { makeAuthority } from '../certificates.ts'
import { startHaproxy } from '../services/haproxy.ts'
import { startBackend, startGateway } from '../world.ts'
import { askHttp2, connectHttp2 as connectH2c } from './http2-client.ts'
import { type Knock, knock } from './knock.ts'

const pair = makeAuthority().issue(['localhost', 'IP:127.0.0.1'])
const get = 'GET /api/1 HTTP/1.1\r\nHost: a\r\n\r\n'
const line = 'PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n'
/** The proxy is 127.0.0.1; 127.0.0.2 is somebody else. */
const proxyProtocol = { from: ['127.0.0.1'] }

async function open(t: TestContext, server: object = {}, place: object = {}) {
  const backend = await startBackend(t)
  const gateway = await startGateway(t, {
    plugins: ['accessLog'],
    server: { tls: { listen: '127.0.0.1:0', ...pair }, proxyProtocol, ...server },
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'api', path: '/api/**', upstream: 'backend', auth: 'none', ...place }],
  })
  const tlsPort = Number(new URL(gateway.gateway.tlsUrl as string).port)
  const metrics = (): Promise<string> => gateway.gateway.metrics.metrics()
  return { ...gateway, backend, tlsPort, metrics }
}

const versions = ['send-proxy', 'send-proxy-v2', 'send-proxy-v2 proxy-v2-options crc32c,unique-id'] as const
for (const send of versions) {
  for (const speaks of ['HTTP/1.1', 'h2c', 'TLS with HTTP/1.1', 'TLS with h2'] as const) {
    test(`HAProxy with ${send} before ${speaks}: the client's address is everywhere`, async (t) => {
      const { port, tlsPort, backend, logged } = await open(t)
      const secure = speaks.startsWith('TLS')
      const haproxy = await startHaproxy({ to: secure ? tlsPort : port, send })
      t.after(() => haproxy.stop())
      // HAProxy tells where its own client is: this one comes from 127.0.0.9.
      const localAddress = '127.0.0.9'
      const url = `${secure ? 'https' : 'http'}://127.0.0.1:${haproxy.port}`
      if (speaks.includes('h2')) {
        const session = connectHttp2(url, { localAddress, rejectUnauthorized: false } as object)
        t.after(() => session.destroy())
        for (let i = 0; i < 2; i++) {
          assert.equal((await askHttp2(session, { ':path': '/api/1' })).status, 200)
        }
      } else {
        const dispatcher = new Agent({ localAddress, connect: { rejectUnauthorized: false } })
        t.after(() => dispatcher.destroy())
        for (let i = 0; i < 2; i++) {
          const reply = await request(`${url}/api/1`, {
            dispatcher,
            method: 'POST',
            body: 'x'.repeat(100_000),
          })
          assert.equal(reply.statusCode, 200)
          assert.equal(((await reply.body.json()) as { body: string }).body.length, 100_000)
        }
      }
      for (const { headers } of backend.requests) {
        assert.equal(headers['x-forwarded-for'], localAddress)
        assert.equal(headers['x-forwarded-proto'], secure ? 'https' : 'http')
      }
      assert.equal(backend.requests.length, 2)
      await logged((entry) => entry['client.address'] === localAddress)
    })
  }
}

test('rate limits and address lists mean the client, not the proxy', async (t) => {
  const plugins = [
    { ipAccess: { deny: ['203.0.113.8'] } },
    { rateLimit: { limit: 1, window: '1h', by: 'ip' } },
  ]
  const { port } = await open(t, { access: { deny: ['203.0.113.66'] } }, { plugins })
  const statusFor = async (client: string): Promise<string> => {
    const bytes = `PROXY TCP4 ${client} 192.0.2.1 1 2\r\n${get}`
    return (await (await knock(t, port, { bytes })).until(/\r\n\r\n/)).slice(9, 12)
  }
  assert.equal(await statusFor('203.0.113.7'), '200')
  assert.equal(await statusFor('203.0.113.7'), '429')
  assert.equal(await statusFor('203.0.113.9'), '200')
  assert.equal(await statusFor('203.0.113.8'), '403')
  assert.equal(await statusFor('203.0.113.66'), '')
})

test('connections are counted for the client that the header names', async (t) => {
  const { port, metrics } = await open(t, { limits: { connectionsPerAddress: 1 } })
  const of = (client: string): Promise<Knock> =>
    knock(t, port, { bytes: `PROXY TCP6 ${client} ::1 1 2\r\n${get}` })
  assert.match(await (await of('2001:db8::1')).until(/"url"/), / 200 /)
  assert.equal(await (await of('2001:db8::2')).closed(), '')
  assert.match(await (await of('2001:db8:0:1::1')).until(/"url"/), / 200 /)
  assert.match(await metrics(), /gateway_connections_refused_total\{reason="per_address"\} 1/)
})

test('who the header names is a trusted proxy where it is one', async (t) => {
  const { port, backend } = await open(t, { trustedProxies: ['203.0.113.7'] })
  const bytes = `${line}GET /api/1 HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n`
  assert.match(await (await knock(t, port, { bytes })).until(/"url"/), / 200 /)
  assert.equal(backend.requests[0]?.headers['x-forwarded-for'], '198.51.100.1, 203.0.113.7')
})

test('a header may come in pieces, and be followed by a request in the same one', async (t) => {
  const { port, backend } = await open(t)
  const client = await knock(t, port)
  for (const piece of [line.slice(0, 3), line.slice(3, 20), line.slice(20) + get.slice(0, 9)]) {
    await new Promise<void>((resolve) => client.socket.write(piece, () => resolve()))
  }
  client.socket.write(get.slice(9))
  assert.match(await client.until(/"url"/), / 200 /)
  assert.equal(backend.requests[0]?.headers['x-forwarded-for'], '203.0.113.7')
})

test('a WebSocket opens behind a header, with frames in the same piece', async (t) => {
  const { port, backend } = await open(t)
  backend.server.on('upgrade', (_req, socket: Socket, head: Buffer) => {
    socket.on('error', () => {})
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.write(head)
    socket.pipe(socket)
  })
  const upgrade =
    'GET /api/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
  const client = await knock(t, port, { bytes: `${line}${upgrade}early` })
  await client.until(/101.*early/s)
  client.socket.write('late')
  assert.match(await client.until(/late/), /101.*earlylate$/s)
  assert.equal(backend.requests.length, 0)
  client.socket.end()
  await client.closed()
})

const healthChecks: readonly [string, string | Buffer][] = [
  ['LOCAL', Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex')],
  ['UNKNOWN', 'PROXY UNKNOWN\r\n'],
]
for (const [name, header] of healthChecks) {
  test(`a proxy that speaks for itself (${name}) is the client`, async (t) => {
    const { port, backend } = await open(t, { access: { allow: ['203.0.113.0/24'] } })
    const client = await knock(t, port, { bytes: header })
    client.socket.write(get)
    assert.match(await client.until(/"url"/), / 200 /)
    assert.equal(backend.requests[0]?.headers['x-forwarded-for'], '127.0.0.1')
  })
}

const v2 = Buffer.from('0d0a0d0a000d0a515549540a2111000ccb007107c0000201dc0401bb', 'hex')
const lies: readonly [string, { from?: string; bytes: string | Buffer; tls?: boolean }, string][] = [
  ['a line from a peer that is no proxy', { from: '127.0.0.2', bytes: line + get }, '400'],
  [
    'version 2 from a peer that is no proxy',
    { from: '127.0.0.2', bytes: Buffer.concat([v2, Buffer.from(get)]) },
    '400',
  ],
  ['a line from a peer that is no proxy, to TLS', { from: '127.0.0.2', bytes: line, tls: true }, '400'],
  ['version 2 from a peer that is no proxy, to TLS', { from: '127.0.0.2', bytes: v2, tls: true }, '400'],
  ['two lines', { bytes: line + line + get }, '400'],
  ['a line and version 2', { bytes: Buffer.concat([Buffer.from(line), v2, Buffer.from(get)]) }, '400'],
  ['version 2 twice', { bytes: Buffer.concat([v2, v2, Buffer.from(get)]) }, '400'],
  ['a line between two requests', { bytes: line + get + line + get }, '200 400'],
  ['no header from a proxy', { bytes: get }, ''],
  ['no header from a proxy, to TLS', { bytes: Buffer.from('160301', 'hex'), tls: true }, ''],
  ['the preface of HTTP/2 without a header', { bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' }, ''],
  ['a line without an end', { bytes: `PROXY UNKNOWN ${'a'.repeat(200)}` }, ''],
  ['a line with a bare LF', { bytes: line.replace('\r', '') + get }, ''],
  [
    'version 2 with a length of 65535',
    { bytes: Buffer.concat([v2.subarray(0, 14), Buffer.from([255, 255])]) },
    '',
  ],
]
for (const [name, { from, bytes, tls = false }, statuses] of lies) {
  test(`${name} gets nowhere`, async (t) => {
    const { port, tlsPort, backend } = await open(t)
    const liar = await knock(t, tls ? tlsPort : port, { from, bytes })
    const text = await liar.closed()
    assert.equal([...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status).join(' '), statuses)
    for (const { headers } of backend.requests) assert.equal(headers['x-forwarded-for'], '203.0.113.7')
    assert.equal(backend.requests.length, statuses.includes('200') ? 1 : 0)
  })
}

test('a second header within TLS gets nowhere', async (t) => {
  const { tlsPort, backend } = await open(t)
  const raw = await knock(t, tlsPort, { bytes: line })
  const secure = connectTls({ socket: raw.socket, rejectUnauthorized: false })
  secure.on('error', () => {})
  await once(secure, 'secureConnect')
  secure.write(line + get)
  let text = ''
  for await (const chunk of secure) text += chunk
  assert.match(text, /^HTTP\/1\.1 400/)
  assert.equal(backend.requests.length, 0)
})

test('a header that does not come in time, or never ends, is given up and counted', async (t) => {
  const { port, tlsPort, metrics } = await open(t, { limits: { headersTimeout: '300ms' } })
  const silent = await knock(t, port)
  const slow = await knock(t, tlsPort, { bytes: line.slice(0, -1) })
  const gone = await knock(t, port, { bytes: 'PROXY ' })
  gone.socket.end()
  assert.deepEqual([await silent.closed(), await slow.closed(), await gone.closed()], ['', '', ''])
  assert.match(await metrics(), /gateway_connections_refused_total\{reason="proxy_header"\} 3/)
})

test('a gateway that ends does not wait for headers', async (t) => {
  const { port, gateway } = await open(t)
  const waiting = await knock(t, port)
  await gateway.shutdown()
  assert.equal(await waiting.closed(), '')
})

test('clients that are not behind the proxy connect as ever', async (t) => {
  const { port, url } = await open(t, { proxyProtocol: { from: ['127.0.0.2'] } })
  assert.match(await (await knock(t, port, { bytes: get })).until(/"url"/), / 200 /)
  const session = await connectH2c(t, url)
  assert.equal((await askHttp2(session, { ':path': '/api/1' })).status, 200)
})
