import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket, WebSocketServer } from 'ws'
import { startBackend, startGateway } from '../world.ts'

async function open(t: TestContext) {
  const backend = await startBackend(t, (req, res) => {
    const isStream = req.url === '/events'
    res.writeHead(200, { 'Content-Type': isStream ? 'text/event-stream' : 'text/plain' })
    res.end(isStream ? 'data: 1\n\n' : 'ok')
  })
  new WebSocketServer({ server: backend.server }).on('connection', (socket) => socket.close())
  const { url, gateway } = await startGateway(t, {
    plugins: ['metrics'],
    upstreams: { all: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'all', path: '/**', upstream: 'all', auth: 'none' }],
  })
  const read = async (name: string): Promise<number> => {
    const text = await gateway.metrics.metrics()
    const counts = [...text.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, 'gm'))]
    return counts.reduce((sum, [, count]) => sum + Number(count), 0)
  }
  /** Settled and timed exchanges, once so many have settled. */
  const counts = async (settled: number): Promise<readonly number[]> => {
    while ((await read('gateway_requests_total')) < settled) await sleep(10)
    return [await read('gateway_requests_total'), await read('gateway_request_duration_seconds_count')]
  }
  return { url, counts }
}

test('an answer is timed, an event stream is not', async (t) => {
  const { url, counts } = await open(t)
  await (await fetch(`${url}/once`)).text()
  assert.deepEqual(await counts(1), [1, 1])
  await (await fetch(`${url}/events`)).text()
  assert.deepEqual(await counts(2), [2, 1])
})

test('nor is a WebSocket', async (t) => {
  const { url, counts } = await open(t)
  await once(new WebSocket(url.replace('http', 'ws')), 'close')
  assert.deepEqual(await counts(1), [1, 0])
})
