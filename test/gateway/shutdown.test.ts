import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { type RunningCli, startCli } from '../cli/child.ts'
import { folderOf } from '../config/files.ts'
import { startBackend, type TestBackend } from '../world.ts'
import { send } from './load.ts'

function serve(req: IncomingMessage, res: ServerResponse): void {
  if (req.url === '/slow') {
    setTimeout(() => res.end('slow'), 1_200)
  } else if (req.url === '/stream') {
    res.write('first\n')
    const timer = setInterval(() => res.write('more\n'), 100)
    res.on('close', () => clearInterval(timer))
  } else {
    req.resume().on('end', () => res.end('fast'))
  }
}

async function startDraining(
  t: TestContext,
  shutdown: string,
): Promise<{ readonly gateway: RunningCli; readonly backend: TestBackend }> {
  const backend = await startBackend(t, serve)
  const yaml = `
server: {listen: "127.0.0.1:0", overload: {eventLoopDelay: 0s}, shutdown: ${shutdown}}
upstreams: {a: {targets: [{url: "${backend.url}"}]}}
plugins: [accessLog]
routes: [{id: r, path: /api/**, upstream: a, auth: none, rewrite: {stripPrefix: /api}}]
`
  const file = folderOf(t, { 'gateway.yaml': yaml })('gateway.yaml')
  return { gateway: await startCli(t, file), backend }
}

/** What clients saw that reuse a connection until they are told `Connection: close`. */
interface Seen {
  answered: number
  closed: number
  /** The port was closed: nothing was sent. */
  refused: number
  /** Connections that the kernel reset because they waited to be accepted when the port was closed: nothing came back. */
  unaccepted: number
  readonly lost: string[]
}

async function client(url: string, seen: Seen): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  // Whether the next request opens a connection of its own.
  let told = true
  for (let i = 0; i < 1_000_000; i++) {
    try {
      const body = i % 4 === 3 ? 'x'.repeat(2_000) : undefined
      const { status, headers } = await send(`${url}/api/fast`, { agent, body })
      if (status !== 200) seen.lost.push(`answered ${status}`)
      seen.answered++
      told = headers.connection === 'close'
      if (told) seen.closed++
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ECONNREFUSED') {
        seen.refused++
        break
      }
      if (code === 'ECONNRESET' && told) seen.unaccepted++
      else seen.lost.push(String(error))
      told = true
    }
  }
  agent.destroy()
}

// security.md: "SIGTERM under load: 0 lost, `Connection: close` on the last answer of each connection, not ready at once, gone
// within 15 s."
test('SIGTERM under load loses no request, and ends with 0 within 15 s', async (t) => {
  const { gateway } = await startDraining(t, '{drainDelay: 1s, gracePeriod: 5s}')
  const seen: Seen = { answered: 0, closed: 0, refused: 0, unaccepted: 0, lost: [] }
  const clients = Array.from({ length: 12 }, () => client(gateway.url, seen))
  const keepAlive = new Agent({ keepAlive: true, maxSockets: 1 })
  assert.equal((await send(`${gateway.url}/readyz`, { agent: keepAlive })).status, 200)
  const slow = Array.from({ length: 5 }, () =>
    send(`${gateway.url}/api/slow`, { agent: new Agent({ keepAlive: true }) }),
  )
  while (seen.answered < 60) await new Promise((resolve) => setImmediate(resolve))
  const before = seen.closed

  const askedAt = performance.now()
  gateway.child.kill('SIGTERM')
  await gateway.logged((line) => line.message === 'draining')
  const ready = await send(`${gateway.url}/readyz`, { agent: keepAlive })
  assert.deepEqual([ready.status, ready.headers.connection, ready.text], [503, 'close', 'not ready\n'])
  const live = await send(`${gateway.url}/livez`)
  assert.deepEqual([live.status, live.headers.connection], [200, 'close'])

  for (const { status, text, headers } of await Promise.all(slow)) {
    assert.deepEqual([status, text, headers.connection], [200, 'slow', 'close'])
  }
  assert.equal(await gateway.ended, 0)
  const seconds = (performance.now() - askedAt) / 1_000
  await Promise.all(clients)
  t.diagnostic(
    `${seen.answered} answered (${seen.closed} with Connection: close), ${seen.lost.length} lost, ${seen.refused} not sent, ${seen.unaccepted} never accepted; gone after ${seconds.toFixed(2)} s`,
  )
  assert.deepEqual(seen.lost.slice(0, 5), [])
  assert.deepEqual([before, seen.refused], [0, 12])
  // Every request that the gateway has read was answered: nothing but 200 in its access log, and as many as the clients got.
  const logged = gateway.lines().filter((line) => String(line['url.path']).startsWith('/api/'))
  assert.deepEqual(
    logged.filter((line) => line['http.response.status_code'] !== 200),
    [],
  )
  assert.equal(logged.length, seen.answered + slow.length)
  assert.ok(seen.unaccepted <= 12)
  assert.ok(seen.answered > 100 && seen.closed >= 12 && seconds < 15)
  assert.equal(gateway.lines().at(-1)?.message, 'stopped')
})

test('streams and WebSockets get the grace period and are then cut, visibly, so that the process ends', async (t) => {
  const { gateway, backend } = await startDraining(t, '{drainDelay: 0s, gracePeriod: 1s}')
  const sockets = new WebSocketServer({ server: backend.server })
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${String(data)}`)))
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate()
    sockets.close()
  })
  const [stream] = (await once(get(`${gateway.url}/api/stream`), 'response')) as [IncomingMessage]
  await once(stream, 'data')
  const webSocket = new WebSocket(`${gateway.url.replace('http', 'ws')}/api/socket`)
  await once(webSocket, 'open')
  const silent = connect(gateway.port, '127.0.0.1')
  await once(silent, 'connect')
  silent.resume()

  const askedAt = performance.now()
  const since = (): number => performance.now() - askedAt
  const streamCut = once(stream, 'error').then(([error]) => ({ at: since(), error: String(error) }))
  const webSocketCut = once(webSocket, 'close').then(() => since())
  const silentCut = once(silent, 'close').then(() => since())
  let chunks = 0
  stream.on('data', () => chunks++)
  gateway.child.kill('SIGTERM')
  await gateway.logged((line) => line.message === 'draining')
  webSocket.send('still there?')
  const [answer] = (await once(webSocket, 'message')) as [Buffer]
  assert.equal(String(answer), 'echo still there?')

  const cut = await streamCut
  assert.match(cut.error, /aborted/)
  assert.ok(chunks >= 3, `${chunks} chunks in the grace period`)
  const [webSocketAt] = await Promise.all([webSocketCut, silentCut])
  assert.equal(await gateway.ended, 0)
  t.diagnostic(
    `stream cut after ${cut.at.toFixed(0)} ms, WebSocket after ${webSocketAt.toFixed(0)} ms, gone after ${since().toFixed(0)} ms`,
  )
  assert.ok(cut.at >= 900 && webSocketAt >= 900 && since() < 5_000)
})

test('a second SIGTERM ends it at once', async (t) => {
  const { gateway } = await startDraining(t, '{drainDelay: 60s, gracePeriod: 60s}')
  gateway.child.kill('SIGTERM')
  await gateway.logged((line) => line.message === 'draining')
  gateway.child.kill('SIGTERM')
  assert.equal(await gateway.ended, 1)
})

test('an idle gateway ends at once when no drain delay is configured', async (t) => {
  const { gateway } = await startDraining(t, '{drainDelay: 0s, gracePeriod: 60s}')
  const idle = new Agent({ keepAlive: true })
  await send(`${gateway.url}/api/fast`, { agent: idle })
  const askedAt = performance.now()
  gateway.child.kill('SIGINT')
  assert.equal(await gateway.ended, 0)
  assert.ok(performance.now() - askedAt < 5_000)
})
