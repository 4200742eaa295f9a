import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { WebSocket, WebSocketServer } from 'ws'
import { startAccounts } from '../../examples/accounts/server.ts'
import type { Backend } from '../../examples/backend.ts'
import { startLibrary } from '../../examples/library/server.ts'
import { silentLog } from '../../src/core/log.ts'
import { createGateway, type Gateway } from '../../src/gateway.ts'
import { startBackend, startGateway } from '../world.ts'
import { type Answer, send } from './load.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Case {
  readonly name: string
  readonly path: string
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly status: number
}

const json = { 'content-type': 'application/json' }
const cases: readonly Case[] = [
  { name: 'REST', path: '/open/a?x=1', status: 200 },
  { name: 'HEAD', path: '/open/a', method: 'HEAD', status: 200 },
  { name: 'a body', path: '/open/a', body: '{"a":1}', headers: json, status: 200 },
  { name: '401', path: '/closed', status: 401 },
  { name: '405', path: '/open/a', method: 'DELETE', status: 405 },
  { name: 'an unsafe path', path: '/open/a%00', status: 400 },
  { name: 'a limit', path: '/limited', status: 429 },
  {
    name: 'a preflight',
    path: '/open/a',
    method: 'OPTIONS',
    headers: { origin: 'http://a.example', 'access-control-request-method': 'POST' },
    status: 204,
  },
  {
    name: 'GraphQL',
    path: '/graphql',
    body: '{"query":"{ users { id name } }"}',
    headers: json,
    status: 200,
  },
  { name: 'a GraphQL mistake', path: '/graphql', body: '{"query":"{ nobody }"}', headers: json, status: 200 },
  { name: 'gRPC', path: '/v1/shelves', status: 200 },
  { name: 'a gRPC error', path: '/v1/books/404', status: 404 },
]

/** What differs from one request to the next, or belongs to the server. */
const volatile = new Set([
  'keep-alive',
  'date',
  'x-request-id',
  'x-trace-id',
  'x-response-time',
  'server-timing',
  'x-powered-by',
])

function comparable({ status, headers, text }: Answer): object {
  const kept = Object.entries(headers).filter(([name]) => !volatile.has(name))
  return {
    status,
    headers: Object.fromEntries(kept),
    text: text.replace(
      /"(requestId|traceId|traceparent|x-[\w-]+-id|x-forwarded-\w+|host|forwarded)": ?"([^"\\]|\\.)*"/g,
      '"$1":""',
    ),
  }
}

describe('the gateway in an Express app', () => {
  const backends: Backend[] = []
  let listening = ''
  let mounted = ''
  const ends: (() => Promise<unknown>)[] = []

  before(async () => {
    backends.push(await startAccounts(), await startLibrary())
    const echo = createServer((req, res) => {
      req
        .resume()
        .on('end', () =>
          res
            .setHeader('Content-Type', 'application/json')
            .end(JSON.stringify({ url: req.url, method: req.method })),
        )
    })
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
    const [accounts, library] = backends as [Backend, Backend]
    const config = {
      server: { listen: '127.0.0.1:0', shutdown: { drainDelay: '0s' } },
      plugins: ['requestId', { cors: { allowOrigins: ['http://a.example'] } }],
      upstreams: {
        echo: { targets: [{ url: `http://127.0.0.1:${(echo.address() as AddressInfo).port}` }] },
        accounts: { targets: [{ url: accounts.url }] },
        library: { targets: [{ url: library.url }] },
      },
      routes: [
        { id: 'open', path: '/open/**', methods: ['GET', 'POST'], upstream: 'echo', auth: 'none' },
        { id: 'closed', path: '/closed', upstream: 'echo' },
        {
          id: 'limited',
          path: '/limited',
          upstream: 'echo',
          auth: 'none',
          plugins: [{ rateLimit: { name: 'none', limit: 1, window: '1h', by: 'ip' } }],
        },
      ],
      graphql: {
        auth: 'none',
        subgraphs: { accounts: { upstream: 'accounts', schema: `${root}schemas/accounts.graphql` } },
      },
      grpc: {
        protos: [`${root}protos/library/**/*.proto`],
        includeDirs: [`${root}protos`],
        services: { 'library.v1.LibraryService': { upstream: 'library', auth: 'none' } },
      },
      consumers: [{ id: 'c' }],
    }
    const make = (): Promise<Gateway> => createGateway({ config, log: silentLog, watch: false })
    const [alone, inside] = await Promise.all([make(), make()])
    listening = await alone.listen()
    const app = express()
    app.use(inside.middleware)
    app.get('/own', (_req, res) => void res.send('own'))
    app.use((_req, res) => void res.status(404).send('not here'))
    const server = createServer(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    mounted = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    ends.push(
      () => alone.shutdown(),
      () => new Promise((resolve) => server.close(resolve)),
      () => inside.dispose(),
      () => new Promise((resolve) => echo.close(resolve)),
      ...backends.map((backend) => () => backend.close()),
    )
    // Both have used up their limit.
    await Promise.all([send(`${listening}/limited`), send(`${mounted}/limited`)])
  })

  after(async () => {
    for (const end of ends) await end()
  })

  for (const { name, path, status, method, body, headers } of cases) {
    test(`answers ${name} as it does alone`, async () => {
      const options = {
        ...(method !== undefined && { method }),
        ...(headers !== undefined && { headers }),
        body,
      }
      const [one, other] = await Promise.all([send(listening + path, options), send(mounted + path, options)])
      assert.equal(one.status, status, one.text)
      assert.deepEqual(comparable(other), comparable(one))
      if (method !== 'OPTIONS') assert.ok(other.headers['x-request-id'] !== undefined)
    })
  }

  test('leaves what no row takes to the app', async () => {
    const own = await send(`${mounted}/own`)
    assert.deepEqual([own.status, own.text], [200, 'own'])
    const missing = await send(`${mounted}/nothing`)
    assert.deepEqual([missing.status, missing.text], [404, 'not here'])
    // Health and metrics belong to the app as well.
    assert.equal((await send(`${mounted}/readyz`)).status, 404)
    const alone = await send(`${listening}/nothing`)
    assert.deepEqual([alone.status, JSON.parse(alone.text).reason], [404, 'ROUTE_NOT_FOUND'])
  })
})

test('a WebSocket passes through a server that the gateway is mounted in', async (t) => {
  const backend = await startBackend(t)
  const sockets = new WebSocketServer({ server: backend.server })
  sockets.on('connection', (socket, req) => socket.send(`at ${req.url}`))
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate()
    sockets.close()
  })
  const gateway = await createGateway({
    config: {
      upstreams: { a: { targets: [{ url: backend.url }] } },
      routes: [{ id: 'r', path: '/ws/**', upstream: 'a', auth: 'none' }],
    },
    log: silentLog,
  })
  const server = createServer(express().use(gateway.middleware))
  server.on('upgrade', (req, socket, head) => gateway.upgrade(req, socket, head))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const webSocket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws/1`)
  const message = await new Promise((resolve, reject) =>
    webSocket.once('message', resolve).once('error', reject),
  )
  assert.equal(String(message), 'at /ws/1')
  webSocket.terminate()
  await new Promise((resolve) => server.close(resolve))
  await gateway.dispose()
})

function withOwnPages(t: TestContext): ReturnType<typeof startGateway> {
  return startGateway(
    t,
    {
      upstreams: { a: { targets: [{ url: 'http://127.0.0.1:1' }] } },
      routes: [{ id: 'r', path: '/taken', upstream: 'a', auth: 'none' }],
    },
    {
      extend: (app) => {
        app.get('/mine', (_req, res) => void res.json({ mine: true }))
        app.get('/taken', (_req, res) => void res.send('never'))
        app.get('/broken', () => {
          throw new Error('a secret of the inside')
        })
      },
    },
  )
}

test("a user's own middleware stands behind the routing table and in front of the 404", async (t) => {
  const { url } = await withOwnPages(t)
  const mine = await send(`${url}/mine`)
  assert.deepEqual([mine.status, mine.text, mine.headers['x-powered-by']], [200, '{"mine":true}', undefined])
  assert.equal((await send(`${url}/taken`)).status, 502)
  assert.equal(JSON.parse((await send(`${url}/other`)).text).reason, 'ROUTE_NOT_FOUND')
})

test("an error in a user's own middleware is answered in the gateway's words, without its message", async (t) => {
  const { url } = await withOwnPages(t)
  const broken = await send(`${url}/broken`)
  assert.equal(broken.status, 500)
  assert.equal(JSON.parse(broken.text).reason, 'INTERNAL')
  assert.ok(!broken.text.includes('secret'))
})
