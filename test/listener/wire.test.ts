import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { startBackend, startGateway, type TestBackend, type TestGateway } from '../world.ts'
import { assertRefused, closed, parseAnswers, RawClient, sendRaw } from './raw-client.ts'

/** A request that cannot be read in exactly one way: what it is, its bytes, the status of its refusal. */
type Case = readonly [name: string, bytes: string, status: number]

const get = 'GET /open/x HTTP/1.1\r\nHost: a\r\n'
const post = 'POST /open/x HTTP/1.1\r\nHost: a\r\n'
/** A body that is well formed chunked, and 5 bytes or more for whoever reads Content-Length. */
const chunked = '5\r\nhello\r\n0\r\n\r\n'

const framing: readonly Case[] = [
  [
    'Transfer-Encoding beside Content-Length (RFC 9112 section 6.1)',
    `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
    400,
  ],
  [
    'the same in the other order',
    `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n${chunked}`,
    400,
  ],
  [
    'an empty Transfer-Encoding beside Content-Length',
    `${post}Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello`,
    400,
  ],
  ['an empty Transfer-Encoding alone', `${post}Transfer-Encoding:\r\n\r\n`, 400],
  [
    'Transfer-Encoding: gzip, chunked (RFC 9112 section 6.1)',
    `${post}Transfer-Encoding: gzip, chunked\r\n\r\n${chunked}`,
    400,
  ],
  [
    'Transfer-Encoding: chunked, gzip (RFC 9112 section 6.3)',
    `${post}Transfer-Encoding: chunked, gzip\r\n\r\n${chunked}`,
    400,
  ],
  [
    'Transfer-Encoding: chunked, chunked (RFC 9112 section 6.1)',
    `${post}Transfer-Encoding: chunked, chunked\r\n\r\n${chunked}`,
    400,
  ],
  [
    'Transfer-Encoding twice',
    `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
    400,
  ],
  [
    'Transfer-Encoding twice, the last one identity',
    `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${chunked}`,
    400,
  ],
  ['Transfer-Encoding: xchunked', `${post}Transfer-Encoding: xchunked\r\n\r\n${chunked}`, 400],
  ['Transfer-Encoding: chunkedx', `${post}Transfer-Encoding: chunkedx\r\n\r\n${chunked}`, 400],
  ['Transfer-Encoding: "chunked"', `${post}Transfer-Encoding: "chunked"\r\n\r\n${chunked}`, 400],
  ['Transfer-Encoding: chunked;q=1', `${post}Transfer-Encoding: chunked;q=1\r\n\r\n${chunked}`, 400],
  ['Transfer-Encoding: chunked with a comma', `${post}Transfer-Encoding: chunked,\r\n\r\n${chunked}`, 400],
  ['Transfer-Encoding: identity', `${post}Transfer-Encoding: identity\r\n\r\n`, 400],
  ['Transfer-Encoding after a vertical tab', `${post}Transfer-Encoding: \x0bchunked\r\n\r\n${chunked}`, 400],
  [
    'Transfer-Encoding before a no-break space',
    `${post}Transfer-Encoding: chunked\xa0\r\n\r\n${chunked}`,
    400,
  ],
  [
    'Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1)',
    `POST /open/x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
    400,
  ],
  [
    'Content-Length twice, different (RFC 9112 section 6.3)',
    `${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    400,
  ],
  ['Content-Length twice, the same', `${post}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, 400],
  ['Content-Length: 5,5', `${post}Content-Length: 5,5\r\n\r\nhello`, 400],
  ['Content-Length: +5 (RFC 9110 section 8.6)', `${post}Content-Length: +5\r\n\r\nhello`, 400],
  ['Content-Length: -5', `${post}Content-Length: -5\r\n\r\nhello`, 400],
  ['Content-Length: 0x5', `${post}Content-Length: 0x5\r\n\r\nhello`, 400],
  ['Content-Length: 5 5', `${post}Content-Length: 5 5\r\n\r\nhello`, 400],
  ['an empty Content-Length', `${post}Content-Length:\r\n\r\n`, 400],
  ['a Content-Length that no number holds', `${post}Content-Length: 99999999999999999999\r\n\r\nhello`, 400],
]

const hosts: readonly Case[] = [
  ['no Host in HTTP/1.1 (RFC 9112 section 3.2)', 'GET /open/x HTTP/1.1\r\n\r\n', 400],
  ['Host twice', `${get}Host: b\r\n\r\n`, 400],
  ['Host twice, the same', `${get}Host: a\r\n\r\n`, 400],
  ['an empty Host', 'GET /open/x HTTP/1.1\r\nHost:\r\n\r\n', 400],
  ...[
    'a b',
    'a/b',
    'a@b',
    'a,b',
    'a:b',
    'a:123456',
    'a?b',
    'a\\b',
    '[::1',
    'a\tb',
    'user:1@a',
    'a#b',
    'a%00b',
    '\xe4',
  ].map(
    (host): Case => [
      `Host: ${JSON.stringify(host)} (RFC 3986 section 3.2.2)`,
      `GET /open/x HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      400,
    ],
  ),
  ['no Host beside a target in absolute form', 'GET http://a/open/x HTTP/1.1\r\n\r\n', 400],
]

const fields: readonly Case[] = [
  ['Authorization twice', `${get}Authorization: Basic a\r\nauthorization: Basic b\r\n\r\n`, 400],
  ['a name with "_"', `${get}X_User_Id: root\r\n\r\n`, 400],
  ['a space before the colon (RFC 9112 section 5.1)', `${get}X-Test : 1\r\n\r\n`, 400],
  [
    'a space before the colon of Transfer-Encoding',
    `${post}Transfer-Encoding : chunked\r\n\r\n${chunked}`,
    400,
  ],
  ['a tab before the colon', `${get}X-Test\t: 1\r\n\r\n`, 400],
  ['an empty name', `${get}: 1\r\n\r\n`, 400],
  ['a space before the first name', 'GET /open/x HTTP/1.1\r\n Host: a\r\n\r\n', 400],
  ['a line without a colon', `${get}garbage\r\n\r\n`, 400],
  ['a name outside of ASCII', `${get}X-\xe4: 1\r\n\r\n`, 400],
  ['a bare CR in a value (RFC 9112 section 2.2)', `${get}X-Test: a\rb\r\n\r\n`, 400],
  ['a bare CR before a name', `${get}X-Test: a\rX-User-Id: root\r\n\r\n`, 400],
  ['a bare LF at the end of a header', `${get}X-Test: a\nX-Other: b\r\n\r\n`, 400],
  ['a bare LF at the end of the request line', 'GET /open/x HTTP/1.1\nHost: a\r\n\r\n', 400],
  ['bare LF throughout', 'GET /open/x HTTP/1.1\nHost: a\n\n', 400],
  ['a folded line (RFC 9112 section 5.2)', `${get}X-Test: a\r\n b\r\n\r\n`, 400],
  ['NUL in a value (RFC 9110 section 5.5)', `${get}X-Test: a\0b\r\n\r\n`, 400],
  ['NUL in a name', `${get}X-\0Test: a\r\n\r\n`, 400],
  ['a control character in a value', `${get}X-Test: a\x01b\r\n\r\n`, 400],
  ['DEL in a value', `${get}X-Test: a\x7fb\r\n\r\n`, 400],
  [
    'Connection: x-user-id (RFC 9110 section 7.6.1)',
    `${get}X-User-Id: root\r\nConnection: x-user-id\r\n\r\n`,
    400,
  ],
  ['Connection: close, Authorization', `${get}Connection: close, Authorization\r\n\r\n`, 400],
  ['Connection: content-length', `${post}Content-Length: 5\r\nConnection: content-length\r\n\r\nhello`, 400],
  [
    'an end-to-end header in a second Connection',
    `${get}Connection: close\r\nConnection: cookie\r\n\r\n`,
    400,
  ],
  [
    'an unknown expectation (RFC 9110 section 10.1.1)',
    `${post}Expect: 200-ok\r\nContent-Length: 5\r\n\r\n`,
    417,
  ],
  ['two expectations', `${post}Expect: 100-continue, x\r\nContent-Length: 5\r\n\r\n`, 417],
]

const lines: readonly Case[] = [
  ['HTTP/2.0 (RFC 9110 section 2.5)', 'GET /open/x HTTP/2.0\r\nHost: a\r\n\r\n', 505],
  ['HTTP/1.2', 'GET /open/x HTTP/1.2\r\nHost: a\r\n\r\n', 505],
  ['HTTP/3.0', 'GET /open/x HTTP/3.0\r\nHost: a\r\n\r\n', 505],
  ['HTTP/0.9 with a version', 'GET /open/x HTTP/0.9\r\nHost: a\r\n\r\n', 505],
  ['HTTP/0.9 without a version', 'GET /open/x\r\n\r\n', 505],
  ['http/1.1 in lower case', 'GET /open/x http/1.1\r\nHost: a\r\n\r\n', 400],
  ['HTTP/1.1 with more after it', 'GET /open/x HTTP/1.1 x\r\nHost: a\r\n\r\n', 400],
  ['HTTP/01.1', 'GET /open/x HTTP/01.1\r\nHost: a\r\n\r\n', 505],
  ['TRACE (RFC 9110 section 9.3.8)', 'TRACE /open/x HTTP/1.1\r\nHost: a\r\n\r\n', 405],
  ['CONNECT (RFC 9110 section 9.3.6)', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 405],
  ['an unknown method', 'FROB /open/x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a method in lower case', 'get /open/x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['no target', 'GET  HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a space in the target', 'GET /open/a b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a tab in the target', 'GET /open/a\tb HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['NUL in the target', 'GET /open/a\0b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a byte above 127 in the path', 'GET /open/\xe4 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a byte above 127 in the query', 'GET /open/x?\xe4 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a relative target', 'GET open/x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a fragment in the target', 'GET /open/x#y HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a fragment in the query', 'GET /open/x?a#y HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['OPTIONS * (RFC 9112 section 3.2.4)', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['GET *', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target in authority form', 'GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an absolute target with user information', 'GET http://u@a/open/x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an absolute target without a host', 'GET http:///open/x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an absolute target of another scheme', 'GET ftp://a/open/x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a broken preface of HTTP/2 (RFC 9113 section 3.4)', 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', 505],
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
]

const sizes: readonly Case[] = [
  [
    'a target above 8 KiB (RFC 9110 section 15.5.15)',
    `GET /open/${'a'.repeat(8_192)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    414,
  ],
  ['a target of 200 KiB', `GET /open/${'a'.repeat(200_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
  ['a query above 8 KiB', `GET /open/x?${'a'.repeat(8_192)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
  ['headers above 16 KiB (RFC 6585 section 5)', `${get}X-Test: ${'a'.repeat(16_384)}\r\n\r\n`, 431],
  ['headers of 200 KiB', `${get}X-Test: ${'a'.repeat(200_000)}\r\n\r\n`, 431],
  ['headers above 16 KiB in many lines', `${get}${`X-Test: ${'a'.repeat(390)}\r\n`.repeat(45)}\r\n`, 431],
  ['more than 100 headers', `${get}${'A: 1\r\n'.repeat(100)}\r\n`, 431],
  ['5,000 headers', `${get}${'A: 1\r\n'.repeat(5_000)}\r\n`, 431],
  [
    'a declared body above the limit (RFC 9110 section 15.5.14)',
    `${post}Content-Length: 2000\r\n\r\n${'a'.repeat(2_000)}`,
    413,
  ],
]

const upgrades: readonly Case[] = [
  [
    'a WebSocket by POST (RFC 6455 section 4.1)',
    `${post}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    400,
  ],
  [
    'a WebSocket with a body',
    `${get}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello`,
    400,
  ],
  [
    'a WebSocket with a chunked body',
    `${get}Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
    400,
  ],
  [
    'a WebSocket in HTTP/1.0',
    'GET /open/x HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    400,
  ],
  ['a WebSocket with two Hosts', `${get}Host: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 400],
]

const groups = { framing, hosts, fields, lines, sizes, upgrades }

interface World {
  readonly gateway: TestGateway
  readonly backend: TestBackend
}

async function world(t: TestContext, limits: object = {}): Promise<World> {
  const backend = await startBackend(t)
  const gateway = await startGateway(t, {
    server: { limits: { bodyBytes: '1kb', ...limits } },
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [
      { id: 'open', path: '/open/**', upstream: 'backend', auth: 'none' },
      { id: 'closed', path: '/closed/**', upstream: 'backend' },
    ],
    consumers: [{ id: 'someone', keys: [{ hash: `sha256:${'0'.repeat(64)}` }] }],
  })
  return { gateway, backend }
}

for (const [group, cases] of Object.entries(groups)) {
  test(`refuses and ends the connection (${group})`, async (t) => {
    const { gateway, backend } = await world(t)
    for (const [name, bytes, status] of cases) {
      await t.test(`${name}: ${status}`, async () => {
        assertRefused(await sendRaw(gateway.port, bytes), status)
        assert.equal(backend.requests.length, 0)
      })
    }
  })

  test(`drops what is pipelined behind such a request (${group})`, async (t) => {
    const { gateway, backend } = await world(t)
    for (const [name, bytes, status] of cases) {
      // A second request that would be answered, and one for whoever reads the first one's body otherwise.
      const text = await sendRaw(gateway.port, `${bytes}${get}\r\n${get}\r\n`)
      assert.deepEqual(
        parseAnswers(text).map((answer) => answer.status),
        [status],
        name,
      )
      assert.equal(backend.requests.length, 0, name)
    }
  })
}

test('refuses the same bytes when they come one by one', async (t) => {
  const { gateway, backend } = await world(t)
  for (const [name, bytes, status] of [
    framing[0],
    hosts[1],
    fields[1],
    fields[9],
    lines[0],
  ] as readonly Case[]) {
    const client = await RawClient.connect(gateway.port)
    client.socket.setNoDelay(true)
    for (const byte of Buffer.from(bytes, 'latin1')) {
      if (client.ended) break
      client.write(Buffer.of(byte))
      await new Promise(setImmediate)
    }
    assertRefused(await client.end(), status)
    assert.equal(backend.requests.length, 0, name)
  }
})

test('lets through what the rules allow', async (t) => {
  const { gateway, backend } = await world(t)
  const close = 'Connection: close\r\n'
  const allowed: readonly (readonly [string, string])[] = [
    ['a target in absolute form', `GET http://b:81/open/x HTTP/1.1\r\nHost: a\r\n${close}\r\n`],
    ['Transfer-Encoding: Chunked', `${post}Transfer-Encoding: Chunked\r\n${close}\r\n${chunked}`],
    ['an IPv6 Host', `GET /open/x HTTP/1.1\r\nHost: [::1]:8080\r\n${close}\r\n`],
    ['HTTP/1.0 without Host', 'GET /open/x HTTP/1.0\r\n\r\n'],
    [
      'chunk extensions and trailers (RFC 9112 section 7.1)',
      `${post}Transfer-Encoding: chunked\r\n${close}\r\n5;a=b\r\nhello\r\n0\r\nX-User-Id: root\r\n\r\n`,
    ],
    [
      'an upgrade to something else (RFC 9110 section 7.8)',
      `${post}Connection: Upgrade, close\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello`,
    ],
    ['100 headers', `${get}${close}${'A: 1\r\n'.repeat(98)}\r\n`],
    ['a target of 8 KiB', `GET /open/${'a'.repeat(8_186)} HTTP/1.1\r\nHost: a\r\n${close}\r\n`],
    ['an empty line before the request (RFC 9112 section 2.2)', `\r\n${get}${close}\r\n`],
  ]
  for (const [name, bytes] of allowed) {
    await t.test(name, async () => {
      const before = backend.requests.length
      const [answer, ...more] = parseAnswers(await sendRaw(gateway.port, bytes))
      assert.equal(answer?.status, 200, answer?.body)
      assert.equal(more.length, 0)
      assert.equal(backend.requests.length, before + 1)
      assert.equal(backend.requests.at(-1)?.headers['x-user-id'], undefined)
      assert.equal(backend.requests.at(-1)?.headers.upgrade, undefined)
    })
  }
})

test('names the host of an absolute target to the backend, not the Host header (RFC 9112 section 3.2.2)', async (t) => {
  const { gateway, backend } = await world(t)
  await sendRaw(gateway.port, 'GET http://b:81/open/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  assert.equal(backend.requests[0]?.headers['x-forwarded-host'], 'b:81')
})

const brokenBodies: readonly (readonly [name: string, body: string, status?: number])[] = [
  ['a chunk size that is no number (RFC 9112 section 7.1)', 'xyz\r\nhello\r\n0\r\n\r\n'],
  ['a chunk size with a sign', '+5\r\nhello\r\n0\r\n\r\n'],
  ['a chunk size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a chunk size that no number holds', 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n'],
  ['a chunk longer than its size', '5\r\nhellohello\r\n0\r\n\r\n'],
  ['a chunk that ends with LF', '5\r\nhello\n0\r\n\r\n'],
  ['a chunk size that ends with LF', '5\nhello\r\n0\r\n\r\n'],
  ['a chunk extension with a bare CR', '5;a\rb\r\nhello\r\n0\r\n\r\n'],
  ['a chunk extension of 20 KiB', `5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`],
  ['a trailer without a colon (RFC 9112 section 7.1.2)', '5\r\nhello\r\n0\r\ngarbage\r\n\r\n'],
  ['a trailer of 100 KiB', `5\r\nhello\r\n0\r\nX-Test: ${'a'.repeat(100_000)}\r\n\r\n`, 431],
]

test('ends a request whose chunked body breaks the grammar, and the backend never gets a whole one', async (t) => {
  let whole = 0
  const backend = await startBackend(t, (req, res) => {
    req.on('end', () => {
      whole++
      res.end()
    })
    req.on('data', () => {})
    req.on('error', () => {})
  })
  const gateway = await startGateway(t, {
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'open', path: '/open/**', upstream: 'backend', auth: 'none' }],
  })
  for (const [name, body, status = 400] of brokenBodies) {
    await t.test(name, async () => {
      const text = await sendRaw(gateway.port, `${post}Transfer-Encoding: chunked\r\n\r\n${body}${get}\r\n`)
      assertRefused(text, status)
      assert.equal(whole, 0)
    })
  }
})

test('answers a good request before it refuses the bad one behind it', async (t) => {
  const held = Promise.withResolvers<void>()
  const backend = await startBackend(t, (_req, res) => void held.promise.then(() => res.end('first')))
  const gateway = await startGateway(t, {
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'open', path: '/open/**', upstream: 'backend', auth: 'none' }],
  })
  const arrived = once(backend.server, 'request')
  const client = await RawClient.connect(gateway.port)
  client.write(`${get}\r\nGET /open/x HTTP/1.1\r\nbroken\r\n\r\n`)
  await arrived
  client.write('more of it\r\n\r\n')
  held.resolve()
  const answers = parseAnswers(await client.end())
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [200, 400],
  )
  assert.match(answers[0]?.body ?? '', /first/)
  assert.equal(backend.requests.length, 1)
})

test('drops what is pipelined behind a request that was refused with its body unread', async (t) => {
  const { gateway, backend } = await world(t)
  const text = await sendRaw(
    gateway.port,
    `POST /closed/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel${get}\r\n`,
  )
  assertRefused(text, 401)
  assert.equal(backend.requests.length, 0)
})

test('drops what is pipelined behind a request that asked to close (RFC 9112 section 9.6)', async (t) => {
  const { gateway, backend } = await world(t)
  const text = await sendRaw(gateway.port, `${get}Connection: close\r\n\r\n${get}\r\n`)
  assert.deepEqual(
    parseAnswers(text).map((answer) => answer.status),
    [200],
  )
  assert.equal(backend.requests.length, 1)
})

test('settles pipelined exchanges whose connection ended before their turn', async (t) => {
  const backend = await startBackend(t, () => {})
  const gateway = await startGateway(t, {
    plugins: ['accessLog'],
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'open', path: '/open/**', upstream: 'backend', auth: 'none' }],
  })
  const client = await RawClient.connect(gateway.port)
  const third = new Promise<void>((resolve) => {
    backend.server.on('request', () => backend.requests.length === 3 && resolve())
  })
  client.write(`${get}\r\n${get}\r\n${get}\r\n`)
  await third
  const gone = Promise.all(backend.requests.map((req) => closed(req.socket)))
  client.socket.destroy()
  await gone
  const settled = gateway.logs.filter((line) => line['http.response.status_code'] === 499)
  assert.equal(settled.length, 3)
})

test('refuses a client that sends its head too slowly with 408', async (t) => {
  const { gateway, backend } = await world(t, { headersTimeout: '500ms' })
  const client = await RawClient.connect(gateway.port)
  client.write('GET /open/x HTTP/1.1\r\nHost: a\r\n')
  const timer = setInterval(() => client.write('A: 1\r\n'), 100)
  t.after(() => clearInterval(timer))
  assertRefused(await client.end(4_000), 408)
  assert.equal(backend.requests.length, 0)
})

test('refuses a client that trickles its body with 408 and lets the upstream go', async (t) => {
  const backend = await startBackend(t, (req) => void req.on('error', () => {}).resume())
  const gateway = await startGateway(t, {
    server: { limits: { bodyTimeout: '500ms' } },
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'open', path: '/open/**', upstream: 'backend', auth: 'none' }],
  })
  const arrived = once(backend.server, 'request')
  const client = await RawClient.connect(gateway.port)
  client.write(`${post}Content-Length: 1000\r\n\r\na`)
  const timer = setInterval(() => client.write('a'), 50)
  t.after(() => clearInterval(timer))
  await arrived
  const gone = closed(backend.requests[0]?.socket)
  assertRefused(await client.end(4_000), 408)
  await gone
})

test('cuts off a client that stops reading its answer, and lets the upstream go', async (t) => {
  const backend = await startBackend(t, (_req, res) => {
    res.on('error', () => {})
    res.writeHead(200, { 'Content-Length': 200_000_000 })
    res.write(Buffer.alloc(100_000_000))
  })
  const gateway = await startGateway(t, {
    server: { limits: { bodyTimeout: '500ms' } },
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'open', path: '/open/**', upstream: 'backend', auth: 'none' }],
    plugins: ['accessLog'],
  })
  const arrived = once(backend.server, 'request')
  const client = connect(gateway.port, '127.0.0.1')
  t.after(() => client.destroy())
  client.pause()
  client.write('GET /open/x HTTP/1.1\r\nHost: a\r\n\r\n')
  await arrived
  await closed(backend.requests[0]?.socket)
  const line = await gateway.logged((entry) => entry['gateway.error.reason'] === 'CLIENT_TOO_SLOW')
  assert.equal(line['http.response.status_code'], 200)
})

test('does not take a client for slow that waits for us to read', async (t) => {
  const backend = await startBackend(t, (req, res) => {
    setTimeout(() => req.resume().on('end', () => res.end('done')), 1_500)
  })
  const gateway = await startGateway(t, {
    server: { limits: { bodyTimeout: '300ms', bodyBytes: '100mb' } },
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'open', path: '/open/**', upstream: 'backend', auth: 'none' }],
  })
  const reply = await fetch(`${gateway.url}/open/x`, { method: 'POST', body: Buffer.alloc(30_000_000) })
  assert.equal(reply.status, 200)
  assert.equal(await reply.text(), 'done')
})

test('sends 100 Continue only for a body that it will take (RFC 9110 section 10.1.1)', async (t) => {
  const { gateway, backend } = await world(t)
  const expect = 'Expect: 100-continue\r\n'
  await t.test('accepted: 100, then the answer', async () => {
    const client = await RawClient.connect(gateway.port)
    client.write(`${post}${expect}Connection: close\r\nContent-Length: 5\r\n\r\n`)
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
    client.write('hello')
    const statuses = parseAnswers(await client.end()).map((answer) => answer.status)
    assert.deepEqual(statuses, [100, 200])
  })
  const count = backend.requests.length
  const refused: readonly Case[] = [
    ['too large', `${post}${expect}Content-Length: 2000\r\n\r\n`, 413],
    ['no credentials', `POST /closed/x HTTP/1.1\r\nHost: a\r\n${expect}Content-Length: 5\r\n\r\n`, 401],
    ['no route', `POST /nowhere HTTP/1.1\r\nHost: a\r\n${expect}Content-Length: 5\r\n\r\n`, 404],
  ]
  for (const [name, bytes, status] of refused) {
    await t.test(`${name}: ${status} without 100`, async () => {
      assertRefused(await sendRaw(gateway.port, bytes), status)
      assert.equal(backend.requests.length, count)
    })
  }
  await t.test('a client of HTTP/1.0 gets no 100', async () => {
    const text = await sendRaw(
      gateway.port,
      `POST /open/x HTTP/1.0\r\n${expect}Content-Length: 5\r\n\r\nhello`,
    )
    const statuses = parseAnswers(text).map((answer) => answer.status)
    assert.deepEqual(statuses, [200])
  })
})

test('lets a client read its refusal that first sends everything (RFC 9112 section 9.6)', async (t) => {
  const { gateway } = await world(t)
  const piece = Buffer.alloc(1_000_000)
  const client = await RawClient.connect(gateway.port)
  client.write(`${post}Content-Length: ${20 * piece.length}\r\n\r\n`)
  await client.uploadBlindly(piece, 20)
  assertRefused(await client.end(), 413)
})

test('refuses a chunked body as soon as it passes the limit, and the client can read the refusal', async (t) => {
  const { gateway } = await world(t)
  const client = await RawClient.connect(gateway.port)
  client.write(`${post}Transfer-Encoding: chunked\r\n\r\n`)
  const piece = Buffer.from(`10000\r\n${'a'.repeat(65_536)}\r\n`)
  await client.upload(piece, 500)
  const problem = assertRefused(await client.end(), 413)
  assert.equal(problem.reason, 'BODY_TOO_LARGE')
})
