import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBackend, startGateway, type TestGateway } from '../world.ts'

interface World extends TestGateway {
  /** Answers of so many requests by the name of the backend that gave them. */
  count(requests: number, headers?: Record<string, string>): Promise<Record<string, number>>
  ask(headers?: Record<string, string>): Promise<Response>
}

type Answer = (name: string) => RequestListener

const plain: Answer = (name) => (_, res) => void res.writeHead(200, { 'X-Name': name }).end(name)

/** Backends a, b, c ... with these keys of their targets, behind one route. */
async function open(
  t: TestContext,
  targets: readonly object[],
  { answer = plain, ...upstream }: { answer?: Answer; [key: string]: unknown } = {},
): Promise<World> {
  const names = targets.map((_, index) => String.fromCharCode(97 + index))
  const backends = await Promise.all(names.map((name) => startBackend(t, answer(name))))
  const gateway = await startGateway(t, {
    upstreams: {
      pool: {
        targets: targets.map((target, index) => ({ url: backends[index]?.url, ...target })),
        ...upstream,
      },
    },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'pool', auth: 'none' }],
  })
  const ask = (headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${gateway.url}/v1/x`, { headers })
  return {
    ...gateway,
    ask,
    async count(requests, headers) {
      const counts: Record<string, number> = {}
      for (let i = 0; i < requests; i++) {
        const response = await ask(headers)
        const name = response.ok ? await response.text() : String(response.status)
        counts[name] = (counts[name] ?? 0) + 1
      }
      return counts
    },
  }
}

test('round robin goes by weight, and a target of weight 0 gets nothing', async (t) => {
  const { count } = await open(t, [{ weight: 3 }, { weight: 1 }, { weight: 0 }])
  assert.deepEqual(await count(40), { a: 30, b: 10 })
})

for (const policy of ['random', 'leastConnections', 'p2c', 'peakEwma']) {
  test(`${policy} uses all targets`, async (t) => {
    // Slow enough to overlap, so that the policies that look at load have some to look at.
    const slow: Answer = (name) => (_, res) => void setTimeout(() => res.end(name), 5)
    const { ask } = await open(t, [{}, {}, {}], { answer: slow, loadBalancing: { policy } })
    const names = await Promise.all(Array.from({ length: 90 }, async () => (await ask()).text()))
    assert.deepEqual([...new Set(names)].sort(), ['a', 'b', 'c'])
  })
}

test('consistentHash sends one key to one target, spreads keys, and takes no header for any target', async (t) => {
  const { count, ask } = await open(t, [{}, {}, {}], {
    loadBalancing: { policy: 'consistentHash', hashOn: ['header:X-Cart'] },
  })
  assert.equal(Object.keys(await count(10, { 'X-Cart': 'one' })).length, 1)
  const keys = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => (await ask({ 'X-Cart': `cart ${i}` })).text()),
  )
  assert.equal(new Set(keys).size, 3)
  assert.ok(Object.keys(await count(40)).length > 1)
})

test('the next priority serves when no target of the first is healthy, and the first again when it is', async (t) => {
  let down = true
  const answer: Answer = (name) => (req, res) => {
    res.writeHead(req.url === '/health' && name === 'a' && down ? 503 : 200).end(name)
  }
  const { count, logged, logs } = await open(t, [{}, { priority: 1 }], {
    answer,
    healthChecks: { active: { interval: '20ms', unhealthyAfter: 1 } },
  })
  await logged(({ msg, message }) => (msg ?? message) === 'target is unhealthy')
  assert.deepEqual(await count(5), { b: 5 })
  down = false
  await logged(({ msg, message }) => logs.length > 0 && (msg ?? message) === 'target is healthy')
  while ((await count(1)).a !== 1) await sleep(20)
  assert.deepEqual(await count(5), { a: 5 })
})

test('a sticky cookie brings a client back, and names no address', async (t) => {
  const { ask, count } = await open(t, [{}, {}, {}], {
    loadBalancing: { sticky: { cookie: { name: 'target', secret: 'a secret of 16 or more' } } },
  })
  const first = await ask()
  const name = await first.text()
  const cookie = first.headers.getSetCookie()[0] ?? ''
  assert.match(cookie, /^target=[\w-]{11}; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  const back = { cookie: cookie.split(';')[0] ?? '' }
  assert.deepEqual(await count(9, back), { [name]: 9 })
  assert.deepEqual((await ask(back)).headers.getSetCookie(), [], 'who comes back is told nothing new')
  assert.equal(Object.keys(await count(9, { cookie: 'target=forged' })).length, 3)
})

test('a target that fails calls is left out, taken in again, and out sooner the next time', async (t) => {
  let broken = true
  const answer: Answer = (name) => (_, res) => {
    res.writeHead(name === 'b' && broken ? 500 : 200).end(name)
  }
  const { count, logs, url } = await open(t, [{}, {}], {
    answer,
    healthChecks: { passive: { consecutiveErrors: 3, ejectFor: '800ms' } },
  })
  const told = (message: string): Record<string, unknown>[] =>
    logs.filter((line) => (line.msg ?? line.message) === message)
  assert.deepEqual(await count(6), { a: 3, 500: 3 })
  assert.match(
    String(told('target is ejected')[0]?.reason),
    /^ejected for 800 ms after 3 failures in a row: status 500$/,
  )
  assert.deepEqual(await count(5), { a: 5 })
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /gateway_healthy_instances 1\b/)
  while (told('target is taken in again').length === 0) await sleep(10)
  assert.equal((await count(2))[500], 1, 'on probation one failure is enough')
  assert.match(String(told('target is ejected')[1]?.reason), /^ejected for 1600 ms after 3 failures/)
  broken = false
  while (told('target is taken in again').length < 2) await sleep(10)
  assert.deepEqual(await count(4), { a: 2, b: 2 })
})

test('no more than the allowed share is ejected: the last targets go on answering what they answer', async (t) => {
  const answer: Answer = () => (_, res) => void res.writeHead(503).end()
  const { count, logs } = await open(t, [{}, {}], {
    answer,
    healthChecks: { passive: { consecutiveErrors: 1, ejectFor: '1m' } },
  })
  assert.deepEqual(await count(6), { 503: 6 })
  assert.equal(logs.filter((line) => (line.msg ?? line.message) === 'target is ejected').length, 1)
})

test('faults of clients eject nobody', async (t) => {
  const answer: Answer = (name) => (_, res) => void res.writeHead(name === 'b' ? 404 : 200).end(name)
  const { count } = await open(t, [{}, {}], {
    answer,
    healthChecks: { passive: { consecutiveErrors: 1 } },
  })
  assert.deepEqual(await count(8), { a: 4, 404: 4 })
})

test('with a panic threshold few healthy targets do not take everything', async (t) => {
  const answer: Answer = (name) => (req, res) => {
    res.writeHead(req.url === '/health' && name !== 'a' ? 503 : 200).end(name)
  }
  const { count, logs } = await open(t, [{}, {}, {}], {
    answer,
    loadBalancing: { panicThreshold: 50 },
    healthChecks: { active: { interval: '20ms', unhealthyAfter: 1 } },
  })
  while (logs.filter((line) => (line.msg ?? line.message) === 'target is unhealthy').length < 2)
    await sleep(10)
  assert.deepEqual(await count(9), { a: 3, b: 3, c: 3 })
})
