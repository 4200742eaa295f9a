import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { makeAuthority } from '../certificates.ts'
import { type Door, doors } from '../doors/door.ts'
import { startKeyServer } from '../plugins/key-server.ts'
import { freePort } from '../services/free-port.ts'
import { startRedis } from '../services/redis.ts'
import { startBackend, startGateway, type TestGateway } from '../world.ts'

/** A gateway that uses all that is measured, and what makes its numbers move. */
export interface LoadedGateway extends TestGateway {
  /** Some requests of every kind: all protocols, served, failed, refused, tried again, limited, copied. */
  round(): Promise<void>
}

interface DoorParts {
  readonly upstreams: { readonly backend: object }
  readonly graphql?: object
  readonly grpc?: { readonly services: Readonly<Record<string, object>> }
}

export async function loadedGateway(t: TestContext): Promise<LoadedGateway> {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const keys = await startKeyServer([])
  t.after(() => keys.close())
  const { cert, key } = makeAuthority().issue(['localhost'])
  const good = await startBackend(t)
  const bad = await startBackend(t, (_, res) => res.writeHead(500).end('no'))
  const graphql = await startDoor(t, 'graphql')
  const grpc = await startDoor(t, 'grpc')
  const dead = `http://127.0.0.1:${await freePort()}`
  const gateway = await startGateway(t, {
    server: {
      tls: { listen: '127.0.0.1:0', cert, key },
      access: { deny: ['127.0.0.9/32'] },
    },
    stores: { redis: { url: redis.url } },
    auth: {
      jwt: [{ issuer: 'https://id.example', audience: 'api', algorithms: ['RS256'], jwksUri: keys.uri }],
    },
    plugins: ['requestId', 'metrics', { threatFilter: { mode: 'report' } }],
    upstreams: {
      users: { targets: [{ url: good.url }], concurrency: { max: 100, queue: 10 } },
      bad: { targets: [{ url: bad.url }] },
      // Asked twice: one of its targets is not there.
      half: { targets: [{ url: good.url }, { url: dead }] },
      broken: { targets: [{ url: dead }], circuitBreaker: { consecutiveFailures: 2, openFor: '5m' } },
      spared: { targets: [{ url: dead }], fallback: { upstream: 'users' } },
      found: { discovery: { type: 'registry', service: 'users' } },
      graphql: graphql.parts.upstreams.backend,
      grpc: grpc.parts.upstreams.backend,
    },
    routes: [
      { id: 'users', path: '/users/**', upstream: 'users', mirror: { upstream: 'bad' } },
      { id: 'half', path: '/half', upstream: 'half' },
      { id: 'broken', path: '/broken', upstream: 'broken' },
      { id: 'spared', path: '/spared', upstream: 'spared' },
      { id: 'found', path: '/found', upstream: 'found', plugins: [fault] },
      { id: 'limited', path: '/limited', upstream: 'users', plugins: [limit] },
      {
        id: 'released',
        path: '/released/**',
        upstream: 'users',
        canary: { upstream: 'bad', match: { headers: { 'X-Canary': '*' } }, steps: [{ weight: 50 }] },
      },
    ]
      .map((route): object => ({ auth: 'none', ...route }))
      .concat({ id: 'secret', path: '/secret', upstream: 'users' }),
    graphql: {
      ...graphql.parts.graphql,
      auth: 'none',
      subgraphs: { users: { upstream: 'graphql', schema: 'test/doors/users.graphql' } },
    },
    grpc: {
      ...grpc.parts.grpc,
      services: { 'doors.v1.Users': { upstream: 'grpc', auth: 'none' } },
    },
  })
  const { url, port } = gateway
  gateway.gateway.registry.register('users', { url: good.url })
  const tlsPort = Number(new URL(gateway.gateway.tlsUrl ?? '').port)
  let rounds = 0
  return {
    ...gateway,
    async round() {
      rounds++
      const every = rounds % 3 === 0
      graphql.behaviour.answers = every ? 'refuse' : 'well'
      grpc.behaviour.answers = every ? 'fail' : 'well'
      const paths = ['/users/1', '/half', '/half', '/broken', '/spared', '/found', '/limited', '/secret']
      const tested = { 'X-Canary': 'yes' }
      await Promise.all([
        ...[...paths, "/users/1?q=1'%20or%20'1'='1"].map((path) => drained(fetch(url + path))),
        ...[tested, {}].map((headers) => drained(fetch(`${url}/released/1`, { headers }))),
        drained(graphql.ask(url)),
        drained(post(`${url}/graphql`, { query: 'query Named { me { id } }' })),
        drained(post(`${url}/graphql`, { query: '{ nothing }' })),
        drained(grpc.ask(url)),
        send(port, 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n'),
        send(tlsPort, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
        send(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', '127.0.0.9'),
      ])
    },
  }
}

const fault = { fault: { delay: { percent: 100, duration: '1ms' } } }
const limit = { rateLimit: { name: 'few', limit: 3, window: '1m', by: 'ip' } }

async function startDoor(t: TestContext, protocol: Door['protocol']) {
  const door = doors.find((one) => one.protocol === protocol)
  if (door === undefined) throw new Error(`there is no door for ${protocol}`)
  const backend = await door.start(t)
  return { ...backend, parts: backend.config({}) as DoorParts }
}

async function drained(asked: Promise<Response>): Promise<void> {
  await (await asked).arrayBuffer()
}

function post(url: string, body: object): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
}

/** Bytes that no HTTP client sends; whatever comes back, it is over when the gateway has closed. */
function send(port: number, bytes: string, localAddress = '127.0.0.1'): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    socket.on('error', () => {}).once('close', () => resolve())
    socket.resume().write(bytes)
  })
}
