import { EventEmitter, once } from 'node:events'
import { get, type IncomingMessage, type ServerResponse } from 'node:http'
import { resolve } from 'node:path'
import type { TestContext } from 'node:test'
import {
  Client,
  credentials,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type StatusObject,
} from '@grpc/grpc-js'
import { loadSync, type MethodDefinition } from '@grpc/proto-loader'
import { WebSocket, WebSocketServer } from 'ws'
import { startBackend } from '../world.ts'

/** A backend with streams that stay open, and plain answers beside them. */
export interface LiveBackend {
  readonly url: string
  /** `left`: streams that have ended, whoever ended them. */
  readonly seen: { streams: number; asked: number; left: number }
  /** Whether plain questions are answered with 503 or UNAVAILABLE. */
  failing: boolean
  /** Sends a text on every stream. */
  emit(text: string): void
  /** Ends every stream in good order. */
  end(): void
}

/** A client of a stream. */
export interface Watch {
  /** The next text that came, or `ended` or `cut`. */
  next(): Promise<string>
  leave(): void
}

/** One kind of stream that goes through the gateway. */
export interface LiveKind {
  readonly name: string
  start(t: TestContext): Promise<LiveBackend>
  /** All but the upstream, which is called `backend`. */
  readonly config: object
  watch(t: TestContext, url: string, headers?: Readonly<Record<string, string>>): Promise<Watch>
  ask(url: string): Promise<number>
}

type Text = { readonly text: string }

/** A backend that answers nowhere yet, and the events (`text`, `end`) by which it tells its streams. */
function backendOf(): { readonly live: Omit<LiveBackend, 'url'>; readonly events: EventEmitter } {
  const events = new EventEmitter().setMaxListeners(0)
  const live = {
    seen: { streams: 0, asked: 0, left: 0 },
    failing: false,
    emit: (text: string) => void events.emit('text', text),
    end: () => void events.emit('end'),
  }
  return { live, events }
}

async function startHttp(t: TestContext): Promise<LiveBackend> {
  const { live, events } = backendOf()
  const backend = await startBackend(t, (req: IncomingMessage, res: ServerResponse) => {
    if (req.url === '/watch') {
      live.seen.streams++
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      const send = (text: string): void => void res.write(`data: ${text}\n\n`)
      events.on('text', send).once('end', () => res.end())
      res.once('close', () => live.seen.left++)
      send('hello')
    } else {
      live.seen.asked++
      res.writeHead(live.failing ? 503 : 200).end()
    }
  })
  const sockets = new WebSocketServer({ server: backend.server })
  sockets.on('connection', (socket) => {
    live.seen.streams++
    events.on('text', (text) => socket.send(text)).once('end', () => socket.close(1000))
    socket.once('close', () => live.seen.left++)
    socket.send('hello')
  })
  return Object.assign(live, { url: backend.url })
}

const service = loadSync('live.proto', {
  includeDirs: ['test/doors', 'node_modules/google-proto-files'],
  keepCase: true,
})['live.v1.Live'] as ServiceDefinition

async function startGrpc(t: TestContext): Promise<LiveBackend> {
  const { live, events } = backendOf()
  const ask: handleUnaryCall<unknown, Text> = (_call, reply) => {
    live.seen.asked++
    if (live.failing) reply({ code: 14, details: 'failing' })
    else reply(null, { text: 'fine' })
  }
  const watch: handleServerStreamingCall<unknown, Text> = (call) => {
    live.seen.streams++
    events.on('text', (text) => call.write({ text })).once('end', () => call.end())
    call.once('cancelled', () => live.seen.left++)
    call.write({ text: 'hello' })
  }
  const server = new Server()
  server.addService(service, { Ask: ask, Watch: watch })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  t.after(() => server.forceShutdown())
  return Object.assign(live, { url: `http://127.0.0.1:${port}` })
}

/** What came, in order, to be taken one by one. */
class Inbox implements Watch {
  readonly leave: () => void
  readonly #texts: string[] = []
  #wake = (): void => {}
  constructor(leave: () => void) {
    this.leave = leave
  }
  add(text: string): void {
    this.#texts.push(text)
    this.#wake()
  }
  async next(): Promise<string> {
    while (this.#texts.length === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    return this.#texts.shift() as string
  }
}

/** Server-sent events whose data is what `read` makes of it. */
async function watchEvents(
  t: TestContext,
  url: string,
  {
    read,
    headers,
  }: { read: (data: string) => string; headers: Readonly<Record<string, string>> | undefined },
): Promise<Watch> {
  const request = get(url, { headers: { Accept: 'text/event-stream', ...headers }, agent: false })
  t.after(() => request.destroy())
  const inbox = new Inbox(() => request.destroy())
  const [reply] = (await once(request, 'response')) as [IncomingMessage]
  reply.setEncoding('utf8')
  reply.on('data', (chunk: string) => {
    for (const [, data = ''] of chunk.matchAll(/^data: (.*)$/gm)) inbox.add(read(data))
  })
  reply.once('end', () => inbox.add('ended')).once('error', () => inbox.add('cut'))
  return inbox
}

const httpConfig = { routes: [{ id: 'live', path: '/**', upstream: 'backend', auth: 'none' }] }

const grpcConfig = {
  grpc: {
    protos: [resolve('test/doors/live.proto')],
    includeDirs: [resolve('test/doors')],
    services: { 'live.v1.Live': { upstream: 'backend', auth: 'none' } },
  },
}

async function statusOf(url: string): Promise<number> {
  const reply = await fetch(url)
  await reply.arrayBuffer()
  return reply.status
}

const serverSentEvents: LiveKind = {
  name: 'server-sent events over REST',
  start: startHttp,
  config: httpConfig,
  watch: (t, url, headers) => watchEvents(t, `${url}/watch`, { read: (data) => data, headers }),
  ask: (url) => statusOf(`${url}/ask`),
}

const webSockets: LiveKind = {
  ...serverSentEvents,
  name: 'a WebSocket over REST',
  async watch(t, url, headers = {}) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/watch`, { headers })
    t.after(() => socket.terminate())
    const inbox = new Inbox(() => socket.close())
    socket.on('error', () => {}).on('message', (data) => inbox.add(String(data)))
    socket.once('close', (code) => inbox.add(code === 1000 ? 'ended' : 'cut'))
    await once(socket, 'open')
    return inbox
  },
}

const grpcAsEvents: LiveKind = {
  name: 'a gRPC stream as server-sent events',
  start: startGrpc,
  config: grpcConfig,
  watch: (t, url, headers) => {
    const read = (data: string): string => {
      const { text, message } = JSON.parse(data) as Text & { message?: string }
      return message ?? text
    }
    return watchEvents(t, `${url}/v1/watch/all`, { read, headers })
  },
  ask: (url) => statusOf(`${url}/v1/ask/all`),
}

const nativeGrpc: LiveKind = {
  ...grpcAsEvents,
  name: 'a native gRPC stream',
  async watch(t, url, headers = {}) {
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
    const client = new Client(new URL(url).host, credentials.createInsecure())
    t.after(() => client.close())
    const { path, requestSerialize, responseDeserialize } = service.Watch as MethodDefinition<object, Text>
    const name = { name: 'all' }
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, name, metadata)
    const inbox = new Inbox(() => call.cancel())
    call.on('error', () => {}).on('data', ({ text }: Text) => inbox.add(text))
    call.once('status', ({ code }: StatusObject) => inbox.add(code === 0 ? 'ended' : 'cut'))
    return inbox
  },
}

/** Every kind of stream; GraphQL has none here: subgraphs are asked one thing at a time. */
export const liveKinds: readonly LiveKind[] = [serverSentEvents, webSockets, grpcAsEvents, nativeGrpc]
