import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** What a backend does with one request. */
export type Mood =
  | 'well'
  | 'slow'
  | 'early'
  | 'fail'
  | 'fail early'
  | 'break'
  | 'refuse'
  | 'hang'
  | 'reset'
  | 'reset late'
  | 'half'
  | 'stop'
  | 'last'

/** What one request was, as far as it came. */
export interface Arrival {
  readonly id: string
  readonly method: string
  readonly mirrored: boolean
  body: string
  /** Whether the body came to its end. */
  whole: boolean
}

/** A backend of all front-ends: HTTP and GraphQL at one URL, gRPC at another. */
export interface MoodyBackend {
  readonly url: string
  readonly rpcUrl: string
  readonly arrivals: Arrival[]
}

/** Starts a backend that asks `mood` what to do with each request. */
export async function startMoody(t: TestContext, mood: () => Mood): Promise<MoodyBackend> {
  const arrivals: Arrival[] = []
  const http = createServer((req, res) => void serveHttp(req, res, { mood: mood(), arrivals })).listen(
    0,
    '127.0.0.1',
  )
  const sockets = new Set<Socket>()
  const rpc = createHttp2Server()
    .on('stream', (stream, headers) => {
      const mirrored = headers['x-gateway-mirror'] === 'true'
      const id = String(headers['x-request-id'])
      arrivals.push({ id, method: 'POST', mirrored, body: '', whole: true })
      stream.on('error', () => {})
      stream.resume().once('end', () => serveRpc(stream, mood()))
    })
    .on('connection', (socket: Socket) => sockets.add(socket))
    .on('sessionError', () => {})
    .listen(0, '127.0.0.1')
  await Promise.all([once(http, 'listening'), once(rpc, 'listening')])
  t.after(() => {
    http.close()
    http.closeAllConnections()
    rpc.close()
    for (const socket of sockets) socket.destroy()
  })
  const urlOf = (address: AddressInfo): string => `http://127.0.0.1:${address.port}`
  return { url: urlOf(http.address() as AddressInfo), rpcUrl: urlOf(rpc.address() as AddressInfo), arrivals }
}

async function serveHttp(
  req: IncomingMessage,
  res: ServerResponse,
  { mood, arrivals }: { readonly mood: Mood; readonly arrivals: Arrival[] },
): Promise<void> {
  const { method = '', headers } = req
  const mirrored = headers['x-gateway-mirror'] === 'true'
  const arrival: Arrival = { id: String(headers['x-request-id']), method, mirrored, body: '', whole: false }
  arrivals.push(arrival)
  req.on('error', () => {})
  res.on('error', () => {})
  req.setEncoding('latin1').on('data', (text: string) => {
    arrival.body += text
  })
  req.once('end', () => {
    arrival.whole = true
  })
  if (mood === 'reset') req.socket.resetAndDestroy()
  else if (mood === 'early') answer(res, 200)
  else if (mood === 'fail early') answer(res, 503)
  else req.once('end', () => finish(req, res, mood))
}

function finish(req: IncomingMessage, res: ServerResponse, mood: Mood): void {
  if (mood === 'well') answer(res, 200)
  else if (mood === 'slow') setTimeout(() => answer(res, 200), slowMs)
  else if (mood === 'last') answer(res.setHeader('Connection', 'close'), 200)
  else if (mood === 'fail') answer(res.setHeader('Retry-After', '0'), 503)
  else if (mood === 'break') answer(res, 500)
  else if (mood === 'refuse') answer(res, 404)
  else if (mood === 'reset late') req.socket.resetAndDestroy()
  else if (mood === 'stop') res.writeHead(200, { 'Content-Length': json.length }).write(json.slice(0, 5))
  else if (mood === 'half')
    res
      .writeHead(200, { 'Content-Length': json.length })
      .write(json.slice(0, 5), () => req.socket.resetAndDestroy())
}

function answer(res: ServerResponse, status: number): void {
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': json.length }).end(json)
}

function serveRpc(stream: ServerHttp2Stream, mood: Mood): void {
  if (stream.destroyed || mood === 'hang') return
  if (mood === 'reset') stream.session?.socket?.destroy()
  else if (mood === 'reset late') stream.close(2)
  else if (mood === 'fail' || mood === 'fail early') refuse(stream, '14')
  else if (mood === 'break') refuse(stream, '13')
  else if (mood === 'refuse') refuse(stream, '5')
  else if (mood === 'slow') setTimeout(() => reply(stream, message), slowMs)
  else if (mood === 'half') reply(stream, message.subarray(0, 6))
  else if (mood === 'stop') stream.respond(head)
  else reply(stream, message)
}

function refuse(stream: ServerHttp2Stream, status: string): void {
  stream.respond({ ...head, 'grpc-status': status }, { endStream: true })
}

function reply(stream: ServerHttp2Stream, bytes: Buffer): void {
  if (stream.destroyed) return
  stream.respond(head, { waitForTrailers: true })
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end(bytes)
}

const slowMs = 120
const head = { ':status': 200, 'content-type': 'application/grpc' }
/** An answer of a subgraph that others take for JSON. */
const json = '{"data":{"me":{"id":"42"}}}'
/** `User{id: "42"}` in its frame. */
const message = Buffer.from([0, 0, 0, 0, 4, 10, 2, 52, 50])
