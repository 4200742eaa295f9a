import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createSecureServer } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { startNginxWith } from '../services/nginx.ts'
import { startBackend } from '../world.ts'
import { type Asked, echo, openHttp2, pair, startHttp2 } from './http2-backend.ts'

for (const { name, secure } of [
  { name: 'by prior knowledge', secure: false },
  { name: 'by ALPN', secure: true },
]) {
  test(`REST over HTTP/2 ${name}: heads and bodies both ways, many requests on one connection`, async (t) => {
    const backend = await startHttp2(t, echo, { secure })
    const gateway = await openHttp2(t, backend.url)
    const reply = await fetch(`${gateway.url}/some/path?q=1`, {
      method: 'POST',
      headers: { 'X-Custom': 'Value', Cookie: 'c=3' },
      body: 'x'.repeat(100_000),
    })
    assert.equal(reply.status, 200)
    assert.deepEqual(reply.headers.getSetCookie(), ['a=1', 'b=2'])
    assert.equal(reply.headers.get('x-twice'), 'one, two')
    const { headers, body } = (await reply.json()) as { headers: Record<string, string>; body: string }
    assert.equal(body.length, 100_000)
    assert.equal(headers[':path'], '/some/path?q=1')
    assert.equal(headers[':authority'], new URL(backend.url).host)
    assert.equal(headers['x-custom'], 'Value')
    assert.equal(headers.cookie, 'c=3')
    assert.equal(headers['x-forwarded-proto'], 'http')
    assert.equal(headers.connection, undefined)
    const more = await Promise.all(Array.from({ length: 40 }, () => fetch(`${gateway.url}/x`)))
    for (const one of more) assert.equal(((await one.json()) as { connection: number }).connection, 0)
    assert.equal(backend.sessions.length, 1)
  })

  test(`a subgraph over HTTP/2 ${name}`, async (t) => {
    const backend = await startHttp2(
      t,
      ({ stream }) => {
        stream.respond({ ':status': 200, 'content-type': 'application/json' })
        stream.end('{"data":{"me":{"id":"42"}}}')
      },
      { secure },
    )
    const gateway = await openHttp2(t, backend.url)
    const reply = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"query":"{ me { id } }"}',
    })
    assert.deepEqual(((await reply.json()) as { data: unknown }).data, { me: { id: '42' } })
  })
}

test('an https backend that knows HTTP/1.1 only is spoken to so, although http2 is on', async (t) => {
  const server = createHttps(pair, (req, res) => res.end(req.httpVersion))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const gateway = await openHttp2(t, `https://127.0.0.1:${(server.address() as AddressInfo).port}`)
  assert.equal(await (await fetch(`${gateway.url}/x`)).text(), '1.1')
})

test('an http backend that knows HTTP/1.1 only is a clear error', async (t) => {
  const backend = await startBackend(t)
  const gateway = await openHttp2(t, backend.url)
  const reply = await fetch(`${gateway.url}/x`)
  assert.equal(reply.status, 502)
  const { reason } = (await reply.json()) as { reason: string }
  assert.match(reason, /^UPSTREAM_(BAD_ANSWER|RESET)$/)
})

test('a WebSocket to an upstream of HTTP/2 is HTTP/1.1 (RFC 9113 section 8.6)', async (t) => {
  const server = createSecureServer({ ...pair, allowHTTP1: true }, (req, res) => res.end(req.httpVersion))
  new WebSocketServer({ server: server as never }).on('connection', (socket) => socket.send('hello'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const gateway = await openHttp2(t, `https://127.0.0.1:${(server.address() as AddressInfo).port}`)
  assert.equal(await (await fetch(`${gateway.url}/x`)).text(), '2.0')
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/x`)
  t.after(() => socket.terminate())
  const [message] = await once(socket, 'message')
  assert.equal(String(message), 'hello')
  socket.terminate()
})

test('the limit of streams that the backend sets is kept, and all requests are served', async (t) => {
  let now = 0
  let most = 0
  const backend = await startHttp2(
    t,
    (asked) => {
      most = Math.max(most, ++now)
      setTimeout(() => {
        now--
        asked.stream.respond({ ':status': 200 })
        asked.stream.end('ok')
      }, 5)
    },
    { settings: { maxConcurrentStreams: 5 } },
  )
  const gateway = await openHttp2(t, backend.url, { connections: { http2: true, max: 2 } })
  const replies = await Promise.all(Array.from({ length: 60 }, () => fetch(`${gateway.url}/x`)))
  assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]))
  assert.ok(backend.sessions.length <= 2)
  assert.ok(most <= 10, String(most))
})

const strict = {
  retry: { attempts: 1 },
  healthChecks: { passive: { consecutiveErrors: 1, maxEjectedPercent: 100 } },
}

for (const [how, close] of [
  ['FIN', ({ socket }: Asked) => void socket.end()],
  ['RST', ({ socket }: Asked) => void socket.resetAndDestroy()],
  // RFC 9113 section 6.8: the second request was not processed.
  ['GOAWAY', ({ session }: Asked) => void session.goaway(0, 1)],
] as const) {
  test(`a connection that ends (${how}) under its second request costs nothing`, async (t) => {
    const backend = await startHttp2(t, (asked) => (asked.turn === 0 ? echo(asked) : close(asked)))
    const gateway = await openHttp2(t, backend.url, strict)
    for (let i = 0; i < 6; i++) {
      const reply = await fetch(`${gateway.url}/x`)
      assert.equal(reply.status, 200)
      await reply.text()
    }
    assert.ok(!gateway.logs.some((line) => (line.msg ?? line.message) === 'target is ejected'))
  })
}

// RFC 9113 section 8.7: what a GOAWAY says was not processed may be sent again; a body that is not kept cannot be.
for (const { method, status } of [
  { method: 'PUT', status: 200 },
  { method: 'POST', status: 502 },
]) {
  test(`a ${method} with a body that a GOAWAY refuses is answered ${status}, and nobody is blamed`, async (t) => {
    const backend = await startHttp2(t, (asked) =>
      asked.turn === 0 ? echo(asked) : asked.session.goaway(0, 1),
    )
    const gateway = await openHttp2(t, backend.url, { ...strict, retry: { attempts: 2 } })
    for (const expected of [200, status]) {
      const reply = await fetch(`${gateway.url}/x`, { method, body: 'some body' })
      assert.equal(reply.status, expected, await reply.text())
    }
    assert.ok(!gateway.logs.some((line) => (line.msg ?? line.message) === 'target is ejected'))
  })
}

for (const [how, close] of [
  ['FIN', ({ socket }: Asked) => void socket.end()],
  ['RST', ({ socket }: Asked) => void socket.resetAndDestroy()],
  ['RST_STREAM', ({ stream }: Asked) => stream.close(2)],
] as const) {
  test(`one that ends (${how}) under its first request is a failure of the target`, async (t) => {
    const backend = await startHttp2(t, close)
    const gateway = await openHttp2(t, backend.url, strict)
    const reply = await fetch(`${gateway.url}/x`)
    assert.equal(reply.status, 502)
    assert.equal(((await reply.json()) as { reason: string }).reason, 'UPSTREAM_RESET')
    assert.ok(gateway.logs.some((line) => (line.msg ?? line.message) === 'target is ejected'))
  })
}

test('a backend that lets connections go in good order loses no request', async (t) => {
  let served = 0
  const backend = await startHttp2(t, (asked) => {
    if (++served % 50 === 0) asked.session.close()
    echo(asked)
  })
  const gateway = await openHttp2(t, backend.url, { retry: { attempts: 1 } })
  const worker = async (): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      const reply = await fetch(`${gateway.url}/x`)
      assert.equal(reply.status, 200, await reply.text())
    }
  }
  await Promise.all(Array.from({ length: 10 }, worker))
  assert.ok(backend.sessions.length > 3, String(backend.sessions.length))
})

test('a client that leaves ends its stream and no other', async (t) => {
  const closed = Promise.withResolvers<void>()
  const backend = await startHttp2(t, (asked) => {
    if (asked.headers[':path'] !== '/long') echo(asked)
    else asked.stream.once('close', () => closed.resolve()).respond({ ':status': 200 })
  })
  const gateway = await openHttp2(t, backend.url)
  const leave = new AbortController()
  await fetch(`${gateway.url}/long`, { signal: leave.signal })
  leave.abort()
  await closed.promise
  assert.equal((await fetch(`${gateway.url}/x`)).status, 200)
  assert.equal(backend.sessions.length, 1)
})

test('nginx is spoken to in HTTP/2, files of some size and errors among it', async (t) => {
  const nginx = await startNginxWith(
    (port) => `server {
      listen 127.0.0.1:${port} http2;
      location /version { return 200 "$server_protocol"; }
      location /large { return 200 "${'0123456789'.repeat(300)}"; }
    }`,
  )
  t.after(() => nginx.stop())
  const gateway = await openHttp2(t, nginx.url)
  assert.equal(await (await fetch(`${gateway.url}/version`)).text(), 'HTTP/2.0')
  assert.equal((await (await fetch(`${gateway.url}/large`)).text()).length, 3_000)
  assert.equal((await fetch(`${gateway.url}/missing`)).status, 404)
  assert.equal((await fetch(`${gateway.url}/version`, { method: 'HEAD' })).status, 200)
})

test('clients that read nothing hold their streams up, and nobody else', async (t) => {
  let sent = 0
  const piece = Buffer.alloc(65_536, 'x')
  const backend = await startHttp2(t, (asked) => {
    const { stream, headers } = asked
    if (headers[':path'] !== '/large') {
      echo(asked)
      return
    }
    stream.respond({ ':status': 200 })
    const pump = (): void => {
      while (!stream.destroyed) {
        sent += piece.length
        if (!stream.write(piece)) break
      }
    }
    stream.on('drain', pump)
    pump()
  })
  const gateway = await openHttp2(t, backend.url)
  const stalled = Array.from({ length: 10 }, () => {
    const socket = connect(gateway.port, '127.0.0.1').pause()
    socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
    t.after(() => socket.destroy())
    return socket
  })
  // Until everything between is full, and no more is sent.
  for (let before = -1; before !== sent || sent === 0; ) {
    before = sent
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  assert.ok(sent < stalled.length * 20_000_000, `${sent} bytes were taken for clients that read nothing`)
  for (let i = 0; i < 20; i++) assert.equal((await fetch(`${gateway.url}/x`)).status, 200)
  assert.equal(backend.sessions.length, 1)
})
