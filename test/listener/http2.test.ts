import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:http2'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startBackend, startGateway } from '../world.ts'
import { askHttp2, connectHttp2 } from './http2-client.ts'
import { parseAnswers, RawClient, sendRaw } from './raw-client.ts'

type Context = Parameters<typeof startGateway>[0]

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const emptySettings = '\0\0\0\x04\0\0\0\0\0'

/** A gateway with an echo behind `/api/**`. */
async function open(t: Context, server: object = {}, handler?: Parameters<typeof startBackend>[1]) {
  const backend = await startBackend(t, handler)
  const gateway = await startGateway(t, {
    plugins: ['requestId', 'accessLog', 'metrics'],
    server,
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'api', path: '/api/**', upstream: 'backend', auth: 'none' }],
  })
  return { ...gateway, backend }
}

test('curl with prior knowledge gets a proxied answer over HTTP/2', async (t) => {
  const { url } = await open(t)
  const run = promisify(execFile)
  const { stdout } = await run('curl', ['-sv', '--http2-prior-knowledge', '-d', 'hello', `${url}/api/x?y=1`])
  const told = JSON.parse(stdout)
  assert.deepEqual([told.method, told.url, told.body], ['POST', '/api/x?y=1', 'hello'])
})

test('both versions are served on one port at the same time', async (t) => {
  const { url } = await open(t)
  const session = await connectHttp2(t, url)
  const [two, one] = await Promise.all([askHttp2(session, { ':path': '/api/two' }), fetch(`${url}/api/one`)])
  assert.deepEqual([two.status, one.status], [200, 200])
  assert.equal(JSON.parse(two.body.toString()).url, '/api/two')
})

test('a backend sees the authority as Host, one cookie, and no pseudo-header', async (t) => {
  const { url, port, backend } = await open(t)
  const session = await connectHttp2(t, url)
  await askHttp2(session, {
    ':path': '/api/x',
    cookie: ['a=1', 'b=2'],
    te: 'trailers',
    'x-user-id': 'forged',
  })
  const headers = backend.requests[0]?.headers ?? {}
  assert.equal(headers['x-forwarded-host'], `127.0.0.1:${port}`)
  assert.equal(headers.cookie, 'a=1; b=2')
  assert.equal(headers['x-user-id'], undefined)
  assert.deepEqual(
    Object.keys(headers).filter((name) => name.startsWith(':') || name === 'te'),
    [],
  )
})

test('repeated headers of an answer stay repeated, and none describes a connection', async (t) => {
  const { url } = await open(t, {}, (_req, res) => {
    res.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Connection', 'close', 'X-Own', 'yes'])
    res.end('ok')
  })
  const { headers, body } = await askHttp2(await connectHttp2(t, url), { ':path': '/api/x' })
  assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2'])
  assert.deepEqual([headers['x-own'], headers.connection, body.toString()], ['yes', undefined, 'ok'])
})

test('an upload of 3 MB and its echo pass through', async (t) => {
  const { url } = await open(t, {}, (req, res) => req.pipe(res))
  const bytes = Buffer.alloc(3_000_000, 'x')
  const { body } = await askHttp2(await connectHttp2(t, url), { ':path': '/api/x', ':method': 'POST' }, bytes)
  assert.ok(body.equals(bytes))
})

test('refusals are those of HTTP/1.1, and the connection stays', async (t) => {
  const { url, logged } = await open(t, { limits: { bodyBytes: '1kb', urlBytes: '1kb' } })
  const session = await connectHttp2(t, url)
  for (const [headers, body, status, reason] of [
    [{ ':path': '/nowhere' }, undefined, 404, 'ROUTE_NOT_FOUND'],
    [{ ':path': '/api/../x' }, undefined, 400, 'PATH_REFUSED'],
    [{ ':path': '/api/x', ':method': 'TRACE' }, undefined, 405, 'METHOD_NOT_ALLOWED'],
    [{ ':path': `/api/${'x'.repeat(2_000)}` }, undefined, 414, 'URL_TOO_LONG'],
    [{ ':path': '/api/x', x_y: '1' }, undefined, 400, 'MALFORMED_REQUEST'],
    [{ ':path': '/api/x', host: 'other.example' }, undefined, 400, 'MALFORMED_REQUEST'],
    [{ ':path': '/api/x', ':method': 'POST' }, Buffer.alloc(200_000), 413, 'BODY_TOO_LARGE'],
  ] as const) {
    // node:http2 sends no authority beside a Host.
    const authority = 'host' in headers ? { ':authority': 'one.example' } : {}
    const answer = await askHttp2(session, { ...authority, ...headers }, body)
    assert.equal(answer.status, status, JSON.stringify(headers))
    assert.equal(JSON.parse(answer.body.toString()).reason, reason)
  }
  assert.equal((await askHttp2(session, { ':path': '/api/x' })).status, 200)
  const line = await logged((entry) => entry['http.response.status_code'] === 404)
  assert.equal(line['url.path'], '/nowhere')
})

test('CONNECT is refused, and a client that waits for 100 is told to send', async (t) => {
  const { url, port } = await open(t)
  const session = await connectHttp2(t, url)
  const refused = await askHttp2(session, { ':method': 'CONNECT', ':authority': `127.0.0.1:${port}` })
  assert.equal(refused.status, 405)
  const stream = session.request({ ':path': '/api/x', ':method': 'POST', expect: '100-continue' })
  await once(stream, 'continue')
  stream.end('now')
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  assert.equal(JSON.parse(Buffer.concat(chunks).toString()).body, 'now')
})

test('a client that stops reading its answer or sending its body loses its stream, and only that', async (t) => {
  const { url, logged } = await open(t, { limits: { bodyTimeout: '1s' } }, (req, res) => {
    req.resume()
    if (req.url === '/api/large') res.end(Buffer.alloc(5_000_000))
    else req.on('end', () => res.end('ok'))
  })
  const reading = (await connectHttp2(t, url)).request({ ':path': '/api/large' })
  const session = await connectHttp2(t, url)
  const sending = session.request({ ':path': '/api/upload', ':method': 'POST' })
  sending.write('a little')
  for (const stream of [reading, sending]) stream.on('error', () => {})
  sending.resume()
  await Promise.all(
    [reading, sending].map((stream) => new Promise((resolve) => stream.once('close', resolve))),
  )
  await logged(
    (line) => line['url.path'] === '/api/large' && line['gateway.error.reason'] === 'CLIENT_TOO_SLOW',
  )
  await logged((line) => line['http.response.status_code'] === 408)
  assert.equal((await askHttp2(session, { ':path': '/api/x' })).body.toString(), 'ok')
})

test('an upstream that breaks off is a reset stream, and the connection stays', async (t) => {
  const { url } = await open(t, {}, (req, res) => {
    if (req.url === '/api/ok') {
      res.end('ok')
      return
    }
    res.writeHead(200)
    res.write('half')
    setTimeout(() => res.destroy(), 50)
  })
  const session = await connectHttp2(t, url)
  const broken = await askHttp2(session, { ':path': '/api/broken' })
  assert.equal(broken.rstCode, constants.NGHTTP2_INTERNAL_ERROR)
  assert.equal((await askHttp2(session, { ':path': '/api/ok' })).body.toString(), 'ok')
})

test('a stream that its client resets is let go upstream and logged as 499', async (t) => {
  const gone = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  const { url, logged } = await open(t, {}, (_req, res) => {
    res.on('close', () => gone.resolve())
    arrived.resolve()
  })
  const session = await connectHttp2(t, url)
  const stream = session.request({ ':path': '/api/x' })
  stream.on('error', () => {})
  await arrived.promise
  stream.close(constants.NGHTTP2_CANCEL)
  await gone.promise
  await logged((line) => line['http.response.status_code'] === 499)
})

test('a client that sends half a preface and falls silent is closed in time', async (t) => {
  const { port } = await open(t, { limits: { headersTimeout: '1s' } })
  assert.match(await sendRaw(port, preface.slice(0, 20)), /^HTTP\/1\.1 408 /)
})

test('a client that sends the preface in pieces is served', async (t) => {
  const { port } = await open(t)
  const client = await RawClient.connect(port)
  for (const piece of [preface.slice(0, 3), preface.slice(3, 19), preface.slice(19) + emptySettings]) {
    client.write(piece)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the type of a SETTINGS frame
  await client.until(/^\0[\0-\xff]{2}\x04/)
  client.socket.destroy()
})

test('a client that opens no stream is closed in time, whatever else it sends', async (t) => {
  const { port } = await open(t, { limits: { headersTimeout: '1s' } })
  const client = await RawClient.connect(port)
  client.write(preface + emptySettings)
  const ping = setInterval(() => client.write('\0\0\x08\x06\0\0\0\0\0pingpong'), 100)
  await client.end(5_000)
  clearInterval(ping)
})

test('a preface behind a request of HTTP/1.1 is refused, and the request answered', async (t) => {
  const { port } = await open(t)
  const text = await sendRaw(port, `GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n${preface}${emptySettings}`)
  assert.deepEqual(
    parseAnswers(text).map((answer) => answer.status),
    [200, 400],
  )
})

test('garbage behind the preface ends that connection only', async (t) => {
  const { url, port } = await open(t)
  const session = await connectHttp2(t, url)
  await sendRaw(port, `${preface}GET / HTTP/1.1\r\n\r\n${'x'.repeat(500)}`)
  assert.equal((await askHttp2(session, { ':path': '/api/x' })).status, 200)
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /gateway_wire_refusals_total\{[^}]*\} [1-9]/)
})

test('a flood of headers is refused and others are served', async (t) => {
  const { url } = await open(t)
  const flooding = await connectHttp2(t, url)
  const names = Array.from({ length: 120 }, (_, i) => [`x-${i}`, 'v'])
  const many = await askHttp2(flooding, { ':path': '/api/x', ...Object.fromEntries(names) })
  const large = await askHttp2(flooding, { ':path': '/api/x', 'x-large': 'v'.repeat(20_000) })
  const more = Array.from({ length: 2_000 }, (_, i) => [`x-${i}`, 'v'])
  const flood = await askHttp2(flooding, { ':path': '/api/x', ...Object.fromEntries(more) })
  assert.deepEqual([many.status, large.status, flood.status], [431, 431, 0])
  assert.equal((await askHttp2(await connectHttp2(t, url), { ':path': '/api/x' })).status, 200)
})

test('1,000 streams that are reset at once end their connection, and others are served', async (t) => {
  const { url, backend } = await open(t, {}, (_req, res) => setTimeout(() => res.end('ok'), 5))
  const others = await connectHttp2(t, url)
  const flooding = await connectHttp2(t, url)
  const closed = new Promise<void>((resolve) => flooding.once('close', () => resolve()))
  for (let i = 0; i < 1_000 && !flooding.destroyed; i++) {
    const stream = flooding.request({ ':path': '/api/x' })
    stream.on('error', () => {})
    stream.close(constants.NGHTTP2_CANCEL)
    if (i % 50 === 49) await new Promise((resolve) => setImmediate(resolve))
  }
  await closed
  assert.equal((await askHttp2(others, { ':path': '/api/x' })).status, 200)
  assert.ok(backend.requests.length < 1_000)
})

test('on shutdown the client is told, and what is under way is answered', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const { url, gateway } = await open(t, {}, (_req, res) => {
    arrived.resolve()
    setTimeout(() => res.end('late'), 300)
  })
  const session = await connectHttp2(t, url)
  const told = once(session, 'goaway')
  const answer = askHttp2(session, { ':path': '/api/x' })
  await arrived.promise
  const stopped = gateway.shutdown()
  await told
  assert.equal((await answer).body.toString(), 'late')
  await stopped
})

test('a client that connects while the gateway drains is served, and told to go then', async (t) => {
  const { url, gateway } = await open(t, { shutdown: { drainDelay: '1s', gracePeriod: '2s' } })
  const stopped = gateway.shutdown()
  const session = await connectHttp2(t, url)
  const told = once(session, 'goaway')
  assert.equal((await askHttp2(session, { ':path': '/api/x' })).status, 200)
  await told
  await stopped
})

test("what Express serves is served over HTTP/2: health, metrics, middleware of one's own, 404", async (t) => {
  const { url, logged } = await startGateway(
    t,
    { plugins: ['requestId', 'accessLog', 'metrics'] },
    {
      extend: (app) => {
        app.post('/own', (req, res) => {
          let bytes = 0
          req.on('data', (chunk: Buffer) => {
            bytes += chunk.length
          })
          req.on('end', () => res.status(201).json({ bytes, ip: req.socket.remoteAddress }))
        })
      },
    },
  )
  const session = await connectHttp2(t, url)
  for (const path of ['/livez', '/readyz', '/health', '/metrics']) {
    const answer = await askHttp2(session, { ':path': path })
    assert.deepEqual([path, answer.status, answer.rstCode], [path, 200, 0])
    assert.equal(answer.headers.connection, undefined)
    assert.ok(answer.body.length > 0)
  }
  const head = await askHttp2(session, { ':path': '/health', ':method': 'HEAD' })
  assert.deepEqual([head.status, head.body.length], [200, 0])
  const own = await askHttp2(session, { ':path': '/own', ':method': 'POST' }, Buffer.alloc(300_000))
  assert.deepEqual([own.status, JSON.parse(own.body.toString())], [201, { bytes: 300_000, ip: '127.0.0.1' }])
  const missing = await askHttp2(session, { ':path': '/nowhere' })
  assert.deepEqual([missing.status, missing.headers['content-type']], [404, 'application/problem+json'])
  const line = await logged((entry) => entry['http.response.status_code'] === 404)
  assert.equal(line['client.address'], '127.0.0.1')
})
