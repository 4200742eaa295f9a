import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { doors } from '../doors/door.ts'
import { freePort } from '../services/free-port.ts'
import { startBackend, startGateway } from '../world.ts'

const bad: RequestListener = (_, res) => void res.writeHead(503).end('not now')
const good: RequestListener = (_, res) => void res.end('fine')

/** One target that answers by what `answer` holds; nothing is tried twice. */
async function open(t: TestContext, circuitBreaker: object, upstream: object = {}) {
  const world = { answer: good as (req: IncomingMessage, res: ServerResponse) => void }
  const backend = await startBackend(t, (req, res) => world.answer(req, res))
  const gateway = await startGateway(t, {
    upstreams: {
      pool: {
        targets: [{ url: backend.url }],
        healthChecks: { passive: { consecutiveErrors: 0 } },
        retry: { attempts: 1 },
        circuitBreaker,
        ...upstream,
      },
    },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  const ask = (init?: RequestInit) => fetch(`${gateway.url}/v1/x`, init)
  const status = async (init?: RequestInit): Promise<number> => {
    const reply = await ask(init)
    await reply.arrayBuffer()
    return reply.status
  }
  const metric = async (start: string): Promise<number | undefined> => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text()
    const line = text.split('\n').find((one) => one.startsWith(start))
    return line === undefined ? undefined : Number(line.split(' ').at(-1))
  }
  const state = () => metric('gateway_circuit_breaker_state{upstream="pool",target=""}')
  return {
    ...gateway,
    ...{ world, backend, ask, status, metric, state },
    /** Opens the circuit, and waits until it would let a trial through. */
    async trip(): Promise<void> {
      world.answer = bad
      while ((await state()) === 0) await status()
      while ((await state()) !== 1) await new Promise((resolve) => setTimeout(resolve, 10))
      world.answer = good
    },
  }
}

/** Half open soon, and with trials that may take their time. */
const soon = { consecutiveFailures: 1, openFor: '1500ms' }

test('a trial whose client leaves gives its place back', async (t) => {
  const { world, status, trip, ask, backend } = await open(t, soon)
  await trip()
  const arrived = Promise.withResolvers<IncomingMessage>()
  world.answer = (req) => arrived.resolve(req)
  const leaving = new AbortController()
  const left = ask({ signal: leaving.signal }).catch(() => 'left')
  const trial = await arrived.promise
  assert.equal(await status(), 503)
  world.answer = good
  const closed = new Promise((resolve) => trial.on('error', () => {}).once('close', resolve))
  leaving.abort()
  await Promise.all([left, closed])
  const before = backend.requests.length
  assert.equal(await status(), 200)
  assert.equal(backend.requests.length, before + 1)
})

test('an event stream that lasts is decided by its head', async (t) => {
  const { world, status, trip, ask, state } = await open(t, soon)
  await trip()
  world.answer = (_, res) =>
    void res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n')
  const stream = await ask()
  const reader = stream.body?.getReader()
  await reader?.read()
  assert.equal(await state(), 0, 'closed, though the trial goes on')
  world.answer = good
  assert.equal(await status(), 200)
  await reader?.cancel()
})

test('a WebSocket that lasts is decided by its head', async (t) => {
  const { status, trip, port, state, backend } = await open(t, soon)
  await trip()
  new WebSocketServer({ server: backend.server })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/x`)
  try {
    await once(socket, 'open')
    assert.equal(await state(), 0)
    assert.equal(await status(), 200)
  } finally {
    socket.terminate()
  }
})

test('answers that break off half-way are failures', async (t) => {
  const { world, ask, status, state } = await open(t, { consecutiveFailures: 2, openFor: '10m' })
  world.answer = (_, res) => {
    res.writeHead(200, { 'Content-Length': '100' }).write('half', () => res.destroy())
  }
  for (let i = 0; i < 2; i++) await assert.rejects(async () => (await ask()).arrayBuffer())
  assert.equal(await state(), 2)
  assert.equal(await status(), 503)
})

for (const timeouts of [{ request: '50ms' }, { total: '50ms' }]) {
  test(`no answer within ${JSON.stringify(timeouts)} is a failure`, async (t) => {
    const { world, status, state } = await open(t, { consecutiveFailures: 2, openFor: '10m' }, { timeouts })
    world.answer = () => {}
    for (let i = 0; i < 2; i++) assert.equal(await status(), 504)
    assert.equal(await state(), 2)
  })
}

test('the circuit of an upstream counts what clients get, after all tries', async (t) => {
  const targets = [await startBackend(t, bad), await startBackend(t, good)].map(({ url }) => ({ url }))
  const { url } = await startGateway(t, {
    upstreams: {
      pool: {
        targets,
        healthChecks: { passive: { consecutiveErrors: 0 } },
        retry: { budget: { minPerSecond: 100 } },
        circuitBreaker: { consecutiveFailures: 1 },
      },
    },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  for (let i = 0; i < 10; i++) assert.equal((await fetch(`${url}/v1/x`)).status, 200)
})

test('no healthy target says nothing of a circuit', async (t) => {
  const gone = { url: `http://127.0.0.1:${await freePort()}` }
  const { url, logged, logs } = await startGateway(t, {
    upstreams: {
      pool: {
        targets: [gone],
        healthChecks: { active: { interval: '50ms', unhealthyAfter: 1 } },
        circuitBreaker: { consecutiveFailures: 1 },
      },
    },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  await logged((line) => (line.msg ?? line.message) === 'target is unhealthy')
  for (let i = 0; i < 3; i++) {
    const reply = (await (await fetch(`${url}/v1/x`)).json()) as { reason: string }
    assert.equal(reply.reason, 'NO_HEALTHY_TARGET')
  }
  assert.equal(logs.filter((line) => /^circuit/.test(String(line.msg ?? line.message))).length, 0)
})

test('a half-open target takes one call at a time, also of clients whose cookie names it', async (t) => {
  const held = Promise.withResolvers<void>()
  const world = { answer: good as (req: IncomingMessage, res: ServerResponse) => unknown }
  const one = await startBackend(t, (req, res) => void world.answer(req, res))
  const two = await startBackend(t, good)
  const { url, logged } = await startGateway(t, {
    upstreams: {
      pool: {
        targets: [{ url: one.url }, { url: two.url, weight: 0 }],
        loadBalancing: {
          sticky: { cookie: { name: 'target', secret: 'a secret of the tests', secure: false } },
        },
        healthChecks: { passive: { consecutiveErrors: 0 } },
        retry: { attempts: 1 },
        circuitBreaker: { per: 'target', ...soon },
      },
    },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  const ask = async (headers?: Record<string, string>) => {
    const reply = await fetch(`${url}/v1/x`, headers && { headers })
    await reply.arrayBuffer()
    return reply
  }
  const cookie = (await ask()).headers.get('set-cookie')?.split(';')[0] ?? ''
  assert.match(cookie, /^target=/)
  world.answer = bad
  await ask({ Cookie: cookie })
  assert.equal((await ask({ Cookie: cookie })).status, 503, 'the other one takes nothing new')
  const before = one.requests.length
  world.answer = async (_, res) => {
    await held.promise
    res.end('fine')
  }
  const openLine = await logged((line) => (line.msg ?? line.message) === 'circuit is open')
  assert.equal(openLine['gateway.target'], one.url)
  let refused = 0
  const trials: Promise<Response>[] = []
  while (one.requests.length === before) {
    trials.push(ask({ Cookie: cookie }))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  for (let i = 0; i < 10; i++) if ((await ask({ Cookie: cookie })).status === 503) refused++
  assert.equal(refused, 10)
  assert.equal(one.requests.length, before + 1)
  held.resolve()
  await Promise.all(trials)
  assert.equal((await ask({ Cookie: cookie })).status, 200)
})

test('a client that sends its body slowly is not a slow upstream', async (t) => {
  const { world, port, state } = await open(t, { consecutiveFailures: 1, slowCall: '200ms' })
  world.answer = (req, res) => void req.resume().once('end', () => res.end('fine'))
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('PUT /v1/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n1')
      setTimeout(() => socket.write('2'), 500)
    })
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
  })
  assert.match(answer, /^HTTP\/1\.1 200/)
  assert.equal(await state(), 0)
})

test('deadlines that clients of gRPC set too short do not open a circuit', async (t) => {
  const door = doors.find(({ name }) => name === 'grpc')
  assert.ok(door)
  const backend = await door.start(t)
  const config = backend.config({ auth: 'none' }) as { upstreams: { backend: object } }
  const circuitBreaker = { per: 'both', consecutiveFailures: 1 }
  const upstreams = { backend: { ...config.upstreams.backend, circuitBreaker } }
  const { url, logs } = await startGateway(t, { ...config, upstreams })
  const held = Promise.withResolvers<void>()
  backend.behaviour.until = held.promise
  for (let i = 0; i < 3; i++) assert.equal((await backend.ask(url, { 'Grpc-Timeout': '20m' })).status, 504)
  held.resolve()
  assert.equal((await backend.ask(url)).status, 200)
  assert.equal(logs.filter((line) => /^circuit/.test(String(line.msg ?? line.message))).length, 0)
})

test('changes are counted', async (t) => {
  const { status, trip, metric } = await open(t, soon)
  await trip()
  assert.equal(await status(), 200)
  const changes = 'gateway_circuit_breaker_transitions_total{upstream="pool",target=""'
  for (const to of ['open', 'half_open', 'closed'])
    assert.equal(await metric(`${changes},to="${to}"}`), 1, to)
})
