import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { type TestContext, test } from 'node:test'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { WebSocket } from 'ws'
import { loadProtos } from '../../examples/library/protos.ts'
import { startLibrary } from '../../examples/library/server.ts'
import { startUsers } from '../../examples/users/server.ts'
import type { RunningCli } from '../cli/child.ts'
import { send } from '../gateway/load.ts'
import { startPostgres } from '../services/postgres.ts'
import { startRedis } from '../services/redis.ts'
import { rawExchange, startBackend } from '../world.ts'
import { type Clients, startClients } from './clients.ts'
import { startTwoNodes, type TwoNodes } from './two-nodes.ts'

const protos = new URL('../../protos', import.meta.url).pathname

async function configuration(t: TestContext): Promise<string> {
  const [postgres, redis, users, library, echo] = await Promise.all([
    startPostgres(),
    startRedis(),
    startUsers(),
    startLibrary(),
    startBackend(t),
  ])
  t.after(() => Promise.all([postgres.stop(), redis.stop(), users.close(), library.close()]))
  return `
server:
  listen: 127.0.0.1:0
  trustedProxies: [127.0.0.1]
  overload: { eventLoopDelay: 0s }
  shutdown: { drainDelay: 1s, gracePeriod: 10s }
stores:
  redis: { url: "${redis.url}" }
  database: { url: "${await postgres.database()}" }
plugins: [requestId, accessLog, metrics]
upstreams:
  users: { targets: [{ url: "${users.url}" }] }
  echo: { targets: [{ url: "${echo.url}" }] }
  library: { targets: [{ url: "${library.url}" }] }
routes:
  - { id: users, path: /v1/users/**, upstream: users, rewrite: { stripPrefix: /v1/users }, auth: none }
  - { id: echo, path: /echo/**, upstream: echo, auth: none }
  - { id: mine, path: /mine, upstream: echo }
  - id: limited
    path: /limited
    upstream: echo
    auth: none
    plugins: [{ rateLimit: { name: both, limit: 20, window: 1h, algorithm: fixedWindow, by: route } }]
grpc:
  protos: ["${protos}/library/**/*.proto"]
  includeDirs: ["${protos}"]
  services: { library.v1.LibraryService: { upstream: library, auth: none } }
consumers: [{ id: acme }]
`
}

test('two nodes behind nginx', async (t) => {
  const world = await startTwoNodes(t, await configuration(t))
  await t.test('the client’s address is what nginx says, not what the client says', (t) =>
    addresses(t, world),
  )
  await t.test('server-sent events pass as they come', () => events(world))
  await t.test('WebSockets pass', () => webSocket(world))
  await t.test('gRPC passes, calls and streams', (t) => grpc(t, world))
  await t.test('the admin API and metrics are not served, however they are spelled', () => refused(world))
  await t.test('a limit holds across both', () => limits(world))
  await t.test('a key that one makes is taken by the other', (t) => keys(t, world))
  await t.test('kill -9 of a node under load costs no request that may be sent again', (t) =>
    killed(t, world),
  )
  await t.test('a rolling restart under load fails no request that a node has read', (t) =>
    restarted(t, world),
  )
  await t.test('with no node left, clients hear so at once', () => allGone(world))
})

async function addresses(t: TestContext, { url, nodes }: TwoNodes): Promise<void> {
  const agent = new Agent({ localAddress: '127.0.0.2' })
  t.after(() => agent.destroy())
  const headers = {
    'X-Forwarded-For': '203.0.113.7',
    Forwarded: 'for=203.0.113.8',
    'X-Real-IP': '203.0.113.9',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'evil.example',
  }
  const { text } = await send(`${url}/v1/users/whoami`, { agent, headers })
  const seen = (JSON.parse(text) as { headers: Record<string, string> }).headers
  assert.doesNotMatch(JSON.stringify(seen), /203\.0\.113|evil/)
  assert.match(seen['x-forwarded-for'] ?? '', /^127\.0\.0\.2\b/)
  assert.equal(seen['x-forwarded-proto'], 'http')
  assert.equal(seen['x-forwarded-host'], new URL(url).host)
  const line = await Promise.any(
    nodes.map(({ running }) => running.logged((each) => each['url.path'] === '/v1/users/whoami')),
  )
  assert.equal(line['client.address'], '127.0.0.2')
}

/** The backend never ends the stream: what is held back would never come. */
async function events({ url }: TwoNodes): Promise<void> {
  const sent = get(`${url}/v1/users/events`)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer) {
    text += String(chunk)
    if (text.split('\n\n').length > 3) break
  }
  sent.destroy()
  assert.equal(answer.headers['content-type'], 'text/event-stream')
}

async function webSocket({ url }: TwoNodes): Promise<void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/users/echo`)
  await once(socket, 'open')
  socket.send('hello')
  const [data] = (await once(socket, 'message')) as [Buffer]
  assert.equal(String(data), 'hello')
  socket.close()
  await once(socket, 'close')
}

async function grpc(t: TestContext, { http2 }: TwoNodes): Promise<void> {
  const { library } = await loadProtos()
  const client = new Client(http2, credentials.createInsecure())
  t.after(() => client.close())
  const { ListShelves: list, WatchBooks: watch } = library
  assert.ok(list && watch)
  const shelves = await new Promise<unknown>((resolve, reject) => {
    const { path, requestSerialize, responseDeserialize } = list
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      {},
      new Metadata(),
      (error, answer) => (error ? reject(error) : resolve(answer)),
    )
  })
  assert.ok((shelves as { shelves: unknown[] }).shelves.length > 0)
  const { path, requestSerialize, responseDeserialize } = watch
  const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { shelf: '1' })
  stream.on('error', () => {})
  for (let i = 0; i < 2; i++) await once(stream, 'data')
  stream.cancel()
}

async function refused({ url }: TwoNodes): Promise<void> {
  const spellings = [
    '/admin',
    '/admin/keys',
    '/ADMIN/keys',
    '//admin/keys',
    '/%61dmin/keys',
    '/x/../admin/keys',
    '/metrics',
    '/Metrics/',
    '/./metrics',
  ]
  for (const path of spellings) {
    const answer = await rawExchange(
      Number(new URL(url).port),
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 404 .*This is not served here/s, path)
  }
  for (const path of ['/livez', '/readyz', '/health'])
    assert.equal((await send(url + path)).status, 200, path)
}

async function limits({ url, nodes }: TwoNodes): Promise<void> {
  const answers = await Promise.all(Array.from({ length: 60 }, () => send(`${url}/limited`)))
  assert.equal(answers.filter(({ status }) => status === 200).length, 20)
  assert.equal(answers.filter(({ status }) => status === 429).length, 40)
  const shares = (): number[] => nodes.map(({ running }) => linesOf([running], '/limited').length)
  await untilTrue(async () => shares().reduce((sum, share) => sum + share) === 60)
  assert.ok(Math.min(...shares()) >= 10, `the nodes got ${shares().join(' and ')} of them`)
}

async function keys(t: TestContext, { nodes: [one, two] }: TwoNodes): Promise<void> {
  const made = await send(`${one.url}/admin/keys`, {
    body: JSON.stringify({ consumer: 'acme' }),
    headers: { 'Content-Type': 'application/json' },
  })
  assert.equal(made.status, 201, made.text)
  const headers = { 'X-API-Key': (JSON.parse(made.text) as { key: string }).key }
  const ms = await untilTrue(async () => (await send(`${two.url}/mine`, { headers })).status === 200)
  t.diagnostic(`taken by the other node after ${ms.toFixed(0)} ms`)
}

async function killed(t: TestContext, { url, nodes }: TwoNodes): Promise<void> {
  const clients = startClients(`${url}/echo/killed`, 4)
  for (const node of nodes) {
    await clients.answered(150)
    node.running.child.kill('SIGKILL')
    await node.running.ended
    await clients.answered(150)
    await node.start()
    await clients.answered(150)
  }
  await clients.stop()
  tell(t, clients)
  const { GET, PUT, POST } = clients.tallies
  assert.deepEqual([...GET.failed, ...PUT.failed], [])
  // Those that were on the node when it died: nobody knows whether they were done, and so they are not sent again.
  assert.ok(POST.failed.length <= 2 * 4, POST.failed.join('\n'))
  for (const failure of POST.failed) assert.match(failure, /^502 .*No node of the gateway answered/)
}

async function restarted(t: TestContext, { url, nodes }: TwoNodes): Promise<void> {
  const processes = new Set(nodes.map(({ running }) => running))
  const posted = (): number =>
    linesOf([...processes], '/echo/restarted').filter((line) => line['http.request.method'] === 'POST').length
  const clients = startClients(`${url}/echo/restarted`, 4)
  for (const node of nodes) {
    await clients.answered(150)
    node.running.child.kill('SIGTERM')
    assert.equal(await node.running.ended, 0)
    await node.start()
    processes.add(node.running)
    await clients.answered(150)
  }
  await clients.stop()
  tell(t, clients)
  const { GET, PUT, POST } = clients.tallies
  assert.deepEqual([...GET.failed, ...PUT.failed], [])
  assert.equal(GET.cut + PUT.cut + POST.cut, 0)
  // What waits to be accepted in the instant in which the port is closed is reset by the kernel. Nginx cannot know that nobody has read it.
  assert.ok(POST.failed.length <= 2 * 4, POST.failed.join('\n'))
  for (const failure of POST.failed) assert.match(failure, /^502 .*No node of the gateway answered/)
  await untilTrue(async () => posted() >= POST.answered)
  assert.equal(posted(), POST.answered)
}

async function allGone({ url, nodes, accessLog }: TwoNodes): Promise<void> {
  for (const { running } of nodes) {
    running.child.kill('SIGKILL')
    await running.ended
  }
  const answer = await send(`${url}/echo`)
  assert.equal(answer.status, 502)
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  assert.deepEqual(JSON.parse(answer.text), { title: 'No node of the gateway answered.' })
  const traced = accessLog().find((line) => line['url.path'] === '/v1/users/whoami')
  assert.match(String(traced?.trace_id), /^[0-9a-f]{32}$/)
  assert.equal(traced?.['client.address'], '127.0.0.2')
}

/** The lines of their access logs about a path, so far. */
function linesOf(processes: readonly RunningCli[], path: string): Record<string, unknown>[] {
  return processes.flatMap((each) => each.lines()).filter((line) => line['url.path'] === path)
}

/** How long it took, in milliseconds. A second is what is promised; on a machine that others keep busy it may be more. */
async function untilTrue(holds: () => Promise<boolean>): Promise<number> {
  const since = performance.now()
  while (!(await holds())) {
    assert.ok(performance.now() - since < 15_000, 'it did not come true within 15 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return performance.now() - since
}

function tell(t: TestContext, { tallies }: Clients): void {
  const words = Object.entries(tallies).map(
    ([method, { answered, failed, cut }]) =>
      `${method}: ${answered} answered, ${failed.length} failed, ${cut} cut`,
  )
  t.diagnostic(words.join('; '))
}
