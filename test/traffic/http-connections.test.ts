import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { startRawUpstream } from '../front-ends/rest/raw-upstream.ts'
import { startBackend, startGateway } from '../world.ts'

/** A gateway in front of one backend, and the backend's connections, oldest first. */
async function open(
  t: TestContext,
  handler: (req: IncomingMessage, res: ServerResponse) => void,
  connections: object = {},
) {
  const backend = await startBackend(t, handler)
  // It never closes a connection by itself.
  backend.server.keepAliveTimeout = 0
  const sockets: Socket[] = []
  backend.server.on('connection', (socket) => sockets.push(socket))
  const gateway = await startGateway(t, {
    upstreams: { backend: { targets: [{ url: backend.url }], connections } },
    routes: [{ id: 'all', path: '/**', upstream: 'backend', auth: 'none' }],
  })
  const ask = async (path = '/'): Promise<number> => {
    const reply = await fetch(`${gateway.url}${path}`)
    await reply.text()
    return reply.status
  }
  return { ask, url: gateway.url, sockets }
}

for (const { name, headers, kept } of [
  { name: 'says nothing', headers: {}, kept: true },
  { name: 'keeps it for long', headers: { 'Keep-Alive': 'timeout=60' }, kept: true },
  // Less than the two seconds that a request may take on its way.
  { name: 'keeps it for a second', headers: { 'Keep-Alive': 'timeout=1' }, kept: false },
  // RFC 9112 section 9.6.
  { name: 'says Connection: close', headers: { Connection: 'close' }, kept: false },
]) {
  test(`a connection whose backend ${name} is ${kept ? 'used again' : 'used once'}`, async (t) => {
    const { ask, sockets } = await open(t, (_req, res) => res.writeHead(200, headers).end('ok'))
    for (let i = 0; i < 3; i++) assert.equal(await ask(), 200)
    assert.equal(sockets.length, kept ? 1 : 3)
  })
}

for (const { name, headers, keepAlive } of [
  { name: 'after keepAlive', headers: {}, keepAlive: '1s' },
  {
    name: 'two seconds before the backend would do it',
    headers: { 'Keep-Alive': 'timeout=3' },
    keepAlive: '60s',
  },
]) {
  test(`an idle connection is closed by the gateway ${name}`, async (t) => {
    const { ask, sockets } = await open(t, (_req, res) => res.writeHead(200, headers).end('ok'), {
      keepAlive,
    })
    await ask()
    const startedAt = performance.now()
    await once(sockets[0] as Socket, 'end')
    assert.ok(performance.now() - startedAt > 500)
  })
}

test('after maxAge a connection takes no new requests, and the one on it goes on', async (t) => {
  const held: ServerResponse[] = []
  const { ask, url, sockets } = await open(
    t,
    (req, res) => {
      if (req.url === '/long') {
        held.push(res)
        res.write('first ')
      } else res.end('ok')
    },
    { maxAge: '1s', keepAlive: '60s' },
  )
  const reply = await fetch(`${url}/long`)
  const startedAt = performance.now()
  while (sockets.length < 3) {
    assert.equal(await ask(), 200)
    assert.ok(performance.now() - startedAt < 30_000)
  }
  held[0]?.end('last')
  assert.equal(await reply.text(), 'first last')
})

test('requests are not pipelined, and there are no more connections than allowed', async (t) => {
  let most = 0
  let now = 0
  const { ask, sockets } = await open(
    t,
    (_req, res) => {
      most = Math.max(most, ++now)
      setTimeout(() => {
        now--
        res.end('ok')
      }, 10)
    },
    { max: 3 },
  )
  const statuses = await Promise.all(Array.from({ length: 30 }, () => ask()))
  assert.deepEqual(new Set(statuses), new Set([200]))
  assert.equal(sockets.length, 3)
  assert.equal(most, 3)
})

test('with reuse: idempotent what may not be made twice has a connection of its own, the others share', async (t) => {
  const { url, sockets } = await open(t, (req, res) => void req.pipe(res), { reuse: 'idempotent' })
  for (const method of ['GET', 'POST', 'GET', 'POST', 'PUT', 'POST']) {
    const body = method === 'GET' ? null : `of ${method}`
    const reply = await fetch(`${url}/`, { method, body })
    assert.equal(await reply.text(), body ?? '')
  }
  assert.equal(sockets.length, 4)
  await Promise.all(sockets.slice(1).map((socket) => socket.closed || once(socket, 'close')))
})

test('what met a stale connection goes out on a new one, however many stale ones are kept', async (t) => {
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  const first: Socket[] = []
  const upstream = await startRawUpstream(t, (socket, _head, turn) => {
    if (turn >= 5) {
      socket.write(ok)
      return
    }
    socket.on('data', () => socket.resetAndDestroy())
    if (first.push(socket) === 5) for (const one of first) one.write(ok)
  })
  const gateway = await startGateway(t, {
    upstreams: { backend: { targets: [{ url: upstream.url }], retry: { attempts: 1 } } },
    routes: [{ id: 'all', path: '/**', upstream: 'backend', auth: 'none' }],
  })
  const ask = async (): Promise<number> => (await fetch(`${gateway.url}/`)).status
  assert.deepEqual(await Promise.all(Array.from({ length: 5 }, ask)), Array(5).fill(200))
  assert.equal(await ask(), 200)
  assert.equal(upstream.sockets.length, 6)
})
