import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { startBackend, startGateway } from '../world.ts'
import { doors } from './door.ts'
import { startSluice } from './sluice.ts'

interface Pool {
  readonly upstreams: { readonly backend: { readonly targets: readonly { readonly url: string }[] } }
}

for (const door of doors) {
  describe(`concurrency at the ${door.name} door`, () => {
    const open = async (t: TestContext, concurrency: object) => {
      const backend = await door.start(t)
      const config = backend.config({ auth: 'none' }) as Pool
      const sluice = await startSluice(t, config.upstreams.backend.targets[0]?.url ?? '')
      const gateway = await startGateway(t, {
        ...config,
        plugins: ['accessLog'],
        upstreams: { backend: { targets: [{ url: sluice.url }], concurrency } },
      })
      /** Resolves when the metric has the value. */
      const metric = async (name: string, value: number): Promise<void> => {
        while (!(await gateway.gateway.metrics.metrics()).includes(`${name} ${value}\n`)) {
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      const isRefused = async (response: Response, why: string): Promise<void> => {
        const body = await response.text()
        assert.equal(backend.reason(body), 'OVERLOADED', body)
        assert.ok(body.includes(`Upstream \\"backend\\" is busy: ${why}.`), body)
        // GraphQL answers with what there is.
        assert.equal(response.status, door.protocol === 'graphql' ? 200 : 503)
        if (door.protocol !== 'graphql') assert.equal(response.headers.get('retry-after'), '1')
      }
      return { ...gateway, ...backend, ask: () => backend.ask(gateway.url), sluice, metric, isRefused }
    }

    test('one call more than may be under way is refused at once, and does not reach the backend', async (t) => {
      const { ask, seen, sluice, isRefused, metric, logged } = await open(t, { max: 1 })
      const first = ask()
      await sluice.arrived
      await isRefused(await ask(), 'it has as many calls as it takes')
      const line = await logged((entry) => entry['gateway.attempts'] === 0)
      if (door.protocol !== 'graphql') assert.equal(line['gateway.error.code'], 'F50303')
      sluice.open()
      assert.equal((await first).status, 200)
      assert.equal((await ask()).status, 200)
      assert.equal(seen.length, 2)
      await metric('gateway_upstream_rejected_total{upstream="backend",reason="queue_full"}', 1)
      await metric('gateway_upstream_in_flight{upstream="backend"}', 0)
    })

    test('calls wait for their turn, one more than the queue has room for is refused', async (t) => {
      const { ask, seen, sluice, isRefused, metric } = await open(t, {
        max: 1,
        queue: 2,
        queueTimeout: '1m',
      })
      const first = ask()
      await sluice.arrived
      const waiting = [ask(), ask()]
      await metric('gateway_upstream_queued{upstream="backend"}', 2)
      await metric('gateway_upstream_in_flight{upstream="backend"}', 1)
      await isRefused(await ask(), 'its queue is full')
      sluice.open()
      for (const asked of [first, ...waiting]) assert.equal((await asked).status, 200)
      assert.equal(seen.length, 3)
      await metric('gateway_upstream_in_flight{upstream="backend"}', 0)
    })

    test('a call that has waited for too long is refused', async (t) => {
      const { ask, seen, sluice, isRefused, metric } = await open(t, {
        max: 1,
        queue: 1,
        queueTimeout: '100ms',
      })
      const first = ask()
      await sluice.arrived
      await isRefused(await ask(), 'the call has waited too long for its turn')
      sluice.open()
      assert.equal((await first).status, 200)
      assert.equal(seen.length, 1)
      await metric('gateway_upstream_rejected_total{upstream="backend",reason="queue_timeout"}', 1)
      await metric('gateway_upstream_queued{upstream="backend"}', 0)
    })
  })
}

/** A route to a backend of which one call is under way at a time, and one waits. */
async function openRoute(t: TestContext, backend: { readonly url: string }) {
  const gateway = await startGateway(t, {
    upstreams: {
      backend: { targets: [{ url: backend.url }], concurrency: { max: 1, queue: 1, queueTimeout: '1m' } },
    },
    routes: [{ id: 'all', path: '/**', upstream: 'backend', auth: 'none' }],
  })
  /** Resolves when so many are under way, and so many wait. */
  const until = async (inFlight: number, queued: number): Promise<void> => {
    const wanted = [`in_flight{upstream="backend"} ${inFlight}\n`, `queued{upstream="backend"} ${queued}\n`]
    for (;;) {
      const text = await gateway.gateway.metrics.metrics()
      if (wanted.every((line) => text.includes(`gateway_upstream_${line}`))) return
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { ...gateway, until }
}

test('a client that leaves the queue makes room at once, and its request reaches nobody', async (t) => {
  const held: ServerResponse[] = []
  const backend = await startBackend(t, (_, res) => void held.push(res))
  const { url, until } = await openRoute(t, backend)
  const first = fetch(`${url}/first`)
  await until(1, 0)
  const leaves = new AbortController()
  const second = fetch(`${url}/second`, { signal: leaves.signal })
  await until(1, 1)
  leaves.abort()
  await assert.rejects(second)
  await until(1, 0)
  const third = fetch(`${url}/third`)
  await until(1, 1)
  held[0]?.end('one')
  assert.equal(await (await first).text(), 'one')
  await until(1, 0)
  while (held.length < 2) await new Promise((resolve) => setImmediate(resolve))
  held[1]?.end('three')
  assert.equal(await (await third).text(), 'three')
  assert.deepEqual(
    backend.requests.map((req) => req.url),
    ['/first', '/third'],
  )
})

test('a client that leaves while its call is under way makes room, too', async (t) => {
  const backend = await startBackend(t, (req, res) => {
    if (req.url !== '/stays') res.end('done')
  })
  const { url, until } = await openRoute(t, backend)
  const leaves = new AbortController()
  const first = fetch(`${url}/stays`, { signal: leaves.signal })
  await until(1, 0)
  const second = fetch(`${url}/next`)
  await until(1, 1)
  leaves.abort()
  await assert.rejects(first)
  assert.equal(await (await second).text(), 'done')
  await until(0, 0)
})

test('an event stream counts until it ends', async (t) => {
  const streams: ServerResponse[] = []
  const backend = await startBackend(t, (req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n')
    if (req.url === '/stream') streams.push(res)
    else res.end()
  })
  const { url, until } = await openRoute(t, backend)
  const stream = await fetch(`${url}/stream`)
  const next = fetch(`${url}/next`)
  await until(1, 1)
  streams[0]?.end('data: 2\n\n')
  assert.equal(await stream.text(), 'data: 1\n\ndata: 2\n\n')
  assert.equal(await (await next).text(), 'data: 1\n\n')
  await until(0, 0)
})

test('a WebSocket counts until it is closed, and a second one waits for that', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const gateway = await openRoute(t, { url: `http://127.0.0.1:${port}` })
  const first = new WebSocket(`ws://127.0.0.1:${gateway.port}/chat`)
  await once(first, 'open')
  const second = new WebSocket(`ws://127.0.0.1:${gateway.port}/chat`)
  await gateway.until(1, 1)
  const third = new WebSocket(`ws://127.0.0.1:${gateway.port}/chat`)
  const [, refusal] = (await once(third, 'unexpected-response')) as [unknown, IncomingMessage]
  assert.equal(refusal.statusCode, 503)
  const opened = once(second, 'open')
  first.close()
  await opened
  second.close()
  await gateway.until(0, 0)
})
