import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { type TestContext, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { doors } from '../doors/door.ts'
import { openRelay } from '../front-ends/grpc/native/relay-world.ts'
import { startRelayBackend } from '../front-ends/grpc/streaming/relay.ts'
import { freePort } from '../services/free-port.ts'
import { rawExchange, startBackend, startGateway } from '../world.ts'

const answers: Readonly<Record<string, RequestListener>> = {
  ...Object.fromEntries(
    [500, 502, 503, 504, 404].map((status) => [
      String(status),
      (req, res) => void req.resume().once('end', () => res.writeHead(status).end(`own ${status}`)),
    ]),
  ),
  reset: (req) => void req.resume().once('end', () => req.socket.resetAndDestroy()),
  silence: (req) => void req.resume(),
  'half an answer': (_, res) =>
    void res.writeHead(200, { 'Content-Length': '9' }).write('h', () => res.destroy()),
}

/** An upstream that `does` this, or is dead, and its fallback, which echoes. */
async function open(t: TestContext, does: string, more: { upstream?: object; route?: object } = {}) {
  const main = does === 'dead' ? undefined : await startBackend(t, answers[does] as RequestListener)
  const backup = await startBackend(t)
  const quiet = { healthChecks: { passive: { consecutiveErrors: 0 } } }
  const gateway = await startGateway(t, {
    plugins: ['accessLog'],
    upstreams: {
      main: {
        targets: [{ url: main?.url ?? `http://127.0.0.1:${await freePort()}` }],
        timeouts: { perTry: '100ms', request: '20s' },
        fallback: { upstream: 'backup' },
        ...quiet,
        ...more.upstream,
      },
      backup: { targets: [{ url: backup.url }], ...quiet },
    },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'main', auth: 'none', ...more.route }],
  })
  const ask = async (init?: RequestInit) => {
    const reply = await fetch(`${gateway.url}/v1/x?y=1`, init)
    return { status: reply.status, headers: reply.headers, body: await reply.text() }
  }
  return { ...gateway, main, backup, ask }
}

const body = 'x'.repeat(1_000)

// docs/traffic.md, fallback: by the rules of "Trying again".
const cases: readonly (readonly [method: string, does: string, answer: number | 'backup'])[] = [
  ['GET', 'dead', 'backup'],
  ['POST', 'dead', 'backup'],
  ['GET', 'reset', 'backup'],
  ['PUT', 'reset', 'backup'],
  ['POST', 'reset', 502],
  ['GET', '502', 'backup'],
  ['GET', '503', 'backup'],
  ['GET', '504', 'backup'],
  ['PUT', '503', 'backup'],
  ['DELETE', '503', 'backup'],
  ['POST', '503', 503],
  ['GET', '500', 500],
  ['GET', '404', 404],
  ['GET', 'silence', 'backup'],
]

for (const [method, does, expected] of cases) {
  test(`${method} to an upstream with ${does}: ${expected}`, async (t) => {
    const { ask, backup } = await open(t, does)
    const sent = method === 'PUT' || method === 'POST' ? body : undefined
    const reply = await ask({ method, ...(sent && { body: sent }) })
    assert.equal(backup.requests.length, expected === 'backup' ? 1 : 0)
    if (expected !== 'backup') {
      assert.equal(reply.status, expected)
      if (does !== 'reset') assert.equal(reply.body, `own ${expected}`)
      return
    }
    const echo = JSON.parse(reply.body)
    assert.deepEqual([reply.status, echo.method, echo.url, echo.body], [200, method, '/v1/x?y=1', sent ?? ''])
  })
}

test('a body that was not kept does not go to the fallback', async (t) => {
  const { ask, backup } = await open(t, '503', { upstream: { retry: { maxBodyBytes: '512b' } } })
  const reply = await ask({ method: 'PUT', body })
  assert.deepEqual([reply.status, reply.body, backup.requests.length], [503, 'own 503', 0])
})

test('a body is kept for the fallback where nothing is tried twice', async (t) => {
  const { ask } = await open(t, '503', { upstream: { retry: { attempts: 1 } } })
  assert.equal(JSON.parse((await ask({ method: 'PUT', body })).body).body, body)
})

test('no time is left for the fallback of what took it all', async (t) => {
  const { ask, backup } = await open(t, 'silence', {
    upstream: { timeouts: { perTry: '0s', request: '100ms' } },
  })
  assert.equal((await ask()).status, 504)
  assert.equal(backup.requests.length, 0)
})

test('an answer that has begun is broken off, not continued by another', async (t) => {
  const { ask, backup } = await open(t, 'half an answer', { route: { fallback: { respond: { body: 'x' } } } })
  await assert.rejects(ask())
  assert.equal(backup.requests.length, 0)
})

test('the header with the time that is left is that of the upstream that is asked', async (t) => {
  const { ask } = await open(t, '503', { upstream: { timeouts: { header: 'X-Time-Left' } } })
  assert.equal(JSON.parse((await ask()).body).headers['x-time-left'], undefined)
})

test('the log tells of both, and of each what it did', async (t) => {
  const { ask, logged, backup } = await open(t, 'dead')
  await ask()
  const line = await logged((entry) => entry['gateway.fallback'] !== undefined)
  assert.equal(line['gateway.fallback'], 'main: UPSTREAM_REFUSED')
  assert.equal(line['gateway.upstream'], 'main,backup')
  assert.equal(line['gateway.target'], backup.url)
  assert.equal(line['gateway.attempts'], 3, 'two of the first, one of the fallback')
  assert.equal(line['gateway.error.reason'], undefined)
})

test('a WebSocket goes to the fallback, too', async (t) => {
  const { port, backup } = await open(t, 'dead')
  const server = new WebSocketServer({ server: backup.server })
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/x`)
  try {
    await once(socket, 'open')
    socket.send('hello')
    const [data] = await once(socket, 'message')
    assert.equal(String(data), 'hello')
  } finally {
    socket.terminate()
  }
})

const instead = {
  respond: { status: 203, headers: { 'X-From': 'fallback' }, json: { path: `\${request.path}` } },
}

for (const [method, does] of [
  ['GET', 'dead'],
  ['POST', 'reset'],
  ['GET', 'silence'],
] as const) {
  test(`a static answer in place of the error of ${method} to an upstream with ${does}`, async (t) => {
    const upstream = { fallback: undefined, timeouts: { request: '100ms' } }
    const { ask, logged } = await open(t, does, { upstream, route: { fallback: instead } })
    const reply = await ask({ method, ...(method === 'POST' && { body }) })
    assert.deepEqual(
      [reply.status, reply.headers.get('x-from'), reply.body],
      [203, 'fallback', '{"path":"/v1/x"}'],
    )
    const line = await logged((entry) => entry['gateway.fallback'] !== undefined)
    assert.match(
      String(line['gateway.fallback']),
      /^main: (UPSTREAM_REFUSED|UPSTREAM_RESET|UPSTREAM_TIMEOUT)$/,
    )
    assert.equal(line['http.response.status_code'], 203)
  })
}

test('a static answer while the circuit is open, and not before: what a target says is passed on', async (t) => {
  const { ask, main, url } = await open(t, '503', {
    upstream: { fallback: undefined, circuitBreaker: { consecutiveFailures: 2, openFor: '10m' } },
    route: { fallback: instead },
  })
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) statuses.push((await ask()).status)
  assert.deepEqual(statuses, [503, 503, 203, 203])
  assert.equal(main?.requests.length, 2)
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /^gateway_fallbacks_total\{upstream="main"\} 2$/m)
})

test('a static answer when the fallback fails as well', async (t) => {
  const { url, logged } = await startGateway(t, {
    plugins: ['accessLog'],
    upstreams: {
      main: { targets: [{ url: `http://127.0.0.1:${await freePort()}` }], fallback: { upstream: 'backup' } },
      backup: { targets: [{ url: `http://127.0.0.1:${await freePort()}` }] },
    },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'main', auth: 'none', fallback: instead }],
  })
  assert.equal((await fetch(`${url}/v1/x`)).status, 203)
  await logged((line) => line['gateway.fallback'] === 'backup: UPSTREAM_REFUSED')
})

test('a static answer is not for what the gateway refuses', async (t) => {
  const { ask } = await open(t, 'dead', {
    upstream: { fallback: undefined },
    route: { fallback: instead, bodyBytes: '10b' },
  })
  assert.equal((await ask({ method: 'PUT', body })).status, 413)
})

test('a body that nobody has read does not become the next request', async (t) => {
  const { port } = await open(t, 'dead', { upstream: { fallback: undefined }, route: { fallback: instead } })
  const smuggled = 'GET /v1/smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
  const head = `POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length}\r\n\r\n`
  const answer = await rawExchange(port, `${head}${smuggled}`, 1_000)
  assert.equal(answer.match(/HTTP\/1\.1 203/g)?.length, 1)
  assert.doesNotMatch(answer, /smuggled/)
})

test('a mutation that may have been done does not go to the fallback, a query does', async (t) => {
  const door = doors.find(({ name }) => name === 'graphql')
  assert.ok(door)
  const [main, backup] = [await door.start(t), await door.start(t)]
  const targets = (backend: typeof main): unknown =>
    (backend.config({}) as { upstreams: { backend: { targets: unknown } } }).upstreams.backend.targets
  const schema = 'test/traffic/fallback.graphql'
  const { url } = await startGateway(t, {
    upstreams: {
      main: { targets: targets(main), fallback: { upstream: 'backup' } },
      backup: { targets: targets(backup) },
    },
    graphql: { auth: 'none', subgraphs: { users: { upstream: 'main', schema } } },
  })
  main.behaviour.answers = 'fail'
  const ask = (query: string) =>
    fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query }),
    }).then((reply) => reply.json() as Promise<{ data: object; errors?: object[] }>)
  const mutation = await ask('mutation { rename { id } }')
  assert.equal(mutation.errors?.length, 1)
  assert.equal(backup.seen.length, 0)
  assert.deepEqual(await ask('{ me { id } }'), { data: { me: { id: '42' } } })
  assert.deepEqual([main.seen.length, backup.seen.length], [2, 1])
})

test('a gRPC method has a static answer for clients of every kind, and only where nobody answers', async (t) => {
  const door = doors.find(({ name }) => name === 'grpc')
  assert.ok(door)
  const main = await door.start(t)
  const fallback = { respond: { GetUser: { id: 'nobody' } } }
  const { upstreams, grpc } = main.config({ auth: 'none', fallback } as object) as {
    upstreams: { backend: object }
    grpc: object
  }
  const { url, logged } = await startGateway(t, {
    plugins: ['accessLog'],
    grpc,
    upstreams: {
      backend: { ...upstreams.backend, circuitBreaker: { consecutiveFailures: 1, openFor: '10m' } },
    },
  })
  main.behaviour.answers = 'fail'
  assert.equal((await main.ask(url)).status, 503, 'that is the word of the backend')
  assert.deepEqual(await (await main.ask(url)).json(), { id: 'nobody' })
  const post = (headers: Record<string, string>, body: BodyInit) =>
    fetch(`${url}/doors.v1.Users/GetUser`, { method: 'POST', headers, body })
  const connect = await post({ 'Content-Type': 'application/json', 'Connect-Protocol-Version': '1' }, '{}')
  assert.deepEqual([connect.status, await connect.json()], [200, { id: 'nobody' }])
  const web = await post({ 'Content-Type': 'application/grpc-web+proto' }, new Uint8Array(5))
  const bytes = Buffer.from(await web.arrayBuffer())
  assert.deepEqual(bytes.subarray(0, 13), Buffer.from('\0\0\0\0\x08\n\x06nobody', 'latin1'))
  assert.match(bytes.toString('latin1'), /grpc-status: ?0/)
  assert.equal(main.seen.length, 1)
  const line = await logged((entry) => entry['gateway.fallback'] === 'backend: CIRCUIT_OPEN')
  assert.equal(line['rpc.grpc.status_code'], 0)
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /^gateway_fallbacks_total\{upstream="backend"\} 3$/m)
})

test('a stream of gRPC messages goes to the fallback as long as nobody was asked for it', async (t) => {
  const relay = await startRelayBackend(t)
  const quiet = { healthChecks: { passive: { consecutiveErrors: 0 } } }
  const { sum } = await openRelay(
    t,
    { auth: 'none', upstream: 'main' },
    {
      upstreams: {
        main: {
          targets: [{ url: `http://127.0.0.1:${await freePort()}` }],
          circuitBreaker: { consecutiveFailures: 1, openFor: '10m' },
          fallback: { upstream: 'backup' },
          ...quiet,
        },
        backup: { targets: [{ url: relay.url }] },
      },
    },
  )
  const send = async () => {
    const { call, done } = sum()
    for (let number = 1; number <= 3; number++) call.write({ number })
    call.end()
    const { total, error } = await done
    return error?.details ?? Number(total?.sum)
  }
  assert.equal(await send(), 'Upstream "main" refused the connection.')
  assert.equal(await send(), 6, 'the circuit is open now')
})

test('a gRPC method that may have been done does not go to the fallback', async (t) => {
  const door = doors.find(({ name }) => name === 'grpc')
  assert.ok(door)
  const [main, backup] = [await door.start(t), await door.start(t)]
  const { upstreams, ...config } = main.config({ auth: 'none' }) as { upstreams: { backend: object } }
  const second = (backup.config({}) as typeof config & { upstreams: { backend: object } }).upstreams.backend
  const { url } = await startGateway(t, {
    ...config,
    upstreams: { backend: { ...upstreams.backend, fallback: { upstream: 'backup' } }, backup: second },
  })
  main.behaviour.answers = 'fail'
  const reply = await fetch(`${url}/doors.v1.Users/GetUser`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Connect-Protocol-Version': '1' },
    body: '{"id":"1"}',
  })
  assert.deepEqual([reply.status, ((await reply.json()) as { code: string }).code], [503, 'unavailable'])
  assert.equal(backup.seen.length, 0)
  assert.equal((await main.ask(url)).status, 200, 'its GET binding says that it may be done twice')
  assert.equal(backup.seen.length, 1)
})
