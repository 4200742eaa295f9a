import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { WebSocket, WebSocketServer } from 'ws'
import { openChannel } from '../../src/front-ends/grpc/open-channel.ts'
import { Endpoint } from '../../src/traffic/endpoint.ts'
import { makeAuthority } from '../certificates.ts'
import { startGateway } from '../world.ts'
import { call } from './grpc/channel/channels.ts'

const authority = makeAuthority()
const stranger = makeAuthority('a stranger')
const pair = authority.issue(['backend.test'])
const gateway = authority.issue(['gateway'])
const foreign = stranger.issue(['gateway'])
const ca = authority.cert

type Ask = (
  t: TestContext,
  tls: object | undefined,
  options?: { readonly mutual?: boolean },
) => Promise<Outcome>

/** `ok`, or the reason that the client was told. */
interface Outcome {
  readonly outcome: string
  /** The name in the certificate that the backend was shown. */
  readonly shown?: unknown
}

/** An https backend, that is a WebSocket server too. */
async function startSecure(t: TestContext, mutual: boolean) {
  const requests: IncomingMessage[] = []
  const server = createServer({ ...pair, ...(mutual && { ca, requestCert: true }) }, (req, res) => {
    requests.push(req)
    res.end('ok')
  })
  new WebSocketServer({ server }).on('connection', (socket, req) => {
    requests.push(req)
    socket.send('ok')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

async function openRest(t: TestContext, tls: object | undefined, mutual: boolean) {
  const backend = await startSecure(t, mutual)
  const made = await startGateway(t, {
    upstreams: { backend: { targets: [{ url: backend.url }], ...(tls && { tls }) } },
    routes: [{ id: 'all', path: '/**', upstream: 'backend', auth: 'none' }],
  })
  const shown = (): unknown =>
    (backend.requests[0]?.socket as TLSSocket | undefined)?.getPeerCertificate().subject?.CN
  return { ...made, shown }
}

const rest: Ask = async (t, tls, { mutual = false } = {}) => {
  const { url, shown } = await openRest(t, tls, mutual)
  const reply = await fetch(`${url}/x`)
  const text = await reply.text()
  return { outcome: reply.ok ? text : JSON.parse(text).reason, shown: shown() }
}

const webSocket: Ask = async (t, tls, { mutual = false } = {}) => {
  const { url, shown } = await openRest(t, tls, mutual)
  const socket = new WebSocket(`${url.replace('http', 'ws')}/x`)
  const outcome = await new Promise<string>((resolve) => {
    socket.on('error', () => {})
    socket.on('message', (data) => resolve(String(data)))
    socket.on('unexpected-response', async (_request, reply: IncomingMessage) => {
      let text = ''
      for await (const chunk of reply) text += chunk
      resolve(JSON.parse(text).reason)
    })
  })
  socket.terminate()
  return { outcome, shown: shown() }
}

async function startGrpc(t: TestContext, mutual: boolean) {
  const definitions = loadSync('doors.proto', {
    includeDirs: ['test/doors', 'node_modules/google-proto-files'],
    keepCase: true,
  })
  const server = new Server()
  server.addService(definitions['doors.v1.Users'] as ServiceDefinition, {
    GetUser: (_call: unknown, reply: (error: null, value: object) => void) => reply(null, { id: 'ok' }),
  })
  const own = { cert_chain: Buffer.from(pair.cert), private_key: Buffer.from(pair.key) }
  const secure = ServerCredentials.createSsl(mutual ? Buffer.from(ca) : null, [own], mutual)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', secure, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  t.after(() => server.forceShutdown())
  return `https://127.0.0.1:${port}`
}

const grpc: Ask = async (t, tls, { mutual = false } = {}) => {
  const target = await startGrpc(t, mutual)
  const { url } = await startGateway(t, {
    upstreams: { backend: { targets: [{ url: target }], ...(tls && { tls }) } },
    grpc: {
      protos: ['test/doors/doors.proto'],
      includeDirs: ['test/doors'],
      services: { 'doors.v1.Users': { upstream: 'backend', auth: 'none' } },
    },
  })
  const told = (await (await fetch(`${url}/v1/grpc/users/42`)).json()) as {
    id?: string
    details?: { reason?: string }[]
  }
  return {
    outcome: told.id ?? String(told.details?.find((one) => one.reason)?.reason),
  }
}

/** The same by the other channel, which no key of the configuration chooses. */
const grpcJs: Ask = async (t, tls, { mutual = false } = {}) => {
  const target = await startGrpc(t, mutual)
  const connections = { connectTimeoutMs: 5_000, idleTimeoutMs: 5_000, maxConnections: 1 }
  const endpoint = new Endpoint(
    { url: target, weight: 1, priority: 0 },
    { ...connections, ...(tls && { tls }) },
  )
  const channel = openChannel(endpoint, { kind: 'grpc-js', maxMessageBytes: 65_536 })
  t.after(() => channel.close())
  const { end } = await call(channel, { path: '/doors.v1.Users/GetUser' })
  const outcome = end.code === 0 ? 'ok' : end.failure === 'tls' ? 'UPSTREAM_TLS' : String(end.failure)
  return { outcome }
}

const named = { ca, serverName: 'backend.test' }

for (const [name, ask] of Object.entries({ rest, webSocket, grpc, grpcJs })) {
  test(`${name}: an authority that nobody knows is not believed`, async (t) => {
    assert.equal((await ask(t, undefined)).outcome, 'UPSTREAM_TLS')
  })

  test(`${name}: nor is another than the configured one`, async (t) => {
    assert.equal((await ask(t, { ...named, ca: stranger.cert })).outcome, 'UPSTREAM_TLS')
  })

  test(`${name}: nor a certificate for another name`, async (t) => {
    assert.equal((await ask(t, { ca })).outcome, 'UPSTREAM_TLS')
  })

  test(`${name}: the configured authority and name are`, async (t) => {
    assert.equal((await ask(t, named)).outcome, 'ok')
  })

  test(`${name}: insecureSkipVerify believes anything`, async (t) => {
    assert.equal((await ask(t, { insecureSkipVerify: true })).outcome, 'ok')
  })

  test(`${name}: our own certificate is shown`, async (t) => {
    const { outcome, shown } = await ask(t, { ...named, ...gateway }, { mutual: true })
    assert.equal(outcome, 'ok')
    // The gRPC server refuses calls without one.
    if (!name.startsWith('grpc')) assert.equal(shown, 'gateway')
  })

  test(`${name}: a backend that does not take ours is an error at once`, async (t) => {
    const { outcome } = await ask(t, { ...named, ...foreign }, { mutual: true })
    // Over TLS 1.3 a client learns of it after its handshake, when it may have sent something already.
    assert.match(outcome, /^(UPSTREAM_TLS|UPSTREAM_RESET|reset|refused)$/)
  })
}
