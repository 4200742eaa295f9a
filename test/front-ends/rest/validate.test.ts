import assert from 'node:assert/strict'
import { request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { askHttp2, connectHttp2 } from '../../listener/http2-client.ts'
import { rawExchange, startBackend, startGateway } from '../../world.ts'

const order = {
  type: 'object',
  properties: { note: { type: 'string', maxLength: 100_000 } },
  required: ['note'],
}

/** A gateway that holds bodies to a schema, and a backend that keeps what it gets. */
async function open(t: TestContext) {
  const bodies: Buffer[] = []
  const backend = await startBackend(t, async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    bodies.push(Buffer.concat(chunks))
    res.end('ok')
  })
  const gateway = await startGateway(t, {
    plugins: ['accessLog'],
    upstreams: { orders: { targets: [{ url: backend.url }] } },
    routes: [
      {
        id: 'orders',
        path: '/orders',
        upstream: 'orders',
        auth: 'none',
        plugins: [{ validate: { body: order, maxBytes: '64kb' } }],
      },
    ],
  })
  const send = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/orders`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })
  return { ...gateway, backend, bodies, send }
}

/** Blanks, escapes and digits that another writer of JSON would not keep. */
const odd = '{ "note" :\t"\\u0061", "n": 1.0e2, "big": 12345678901234567890 }\n'

test('exactly the bytes that were checked go on', async (t) => {
  const { send, bodies, backend } = await open(t)
  assert.equal((await send(odd)).status, 200)
  assert.equal(bodies[0]?.toString(), odd)
  assert.equal(backend.requests[0]?.headers['content-length'], String(odd.length))
})

test('also of a chunked body, of one that waits to be asked for, and over HTTP/2', async (t) => {
  const { port, url, bodies } = await open(t)
  const head = 'PUT /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n'
  const pieces = [odd.slice(0, 5), odd.slice(5, 6), odd.slice(6)]
  const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')
  assert.match(
    await rawExchange(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`),
    /^HTTP\/1.1 200/,
  )
  const asked = await new Promise<number | undefined>((resolve) => {
    const headers = {
      'content-type': 'application/json',
      expect: '100-continue',
      'content-length': odd.length,
    }
    const req = request(`${url}/orders`, { method: 'PUT', headers }, (res) =>
      resolve(res.resume().statusCode),
    )
    req.on('continue', () => req.end(odd))
    req.flushHeaders()
  })
  assert.equal(asked, 200)
  const session = await connectHttp2(t, url)
  const pseudo = { ':method': 'PUT', ':path': '/orders', 'content-type': 'application/json' }
  assert.equal((await askHttp2(session, pseudo, odd)).status, 200)
  assert.deepEqual(bodies.map(String), [odd, odd, odd])
})

test('what does not fit is refused with pointers, and no backend hears of it; the connection serves on', async (t) => {
  const { send, port, bodies } = await open(t)
  const reply = await send('{"note":7}')
  assert.equal(reply.status, 400)
  assert.equal(reply.headers.get('content-type'), 'application/problem+json')
  const problem = (await reply.json()) as Record<string, unknown>
  assert.equal(problem.reason, 'INVALID_ARGUMENT')
  assert.equal(problem.code, 'F40001')
  assert.deepEqual(problem.errors, [{ field: '#/note', detail: 'must be string' }])
  assert.equal((await send('{"note":"a","note":"b"}')).status, 400)
  assert.equal((await send('{"note":"a"}', { 'content-type': 'text/plain' })).status, 415)
  assert.equal((await send(JSON.stringify({ note: 'x'.repeat(70_000) }))).status, 413)
  const head = 'PUT /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'
  const both = `${head}Content-Length: 2\r\n\r\n{}${head}Content-Length: 12\r\nConnection: close\r\n\r\n{"note":"a"}`
  assert.deepEqual((await rawExchange(port, both)).match(/HTTP\/1.1 \d+/g), ['HTTP/1.1 400', 'HTTP/1.1 200'])
  assert.equal(bodies.length, 1)
})

test('a body that was checked can be sent again, whole, to another try and to a mirror', async (t) => {
  const copies: string[] = []
  const copied = Promise.withResolvers<void>()
  const mirror = await startBackend(t, async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    copies.push(Buffer.concat(chunks).toString())
    res.end()
    copied.resolve()
  })
  const bodies: string[] = []
  const start = () =>
    startBackend(t, async (req, res) => {
      const chunks: Buffer[] = []
      for await (const chunk of req) chunks.push(chunk as Buffer)
      bodies.push(Buffer.concat(chunks).toString())
      res.statusCode = bodies.length === 1 ? 503 : 200
      res.end()
    })
  const targets = [{ url: (await start()).url }, { url: (await start()).url }]
  const { url } = await startGateway(t, {
    upstreams: {
      orders: {
        targets,
        retry: { attempts: 2, budget: { percent: 100, minPerSecond: 10 } },
      },
      next: { targets: [{ url: mirror.url }] },
    },
    routes: [
      {
        id: 'orders',
        path: '/orders',
        upstream: 'orders',
        mirror: { upstream: 'next' },
        auth: 'none',
        plugins: [{ validate: { body: order } }],
      },
    ],
  })
  const reply = await fetch(`${url}/orders`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: odd,
  })
  assert.equal(reply.status, 200)
  await copied.promise
  assert.deepEqual([bodies, copies], [[odd, odd], [odd]])
})

test('a client that leaves within its body leaves nothing behind', async (t) => {
  const { url, bodies, logged, send } = await open(t)
  const req = request(`${url}/orders`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'content-length': 100 },
  })
  req.on('error', () => {})
  req.write('{"note":')
  await new Promise<void>((resolve) => req.on('socket', (socket) => socket.once('connect', () => resolve())))
  setTimeout(() => req.destroy(), 50)
  await logged((line) => line['gateway.error.reason'] === 'CLIENT_GONE').catch(() => {})
  assert.equal((await send(odd)).status, 200)
  assert.equal(bodies.length, 1)
})
