import assert from 'node:assert/strict'
import { request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Breaker } from '../../src/traffic/breaker.ts'
import { Mirror } from '../../src/traffic/mirror/mirror.ts'
import { Upstream } from '../../src/traffic/upstream.ts'
import { startGateway } from '../world.ts'
import { type Mood, startMoody } from './moody-backend.ts'

/** Settings, backends and clients are drawn by it; how they meet is up to the machine. */
type Random = () => number

const moods: readonly Mood[] = [
  'slow',
  'early',
  'fail',
  'fail early',
  'break',
  'refuse',
  'hang',
  'reset',
  'reset late',
  'half',
  'stop',
  'last',
]

for (const seed of [1, 9, 10, 13]) {
  test(`whatever happens, all is at rest afterwards (seed ${seed})`, async (t) => {
    const random = seeded(seed)
    const watched = watch(t)
    t.mock.method(Math, 'random', random)
    let calm = false
    const mood = (): Mood => (calm || random() < 0.5 ? 'well' : one(moods, random))
    const backends = await Promise.all(Array.from({ length: 8 }, () => startMoody(t, mood)))
    const { gateway, url, logs } = await startGateway(t, configOf(backends, random))
    const clients: Promise<Ended>[] = []
    const asked: Asked[] = []
    for (let i = 0; i < 200; i++) {
      const ask = drawn(`s${seed}-${i}`, random)
      asked.push(ask)
      clients.push(send(url, ask))
      if (i % 5 === 0) await sleep(random() * 20)
    }
    const ended = await within(30_000, 'all clients', Promise.all(clients))
    calm = true

    await rest('the upstreams', () => watched.busy().map((what) => JSON.stringify(what)))
    const settled = (): Map<string, number> => {
      const lines = logs.filter(({ message }) => message === 'exchange settled')
      const ids = lines.map((line) => String(line.request_id))
      return new Map(ids.map((id) => [id, ids.filter((other) => other === id).length]))
    }
    // Who leaves may do so before the gateway has heard of it.
    const staying = asked.filter(({ leavesMs }) => leavesMs === undefined)
    await rest('the exchanges', () => staying.map(({ id }) => id).filter((id) => !settled().has(id)))
    for (const [id, times] of settled()) assert.equal(times, 1, `${id} settled ${times} times`)
    asked.forEach(({ id, leavesMs }, i) => {
      assert.ok(ended[i] !== 'nothing' || leavesMs !== undefined, `${id} got nothing`)
    })
    const byId = new Map(asked.map((ask) => [ask.id, ask]))
    const posts = new Map<string, number>()
    for (const { id, method, body, whole, mirrored } of backends.flatMap(({ arrivals }) => arrivals)) {
      const ask = byId.get(id)
      if (ask === undefined || ask.kind !== 'rest') continue
      if (whole) assert.equal(body, ask.body, `${method} ${id}${mirrored ? ' (copy)' : ''} came otherwise`)
      else assert.ok(ask.body.startsWith(body), `${method} ${id} came otherwise`)
      if (method !== 'POST' || mirrored || ask.repeatable) continue
      posts.set(id, (posts.get(id) ?? 0) + 1)
    }
    for (const [id, times] of posts) assert.equal(times, 1, `POST ${id} was sent ${times} times`)
    await gateway.shutdown()
    await rest('the process', () => {
      const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
      return timers > 1 ? [`${timers} timers`] : []
    })
  })
}

/** One request of a client. */
interface Asked {
  readonly id: string
  readonly kind: 'rest' | 'graphql' | 'grpc'
  readonly method: string
  readonly body: string
  /** It has a key, and so may be sent twice. */
  readonly repeatable: boolean
  /** Between two pieces of the body. */
  readonly sliceMs: number
  /** When the client goes; undefined: it stays. */
  readonly leavesMs: number | undefined
}

/** What a client saw: a whole answer, one that was broken off, none. */
type Ended = 'answer' | 'part' | 'nothing'

function drawn(id: string, random: Random): Asked {
  const kind = one(['rest', 'rest', 'graphql', 'grpc'] as const, random)
  const method =
    kind === 'graphql' ? 'POST' : kind === 'grpc' ? 'GET' : one(['GET', 'PUT', 'POST'] as const, random)
  const bytes = method === 'GET' ? 0 : one([1, 1_000, 20_000, 200_000], random)
  const piece = `${id} `
  const body = kind === 'graphql' ? '{"query":"{ me { id } }"}' : piece.repeat(bytes / piece.length)
  return {
    id,
    kind,
    method,
    body,
    repeatable: random() < 0.3,
    sliceMs: random() < 0.5 ? 0 : random() * 60,
    leavesMs: random() < 0.2 ? random() * 300 : undefined,
  }
}

const paths = { rest: '/v1/x', graphql: '/graphql', grpc: '/v1/grpc/users/42' } as const

function send(url: string, ask: Asked): Promise<Ended> {
  const { id, kind, method, body, repeatable, sliceMs, leavesMs } = ask
  return new Promise((resolve) => {
    const headers = {
      'X-Request-Id': id,
      ...(repeatable && { 'Idempotency-Key': id }),
      ...(kind === 'graphql' && { 'Content-Type': 'application/json' }),
    }
    let began = false
    const req = request(`${url}${paths[kind]}`, { method, headers, agent: false }, (res) => {
      began = true
      res
        .resume()
        .on('error', () => {})
        .once('close', () => resolve(res.complete ? 'answer' : 'part'))
    })
    req.on('error', () => {}).once('close', () => began || resolve('nothing'))
    if (leavesMs !== undefined) setTimeout(() => req.destroy(), leavesMs)
    void write(req, { body, sliceMs })
  })
}

async function write(
  req: ReturnType<typeof request>,
  { body, sliceMs }: Pick<Asked, 'body' | 'sliceMs'>,
): Promise<void> {
  const size = sliceMs === 0 ? body.length : Math.ceil(body.length / 4)
  for (let at = 0; at < body.length; at += size) {
    if (req.destroyed) return
    req.write(body.slice(at, at + size))
    if (sliceMs > 0) await sleep(sliceMs)
  }
  req.end()
}

function configOf(backends: readonly { readonly url: string; readonly rpcUrl: string }[], random: Random) {
  const maybe = <T>(value: T): T | undefined => (random() < 0.5 ? value : undefined)
  const upstream = (numbers: readonly number[], scheme: 'url' | 'rpcUrl', more: object = {}): object => {
    const attempts = one([1, 2, 3], random)
    const hedge = { after: one(['0s', '20ms', '80ms'], random) }
    const isSticky = random() < 0.3
    const hedges = attempts > 1 && numbers.length > 1 && !isSticky
    return {
      targets: numbers.map((number) => ({ url: backends[number]?.[scheme] })),
      timeouts: {
        perTry: one(['60ms', '200ms', '0s'], random),
        request: '700ms',
        idle: '300ms',
        total: one(['0s', '400ms', '2s'], random),
        header: 'X-Time-Left',
      },
      retry: {
        attempts,
        ...(hedges && { hedge }),
        budget: { percent: 100 },
      },
      concurrency: maybe({ max: 6, queue: one([0, 5, 100], random), queueTimeout: '150ms' }),
      circuitBreaker: maybe({
        per: one(['upstream', 'target', 'both'], random),
        openFor: '150ms',
        consecutiveFailures: 3,
        slowCall: maybe('100ms'),
        halfOpenMax: one([1, 3], random),
      }),
      loadBalancing: {
        policy: one(['roundRobin', 'peakEwma', 'leastConnections', 'p2c'], random),
        sticky: isSticky ? { cookie: { name: 'side', secret: 'x'.repeat(32), secure: false } } : undefined,
      },
      healthChecks: { passive: { consecutiveErrors: 3, ejectFor: '200ms' } },
      connections: { max: one([2, 64], random) },
      ...more,
    }
  }
  const group = (name: string, scheme: 'url' | 'rpcUrl') => ({
    [name]: upstream([0, 1, 2], scheme, { fallback: { upstream: `${name}-backup` } }),
    [`${name}-backup`]: upstream([3, 4], scheme),
    [`${name}-next`]: upstream([5, 6], scheme, { fallback: maybe({ upstream: `${name}-backup` }) }),
    [`${name}-copy`]: upstream([7], scheme),
  })
  const place = (name: string) => ({
    upstream: name,
    canary: {
      upstream: `${name}-next`,
      stickyBy: ['header:x-request-id'],
      steps: [{ weight: 40 }],
      analysis: { minRequests: 100_000 },
    },
    mirror: {
      upstream: `${name}-copy`,
      percent: one([50, 100], random),
      maxInFlight: 10,
      timeout: '300ms',
      compare: random() < 0.5,
    },
  })
  return {
    plugins: ['requestId', 'accessLog'],
    server: { trustedProxies: ['127.0.0.1'] },
    upstreams: { ...group('http', 'url'), ...group('rpc', 'rpcUrl') },
    routes: [{ id: 'all', path: '/v1/x', auth: 'none', ...place('http') }],
    graphql: { auth: 'none', subgraphs: { users: { schema: 'test/doors/users.graphql', ...place('http') } } },
    grpc: {
      protos: ['test/doors/doors.proto'],
      includeDirs: ['test/doors'],
      services: { 'doors.v1.Users': { auth: 'none', ...place('rpc') } },
    },
  }
}

/** Sees what the gateway has made, and what is out. */
function watch(t: TestContext): { busy(): object[] } {
  const upstreams = new Set<Upstream>()
  const mirrors = new Set<Mirror>()
  const out = new Map<Breaker, number>()
  const { pick, pickForCopy } = Upstream.prototype
  t.mock.method(Upstream.prototype, 'pick', function (this: Upstream, ...args: Parameters<typeof pick>) {
    upstreams.add(this)
    return pick.apply(this, args)
  })
  t.mock.method(
    Upstream.prototype,
    'pickForCopy',
    function (this: Upstream, ...args: Parameters<typeof pickForCopy>) {
      upstreams.add(this)
      return pickForCopy.apply(this, args)
    },
  )
  const { take } = Mirror.prototype
  t.mock.method(Mirror.prototype, 'take', function (this: Mirror, ...args: Parameters<typeof take>) {
    mirrors.add(this)
    take.apply(this, args)
  })
  const { enter, settle } = Breaker.prototype
  const count = (breaker: Breaker, passes: number): void =>
    void out.set(breaker, (out.get(breaker) ?? 0) + passes)
  t.mock.method(Breaker.prototype, 'enter', function (this: Breaker, now: number) {
    const pass = enter.call(this, now)
    if (pass !== 0) count(this, 1)
    return pass
  })
  t.mock.method(Breaker.prototype, 'settle', function (this: Breaker, ...args: Parameters<typeof settle>) {
    if (args[0] !== 0) count(this, -1)
    settle.apply(this, args)
  })
  return {
    busy: () => [
      ...[...upstreams].flatMap(({ name, endpoints, gate }) => {
        const active = endpoints.map((endpoint) => endpoint.active)
        const { inFlight = 0, queued = 0 } = gate ?? {}
        return active.some((number) => number !== 0) || inFlight !== 0 || queued !== 0
          ? [{ name, active, inFlight, queued }]
          : []
      }),
      ...[...mirrors].flatMap(({ inFlight, options: { place } }) =>
        inFlight === 0 ? [] : [{ place, inFlight }],
      ),
      ...[...out.values()].flatMap((passes) => (passes === 0 ? [] : [{ passes }])),
    ],
  }
}

/** Resolves when nothing is left, which must be within ten seconds. */
async function rest(whose: string, left: () => string[]): Promise<void> {
  const lastAt = performance.now() + 10_000
  while (left().length > 0) {
    assert.ok(performance.now() < lastAt, `${whose} did not come to rest: ${left().join(', ')}`)
    await sleep(20)
  }
}

async function within<T>(limitMs: number, what: string, promise: Promise<T>): Promise<T> {
  const stop = new AbortController()
  const late = sleep(limitMs, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`${what} did not end in ${limitMs} ms`)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    stop.abort()
    late.catch(() => {})
  }
}

function one<T>(choices: readonly T[], random: Random): T {
  return choices[Math.floor(random() * choices.length)] as T
}

/** Mulberry32. */
function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
