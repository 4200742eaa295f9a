import { once } from 'node:events'
import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { createServer as createTls } from 'node:tls'
import { makeAuthority } from '../certificates.ts'
import { startGateway, type TestGateway } from '../world.ts'

const authority = makeAuthority()
/** Of backends on 127.0.0.1. */
export const pair = authority.issue(['IP:127.0.0.1'])
const tls = { ca: authority.cert }

/** A request as the backend has it. */
export interface Asked {
  readonly stream: ServerHttp2Stream
  readonly headers: IncomingHttpHeaders
  readonly session: ServerHttp2Session
  readonly socket: Socket
  /** Of its connection, from 0. */
  readonly turn: number
  readonly connection: number
}

/** A backend that speaks nothing but HTTP/2, and lets tests have the socket below it. */
export async function startHttp2(
  t: TestContext,
  answer: (asked: Asked) => void,
  { secure = false, settings = {} as Settings } = {},
) {
  const sessions: ServerHttp2Session[] = []
  const take = (socket: Socket): void => {
    const session = performServerHandshake(socket, { settings })
    const connection = sessions.push(session) - 1
    let turn = 0
    socket.on('error', () => {})
    session.on('error', () => {})
    session.on('stream', (stream, headers) => {
      stream.on('error', () => {})
      answer({ stream, headers, session, socket, connection, turn: turn++ })
    })
  }
  const server = secure ? createTls({ ...pair, ALPNProtocols: ['h2'] }, take) : createServer(take)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http${secure ? 's' : ''}://127.0.0.1:${port}`, sessions }
}

/** A gateway that speaks HTTP/2 to this backend: every path by REST, and a subgraph. */
export async function openHttp2(t: TestContext, url: string, upstream: object = {}): Promise<TestGateway> {
  return startGateway(t, {
    upstreams: {
      backend: {
        targets: [{ url }],
        connections: { http2: true },
        ...(url.startsWith('https:') && { tls }),
        ...upstream,
      },
    },
    routes: [{ id: 'all', path: '/**', upstream: 'backend', auth: 'none' }],
    graphql: {
      auth: 'none',
      subgraphs: { users: { upstream: 'backend', schema: 'test/doors/users.graphql' } },
    },
  })
}

/** Sends back what it was asked. */
export function echo({ stream, headers, connection }: Asked): void {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => {
    const body = Buffer.concat(chunks).toString()
    stream.respond({
      ':status': 200,
      'content-type': 'application/json',
      'set-cookie': ['a=1', 'b=2'],
      'x-twice': 'one, two',
    })
    stream.end(JSON.stringify({ headers, body, connection }))
  })
}
