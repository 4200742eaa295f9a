import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Endpoint } from '../../src/traffic/endpoint.ts'
import type { Probe } from '../../src/traffic/health-check.ts'
import { type HttpProbeOptions, httpProbe, maxBodyBytes } from '../../src/traffic/http-probe.ts'
import { tcpProbe } from '../../src/traffic/tcp-probe.ts'
import { freePort } from '../services/free-port.ts'
import { startBackend, startGateway } from '../world.ts'

/** A server that says these bytes to whoever has sent a request, and then what `more` says. */
async function startServer(t: TestContext, answer: string, more: (socket: Socket) => void = () => {}) {
  const sockets = new Set<Socket>()
  const heads: string[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => {
      heads.push(bytes.toString())
      socket.write(answer)
      more(socket)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, heads, sockets }
}

function ask(t: TestContext, probe: Probe, port: number): Promise<string | undefined> {
  const endpoint = new Endpoint(
    { url: `http://127.0.0.1:${port}`, weight: 100, priority: 0 },
    { connectTimeoutMs: 5_000, idleTimeoutMs: 4_000, maxConnections: 4 },
  )
  t.after(() => endpoint.close())
  return probe.probe(endpoint)
}

const usual: HttpProbeOptions = {
  path: '/health',
  method: 'GET',
  headers: {},
  statuses: [{ from: 200, to: 299 }],
  timeoutMs: 10_000,
}

function answer(status: number, body = '', headers = ''): string {
  return `HTTP/1.1 ${status} X\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`
}

const late: Partial<HttpProbeOptions> = { timeoutMs: 1_000 }
const endless = (socket: Socket): void => {
  const timer = setInterval(() => socket.write('more'), 5)
  socket.once('close', () => clearInterval(timer))
}

const cases: readonly (readonly [
  name: string,
  options: Partial<HttpProbeOptions>,
  answer: string,
  verdict: RegExp | undefined,
  more?: (socket: Socket) => void,
])[] = [
  ['200', {}, answer(200, 'fine'), undefined],
  ['204', {}, 'HTTP/1.1 204 X\r\n\r\n', undefined],
  ['500', {}, answer(500), /^probe was answered 500$/],
  ['404 where 404 is wanted', { statuses: [{ from: 404, to: 404 }] }, answer(404), undefined],
  [
    '200 where 404 is wanted',
    { statuses: [{ from: 404, to: 404 }] },
    answer(200),
    /^probe was answered 200$/,
  ],
  [
    'a redirect',
    {},
    answer(302, '', 'Location: /elsewhere\r\n'),
    /^probe was answered 302, a redirect, which is not followed$/,
  ],
  ['a redirect that is wanted', { statuses: [{ from: 300, to: 399 }] }, answer(302), undefined],
  ['the text that is wanted', { body: 'ready' }, answer(200, '{"ready":true}'), undefined],
  [
    'another text',
    { body: 'ready' },
    answer(200, 'starting'),
    /^probe was answered 200 with a body that does not contain "ready"$/,
  ],
  [
    'the text behind what is read',
    { body: 'ready' },
    answer(200, `${'x'.repeat(maxBodyBytes)}ready`),
    /^probe was answered 200 with a body that does not contain "ready"$/,
  ],
  [
    'the text cut by what is read',
    { body: 'ready' },
    answer(200, `${'x'.repeat(maxBodyBytes - 2)}ready`),
    /does not contain/,
  ],
  [
    'the text as the last that is read',
    { body: 'ready' },
    answer(200, `${'x'.repeat(maxBodyBytes - 5)}ready.`),
    undefined,
  ],
  [
    'a body without an end that is fast',
    {},
    'HTTP/1.1 200 X\r\n\r\n',
    undefined,
    (socket) => void socket.write('x'.repeat(10 * maxBodyBytes)),
  ],
  [
    'a body without an end that is slow',
    late,
    'HTTP/1.1 200 X\r\n\r\n',
    /^probe was answered 200 with a body that did not end within 1000 ms$/,
    endless,
  ],
  ['nothing at all', late, '', /^probe failed: no answer within 1000 ms$/],
  ['half a head', late, 'HTTP/1.1 200 X\r\nA: ', /^probe failed: no answer within 1000 ms$/],
  [
    'interim answers only',
    late,
    'HTTP/1.1 103 X\r\n\r\n',
    /^probe failed: /,
    (socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 103 X\r\n\r\n'), 5)
      socket.once('close', () => clearInterval(timer))
    },
  ],
  [
    'headers without an end',
    {},
    'HTTP/1.1 200 X\r\n',
    /^probe failed: /,
    (socket) => {
      const timer = setInterval(() => socket.write(`A: ${'x'.repeat(1_000)}\r\n`), 5)
      socket.once('close', () => clearInterval(timer))
    },
  ],
  ['something else than HTTP', {}, 'SSH-2.0-OpenSSH\r\n', /^probe failed: /],
  ['the end of the connection', {}, '', /^probe failed: other side closed$/, (socket) => void socket.end()],
  [
    'half a body',
    {},
    'HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\nabc',
    /^probe was answered 200 with a body that broke off: /,
    (socket) => void socket.end(),
  ],
]

for (const [name, options, said, verdict, more] of cases) {
  test(`a target that answers a probe with ${name} is ${verdict === undefined ? 'healthy' : 'not'}`, async (t) => {
    const { port } = await startServer(t, said, more)
    const reason = await ask(t, httpProbe({ ...usual, ...options }), port)
    if (verdict === undefined) assert.equal(reason, undefined)
    else assert.match(String(reason), verdict)
  })
}

test('a probe asks as it is told to', async (t) => {
  const { port, heads } = await startServer(t, 'HTTP/1.1 200 X\r\n\r\n', (socket) => void socket.end())
  const headers = { Host: 'shop.example', 'X-Probe': '1' }
  assert.equal(
    await ask(t, httpProbe({ ...usual, method: 'HEAD', path: '/up?full', headers }), port),
    undefined,
  )
  assert.match(heads[0] ?? '', /^HEAD \/up\?full HTTP\/1\.1\r\nhost: shop\.example\r\n/i)
  assert.match(heads[0] ?? '', /^x-probe: 1\r$/im)
  assert.match(heads[0] ?? '', /^user-agent: trivium-health-check\r$/im)
})

test('the connection of an endless answer is closed', async (t) => {
  const { port, sockets } = await startServer(t, 'HTTP/1.1 200 X\r\n\r\n', endless)
  const asked = ask(t, httpProbe({ ...usual, ...late }), port)
  while (sockets.size === 0) await new Promise((resolve) => setImmediate(resolve))
  const [socket] = sockets
  const closed = new Promise((resolve) => socket?.once('close', resolve))
  assert.match(String(await asked), /did not end/)
  await closed
})

test('calls that take all connections do not make a target look sick', async (t) => {
  const backend = await startBackend(t, (req, res) => {
    if (req.url === '/health') res.end('fine')
  })
  const gateway = await startGateway(t, {
    upstreams: {
      one: {
        targets: [{ url: backend.url }],
        connections: { max: 1 },
        healthChecks: { active: { interval: '50ms', timeout: '2s', unhealthyAfter: 1 } },
      },
    },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'one', auth: 'none' }],
  })
  const left = new AbortController()
  const held = fetch(`${gateway.url}/v1/slow`, { signal: left.signal }).catch(() => {})
  const isProbe = ({ url }: { readonly url?: string | undefined }): boolean => url === '/health'
  while (backend.requests.every(isProbe)) await new Promise((resolve) => setTimeout(resolve, 5))
  const before = backend.requests.filter(isProbe).length
  while (backend.requests.filter(isProbe).length < before + 3)
    await new Promise((resolve) => setTimeout(resolve, 5))
  assert.ok(gateway.logs.every(({ message }) => message !== 'target is unhealthy'))
  left.abort()
  await held
})

test('a target that accepts connections passes a probe by TCP, which sends nothing', async (t) => {
  const { port, heads, sockets } = await startServer(t, '')
  assert.equal(await ask(t, tcpProbe({ timeoutMs: 10_000 }), port), undefined)
  while (sockets.size > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(heads, [])
})

test('a target that does not listen fails a probe by TCP', async (t) => {
  const reason = await ask(t, tcpProbe({ timeoutMs: 10_000 }), await freePort())
  assert.match(String(reason), /^probe failed: connect ECONNREFUSED /)
})
