import assert from 'node:assert/strict'
import dns from 'node:dns'
import { describe, type TestContext, test } from 'node:test'
import { startGateway } from '../world.ts'
import { type Door, doors } from './door.ts'
import { type RawBackend, startRawBackend } from './raw-backend.ts'

/** One try, and a target is out at its first failure: whatever goes wrong shows. */
const strict = {
  retry: { attempts: 1 },
  healthChecks: { passive: { consecutiveErrors: 1, maxEjectedPercent: 100 } },
}

async function open(t: TestContext, door: Door, urls: readonly string[], upstream: object = strict) {
  const pattern = await door.start(t)
  const targets = urls.map((url) => ({ url }))
  const gateway = await startGateway(t, {
    plugins: ['accessLog'],
    ...pattern.config({ auth: 'none' }),
    upstreams: { backend: { targets, ...upstream } },
  })
  const isEjected = (): boolean =>
    gateway.logs.some((line) => (line.msg ?? line.message) === 'target is ejected')
  return { gateway, isEjected, ask: () => pattern.ask(gateway.url) }
}

const total = ({ requests }: RawBackend): number => requests.reduce((sum, count) => sum + count, 0)

for (const door of doors) {
  describe(`connections at the ${door.name} door`, () => {
    for (const how of ['fin', 'rst'] as const) {
      test(`a kept connection that its backend closes (${how}) under a request costs nothing`, async (t) => {
        const backend = await startRawBackend(t, door, (request) => (request === 0 ? 'answer' : how))
        const { ask, isEjected } = await open(t, door, [backend.url])
        for (let i = 0; i < 6; i++) {
          const reply = await ask()
          assert.equal(reply.status, 200)
          assert.match(await reply.text(), /"id":\s*"42"/)
        }
        assert.ok(backend.requests.includes(2), 'a kept connection was used again')
        assert.equal(isEjected(), false, 'nobody is to blame')
      })

      test(`a new connection that its backend closes (${how}) under a request is its failure`, async (t) => {
        const backend = await startRawBackend(t, door, () => how)
        const { ask, isEjected } = await open(t, door, [backend.url])
        const reply = await ask()
        assert.doesNotMatch(await reply.text(), /"id":\s*"42"/)
        assert.equal(total(backend), 1)
        assert.ok(isEjected())
      })
    }

    test('a kept connection that breaks within the answer is a failure of its target', async (t) => {
      const backend = await startRawBackend(t, door, (request) => (request === 0 ? 'answer' : 'begin'))
      const { ask, isEjected } = await open(t, door, [backend.url])
      assert.match(await (await ask()).text(), /"id":\s*"42"/)
      assert.doesNotMatch(await (await ask()).text(), /"id":\s*"42"/)
      assert.ok(isEjected())
      assert.deepEqual(backend.requests, [2])
    })

    test('who waits for a free connection waits no longer than a call may take', async (t) => {
      const backend = await startRawBackend(t, door, () => 'nothing')
      const { ask, gateway } = await open(t, door, [backend.url], {
        connections: { max: 1 },
        timeouts: { request: '300ms' },
      })
      const replies = await Promise.all([ask(), ask(), ask()])
      for (const reply of replies) assert.match(await reply.text(), /UPSTREAM_TIMEOUT/)
      assert.ok(backend.requests.length <= 1 + replies.length, String(backend.requests))
      const lines = gateway.logs.filter((line) => 'gateway.duration_ms' in line)
      for (const line of lines) assert.ok(Number(line['gateway.duration_ms']) < 10_000)
    })

    test('a backend that dies with all its connections is asked once more, and then another', async (t) => {
      const dying = await startRawBackend(t, door, (request, connection) =>
        request === 0 && connection === 0 ? 'answer' : 'rst',
      )
      const living = await startRawBackend(t, door, () => 'answer')
      const { ask, isEjected } = await open(t, door, [dying.url, living.url], {
        ...strict,
        retry: { attempts: 2 },
      })
      for (let i = 0; i < 10; i++) assert.equal((await ask()).status, 200)
      assert.ok(isEjected(), 'a new connection that breaks, too, is the fault of the target')
    })

    test('traffic follows a name to its new address, and no request is lost', async (t) => {
      let address = '127.0.0.1'
      mockLookup(t, () => address)
      const old = await startRawBackend(t, door, () => 'answer')
      const { ask, isEjected } = await open(t, door, [`http://backend.test:${old.port}`], {
        ...strict,
        connections: { maxAge: '1s' },
      })
      assert.equal((await ask()).status, 200)
      const moved = await startRawBackend(t, door, () => 'answer', { host: '127.0.0.2', port: old.port })
      address = '127.0.0.2'
      const startedAt = performance.now()
      while (total(moved) === 0) {
        assert.equal((await ask()).status, 200)
        assert.ok(performance.now() - startedAt < 30_000)
      }
      const before = total(old)
      for (let i = 0; i < 5; i++) assert.equal((await ask()).status, 200)
      assert.equal(total(old), before)
      assert.equal(isEjected(), false)
    })

    test('a resolver that is out for a moment stops nobody', async (t) => {
      let out = false
      mockLookup(t, () => (out ? undefined : '127.0.0.1'))
      const backend = await startRawBackend(t, door, () => 'answerLast')
      const { ask } = await open(t, door, [`http://backend.test:${backend.port}`])
      assert.equal((await ask()).status, 200)
      out = true
      for (let i = 0; i < 5; i++) assert.equal((await ask()).status, 200)
      assert.ok(backend.requests.length > 1, 'there were new connections')
    })
  })
}

/** RFC 9110 section 9.2.2, RFC 9112 section 9.3.1: what is not idempotent is not repeated. */
const posts: readonly [Door['name'], (url: string) => Promise<Response>][] = [
  ['rest', (url) => fetch(`${url}/v1/users/42`, { method: 'POST', body: '{}' })],
  [
    'grpc',
    (url) =>
      fetch(`${url}/doors.v1.Users/GetUser`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Connect-Protocol-Version': '1' },
        body: '{"id":"42"}',
      }),
  ],
]

for (const [name, post] of posts) {
  const door = doors.find((one) => one.name === name) as Door
  test(`a POST on such a connection at the ${name} door fails, is sent once, and nobody is blamed`, async (t) => {
    const backend = await startRawBackend(t, door, (request) => (request === 0 ? 'answer' : 'rst'))
    const pattern = await door.start(t)
    const config = pattern.config({ auth: 'none' }) as { routes?: readonly object[] }
    const gateway = await startGateway(t, {
      ...config,
      ...(config.routes && {
        routes: config.routes.map((route) => ({ ...route, methods: ['GET', 'POST'] })),
      }),
      upstreams: { backend: { targets: [{ url: backend.url }], ...strict, retry: { attempts: 3 } } },
    })
    assert.equal((await pattern.ask(gateway.url)).status, 200)
    const reply = await post(gateway.url)
    assert.ok(reply.status === 502 || reply.status === 503, String(reply.status))
    await reply.text()
    assert.deepEqual(backend.requests, [2])
    assert.equal((await post(gateway.url)).status, 200)
    assert.ok(!gateway.logs.some((line) => (line.msg ?? line.message) === 'target is ejected'))
  })
}

/** `backend.test` is at this address; undefined: the resolver has no answer now. */
function mockLookup(t: TestContext, address: () => string | undefined): void {
  const real = dns.lookup
  type Found = (error: Error | null, found: dns.LookupAddress[]) => void
  t.mock.method(dns, 'lookup', (name: string, options: dns.LookupAllOptions, found: Found) => {
    if (name !== 'backend.test') return real(name, options, found)
    const at = address()
    const error = Object.assign(new Error(`getaddrinfo EAI_AGAIN ${name}`), {
      code: 'EAI_AGAIN',
      syscall: 'getaddrinfo',
    })
    process.nextTick(() => (at === undefined ? found(error, []) : found(null, [{ address: at, family: 4 }])))
  })
}
