import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { retryAfterMs } from '../../src/traffic/retry-after.ts'
import { startBackend, startGateway } from '../world.ts'

const silent: RequestListener = () => {}

/** Two targets, asked in turn; the first answers by `first`, the second with what it got. */
async function open(t: TestContext, first: RequestListener, upstream: object = {}) {
  const one = await startBackend(t, first)
  const two = await startBackend(t)
  const gateway = await startGateway(t, {
    plugins: ['accessLog'],
    upstreams: { pool: { targets: [{ url: one.url }, { url: two.url }], ...upstream } },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  const ask = (init?: RequestInit) => fetch(`${gateway.url}/v1/x`, init)
  const seen = () => [one.requests.length, two.requests.length]
  const metric = async (name: string, more = ''): Promise<number> => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text()
    return Number(new RegExp(`^${name}\\{upstream="pool"${more}\\} (\\d+)$`, 'm').exec(text)?.[1])
  }
  return { ...gateway, one, two, ask, seen, metric }
}

test('a target that does not answer in the time for one try is left, and another is asked', async (t) => {
  const { ask, one, seen, metric, logged } = await open(t, silent, { timeouts: { perTry: '100ms' } })
  assert.equal((await ask()).status, 200)
  assert.deepEqual(seen(), [1, 1])
  assert.equal(await metric('gateway_retries_total', ',outcome="ok"'), 1)
  assert.equal(await metric('gateway_retries_total', ',outcome="failed"'), 0)
  const line = await logged((entry) => entry['gateway.attempts'] === 2)
  assert.equal(line['gateway.retried'], `${one.url}: UPSTREAM_TIMEOUT`)
})

test('the log says of a dropped answer what its status was, and of a call with one try nothing', async (t) => {
  const { ask, one, logged } = await open(t, (_, res) => void res.writeHead(503).end())
  assert.equal((await ask()).status, 200)
  const line = await logged((entry) => entry['gateway.attempts'] === 2)
  assert.equal(line['gateway.retried'], `${one.url}: status 503`)
  assert.equal((await ask()).status, 200)
  const other = await logged((entry) => entry['gateway.attempts'] === 1)
  assert.equal('gateway.retried' in other, false)
})

test('what may not be done twice has no limit of one try', async (t) => {
  const { ask, seen } = await open(t, silent, { timeouts: { perTry: '50ms', request: '400ms' } })
  assert.equal((await ask({ method: 'POST', body: 'x' })).status, 504)
  assert.deepEqual(seen(), [1, 0])
})

test('nor has the last try, nor the only target', async (t) => {
  const slow: RequestListener = (_, res) => void setTimeout(() => res.end('late'), 300)
  const last = await open(t, slow, { timeouts: { perTry: '50ms' }, retry: { attempts: 1 } })
  assert.equal((await last.ask()).status, 200)
  const backend = await startBackend(t, slow)
  const { url } = await startGateway(t, {
    upstreams: { only: { targets: [{ url: backend.url }], timeouts: { perTry: '50ms' } } },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'only', auth: 'none' }],
  })
  assert.equal((await fetch(`${url}/v1/x`)).status, 200)
  assert.equal(backend.requests.length, 1)
})

test('an answer that began in time is not broken off', async (t) => {
  const { ask } = await open(
    t,
    (_, res) => {
      res.write('first ')
      setTimeout(() => res.end('last'), 300)
    },
    { timeouts: { perTry: '100ms' } },
  )
  assert.equal(await (await ask()).text(), 'first last')
})

test('a call that takes longer than it may as a whole is broken off: 504 F50402 before the head', async (t) => {
  const { ask } = await open(t, silent, { timeouts: { total: '100ms' } })
  const response = await ask({ method: 'POST', body: 'x' })
  const problem = (await response.json()) as { code: string; reason: string }
  assert.deepEqual([response.status, problem.code, problem.reason], [504, 'F50402', 'DEADLINE_EXCEEDED'])
})

test('and with a visible end in the middle of the answer', async (t) => {
  const { ask } = await open(
    t,
    (_, res) => {
      const timer = setInterval(() => res.write('more '), 20)
      res.once('close', () => clearInterval(timer))
    },
    { timeouts: { total: '200ms' } },
  )
  const response = await ask()
  assert.equal(response.status, 200)
  await assert.rejects(response.text())
})

test('the upstream is told how much time is left', async (t) => {
  const { ask } = await open(t, (_, res) => void res.writeHead(503).end(), {
    timeouts: { request: '5s', header: 'X-Time-Left' },
  })
  const { headers } = (await (await ask()).json()) as { headers: Record<string, string> }
  assert.match(headers['x-time-left'] ?? '', /^\d+$/)
  assert.ok(Number(headers['x-time-left']) > 3_000 && Number(headers['x-time-left']) <= 5_000)
})

const afterTheBody: RequestListener = (req, res) => {
  req.resume().once('end', () => res.writeHead(503).end())
}
const body = 'all of it '.repeat(6_000)

for (const [what, init, upstream] of [
  ['a PUT', { method: 'PUT' }, {}],
  ['a DELETE', { method: 'DELETE' }, {}],
  ['a POST with Idempotency-Key', { method: 'POST', headers: { 'Idempotency-Key': '"8e03978e"' } }, {}],
  ['a PATCH by option', { method: 'PATCH' }, { retry: { nonIdempotent: true } }],
] as const) {
  test(`the body of ${what} is sent again, whole`, async (t) => {
    const { ask, seen } = await open(t, afterTheBody, upstream)
    const echoed = (await (await ask({ ...init, body })).json()) as { method: string; body: string }
    assert.deepEqual([echoed.method, echoed.body === body], [init.method, true])
    assert.deepEqual(seen(), [1, 1])
  })
}

test('a body of which only a part was read is sent again, whole', async (t) => {
  const { ask } = await open(t, (req, res) => {
    req.once('data', () => res.writeHead(503, { Connection: 'close' }).end())
  })
  const pieces = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (sent++ === 20) controller.close()
      else controller.enqueue(Buffer.from(`piece ${sent} `))
      await new Promise((resolve) => setTimeout(resolve, 5))
    },
  })
  let sent = 0
  const init = { method: 'PUT', body: pieces, duplex: 'half' } as RequestInit
  const echoed = (await (await ask(init)).json()) as { body: string }
  assert.equal(echoed.body, Array.from({ length: 20 }, (_, i) => `piece ${i + 1} `).join(''))
})

test('the connection of a client whose PUT was answered early takes its next request', async (t) => {
  const { url } = await open(t, (_, res) => void res.writeHead(400).end('no'), { retry: { attempts: 2 } })
  for (let i = 0; i < 6; i++) {
    const response = await fetch(`${url}/v1/x`, { method: 'PUT', body: 'x'.repeat(60_000) })
    await response.text()
    assert.ok([200, 400].includes(response.status))
  }
})

for (const [what, init, upstream] of [
  ['a POST', { method: 'POST' }, {}],
  [
    'a POST with Idempotency-Key by option',
    { method: 'POST', headers: { 'Idempotency-Key': '"1"' } },
    { retry: { idempotencyKey: false } },
  ],
  ['a PUT where no body is kept', { method: 'PUT' }, { retry: { maxBodyBytes: '0kb' } }],
] as const) {
  test(`the body of ${what} is not sent again`, async (t) => {
    const { ask, seen } = await open(t, afterTheBody, upstream)
    assert.equal((await ask({ ...init, body })).status, 503)
    assert.deepEqual(seen(), [1, 0])
  })
}

test('Retry-After is waited for where there is no other target, up to a limit (RFC 9110 section 10.2.3)', async (t) => {
  let asked = 0
  const backend = await startBackend(t, (_, res) => {
    if (++asked % 2 === 1) res.writeHead(503, { 'Retry-After': asked === 1 ? '1' : '2' }).end('later')
    else res.end('now')
  })
  const { url } = await startGateway(t, {
    upstreams: { only: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'only', auth: 'none' }],
  })
  const began = performance.now()
  assert.equal((await fetch(`${url}/v1/x`)).status, 200)
  assert.ok(performance.now() - began >= 990)
  const response = await fetch(`${url}/v1/x`)
  assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '2'])
})

test('Retry-After is a number of seconds or a date', () => {
  assert.equal(retryAfterMs(undefined), undefined)
  assert.equal(retryAfterMs('120'), 120_000)
  const inAnHour = retryAfterMs(new Date(Date.now() + 3_600_000).toUTCString()) ?? 0
  assert.ok(inAnHour > 3_590_000 && inAnHour <= 3_600_000)
  assert.equal(retryAfterMs('Fri, 31 Dec 1999 23:59:59 GMT'), 0)
  assert.equal(retryAfterMs('soon'), undefined)
})

const hedge = { retry: { hedge: { after: '50ms' } } }

test('a GET whose target is silent is asked of a second one; the first is let go, and nobody is blamed', async (t) => {
  const left = Promise.withResolvers<void>()
  const { ask, seen, metric, gateway } = await open(
    t,
    (_, res) => void res.once('close', () => left.resolve()),
    { ...hedge, healthChecks: { passive: { consecutiveErrors: 1 } } },
  )
  assert.equal((await ask()).status, 200)
  await left.promise
  assert.deepEqual(seen(), [1, 1])
  assert.equal(await metric('gateway_hedges_total'), 1)
  assert.equal(await metric('gateway_retries_total', ',outcome="ok"'), 0)
  const { upstreams } = await gateway.status()
  assert.deepEqual(
    upstreams[0]?.targets.map(({ healthy }) => healthy),
    [undefined, undefined],
  )
})

test('the answer that comes first counts, also when it is that of the first target', async (t) => {
  const one = await startBackend(t, (_, res) => void setTimeout(() => res.end('one'), 200))
  const asked = Promise.withResolvers<void>()
  const two = createServer(() => asked.resolve()).listen(0, '127.0.0.1')
  await once(two, 'listening')
  t.after(() => two.closeAllConnections())
  t.after(() => two.close())
  const { url } = await startGateway(t, {
    upstreams: {
      pool: {
        targets: [{ url: one.url }, { url: `http://127.0.0.1:${(two.address() as AddressInfo).port}` }],
        ...hedge,
      },
    },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  assert.equal(await (await fetch(`${url}/v1/x`)).text(), 'one')
  await asked.promise
})

test('a hedged call fails when both have failed, with one answer', async (t) => {
  const failing: RequestListener = (req) => void setTimeout(() => req.socket.destroy(), 100)
  const one = await startBackend(t, failing)
  const two = await startBackend(t, failing)
  const { url } = await startGateway(t, {
    upstreams: { pool: { targets: [{ url: one.url }, { url: two.url }], ...hedge } },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  assert.equal((await fetch(`${url}/v1/x`)).status, 502)
  assert.deepEqual([one.requests.length, two.requests.length], [1, 1])
})

for (const [what, init, upstream] of [
  ['a POST', { method: 'POST', body: 'x' }, hedge],
  ['a PUT', { method: 'PUT', body: 'x' }, hedge],
  [
    'a GET beyond the budget',
    {},
    { retry: { hedge: { after: '50ms' }, budget: { percent: 0, minPerSecond: 0 } } },
  ],
] as const) {
  test(`${what} is not hedged`, async (t) => {
    const { ask, seen } = await open(t, (_, res) => void setTimeout(() => res.end('late'), 250), upstream)
    assert.equal(await (await ask(init)).text(), 'late')
    assert.deepEqual(seen(), [1, 0])
  })
}

test('a client that leaves takes both attempts with it', async (t) => {
  const closed = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
  const asked = Promise.withResolvers<void>()
  const one = await startBackend(t, (_, res) => void res.once('close', () => closed[0].resolve()))
  const two = await startBackend(t, (_, res) => {
    res.once('close', () => closed[1].resolve())
    asked.resolve()
  })
  const { url } = await startGateway(t, {
    upstreams: { pool: { targets: [{ url: one.url }, { url: two.url }], ...hedge } },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  const controller = new AbortController()
  const answer = fetch(`${url}/v1/x`, { signal: controller.signal })
  await asked.promise
  controller.abort()
  await assert.rejects(answer)
  await Promise.all([closed[0].promise, closed[1].promise])
})
