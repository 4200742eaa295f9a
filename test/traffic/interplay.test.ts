import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type RequestListener, request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError } from '../../src/core/error.ts'
import type { Exchange } from '../../src/core/exchange.ts'
import type { Attempt } from '../../src/traffic/attempt.ts'
import { Call } from '../../src/traffic/call.ts'
import { dispatch } from '../../src/traffic/dispatch.ts'
import { startBackend, startGateway } from '../world.ts'
import { mirrorFigures, startFrozen } from './mirror-world.ts'
import { plainDestination, plainRetry, plainUpstream } from './plain-upstream.ts'

// Features of an upstream that are well alone, together.

/** Reads a request to its end, and answers. */
const well: RequestListener = (req, res) => void req.resume().once('end', () => res.end('well'))

async function open(t: TestContext, targets: readonly RequestListener[], upstream: object) {
  const backends = await Promise.all(targets.map((target) => startBackend(t, target)))
  const gateway = await startGateway(t, {
    upstreams: { pool: { targets: backends.map(({ url }) => ({ url })), ...upstream } },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  return { ...gateway, backends, seen: () => backends.map(({ requests }) => requests.length) }
}

/** A PUT whose client takes its time between two halves of its body; 0: for ever. Resolves with the status. */
async function putSlowly(url: string, pauseMs: number): Promise<number | undefined> {
  const req = request(`${url}/v1/x`, { method: 'PUT', agent: false })
  const answered = once(req, 'response')
  req.on('error', () => {}).write('first ')
  if (pauseMs > 0) setTimeout(() => req.end('last'), pauseMs)
  const [res] = await answered
  if (pauseMs > 0) await once(res.resume(), 'close')
  else req.destroy()
  return res.statusCode
}

test('a client that sends its body slowly is no try that takes too long', async (t) => {
  const { url, seen, gateway } = await open(t, [well, well], {
    timeouts: { perTry: '100ms' },
    healthChecks: { passive: { consecutiveErrors: 1 } },
  })
  assert.equal(await putSlowly(url, 400), 200)
  assert.deepEqual(seen(), [1, 0])
  const { upstreams } = await gateway.status()
  assert.doesNotMatch(JSON.stringify(upstreams), /ejected for/)
})

test('but the target has the time of one try from the last byte on', async (t) => {
  const silent: RequestListener = (req) => void req.resume()
  const { url, seen } = await open(t, [silent, well], { timeouts: { perTry: '100ms', request: '0s' } })
  assert.equal(await putSlowly(url, 250), 200)
  assert.deepEqual(seen(), [1, 1])
})

test('so has one that does not read the body', async (t) => {
  const deaf: RequestListener = () => {}
  const { url, seen } = await open(t, [deaf, well], {
    timeouts: { perTry: '200ms', request: '0s' },
    retry: { maxBodyBytes: '64mb' },
  })
  const reply = await fetch(`${url}/v1/x`, { method: 'PUT', body: Buffer.alloc(9_000_000) })
  assert.equal(reply.status, 200)
  assert.deepEqual(seen(), [1, 1])
})

test('a body that was too large to be kept has no limit of one try: nobody else could be asked', async (t) => {
  const late: RequestListener = (req, res) =>
    void req.resume().once('end', () => setTimeout(() => res.end('late'), 300))
  const { url, seen } = await open(t, [late, well], { timeouts: { perTry: '100ms' } })
  const reply = await fetch(`${url}/v1/x`, { method: 'PUT', body: 'x'.repeat(200_000) })
  assert.equal(await reply.text(), 'late')
  assert.deepEqual(seen(), [1, 0])
})

test('a client that does not send its body in the time for all takes no target out', async (t) => {
  const { url, gateway } = await open(t, [well], {
    timeouts: { total: '150ms' },
    healthChecks: { passive: { consecutiveErrors: 1, maxEjectedPercent: 100 } },
    circuitBreaker: { consecutiveFailures: 1 },
  })
  assert.equal(await putSlowly(url, 0), 504)
  const { upstreams } = await gateway.status()
  assert.doesNotMatch(JSON.stringify(upstreams), /ejected for/)
  assert.equal((await fetch(`${url}/v1/x`)).status, 200)
})

test('the time for all ends the pause before another try, too', async (t) => {
  const busy: RequestListener = (_, res) => void res.writeHead(503, { 'Retry-After': '60' }).end()
  const { url, seen } = await open(t, [busy], {
    timeouts: { total: '200ms', request: '0s' },
    retry: { maxRetryAfter: '2m' },
  })
  const reply = await fetch(`${url}/v1/x`, { signal: AbortSignal.timeout(20_000) })
  assert.equal(reply.status, 504)
  assert.deepEqual(seen(), [1])
})

test('the wait for a turn does not make an upstream slow', async (t) => {
  const first = Promise.withResolvers<void>()
  const head = Promise.withResolvers<void>()
  const { url, logs } = await open(
    t,
    [
      (req, res) => {
        if (req.url !== '/v1/first') return void res.end('well')
        res.write('a')
        head.resolve()
        void first.promise.then(() => res.end('b'))
      },
    ],
    {
      concurrency: { max: 1, queue: 10, queueTimeout: '1m' },
      circuitBreaker: { consecutiveFailures: 1, slowCall: '300ms' },
    },
  )
  const long = fetch(`${url}/v1/first`).then((reply) => reply.text())
  await head.promise
  const waiting = fetch(`${url}/v1/x`)
  await sleep(500)
  first.resolve()
  assert.equal(await long, 'ab')
  assert.equal(await (await waiting).text(), 'well')
  assert.deepEqual(
    logs.filter((line) => String(line.message).startsWith('circuit')),
    [],
  )
})

test('a canary that has as many calls as it takes is not one that fails', async (t) => {
  const held = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  const next = await startBackend(t, (_, res) => {
    arrived.resolve()
    void held.promise.then(() => res.end('next'))
  })
  const stable = await startBackend(t, well)
  const { url, gateway } = await startGateway(t, {
    upstreams: {
      pool: { targets: [{ url: stable.url }] },
      next: { targets: [{ url: next.url }], concurrency: { max: 1 } },
    },
    routes: [
      {
        id: 'all',
        path: '/v1/**',
        upstream: 'pool',
        auth: 'none',
        canary: { upstream: 'next', steps: [{ weight: 100 }] },
      },
    ],
  })
  const one = fetch(`${url}/v1/x`).then((reply) => reply.text())
  await arrived.promise
  assert.equal(await (await fetch(`${url}/v1/x`)).text(), 'well')
  held.resolve()
  assert.equal(await one, 'next')
  assert.equal(gateway.canaries.get('all')?.counts.canary.failed, 0)
})

test('a call that its fallback takes is offered to its mirror once', async (t) => {
  const frozen = await startFrozen(t)
  const failing = await startBackend(t, (_, res) => void res.writeHead(503).end())
  const backup = await startBackend(t, well)
  const { url } = await startGateway(t, {
    upstreams: {
      pool: { targets: [{ url: failing.url }], fallback: { upstream: 'backup' } },
      backup: { targets: [{ url: backup.url }] },
      copies: { targets: [{ url: frozen.url }] },
    },
    routes: [
      {
        id: 'all',
        path: '/v1/**',
        upstream: 'pool',
        auth: 'none',
        mirror: { upstream: 'copies', maxInFlight: 1, timeout: '1m' },
      },
    ],
  })
  for (let i = 0; i < 3; i++) assert.equal(await (await fetch(`${url}/v1/x`)).text(), 'well')
  assert.equal((await mirrorFigures(url, 'all')).skipped, 2)
})

test('a hedged call whose answer breaks off says so, not that another attempt was faster', async () => {
  const upstream = plainUpstream('pool', ['http://127.0.0.1:1', 'http://127.0.0.1:2'], {
    retry: { ...plainRetry(2), hedgeAfterMs: 1 },
  })
  class Ask extends Call {
    readonly method = 'GET'
  }
  const x = { calls: [], hooks: { onCall: [], onTurn: [] }, whenGone() {}, header() {}, committed: false }
  const call = new Ask(x as unknown as Exchange, plainDestination(upstream), {
    headers: [],
    idempotent: true,
    replayable: true,
    hedgeable: true,
  })
  const attempts: Attempt<Ask>[] = []
  const both = Promise.withResolvers<void>()
  const result = dispatch(call, {
    send: (one: Attempt<Ask>) =>
      new Promise((_, reject) => {
        attempts.push(one)
        one.onCancel((error) => setImmediate(reject, error))
        if (attempts.length === 1) return
        void both.promise.then(() => {
          one.answered()
          reject(new GatewayError('UPSTREAM_RESET', 'broken off'))
        })
        both.resolve()
      }),
  })
  await assert.rejects(result, { reason: 'UPSTREAM_RESET' })
  assert.deepEqual(
    upstream.endpoints.map(({ active }) => active),
    [0, 0],
  )
  await upstream.close()
})
