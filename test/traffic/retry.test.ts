import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { type TestContext, test } from 'node:test'
import { RetryBudget } from '../../src/traffic/retry-budget.ts'
import { startBackend, startGateway } from '../world.ts'

/** Two targets, asked in turn; the first answers by `first`. */
async function open(t: TestContext, first: RequestListener, upstream: object = {}) {
  const one = await startBackend(t, first)
  const two = await startBackend(t)
  const { url } = await startGateway(t, {
    upstreams: { pool: { targets: [{ url: one.url }, { url: two.url }], ...upstream } },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  return { one, two, ask: (init?: RequestInit) => fetch(`${url}/v1/x`, init) }
}

const unavailable: RequestListener = (_, res) => void res.writeHead(503, { 'X-Own': 'yes' }).end('not now')

for (const status of [502, 503, 504]) {
  test(`GET that is answered ${status} is asked of another target`, async (t) => {
    const { one, two, ask } = await open(t, (_, res) => void res.writeHead(status).end('bad'))
    const response = await ask()
    assert.equal(response.status, 200)
    assert.deepEqual([one.requests.length, two.requests.length], [1, 1])
  })
}

test('the time of a call runs until the head of the answer that counts, not of the one that was dropped', async (t) => {
  const one = await startBackend(t, unavailable)
  const two = await startBackend(t, (_, res) => void setTimeout(() => res.end('late'), 80))
  const { url, logged } = await startGateway(t, {
    plugins: ['accessLog'],
    upstreams: { pool: { targets: [{ url: one.url }, { url: two.url }] } },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  assert.equal(await (await fetch(`${url}/v1/x`)).text(), 'late')
  const line = await logged((entry) => entry['gateway.attempts'] === 2)
  assert.ok(Number(line['gateway.upstream_duration_ms']) >= 75, String(line['gateway.upstream_duration_ms']))
})

test('500 is an answer, and not asked for twice', async (t) => {
  const { two, ask } = await open(t, (_, res) => void res.writeHead(500).end('bad'))
  assert.equal((await ask()).status, 500)
  assert.equal(two.requests.length, 0)
})

test('POST is never sent twice, whatever it is answered', async (t) => {
  const { one, two, ask } = await open(t, unavailable)
  const response = await ask({ method: 'POST', body: 'x' })
  assert.deepEqual([response.status, await response.text()], [503, 'not now'])
  assert.deepEqual([one.requests.length, two.requests.length], [1, 0])
})

const afterTheBody: RequestListener = (req, res) => {
  req.resume().once('end', () => res.writeHead(503).end())
}

test('a PUT with a body above the limit is not sent twice', async (t) => {
  const { two, ask } = await open(t, afterTheBody, { retry: { maxBodyBytes: '1kb' } })
  assert.equal((await ask({ method: 'PUT', body: 'x'.repeat(1_025) })).status, 503)
  assert.equal(two.requests.length, 0)
})

for (const [what, upstream] of Object.entries({
  'the last try': { retry: { attempts: 1 } },
  'a status that is not listed': { retry: { statuses: [502] } },
  'a budget that is used up': { retry: { budget: { percent: 0, minPerSecond: 0 } } },
})) {
  test(`${what} passes the answer of the target on as it is`, async (t) => {
    const { two, ask } = await open(t, unavailable, upstream)
    const response = await ask()
    assert.deepEqual(
      [response.status, response.headers.get('x-own'), await response.text()],
      [503, 'yes', 'not now'],
    )
    assert.equal(two.requests.length, 0)
  })
}

test('the answer of the last target counts when all are unavailable', async (t) => {
  const one = await startBackend(t, unavailable)
  const two = await startBackend(t, unavailable)
  const { url } = await startGateway(t, {
    upstreams: { pool: { targets: [{ url: one.url }, { url: two.url }] } },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  const response = await fetch(`${url}/v1/x`)
  assert.deepEqual([response.status, await response.text()], [503, 'not now'])
  assert.deepEqual([one.requests.length, two.requests.length], [1, 1])
})

test('the budget is a share of the calls of ten seconds, with a floor for each second', () => {
  const budget = new RetryBudget({ percent: 20, minPerSecond: 3 })
  const spend = (times: number, now: number): number =>
    Array.from({ length: times }, () => budget.spend(now)).filter(Boolean).length
  for (let i = 0; i < 100; i++) budget.count(1_000)
  assert.equal(spend(100, 1_500), 20, 'a fifth of the calls')
  assert.equal(spend(100, 2_500), 3, 'the floor of the next second')
  for (let i = 0; i < 100; i++) budget.count(3_000)
  assert.equal(spend(100, 3_500), 17, 'two fifths of a hundred, without what was spent')
  assert.equal(spend(100, 11_500), 20 - 17 - 3 + 3, 'the first second is forgotten, and what was spent in it')
  assert.equal(spend(100, 60_000), 3, 'all is forgotten')
})
