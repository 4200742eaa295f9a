import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws'
import { createApiKey, hashApiKey } from '../../../src/plugins/identity/api-key.ts'
import { closed, parseAnswers, RawClient, sendRaw } from '../../listener/raw-client.ts'
import { startBackend, startGateway, type TestGateway } from '../../world.ts'
import { refusedUrl, startRawUpstream } from './raw-upstream.ts'

const key = createApiKey('test')

async function openGateway(
  t: TestContext,
  urls: readonly string[],
  upstream: object = {},
): Promise<TestGateway> {
  return startGateway(t, {
    plugins: ['requestId', 'accessLog'],
    upstreams: { backend: { targets: urls.map((url) => ({ url })), ...upstream } },
    routes: [
      { id: 'open', path: '/open/**', upstream: 'backend', auth: 'none', rewrite: { stripPrefix: '/open' } },
      { id: 'closed', path: '/closed/**', upstream: 'backend' },
    ],
    consumers: [{ id: 'alice', roles: [], keys: [{ hash: hashApiKey(key) }] }],
  })
}

interface SocketBackend {
  readonly url: string
  readonly server: WebSocketServer
  readonly requests: IncomingMessage[]
}

/** A WebSocket server that sends back whatever it gets. */
async function startSocketBackend(t: TestContext): Promise<SocketBackend> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    maxPayload: 64 * 1_048_576,
    handleProtocols: (protocols) => [...protocols].at(-1) ?? false,
  })
  await once(server, 'listening')
  const requests: IncomingMessage[] = []
  server.on('connection', (socket, req) => {
    requests.push(req)
    socket.on('error', () => {})
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  t.after(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { url: `http://127.0.0.1:${address.port}`, server, requests }
}

async function openSocket(
  t: TestContext,
  gateway: TestGateway,
  path: string,
  options: ClientOptions = {},
): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}${path}`, ['chat', 'chat2'], {
    maxPayload: 64 * 1_048_576,
    perMessageDeflate: false,
    ...options,
  })
  t.after(() => socket.terminate())
  socket.on('error', () => {})
  await once(socket, 'open')
  return socket
}

const handshake = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

test('carries text and binary messages both ways, in order, whole', async (t) => {
  const backend = await startSocketBackend(t)
  const gateway = await openGateway(t, [backend.url])
  const socket = await openSocket(t, gateway, '/open/room?a=1&b=%20')
  assert.equal(socket.protocol, 'chat2')
  assert.equal(backend.requests[0]?.url, '/room?a=1&b=%20')
  const big = Buffer.alloc(10_000_000, 'x')
  const messages: readonly (readonly [data: Buffer, binary: boolean])[] = [
    [Buffer.from('hello, wörld'), false],
    [Buffer.from(''), false],
    [Buffer.from([0, 1, 2, 255]), true],
    [big, true],
    [Buffer.from('after'), false],
  ]
  const received: [Buffer, boolean][] = []
  const all = new Promise<void>((resolve) => {
    socket.on('message', (data, binary) => {
      if (received.push([data as Buffer, binary]) === messages.length) resolve()
    })
  })
  for (const [data, binary] of messages) socket.send(data, { binary })
  await all
  for (const [i, [data, binary]] of messages.entries()) {
    assert.ok(received[i]?.[0].equals(data), `message ${i}`)
    assert.equal(received[i]?.[1], binary)
  }
})

test('tells the upstream who calls and what the gateway established, and keeps the key', async (t) => {
  const backend = await startSocketBackend(t)
  const gateway = await openGateway(t, [backend.url])
  const headers = { 'X-API-Key': key, 'X-User-ID': 'root', 'X-Forwarded-For': '203.0.113.7', Cookie: 'a=1' }
  await openSocket(t, gateway, '/closed/x', { headers })
  const seen = backend.requests[0]?.headers
  assert.equal(seen?.['x-user-id'], 'alice')
  assert.equal(seen?.['x-api-key'], undefined)
  assert.equal(seen?.['x-forwarded-for'], '127.0.0.1')
  assert.equal(seen?.cookie, 'a=1')
  assert.equal(seen?.host, backend.url.slice(7))
  assert.match(String(seen?.traceparent), /^00-/)
  assert.equal(seen?.['sec-websocket-protocol'], 'chat,chat2')
})

test('writes what plugins have for the answer into the 101', async (t) => {
  const backend = await startSocketBackend(t)
  const gateway = await openGateway(t, [backend.url])
  const client = await RawClient.connect(gateway.port)
  client.write(handshake('/open/x').replace('\r\n\r\n', '\r\nX-Request-Id: mine\r\n\r\n'))
  const text = await client.until(/\r\n\r\n/)
  assert.match(text, /^HTTP\/1\.1 101 /)
  assert.match(text, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i)
  assert.match(text, /\r\nx-request-id: mine\r\n/i)
  assert.equal(text.match(/\r\nconnection: upgrade\r\n/gi)?.length, 1)
  assert.equal(text.match(/\r\nupgrade: websocket\r\n/gi)?.length, 1)
  client.socket.destroy()
})

test('logs one line when the connection has ended, with status 101', async (t) => {
  const backend = await startSocketBackend(t)
  const gateway = await openGateway(t, [backend.url])
  const socket = await openSocket(t, gateway, '/open/x')
  const lines = (): number => gateway.logs.filter((line) => line['url.path'] === '/open/x').length
  assert.equal(lines(), 0)
  socket.close(1_000)
  await once(socket, 'close')
  const line = await gateway.logged((entry) => entry['url.path'] === '/open/x')
  assert.equal(line['http.response.status_code'], 101)
  assert.equal(line['gateway.attempts'], 1)
  assert.equal(line['gateway.error.reason'], undefined)
  await gateway.gateway.shutdown()
  assert.equal(lines(), 1)
})

for (const [name, path, status, reason] of [
  ['without credentials', '/closed/x', 401, 'NO_CREDENTIALS'],
  ['to no route', '/nowhere', 404, 'ROUTE_NOT_FOUND'],
  ['with an unsafe path', '/open/../closed', 400, 'PATH_REFUSED'],
] as const) {
  test(`refuses a WebSocket ${name} with a whole HTTP answer: ${status}`, async (t) => {
    const backend = await startSocketBackend(t)
    const gateway = await openGateway(t, [backend.url])
    const [answer, ...more] = parseAnswers(await sendRaw(gateway.port, handshake(path)))
    assert.equal(answer?.status, status)
    assert.equal(more.length, 0)
    assert.equal((JSON.parse(answer.body) as { reason: string }).reason, reason)
    assert.equal(backend.requests.length, 0)
  })
}

test('answers 502 when the upstream is down', async (t) => {
  const gateway = await openGateway(t, [await refusedUrl()])
  const [answer] = parseAnswers(await sendRaw(gateway.port, handshake('/open/x')))
  assert.equal(answer?.status, 502)
  assert.equal((JSON.parse(answer.body) as { reason: string }).reason, 'UPSTREAM_REFUSED')
  const line = await gateway.logged((entry) => entry['gateway.error.reason'] === 'UPSTREAM_REFUSED')
  assert.equal(line['http.response.status_code'], 502)
})

test('connects to another target when one is down', async (t) => {
  const backend = await startSocketBackend(t)
  const gateway = await openGateway(t, [await refusedUrl(), backend.url])
  for (let i = 0; i < 4; i++) {
    const socket = await openSocket(t, gateway, '/open/x')
    socket.send('hello')
    const [data] = await once(socket, 'message')
    assert.equal(String(data), 'hello')
  }
})

test('connects to another target when one answers 503, with what the client sent early', async (t) => {
  const busy = await startBackend(t, (_req, res) => void res.writeHead(503).end('busy'))
  const taken = await startRawUpstream(t, (socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  const gateway = await openGateway(t, [busy.url, taken.url], { retry: { budget: { minPerSecond: 100 } } })
  for (let i = 0; i < 4; i++) {
    const client = await RawClient.connect(gateway.port)
    client.write(`${handshake('/open/x')}early`)
    await client.until(/^HTTP\/1\.1 101 /)
    while (!taken.received[i]?.endsWith('\r\n\r\nearly')) await once(taken.sockets[i] as Socket, 'data')
    client.socket.destroy()
  }
  assert.ok(busy.requests.length > 0)
})

for (const [name, answer, status, reason] of [
  ['resets', undefined, 502, 'UPSTREAM_RESET'],
  ['speaks nonsense', 'nonsense\r\n\r\n', 502, 'UPSTREAM_BAD_ANSWER'],
  ['does not answer', '', 504, 'UPSTREAM_TIMEOUT'],
] as const) {
  test(`answers ${status} when the upstream ${name}`, async (t) => {
    const upstream = await startRawUpstream(t, (socket) => {
      if (answer === undefined) socket.resetAndDestroy()
      else socket.write(answer)
    })
    const gateway = await openGateway(t, [upstream.url], {
      timeouts: { request: '300ms' },
      retry: { attempts: 1 },
    })
    const [refusal] = parseAnswers(await sendRaw(gateway.port, handshake('/open/x')))
    assert.equal(refusal?.status, status)
    assert.equal((JSON.parse(refusal.body) as { reason: string }).reason, reason)
  })
}

test('passes on what the upstream answers instead of 101, without its connection headers', async (t) => {
  const body = 'x'.repeat(300_000)
  const backend = await startBackend(t, (_req, res) => {
    res
      .writeHead(200, { 'Set-Cookie': ['a=1', 'b=2'], 'Proxy-Status': 'fake', 'Keep-Alive': 'timeout=9' })
      .end(body)
  })
  const gateway = await openGateway(t, [backend.url])
  const [answer] = parseAnswers(await sendRaw(gateway.port, handshake('/open/x')))
  assert.equal(answer?.status, 200)
  const names = answer.headers.map(([name]) => name)
  assert.ok(!names.includes('proxy-status') && !names.includes('keep-alive') && !names.includes('upgrade'))
  assert.equal(names.filter((name) => name === 'set-cookie').length, 2)
  assert.equal(answer.body.replace(/[^x]/g, ''), body)
  assert.match(answer.body, /\r\n0\r\n\r\n$/)
  const line = await gateway.logged((entry) => entry['url.path'] === '/open/x')
  assert.equal(line['http.response.status_code'], 200)
  assert.equal(line['http.response.body.size'], body.length)
})

test('cuts the message when such an answer ends too early', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\nhalf')
    setTimeout(() => socket.destroy(), 30)
  })
  const gateway = await openGateway(t, [upstream.url], { retry: { attempts: 1 } })
  const [answer] = parseAnswers(await sendRaw(gateway.port, handshake('/open/x')))
  assert.equal(answer?.status, 403)
  assert.equal(answer.body, 'half')
})

for (const [code, reason] of [
  [1_000, 'done'],
  [1_001, ''],
  [1_008, 'policy'],
  [4_321, 'own code'],
] as const) {
  test(`passes close code ${code} both ways`, async (t) => {
    const backend = await startSocketBackend(t)
    const gateway = await openGateway(t, [backend.url])
    const here = await openSocket(t, gateway, '/open/x')
    const [there] = backend.server.clients
    const closedThere = once(there as WebSocket, 'close')
    here.close(code, reason)
    assert.deepEqual((await closedThere).map(String), [String(code), reason])

    const again = await openSocket(t, gateway, '/open/x')
    const closedHere = once(again, 'close')
    for (const socket of backend.server.clients) socket.close(code, reason)
    assert.deepEqual((await closedHere).map(String), [String(code), reason])
  })
}

test('leaves nothing open when one side vanishes', async (t) => {
  const backend = await startSocketBackend(t)
  const gateway = await openGateway(t, [backend.url])
  const settled = () => gateway.logs.filter((line) => line['url.path'] === '/open/x')
  let expected = 0
  for (const vanishes of ['client', 'upstream'] as const) {
    for (const how of ['reset', 'destroy'] as const) {
      await t.test(`the ${vanishes}, by ${how}`, async () => {
        const sockets = await Promise.all([1, 2, 3, 4, 5].map(() => openSocket(t, gateway, '/open/x')))
        const ends = {
          client: sockets.map((socket) => rawSocketOf(socket)),
          upstream: [...backend.server.clients].map((socket) => rawSocketOf(socket)),
        }
        const all = Promise.all([...ends.client, ...ends.upstream].map((socket) => closed(socket)))
        for (const socket of ends[vanishes]) how === 'reset' ? socket.resetAndDestroy() : socket.destroy()
        await all
        expected += 5
        await gateway.logged(() => settled().length === expected)
        assert.equal((await gateway.gateway.status()).activeConnections, 0)
      })
    }
  }
  assert.deepEqual(new Set(settled().map((line) => line['http.response.status_code'])), new Set([101]))
})

test('leaves nothing open when an upstream does not mind that the client has left', async (t) => {
  const accept = (socket: Socket): void => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  }
  const upstream = await startRawUpstream(t, (socket) => accept(socket), { allowHalfOpen: true })
  const gateway = await openGateway(t, [upstream.url])
  const client = await RawClient.connect(gateway.port)
  client.write(handshake('/open/x'))
  await client.until(/\r\n\r\n/)
  const [socket] = upstream.sockets
  const gone = closed(socket)
  client.socket.destroy()
  // Half closed first; then the bytes of the upstream meet a connection that is gone.
  const timer = setInterval(() => socket?.write('x'), 100)
  t.after(() => clearInterval(timer))
  await gone
})

test('lets the upstream go when the client leaves before the 101', async (t) => {
  const arrived = Promise.withResolvers<Socket>()
  const upstream = await startRawUpstream(t, (socket) => arrived.resolve(socket))
  const gateway = await openGateway(t, [upstream.url])
  const client = await RawClient.connect(gateway.port)
  client.write(handshake('/open/x'))
  const socket = await arrived.promise
  client.socket.destroy()
  await closed(socket)
  const line = await gateway.logged((entry) => entry['url.path'] === '/open/x')
  assert.equal(line['http.response.status_code'], 499)
  assert.equal(upstream.received.length, 1)
})

test('passes bytes that the upstream sends together with its 101', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly')
  })
  const gateway = await openGateway(t, [upstream.url])
  const client = await RawClient.connect(gateway.port)
  client.write(`${handshake('/open/x')}first`)
  await client.until(/\r\n\r\nearly$/)
  client.write(' second')
  while (!upstream.received[0]?.endsWith('first second'))
    await once(upstream.sockets[0] as NodeJS.EventEmitter, 'data')
  client.socket.destroy()
})

function rawSocketOf(socket: WebSocket): Socket {
  return (socket as unknown as { _socket: Socket })._socket
}
