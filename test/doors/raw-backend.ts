import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import {
  answer,
  END_HEADERS,
  frame,
  okHead,
  settings,
  startRaw,
  types,
} from '../front-ends/grpc/channel/raw-server.ts'
import type { Door } from './door.ts'

/** What a connection does when a request has arrived on it. */
export type Behaviour = 'answer' | 'answerLast' | 'begin' | 'fin' | 'rst' | 'nothing'

/** A backend of a door that is made of bytes. */
export interface RawBackend {
  readonly url: string
  readonly port: number
  /** Requests by connection, in the order in which these came. */
  readonly requests: number[]
}

/**
 * Starts a backend for the `ask` of a door. `behave` says what to do at each request; both count from 0. `answerLast` ends the connection
 * behind the answer without a word of warning, `begin` within it; `fin` and `rst` end it before.
 */
export async function startRawBackend(
  t: TestContext,
  { protocol }: Door,
  behave: (request: number, connection: number) => Behaviour,
  at: { readonly host?: string; readonly port?: number } = {},
): Promise<RawBackend> {
  const requests: number[] = []
  const serve = (socket: Socket, connection: number, reply: Reply): void => {
    const request = requests[connection] ?? 0
    requests[connection] = request + 1
    const how = behave(request, connection)
    if (how === 'rst') socket.resetAndDestroy()
    if (how === 'begin') reply('a part')
    if (how.startsWith('answer')) reply('whole')
    if (how === 'fin' || how === 'answerLast' || how === 'begin') socket.end()
  }
  const server =
    protocol === 'grpc' ? await grpcServer(serve, at) : await httpServer(serve, { protocol, ...at })
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${server.port}`, port: server.port, requests }
}

type Reply = (what: 'whole' | 'a part') => void
type Serve = (socket: Socket, connection: number, reply: Reply) => void
type At = { readonly host?: string; readonly port?: number }

async function grpcServer(serve: Serve, at: At): Promise<{ port: number; close(): void }> {
  const server = await startRaw(async (peer) => {
    const connection = server.peers.indexOf(peer)
    peer.write(settings())
    for (let id = 1; ; id += 2) {
      await peer.frame(types.headers, id)
      serve(peer.socket, connection, (what) => {
        if (what === 'whole') peer.write(answer(id, '\n\x0242'))
        else peer.write(frame(types.headers, END_HEADERS, id, okHead))
      })
    }
  }, at)
  return { port: Number(new URL(server.url).port), close: server.close }
}

async function httpServer(
  serve: Serve,
  { protocol, host = '127.0.0.1', port = 0 }: At & { readonly protocol: Door['protocol'] },
): Promise<{ port: number; close(): void }> {
  const body = protocol === 'graphql' ? '{"data":{"me":{"id":"42"}}}' : '{"id":"42"}'
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    const connection = sockets.push(socket) - 1
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (!isWhole(text)) return
      text = ''
      serve(socket, connection, (what) => socket.write(what === 'whole' ? `${head}${body}` : 'HTTP/1.1 2'))
    })
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Whether a request with a counted body, or none, is there. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return false
  const length = Number(/^content-length: (\d+)\r$/im.exec(text.slice(0, end + 2))?.[1] ?? 0)
  return text.length >= end + 4 + length
}
