import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants, type OutgoingHttpHeaders } from 'node:http2'
import { describe, type TestContext, test } from 'node:test'
import { type handleUnaryCall, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { connectHttp2 } from '../listener/http2-client.ts'
import { RawClient } from '../listener/raw-client.ts'
import { startBackend, startGateway } from '../world.ts'

/** Far more than the system takes on behalf of a client that does not read. */
const large = 'x'.repeat(14_000_000)

interface Place {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly type?: string
  /** Whole, or the beginning of a longer one. */
  readonly body?: string
}

const query = '{"query":"{ me { id } }"}'
/** An empty message in its envelope. */
const message = '\0\0\0\0\0'

/** What answers with something large, at every door. */
const places: readonly Place[] = [
  { name: 'REST', method: 'GET', path: '/v1/large' },
  { name: 'a fixed answer', method: 'GET', path: '/v1/fixed' },
  { name: 'GraphQL', method: 'POST', path: '/graphql', type: 'application/json', body: query },
  { name: 'gRPC as JSON', method: 'GET', path: '/v1/grpc/users/42' },
  { name: 'Connect', method: 'POST', path: '/doors.v1.Users/GetUser', type: 'application/proto', body: '' },
]
const nativePlace: Place = {
  name: 'native gRPC',
  method: 'POST',
  path: '/doors.v1.Users/GetUser',
  type: 'application/grpc',
  body: message,
}

/** What takes a body, at every door. */
const uploads: readonly Place[] = [
  { name: 'REST', method: 'POST', path: '/v1/large', type: 'text/plain', body: 'hel' },
  { name: 'GraphQL', method: 'POST', path: '/graphql', type: 'application/json', body: query.slice(0, 9) },
  {
    name: 'Connect',
    method: 'POST',
    path: '/doors.v1.Users/GetUser',
    type: 'application/proto',
    body: '\x0a',
  },
]

async function open(t: TestContext) {
  const backend = await startBackend(t, async (req, res) => {
    // The upload of a client that stops ends here, too.
    if (!(await once(req.resume(), 'end').catch(() => false))) return
    res.setHeader('Content-Type', 'application/json')
    res.end(JSON.stringify({ data: { me: { __typename: 'User', id: large } } }))
  })
  const definitions = loadSync('doors.proto', {
    includeDirs: ['test/doors', 'node_modules/google-proto-files'],
    keepCase: true,
  })
  const server = new Server({ 'grpc.max_send_message_length': -1 })
  const getUser: handleUnaryCall<unknown, { id: string }> = (_, reply) => reply(null, { id: large })
  server.addService(definitions['doors.v1.Users'] as ServiceDefinition, { GetUser: getUser })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  t.after(() => server.forceShutdown())
  const gateway = await startGateway(t, {
    server: { limits: { bodyTimeout: '700ms' } },
    plugins: ['accessLog'],
    upstreams: {
      http: { targets: [{ url: backend.url }] },
      grpc: { targets: [{ url: `http://127.0.0.1:${port}` }] },
    },
    routes: [
      { id: 'large', path: '/v1/large', upstream: 'http', auth: 'none' },
      { id: 'fixed', path: '/v1/fixed', auth: 'none', respond: { body: large } },
    ],
    graphql: { auth: 'none', subgraphs: { users: { upstream: 'http', schema: 'test/doors/users.graphql' } } },
    grpc: {
      protos: ['test/doors/doors.proto'],
      includeDirs: ['test/doors'],
      messageBytes: '32mb',
      services: { 'doors.v1.Users': { upstream: 'grpc', auth: 'none' } },
    },
  })
  const tooSlow = (): Promise<Record<string, unknown>> =>
    gateway.logged((line) => line['gateway.error.reason'] === 'CLIENT_TOO_SLOW')
  return { ...gateway, tooSlow }
}

/** The head of a request of HTTP/1.1 with what there is of its body, which is so many bytes longer. */
function http1({ method, path, type, body }: Place, missing = 0): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: a']
  if (type !== undefined) lines.push(`Content-Type: ${type}`)
  if (body !== undefined) lines.push(`Content-Length: ${body.length + missing}`)
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

function http2({ method, path, type }: Place): OutgoingHttpHeaders {
  return {
    ':method': method,
    ':path': path,
    ...(type !== undefined && { 'content-type': type, te: 'trailers' }),
  }
}

for (const place of places) {
  describe(`a client that does not read its answer: ${place.name}`, () => {
    test('over HTTP/1.1 it loses its connection', async (t) => {
      const { port, tooSlow } = await open(t)
      const client = await RawClient.connect(port)
      t.after(() => client.socket.destroy())
      client.socket.pause()
      client.write(http1(place))
      const line = await tooSlow()
      assert.equal(line['http.response.status_code'], 200)
    })
  })
}

for (const place of [...places, nativePlace]) {
  describe(`a client that does not read its answer: ${place.name}`, () => {
    test('over HTTP/2 it loses its stream', async (t) => {
      const { url, tooSlow } = await open(t)
      const session = await connectHttp2(t, url)
      const stream = session.request(http2(place))
      stream.on('error', () => {})
      if (place.method === 'POST') stream.end(Buffer.from(place.body ?? '', 'latin1'))
      const closed = new Promise((resolve) => stream.once('close', resolve))
      await tooSlow()
      // What it has not read would come before the news.
      stream.resume()
      await closed
      assert.equal(stream.rstCode, constants.NGHTTP2_INTERNAL_ERROR)
    })
  })
}

for (const place of uploads) {
  describe(`a client that stops within its body: ${place.name}`, () => {
    test('over HTTP/1.1 it is refused, and its connection ended', async (t) => {
      const { port, tooSlow } = await open(t)
      const client = await RawClient.connect(port)
      client.write(http1(place, 50))
      // The protocol of Connect has 504 for deadline_exceeded.
      assert.match(await client.end(), place.name === 'Connect' ? /^HTTP\/1.1 504 / : /^HTTP\/1.1 408 /)
      await tooSlow()
    })
  })
}

for (const place of [...uploads, nativePlace]) {
  describe(`a client that stops within its body: ${place.name}`, () => {
    test('over HTTP/2 it is refused, and its stream ended', async (t) => {
      const { url, tooSlow } = await open(t)
      const session = await connectHttp2(t, url)
      const stream = session.request(http2(place))
      stream.on('error', () => {}).resume()
      stream.write(Buffer.from((place.body ?? '').slice(0, 3), 'latin1'))
      await Promise.all([new Promise((resolve) => stream.once('close', resolve)), tooSlow()])
    })
  })
}
