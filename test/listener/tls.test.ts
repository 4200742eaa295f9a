import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectHttp2, constants } from 'node:http2'
import { request as requestHttps } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { Agent, request } from 'undici'
import { z } from 'zod'
import { definePlugin } from '../../src/pipeline/registry.ts'
import { makeAuthority } from '../certificates.ts'
import { rawExchange, startBackend, startGateway } from '../world.ts'
import { askHttp2 } from './http2-client.ts'

const authority = makeAuthority()
const stranger = makeAuthority('a stranger')
const pair = authority.issue(['localhost', 'IP:127.0.0.1'])
const ca = authority.cert
const close = { Connection: 'close' }

/** A gateway with an echo behind `/api/**`, and a port for TLS. */
async function open(
  t: TestContext,
  tls: object = {},
  { server = {}, handler }: { server?: object; handler?: Parameters<typeof startBackend>[1] } = {},
) {
  const backend = await startBackend(t, handler)
  const made = await startGateway(
    t,
    {
      plugins: ['requestId', 'accessLog', 'metrics', 'showCertificate'],
      server: { tls: { listen: '127.0.0.1:0', ...pair, ...tls }, ...server },
      upstreams: { backend: { targets: [{ url: backend.url }] } },
      routes: [{ id: 'api', path: '/api/**', upstream: 'backend', auth: 'none' }],
    },
    { plugins: [showCertificate] },
  )
  const url = made.gateway.tlsUrl as string
  const metrics = async (): Promise<string> => (await fetch(`${made.url}/metrics`)).text()
  return { ...made, backend, plainUrl: made.url, url, port: Number(new URL(url).port), metrics }
}

/** Tells the client which certificate the exchange knows of. */
const showCertificate = definePlugin({
  name: 'showCertificate',
  options: z.strictObject({}),
  create: () => ({
    name: 'showCertificate',
    onRequest: (x) => {
      const { clientCertificate } = x.request
      x.replyHeaders.push('X-Certificate', clientCertificate ? JSON.stringify(clientCertificate) : 'none')
    },
  }),
})

interface Told {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: string
}

function askHttps(url: string, options: object = {}): Promise<Told> {
  return new Promise((resolve, reject) => {
    const sent = requestHttps(url, { ca, agent: false, ...options }, (reply) => {
      let body = ''
      reply.on('data', (chunk) => {
        body += chunk
      })
      reply.on('end', () => resolve({ status: reply.statusCode as number, headers: reply.headers, body }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** A handshake that is done; its errors do not end the process. */
async function shake(t: TestContext, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca, servername: 'localhost', ...options })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  socket.on('error', () => {})
  return socket
}

test('HTTP/1.1 and HTTP/2 are chosen by ALPN, and backends are told https', async (t) => {
  const { url, port, backend } = await open(t)
  const one = await askHttps(`${url}/api/one`)
  const session = connectHttp2(url, { ca })
  t.after(() => session.destroy())
  const two = await askHttp2(session, { ':path': '/api/two' })
  const agent = new Agent({ connect: { ca }, allowH2: true })
  t.after(() => agent.destroy())
  const three = await request(`${url}/api/three`, { dispatcher: agent })
  await three.body.dump()
  assert.deepEqual([one.status, two.status, three.statusCode], [200, 200, 200])
  for (const { headers } of backend.requests) {
    assert.equal(headers['x-forwarded-proto'], 'https')
    assert.match(String(headers.forwarded), /proto=https/)
    assert.equal(headers['x-forwarded-port'], String(port))
  }
})

test('curl speaks HTTP/2 with it, and HTTP/1.1 where it is asked to', async (t) => {
  const { url } = await open(t)
  const run = promisify(execFile)
  const version = async (flag: string): Promise<string> =>
    (
      await run('curl', [
        '-sk',
        flag,
        '-o',
        '/dev/null',
        '-w',
        '%{http_version} %{http_code}',
        `${url}/api/x`,
      ])
    ).stdout
  assert.deepEqual([await version('--http2'), await version('--http1.1')], ['2 200', '1.1 200'])
})

test('a client without ALPN speaks HTTP/1.1, strictly', async (t) => {
  const { port } = await open(t)
  const socket = await shake(t, port)
  socket.write('GET /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  await once(socket, 'close')
  assert.match(answer, /^HTTP\/1\.1 400 /)
})

test('HTTP/2 that ALPN did not choose is refused', async (t) => {
  const { port } = await open(t)
  const socket = await shake(t, port, { ALPNProtocols: ['http/1.1'] })
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  const [answer] = await once(socket, 'data')
  assert.match(String(answer), /^HTTP\/1\.1 400 /)
})

test('a client that speaks neither gets an alert (RFC 7301 section 3.2)', async (t) => {
  const { port, metrics } = await open(t)
  await assert.rejects(shake(t, port, { ALPNProtocols: ['spdy/1'] }), {
    code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
  })
  assert.match(await metrics(), /gateway_tls_handshake_failures_total\{reason="no_common_protocol"\} 1/)
})

for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'PRI']) {
  test(`${method} in cleartext is told that the port speaks TLS`, async (t) => {
    const { port, metrics } = await open(t)
    const answer = await rawExchange(port, `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 400 /)
    assert.match(answer, /This port speaks TLS/)
    assert.match(await metrics(), /gateway_tls_handshake_failures_total\{reason="cleartext"\} 1/)
  })
}

test('a handshake that is not done within headersTimeout ends', async (t) => {
  const { port, metrics } = await open(t, {}, { server: { limits: { headersTimeout: '300ms' } } })
  const silent = connectPlain(port, '127.0.0.1')
  await once(silent, 'close')
  assert.match(await metrics(), /gateway_tls_handshake_failures_total\{reason="timeout"\} 1/)
})

test('headers that do not come after the handshake are 408', async (t) => {
  const { port } = await open(t, {}, { server: { limits: { headersTimeout: '300ms' } } })
  const socket = await shake(t, port)
  socket.write('GET /api/x HTTP/1.1\r\n')
  const [answer] = await once(socket, 'data')
  assert.match(String(answer), /^HTTP\/1\.1 408 /)
})

test('connections above the limit are closed, and connections are counted', async (t) => {
  const { port, metrics } = await open(t, {}, { server: { limits: { connections: 2 } } })
  const first = await shake(t, port)
  await shake(t, port)
  await assert.rejects(shake(t, port))
  assert.match(await metrics(), /gateway_active_connections 3/)
  first.destroy()
  await once(first, 'close')
  for (;;) if ((await metrics()).includes('gateway_active_connections 2')) break
})

test('a client that takes nothing of its answer loses its connection', async (t) => {
  const { port, logged } = await open(
    t,
    {},
    {
      server: { limits: { bodyTimeout: '500ms' } },
      handler: (_req, res) => void res.end(Buffer.alloc(64_000_000)),
    },
  )
  const socket = await shake(t, port)
  socket.write('GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n')
  socket.pause()
  assert.ok(await logged((line) => line['gateway.error.reason'] === 'CLIENT_TOO_SLOW'))
})

test('an answer of HTTP/1.0 that breaks off ends its connection without an end of TLS', async (t) => {
  const { port, logged } = await open(
    t,
    {},
    {
      handler: (_req, res) => {
        res.write('half')
        setImmediate(() => res.destroy())
      },
    },
  )
  const socket = await shake(t, port)
  socket.write('GET /api/x HTTP/1.0\r\nHost: a\r\n\r\n')
  socket.resume()
  await once(socket, 'close')
  assert.ok(await logged((line) => line['gateway.error.reason'] === 'UPSTREAM_RESET'))
})

test('TLS 1.1 is refused, and 1.2 where 1.3 is the least', async (t) => {
  const { port } = await open(t)
  const old: ConnectionOptions = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }
  await assert.rejects(shake(t, port, old), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' })
  assert.equal((await shake(t, port, { maxVersion: 'TLSv1.2' })).getProtocol(), 'TLSv1.2')
  const strict = await open(t, { minVersion: 'TLSv1.3' })
  await assert.rejects(shake(t, strict.port, { maxVersion: 'TLSv1.2' }), {
    code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  })
})

test('the certificate is that of the server name; a name stands before a wildcard', async (t) => {
  const certificates = [
    { hosts: ['*.shop.example'], ...authority.issue(['*.shop.example']) },
    { hosts: ['api.shop.example'], ...authority.issue(['api.shop.example']) },
  ]
  const { port } = await open(t, { certificates })
  const shown = async (servername: string): Promise<unknown> =>
    (await shake(t, port, { servername, checkServerIdentity: () => undefined })).getPeerCertificate().subject
      .CN
  assert.equal(await shown('API.shop.example'), 'api.shop.example')
  assert.equal(await shown('web.shop.example'), '*.shop.example')
  // A wildcard is one label (RFC 9525 section 6.3).
  assert.equal(await shown('a.web.shop.example'), 'localhost')
  assert.equal(await shown('shop.example'), 'localhost')
  assert.equal(await shown(''), 'localhost')
})

for (const protocol of ['h2', 'http/1.1']) {
  test(`draining ends connections of ${protocol} when their last answer is there`, async (t) => {
    const held = Promise.withResolvers<() => void>()
    const { url, gateway } = await open(
      t,
      {},
      { handler: (_req, res) => held.resolve(() => void res.end('late')) },
    )
    let answer: Promise<Told | Awaited<ReturnType<typeof askHttp2>>>
    let told: Promise<unknown> = Promise.resolve()
    if (protocol === 'h2') {
      const session = connectHttp2(url, { ca })
      t.after(() => session.destroy())
      answer = askHttp2(session, { ':path': '/api/x' })
      told = once(session, 'goaway').then(([code]) => assert.equal(code, constants.NGHTTP2_NO_ERROR))
    } else {
      answer = askHttps(`${url}/api/x`)
    }
    const finish = await held.promise
    const stopped = gateway.shutdown()
    await told
    finish()
    const { status, body, headers } = await answer
    assert.deepEqual([status, String(body)], [200, 'late'])
    if (protocol !== 'h2') assert.equal(headers.connection, 'close')
    await stopped
    await assert.rejects(askHttps(`${url}/api/x`), { code: 'ECONNREFUSED' })
  })
}

test('an unfinished handshake does not hold the end up', async (t) => {
  const { port, gateway } = await open(
    t,
    {},
    { server: { shutdown: { drainDelay: '0s', gracePeriod: '100ms' } } },
  )
  const silent = connectPlain(port, '127.0.0.1')
  await once(silent, 'connect')
  const closed = once(silent, 'close')
  await gateway.shutdown()
  await closed
})

const client = authority.issue(['billing'])
const foreign = stranger.issue(['billing'])

test('a required client certificate is known to the exchange, over both versions', async (t) => {
  const { url } = await open(t, { clientAuth: 'require', clientCa: ca })
  const one = await askHttps(`${url}/api/x`, client)
  const session = connectHttp2(url, { ca, ...client })
  t.after(() => session.destroy())
  const two = await askHttp2(session, { ':path': '/api/x' })
  for (const shown of [one.headers['x-certificate'], two.headers['x-certificate']]) {
    const { subject, fingerprint } = JSON.parse(String(shown))
    assert.equal(subject, 'CN=billing, O=Shop')
    assert.match(fingerprint, /^[0-9a-f]{64}$/)
  }
})

for (const [clientAuth, name, shown, status] of [
  ['require', 'none', {}, undefined],
  ['require', 'that of a stranger', foreign, undefined],
  ['request', 'none', {}, 200],
  ['request', 'that of a stranger', foreign, undefined],
  ['request', 'a good one', client, 200],
  ['none', 'that of a stranger', foreign, 200],
] as const) {
  test(`clientAuth ${clientAuth}, the client shows ${name}: ${status ?? 'refused'}`, async (t) => {
    const { url, backend } = await open(t, { clientAuth, ...(clientAuth !== 'none' && { clientCa: ca }) })
    const asked = askHttps(`${url}/api/x`, { ...shown, headers: close })
    if (status === undefined) await assert.rejects(asked)
    else assert.equal((await asked).status, status)
    assert.equal(backend.requests.length, status === undefined ? 0 : 1)
  })
}

test('a port that is taken leaves none open', async (t) => {
  const { port } = await open(t)
  await assert.rejects(open(t, { listen: `127.0.0.1:${port}` }), { code: 'EADDRINUSE' })
})
