import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { rawExchange, startBackend, startGateway } from '../world.ts'
import { everyDoor } from './grpc-doors.ts'

const key = createApiKey('test')
const tokenHeader = 'x-inside'
const truth = { id: 'acme', keys: [{ hash: hashApiKey(key) }] }
const identity = {
  consumers: [truth],
  auth: {
    internalToken: { algorithm: 'HS256', secret: randomBytes(32).toString('hex'), header: tokenHeader },
  },
}

/** What backends believe because the gateway says it. */
const believed = [
  'X-User-ID',
  'X-User-Issuer',
  'X-User-Name',
  'X-User-Role',
  'X-User-Scopes',
  'X-Consumer',
  'X-Gateway',
  'X-Gateway-Token',
  'X-Gateway-Mirror',
  'X-Canary',
  'X-Inside',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-Proto',
  'X-Forwarded-User',
  'X-Forwarded-Client-Cert',
  'X-Forwarded-Anything',
  'Forwarded',
  'X-Real-IP',
  'Client-Cert',
  'Client-Cert-Chain',
  'Via',
]

/** One way to spell a header that the gateway should miss and the backend should not. */
const spellings: readonly (readonly [string, (name: string) => string])[] = [
  ['as it is', (name) => name],
  ['in capitals', (name) => name.toUpperCase()],
  ['in small letters', (name) => name.toLowerCase()],
  [
    'in mixed case',
    (name) => [...name].map((c, i) => (i % 2 === 0 ? c.toLowerCase() : c.toUpperCase())).join(''),
  ],
  ['with _ (RFC 3875: CGI folds - and _)', (name) => name.replaceAll('-', '_')],
  ['with one _', (name) => name.replace('-', '_')],
  ['with dots (who folds all signs)', (name) => name.replaceAll('-', '.')],
  ['with ~', (name) => name.replaceAll('-', '~')],
  ['with one !', (name) => name.replace('-', '!')],
  ["with '", (name) => name.replaceAll('-', "'")],
  ['with the prefix of transcoding', (name) => `Grpc-Metadata-${name}`],
  ['with that prefix twice', (name) => `Grpc-Metadata-Grpc-Metadata-${name}`],
  ['with that prefix and other signs', (name) => `Grpc-Metadata-${name.replaceAll('-', '.')}`],
]

const evil = 'evil'

/** Nothing that the client said of itself, and who it really is. */
function assertTruth(seen: Readonly<Record<string, unknown>> | undefined, what: string): void {
  assert.ok(seen, what)
  for (const [name, value] of Object.entries(seen)) {
    // A header of another name, which nobody reads: twice the prefix, of which one is taken off.
    if (name.startsWith('grpc-metadata-')) continue
    assert.ok(!String(value).includes(evil), `${what}: the backend saw ${name}: ${value}`)
  }
  assert.equal(seen['x-user-id'], 'acme', what)
  assert.equal(seen['x-consumer'], 'acme', what)
  const [, payload = ''] = String(seen[tokenHeader]).split('.')
  assert.equal(JSON.parse(Buffer.from(payload, 'base64url').toString()).sub, 'acme', what)
}

for (const door of everyDoor) {
  describe(`headers that backends believe, at the ${door.name} door`, () => {
    test('are the gateway’s alone, however a client spells them', async (t) => {
      const backend = await door.start(t)
      const config = backend.config({ auth: 'required' }) as { grpc?: { services: Record<string, object> } }
      // What lets most pass.
      for (const service of Object.values(config.grpc?.services ?? {}))
        Object.assign(service, { metadata: { request: ['*'], response: ['*'] } })
      const { url } = await startGateway(t, { ...identity, ...config })
      let passed = 0
      for (const [how, spell] of spellings) {
        for (const name of believed) {
          const told = backend.seen.length
          const reply = await backend.ask(url, { [spell(name)]: evil, 'X-API-Key': key })
          await reply.text()
          if (reply.status === 400) {
            assert.equal(backend.seen.length, told)
            continue
          }
          assert.equal(reply.status, 200, `${name} ${how}`)
          assertTruth(backend.seen.at(-1), `${name} ${how}`)
          passed++
        }
      }
      assert.ok(passed > 200, `${passed} requests came through without what they tried`)
    })

    test('say nothing of a caller that is not known', async (t) => {
      const backend = await door.start(t)
      const { url } = await startGateway(t, { ...identity, ...backend.config({ auth: 'none' }) })
      for (const name of believed) {
        const reply = await backend.ask(url, { [name]: evil })
        assert.equal(reply.status, 200, await reply.text())
        const seen = backend.seen.at(-1) ?? {}
        for (const [header, value] of Object.entries(seen)) assert.ok(!String(value).includes(evil), header)
        for (const header of ['x-user-id', 'x-consumer', tokenHeader]) assert.equal(seen[header], undefined)
      }
    })
  })
}

/** What only bytes can say. */
const heads: readonly (readonly [name: string, head: string, body?: string])[] = [
  ['twice', 'X-User-ID: evil\r\nX-User-ID: evil'],
  ['a blank before the colon (RFC 9112 section 5.1)', 'X-User-ID : evil'],
  ['a tab before the colon', 'X-User-ID\t: evil'],
  ['folded over two lines (RFC 9112 section 5.2)', 'X-Other: a\r\n X-User-ID: evil'],
  ['a bare CR (RFC 9112 section 2.2)', 'X-Other: a\rX-User-ID: evil'],
  ['a bare LF', 'X-Other: a\nX-User-ID: evil'],
  ['a null byte in the name', 'X-User-ID\0: evil'],
  ['a letter that is no ASCII', 'X-User-\u00cdD: evil'],
  ['without a value', 'X-User-ID:\r\nX-Consumer:'],
  ['in Connection, so that ours is dropped on the way (RFC 9110 section 7.6.1)', 'Connection: X-User-ID'],
  ['in Connection beside close', 'Connection: close, x-user-id, x-consumer'],
  ['the header of tokens in Connection', `Connection: ${tokenHeader}`],
  ['named in TE and Trailer', 'TE: trailers, x-user-id\r\nTrailer: X-User-ID'],
  [
    'as a trailer (RFC 9110 section 6.5.1)',
    'Transfer-Encoding: chunked\r\nTrailer: X-User-ID',
    `1\r\na\r\n0\r\nX-User-ID: evil\r\n${tokenHeader}: evil\r\n\r\n`,
  ],
  ['a chunk extension', 'Transfer-Encoding: chunked', '1;x-user-id=evil\r\na\r\n0\r\n\r\n'],
]

function listening(t: TestContext) {
  const seen: Record<string, unknown>[] = []
  const start = async () => {
    const backend = await startBackend(t, (req, res) => {
      req.resume().on('end', () => {
        seen.push({ ...req.headers, ...req.trailers })
        res.setHeader('X-User-ID', 'somebody else').end('{}')
      })
    })
    backend.server.on('upgrade', (req, socket) => {
      seen.push({ ...req.headers })
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    })
    return backend
  }
  return { seen, start }
}

async function world(t: TestContext) {
  const { seen, start } = listening(t)
  const mirrored = listening(t)
  const [backend, copies] = [await start(), await mirrored.start()]
  const { url, port } = await startGateway(t, {
    ...identity,
    upstreams: {
      backend: { targets: [{ url: backend.url }] },
      copies: { targets: [{ url: copies.url }] },
    },
    routes: [
      { id: 'plain', path: '/v1/**', upstream: 'backend' },
      {
        id: 'canary',
        path: '/canary/**',
        upstream: 'backend',
        canary: { upstream: 'copies', match: { headers: { 'X-Try': '*' } } },
      },
      {
        id: 'mirrored',
        path: '/mirrored/**',
        upstream: 'backend',
        mirror: { upstream: 'copies', percent: 100 },
      },
      {
        id: 'parts',
        path: '/parts',
        aggregate: { parts: [{ name: 'one', rest: { upstream: 'backend', path: '/' } }] },
      },
    ],
  })
  return { url, port, seen, copies: mirrored.seen }
}

describe('what only bytes can say', () => {
  for (const [name, head, body = ''] of heads) {
    test(`is refused or does not reach the backend: ${name}`, async (t) => {
      const { port, seen } = await world(t)
      const method = body === '' ? 'GET' : 'POST'
      const text = `${method} /v1/x HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\n${head}\r\n\r\n${body}`
      const answer = await rawExchange(port, Buffer.from(text, 'latin1'), 700)
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? []
      if (status === '200') assertTruth(seen[0], name)
      else {
        assert.equal(status, '400', answer)
        assert.equal(seen.length, 0)
      }
    })
  }
})

const sent = { 'X-API-Key': key, ...Object.fromEntries(believed.map((name) => [name, evil])) }
const ways = [
  ['the parts of an aggregation', '/parts', {}, 'seen'],
  ['a new version', '/canary/x', { 'X-Try': '1' }, 'copies'],
  ['the copy of a call', '/mirrored/x', {}, 'copies'],
] as const
for (const [name, path, more, where] of ways) {
  test(`${name} has the caller’s true headers only`, async (t) => {
    const there = await world(t)
    const reply = await fetch(there.url + path, { headers: { ...sent, ...more } })
    assert.equal(reply.status, 200, await reply.text())
    for (let i = 0; i < 1_000 && there[where].length === 0; i++) await sleep(5)
    assertTruth(there[where][0], name)
    assert.equal(
      there[where][0]?.['x-canary'],
      where === 'copies' && path.startsWith('/canary') ? 'true' : undefined,
    )
  })
}

test('a WebSocket has the caller’s true headers only', async (t) => {
  const { port, seen } = await world(t)
  const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`)
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  socket.write(
    `GET /v1/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${lines.join('')}\r\n`,
  )
  for (let i = 0; i < 1_000 && seen.length === 0; i++) await sleep(5)
  assertTruth(seen[0], 'upgrade')
})

test('what a backend answers under these names is for the client, and none of it comes with the next request', async (t) => {
  const { url, seen } = await world(t)
  for (let i = 0; i < 3; i++) {
    const reply = await fetch(`${url}/v1/x`, { headers: { 'X-API-Key': key } })
    await reply.text()
    assert.equal(reply.status, 200)
  }
  for (const one of seen) assertTruth(one, 'after an answer with X-User-ID')
})

test('extensions of GraphQL are no headers', async (t) => {
  const graphql = everyDoor.find(({ name }) => name === 'graphql')
  const backend = await graphql?.start(t)
  assert.ok(backend)
  const { url } = await startGateway(t, { ...identity, ...backend.config({}) })
  const reply = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-API-Key': key },
    body: JSON.stringify({
      query: '{ me { id } }',
      extensions: {
        headers: { 'x-user-id': evil },
        'x-user-id': evil,
        http: { headers: { 'x-user-id': evil } },
      },
    }),
  })
  await reply.text()
  if (reply.status === 200) assertTruth(backend.seen.at(-1), 'extensions')
  else assert.equal(reply.status, 400)
})

test('what stood in front is believed of a trusted proxy only, and of that no more than where the request came from', async (t) => {
  const { seen, start } = listening(t)
  const backend = await start()
  for (const [trusted, expected] of [
    [[], undefined],
    [['127.0.0.0/8'], '192.0.2.7, 127.0.0.1'],
  ] as const) {
    const { url } = await startGateway(t, {
      ...identity,
      server: { trustedProxies: trusted },
      upstreams: { backend: { targets: [{ url: backend.url }] } },
      routes: [{ id: 'plain', path: '/v1/**', upstream: 'backend' }],
    })
    const more = {
      'X-Forwarded-For': '192.0.2.7',
      'X-Forwarded-User': evil,
      'X-Forwarded-Client-Cert': evil,
      'X-User-ID': evil,
      'X-Real-IP': evil,
    }
    await (await fetch(`${url}/v1/x`, { headers: { 'X-API-Key': key, ...more } })).text()
    assertTruth(seen.at(-1), 'proxy')
    assert.equal(seen.at(-1)?.['x-forwarded-for'], expected ?? '127.0.0.1')
  }
})
