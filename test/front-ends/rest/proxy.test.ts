import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createApiKey, hashApiKey } from '../../../src/plugins/identity/api-key.ts'
import { parseAnswers, type RawAnswer, sendRaw } from '../../listener/raw-client.ts'
import { startBackend, startGateway, type TestGateway } from '../../world.ts'
import { startRawUpstream } from './raw-upstream.ts'

const key = createApiKey('test')
const consumer = {
  id: 'alice',
  name: 'Alice',
  roles: ['reader'],
  keys: [{ hash: hashApiKey(key) }],
}

interface Echo {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A gateway before one backend: `/open/**` for everybody, `/closed/**` for consumers, and the given routes. */
async function openGateway(
  t: TestContext,
  url: string,
  config: { routes?: object[]; server?: object } = {},
): Promise<TestGateway> {
  return startGateway(t, {
    ...(config.server === undefined ? undefined : { server: config.server }),
    plugins: ['requestId', 'accessLog'],
    upstreams: { backend: { targets: [{ url }] } },
    routes: [
      { id: 'open', path: '/open/**', upstream: 'backend', auth: 'none' },
      { id: 'closed', path: '/closed/**', upstream: 'backend' },
      ...(config.routes ?? []),
    ],
    consumers: [consumer],
  })
}

async function send(gateway: TestGateway, bytes: string): Promise<RawAnswer> {
  const text = await sendRaw(gateway.port, bytes)
  const [answer] = parseAnswers(text)
  assert.ok(answer !== undefined, text)
  return answer
}

async function sendEcho(gateway: TestGateway, bytes: string): Promise<Echo> {
  const answer = await send(gateway, bytes)
  assert.equal(answer.status, 200, answer.body)
  return JSON.parse(answer.body) as Echo
}

const close = 'Host: api.example:8080\r\nConnection: close\r\n'

test('passes methods and bodies', async (t) => {
  const backend = await startBackend(t)
  const gateway = await openGateway(t, backend.url)
  const chunked = 'Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n'
  const counted = 'Content-Length: 5\r\n\r\nhello'
  const bodies: readonly (readonly [name: string, bytes: string, body: string])[] = [
    ['without a body', '\r\n', ''],
    ['with a counted body', counted, 'hello'],
    ['with a chunked body', chunked, 'hello'],
    ['with Content-Length: 0', 'Content-Length: 0\r\n\r\n', ''],
    ['with an empty chunked body', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', ''],
  ]
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY']) {
    for (const [name, bytes, body] of bodies) {
      await t.test(`${method} ${name}`, async () => {
        const before = backend.requests.length
        const echo = await sendEcho(gateway, `${method} /open/x HTTP/1.1\r\n${close}${bytes}`)
        assert.equal(echo.method, method)
        assert.equal(echo.body, body)
        // A body that is framed otherwise for the backend would be a second request there.
        assert.equal(backend.requests.length, before + 1)
        const framing = [echo.headers['content-length'], echo.headers['transfer-encoding']]
        assert.equal(
          framing.filter((value) => value !== undefined && value !== '0').length,
          body === '' ? 0 : 1,
        )
      })
    }
  }
})

test('answers HEAD with the head that GET would have, and no body (RFC 9110 section 9.3.2)', async (t) => {
  const backend = await startBackend(t, (req, res) => {
    res.writeHead(200, { 'Content-Length': '5', ETag: '"1"' }).end(req.method === 'HEAD' ? '' : 'hello')
  })
  const gateway = await openGateway(t, backend.url)
  const answer = await send(gateway, `HEAD /open/x HTTP/1.1\r\n${close}\r\n`)
  assert.equal(answer.body, '')
  assert.deepEqual(values(answer, 'content-length'), ['5'])
  assert.deepEqual(values(answer, 'etag'), ['"1"'])
})

test('passes statuses without a body', async (t) => {
  const backend = await startBackend(t, (req, res) => {
    res.writeHead(Number(req.url?.slice(-3)), { ETag: '"1"' }).end()
  })
  const gateway = await openGateway(t, backend.url)
  for (const status of [204, 205, 304, 404, 500, 503, 599]) {
    const answer = await send(gateway, `GET /open/${status} HTTP/1.1\r\n${close}\r\n`)
    assert.equal(answer.status, status)
    assert.deepEqual(values(answer, 'etag'), ['"1"'])
    if (status === 204 || status === 304) {
      assert.deepEqual(values(answer, 'transfer-encoding'), [], `${status} (RFC 9112 section 6.1)`)
      assert.equal(answer.body, '')
    }
  }
})

test('keeps the query byte for byte', async (t) => {
  const backend = await startBackend(t)
  const gateway = await openGateway(t, backend.url)
  for (const query of [
    'a=1&a=2&b',
    'a=%2e%2e%2f&b=%00&c=%zz',
    'q=a+b%20c&&=&',
    '?',
    'a=//../x;y=\\z',
    'a="<>|^`{}[]\'',
    'url=https://u:p@example.org:1/x?y=z',
    'caf%c3%a9=%ff',
  ]) {
    const echo = await sendEcho(gateway, `GET /open/x?${query} HTTP/1.1\r\n${close}\r\n`)
    assert.equal(echo.url, Buffer.from(`/open/x?${query}`, 'latin1').toString('latin1'))
  }
})

test('keeps repeated headers of an answer apart, in their order and bytes', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.end(
      Buffer.from(
        'HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT\r\nX-Twice: 1\r\nset-cookie: b=2\r\n' +
          'X-Twice: 2\r\nX-Bytes: caf\xe9 \xff\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n',
        'latin1',
      ),
    )
  })
  const gateway = await openGateway(t, upstream.url)
  const answer = await send(gateway, `GET /open/x HTTP/1.1\r\n${close}\r\n`)
  assert.deepEqual(values(answer, 'set-cookie'), ['a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT', 'b=2'])
  assert.deepEqual(values(answer, 'x-twice'), ['1', '2'])
  assert.deepEqual(values(answer, 'x-bytes'), ['caf\xe9 \xff'])
  assert.deepEqual(values(answer, 'x-empty'), [''])
})

test('keeps repeated headers of a request apart, in their bytes', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'))
  const gateway = await openGateway(t, upstream.url)
  await send(
    gateway,
    `GET /open/x HTTP/1.1\r\n${close}X-Twice: 1\r\nCookie: a=1\r\nx-twice: 2\r\nCookie: b=2\r\nX-Bytes: \xe9\xff\r\n\r\n`,
  )
  const [request = ''] = upstream.received
  assert.match(request, /\r\nX-Twice: 1\r\nCookie: a=1\r\nx-twice: 2\r\nCookie: b=2\r\nX-Bytes: \xe9\xff\r\n/)
})

test('passes no header of one connection, in either direction (RFC 9110 section 7.6.1)', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.end(
      'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nProxy-Authenticate: Basic\r\n' +
        'Proxy-Connection: keep-alive\r\nUpgrade: h2c\r\nTrailer: X-Sum\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nX-End: 1\r\n\r\n' +
        '2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n',
    )
  })
  const gateway = await openGateway(t, upstream.url)
  const answer = await send(
    gateway,
    'POST /open/x HTTP/1.1\r\nHost: a\r\nConnection: close, TE\r\nKeep-Alive: timeout=9\r\nProxy-Authorization: Basic eA==\r\n' +
      'Proxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nTrailer: X-Sum\r\nX-End: 1\r\n' +
      'Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n',
  )
  const [request = ''] = upstream.received
  const sent = request.split('\r\n\r\n')[0] ?? ''
  for (const name of [
    'keep-alive',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'upgrade',
    'http2-settings',
    'trailer',
  ]) {
    assert.doesNotMatch(sent, new RegExp(`\r\n${name}:`, 'i'), name)
  }
  assert.match(sent, /\r\nX-End: 1/)
  assert.equal(sent.match(/\r\ntransfer-encoding: chunked/gi)?.length, 1)
  assert.doesNotMatch(request, /X-Sum/i)
  const names = answer.headers.map(([name]) => name)
  for (const name of ['x-hop', 'proxy-authenticate', 'proxy-connection', 'upgrade', 'trailer', 'te']) {
    assert.ok(!names.includes(name), name)
  }
  assert.deepEqual(values(answer, 'connection'), ['close'])
  assert.deepEqual(values(answer, 'x-end'), ['1'])
  assert.doesNotMatch(answer.body, /X-Sum/)
})

const forwarded =
  'X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /evil\r\nX-Real-IP: 203.0.113.7\r\nForwarded: for=203.0.113.7\r\nVia: 1.0 fred\r\nX-Gateway: fake\r\n'

test('rebuilds the forwarding headers of a client that is no trusted proxy', async (t) => {
  const backend = await startBackend(t)
  const gateway = await openGateway(t, backend.url)
  const { headers } = await sendEcho(gateway, `GET /open/x HTTP/1.1\r\n${close}${forwarded}\r\n`)
  assert.equal(headers.host, backend.url.slice(7))
  assert.equal(headers['x-forwarded-for'], '127.0.0.1')
  assert.equal(headers['x-forwarded-proto'], 'http')
  assert.equal(headers['x-forwarded-host'], 'api.example:8080')
  assert.equal(headers['x-forwarded-port'], '8080')
  assert.equal(headers['x-forwarded-prefix'], undefined)
  assert.equal(headers['x-real-ip'], undefined)
  assert.equal(headers.forwarded, 'for=127.0.0.1;host="api.example:8080";proto=http')
  assert.equal(headers.via, '1.1 trivium')
  assert.equal(headers['x-gateway'], 'trivium')
})

test('adds to the forwarding headers of a trusted proxy', async (t) => {
  const backend = await startBackend(t)
  const gateway = await openGateway(t, backend.url, { server: { trustedProxies: ['127.0.0.1/32'] } })
  const { headers } = await sendEcho(gateway, `GET /open/x HTTP/1.1\r\n${close}${forwarded}\r\n`)
  assert.equal(headers['x-forwarded-for'], '203.0.113.7, 127.0.0.1')
  assert.equal(headers['x-forwarded-proto'], 'https')
  assert.equal(headers['x-forwarded-host'], 'shop.example')
  assert.equal(headers['x-forwarded-port'], '443')
  assert.equal(headers['x-real-ip'], undefined)
  assert.equal(headers.forwarded, 'for=203.0.113.7, for=127.0.0.1;host="shop.example";proto=https')
  assert.equal(headers.via, '1.0 fred, 1.1 trivium')
  const line = await gateway.logged((entry) => entry['gateway.route'] === 'open')
  assert.equal(line['client.address'], '203.0.113.7')
})

test('strips identity headers in any spelling and puts in what it established', async (t) => {
  const backend = await startBackend(t)
  const gateway = await openGateway(t, backend.url)
  const fakes = [
    'X-User-ID',
    'x-user-id',
    'X-USER-NAME',
    'x-User-Role',
    'X-User-Scopes',
    'X-User-Issuer',
    'X-Consumer',
    'X-Canary',
  ]
  const injected = fakes.map((name) => `${name}: root\r\n`).join('')
  await t.test('of a request without credentials', async () => {
    const { headers } = await sendEcho(gateway, `GET /open/x HTTP/1.1\r\n${close}${injected}\r\n`)
    for (const name of fakes) assert.equal(headers[name.toLowerCase()], undefined, name)
  })
  await t.test('of a consumer', async () => {
    const { headers } = await sendEcho(
      gateway,
      `GET /closed/x HTTP/1.1\r\n${close}X-API-Key: ${key}\r\n${injected}\r\n`,
    )
    assert.equal(headers['x-user-id'], 'alice')
    assert.doesNotMatch(JSON.stringify(headers), /root/)
  })
  await t.test('in trailers', async () => {
    const { headers, body } = await sendEcho(
      gateway,
      `POST /open/x HTTP/1.1\r\n${close}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n${injected}\r\n`,
    )
    assert.doesNotMatch(JSON.stringify(headers), /root/)
    assert.equal(body, 'hi')
  })
  for (const trick of [
    'x_user_id: root',
    'X-User_ID: root',
    'X-User-ID: root\r\nConnection: x-user-id',
    'X-User-ID : root',
  ]) {
    await t.test(`refuses ${JSON.stringify(trick)}`, async () => {
      const before = backend.requests.length
      const answer = await send(gateway, `GET /open/x HTTP/1.1\r\nHost: a\r\n${trick}\r\n\r\n`)
      assert.equal(answer.status, 400)
      assert.equal(backend.requests.length, before)
    })
  }
})

test('keeps the credentials of the client, unless the route forwards them', async (t) => {
  const backend = await startBackend(t)
  const gateway = await openGateway(t, backend.url, {
    routes: [{ id: 'trusting', path: '/trusting/**', upstream: 'backend', forwardCredentials: true }],
  })
  const credentials = `X-API-Key: ${key}\r\naUTHORIZATION: Basic eDp5\r\nCookie: a=1\r\n`
  const kept = await sendEcho(gateway, `GET /closed/x HTTP/1.1\r\n${close}${credentials}\r\n`)
  assert.equal(kept.headers['x-api-key'], undefined)
  assert.equal(kept.headers.authorization, undefined)
  assert.equal(kept.headers.cookie, 'a=1')
  const given = await sendEcho(gateway, `GET /trusting/x HTTP/1.1\r\n${close}${credentials}\r\n`)
  assert.equal(given.headers['x-api-key'], key)
  assert.equal(given.headers.authorization, 'Basic eDp5')
})

test('rewrites paths', async (t) => {
  const backend = await startBackend(t)
  const cases: readonly (readonly [rewrite: object, sent: string, forwarded: string, prefix?: string])[] = [
    [{}, '/r0/a/b?c=d', '/r0/a/b?c=d'],
    [{ stripPrefix: '/r1' }, '/r1/a/b?c=d', '/a/b?c=d', '/r1'],
    [{ stripPrefix: '/r2' }, '/r2', '/', '/r2'],
    [{ stripPrefix: '/r3' }, '/r3/', '/', '/r3'],
    [{ stripPrefix: '/r4/' }, '/r4/a', '/a', '/r4/'],
    [{ stripPrefix: '/r5/users' }, '/r5/users/42', '/42', '/r5/users'],
    [{ stripPrefix: '/r6/users' }, '/r6/usersx/42', '/r6/usersx/42', '/r6/users'],
    [{ stripPrefix: '/r7/users' }, '/r7/users;v=1/42', '/42', '/r7/users'],
    [{ stripPrefix: '/r8' }, '/r8;v=1', '/', '/r8'],
    [{ stripPrefix: '/r9' }, '/r9/a;v=1/b', '/a;v=1/b', '/r9'],
    [{ stripPrefix: '/r10' }, '/r10/a%20b/%7e', '/a%20b/~', '/r10'],
    [{ path: '/fixed' }, '/r11/a/b?c=d', '/fixed?c=d'],
    [{ prefix: '/api' }, '/r12/a', '/api/r12/a'],
    [{ prefix: '/api/', stripPrefix: '/r13' }, '/r13/a/', '/api/a/', '/r13'],
    [{ prefix: '/api', path: '/fixed' }, '/r14/a', '/api/fixed'],
    [{ stripPrefix: '/other' }, '/r15/a', '/r15/a', '/other'],
  ]
  const routes = cases.map(([rewrite], i) => ({
    id: `r${i}`,
    path: `/r${i}/**`,
    upstream: 'backend',
    auth: 'none',
    rewrite,
  }))
  const gateway = await openGateway(t, backend.url, { routes })
  for (const [rewrite, sent, expected, prefix] of cases) {
    await t.test(`${JSON.stringify(rewrite)} makes ${sent} into ${expected}`, async () => {
      const { url, headers } = await sendEcho(gateway, `GET ${sent} HTTP/1.1\r\n${close}\r\n`)
      assert.equal(url, expected)
      assert.equal(headers['x-forwarded-prefix'], prefix)
    })
  }
})

test('keeps versions apart that stand side by side', async (t) => {
  const [one, two] = await Promise.all([startBackend(t), startBackend(t)])
  const gateway = await startGateway(t, {
    upstreams: { one: { targets: [{ url: one.url }] }, two: { targets: [{ url: two.url }] } },
    routes: [
      {
        id: 'one',
        path: '/v1/users/**',
        upstream: 'one',
        auth: 'none',
        rewrite: { stripPrefix: '/v1/users' },
      },
      {
        id: 'two',
        path: '/v2/users/**',
        upstream: 'two',
        auth: 'none',
        rewrite: { stripPrefix: '/v2/users' },
      },
    ],
  })
  await Promise.all(Array.from({ length: 20 }, (_, i) => fetch(`${gateway.url}/v${(i % 2) + 1}/users/${i}`)))
  assert.deepEqual(one.requests.map((req) => req.url).sort(), evenly(0))
  assert.deepEqual(two.requests.map((req) => req.url).sort(), evenly(1))
  assert.equal((await fetch(`${gateway.url}/v3/users/1`)).status, 404)
})

test('refuses bodies above the limit, declared or not, and the backend never gets a whole one', async (t) => {
  let whole = 0
  const backend = await startBackend(t, (req, res) => {
    req.on('error', () => {})
    req.resume().on('end', () => {
      whole++
      res.end('ok')
    })
  })
  const gateway = await openGateway(t, backend.url, {
    server: { limits: { bodyBytes: '1kb' } },
    routes: [{ id: 'large', path: '/large', upstream: 'backend', auth: 'none', bodyBytes: '4kb' }],
  })
  const chunks = (bytes: number): string =>
    `Transfer-Encoding: chunked\r\n\r\n${bytes.toString(16)}\r\n${'a'.repeat(bytes)}\r\n0\r\n\r\n`
  const counted = (bytes: number): string => `Content-Length: ${bytes}\r\n\r\n${'a'.repeat(bytes)}`
  const cases: readonly (readonly [path: string, body: string, status: number])[] = [
    ['/open/x', counted(1_024), 200],
    ['/open/x', counted(1_025), 413],
    ['/open/x', chunks(1_024), 200],
    ['/open/x', chunks(1_025), 413],
    ['/large', counted(4_096), 200],
    ['/large', counted(4_097), 413],
    ['/large', chunks(4_096), 200],
    ['/large', chunks(4_097), 413],
  ]
  for (const [path, body, status] of cases) {
    const before = whole
    const answer = await send(gateway, `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${body}`)
    assert.equal(answer.status, status, `${path} ${body.slice(0, 40)}`)
    assert.equal(whole - before, status === 200 ? 1 : 0)
  }
})

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parentId = '00f067aa0ba902b7'

test('continues the trace of a caller under a new parent id (W3C Trace Context section 3.2)', async (t) => {
  const backend = await startBackend(t)
  const gateway = await openGateway(t, backend.url)
  const continued: readonly (readonly [name: string, traceparent: string, flags: string])[] = [
    ['sampled (section 3.2.2.5)', `00-${traceId}-${parentId}-01`, '01'],
    ['not sampled', `00-${traceId}-${parentId}-00`, '00'],
    ['unknown flags are dropped', `00-${traceId}-${parentId}-ff`, '01'],
    ['a later version (section 3.2.4)', `cc-${traceId}-${parentId}-01`, '01'],
    ['a later version with more in it', `cc-${traceId}-${parentId}-01-what-the-future-will-be-like`, '01'],
  ]
  for (const [name, traceparent, flags] of continued) {
    await t.test(name, async () => {
      const { headers } = await sendEcho(
        gateway,
        `GET /open/x HTTP/1.1\r\n${close}traceparent: ${traceparent}\r\ntracestate: congo=t61rcWkgMzE,rojo=00f0\r\n\r\n`,
      )
      const [version, trace, parent, sent] = headers.traceparent?.split('-') ?? []
      assert.deepEqual([version, trace, sent], ['00', traceId, flags])
      assert.match(parent ?? '', /^[0-9a-f]{16}$/)
      assert.notEqual(parent, parentId)
      assert.equal(headers.tracestate, 'congo=t61rcWkgMzE,rojo=00f0')
      assert.equal(headers['x-trace-id'], traceId)
    })
  }
})

test('starts a trace anew when traceparent is not valid, without its tracestate (W3C Trace Context section 3.2.2)', async (t) => {
  const backend = await startBackend(t)
  const gateway = await openGateway(t, backend.url)
  const invalid: readonly (readonly [name: string, traceparent: string])[] = [
    ['version ff (section 3.2.2.1)', `ff-${traceId}-${parentId}-01`],
    ['version 00 with more in it', `00-${traceId}-${parentId}-01-x`],
    ['a trace id of zeros (section 3.2.2.3)', `00-${'0'.repeat(32)}-${parentId}-01`],
    ['a parent id of zeros (section 3.2.2.4)', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${traceId.toUpperCase()}-${parentId}-01`],
    ['a trace id that is too short', `00-${traceId.slice(1)}-${parentId}-01`],
    ['a trace id that is too long', `00-${traceId}0-${parentId}-01`],
    ['a character that is no digit', `00-${traceId.slice(1)}g-${parentId}-01`],
    ['flags of one digit', `00-${traceId}-${parentId}-1`],
    ['no flags', `00-${traceId}-${parentId}`],
    ['a later version glued to more', `cc-${traceId}-${parentId}-01.x`],
    ['nothing', ''],
  ]
  for (const [name, traceparent] of invalid) {
    await t.test(name, async () => {
      const { headers } = await sendEcho(
        gateway,
        `GET /open/x HTTP/1.1\r\n${close}traceparent: ${traceparent}\r\ntracestate: congo=1\r\n\r\n`,
      )
      const [version, trace] = headers.traceparent?.split('-') ?? []
      assert.equal(version, '00')
      assert.match(trace ?? '', /^[0-9a-f]{32}$/)
      assert.notEqual(trace, traceId)
      assert.equal(headers.tracestate, undefined)
      assert.equal(headers['x-trace-id'], trace)
    })
  }
})

test('serves HTTP/1.0 with an answer whose end is the end of the connection', async (t) => {
  const backend = await startBackend(t, (_req, res) => {
    res.write('one ')
    res.end('two')
  })
  const gateway = await openGateway(t, backend.url)
  const answer = await send(gateway, 'GET /open/x HTTP/1.0\r\n\r\n')
  assert.deepEqual(values(answer, 'transfer-encoding'), [])
  assert.deepEqual(values(answer, 'connection'), ['close'])
  assert.equal(answer.body, 'one two')
})

test('says in the answer that it came through a gateway (RFC 9110 section 7.6.3)', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.end('HTTP/1.1 200 OK\r\nVia: 1.0 fred\r\nContent-Length: 0\r\n\r\n')
  })
  const gateway = await openGateway(t, upstream.url)
  const answer = await send(gateway, `GET /open/x HTTP/1.1\r\n${close}\r\n`)
  assert.deepEqual(values(answer, 'via'), ['1.0 fred', '1.1 trivium'])
})

function values(answer: RawAnswer, name: string): string[] {
  return answer.headers.filter(([key]) => key === name).map(([, value]) => value)
}

function evenly(offset: number): string[] {
  return Array.from({ length: 10 }, (_, i) => `/${i * 2 + offset}`).sort()
}
