import { EventEmitter, on } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { type ExecutionResult, graphql, parse, subscribe } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { GatewayOptions } from '../../../../src/gateway-options.ts'
import { startGateway, type TestGateway } from '../../../world.ts'
import { listen } from '../harness.ts'

const folder = 'test/front-ends/graphql/subscriptions'
const sdls = {
  chat: readFileSync(`${folder}/chat.graphql`, 'utf8'),
  people: readFileSync(`${folder}/people.graphql`, 'utf8'),
}

/** Subgraphs on loopback: `chat` has subscriptions, by WebSockets and server-sent events at `/graphql`; `people` knows who its users are. */
export interface World {
  readonly gateway: TestGateway
  readonly url: string
  readonly chat: Chat
  /** What people was asked for. */
  readonly asked: { query: string; variables?: Record<string, unknown> }[]
  /** Before people answers. */
  readonly people: { before: (() => Promise<void>) | undefined; broken: boolean }
}

export interface Chat {
  /** Says something in a room. */
  say(room: string, text: string, author?: string): void
  /** Subscriptions that are open now. */
  readonly open: number
  /** Resolves when that many are. */
  untilOpen(count: number): Promise<void>
  /** Of each WebSocket or stream that was begun. */
  readonly handshakes: IncomingHttpHeaders[]
  /** The WebSockets that are there. */
  readonly sockets: Set<WebSocket>
  readonly port: number
  /** Ends every connection without a word. */
  cut(): void
  /** Does something else with WebSockets that come, instead of GraphQL. */
  instead: ((socket: WebSocket, request: IncomingMessage) => void) | undefined
  /** Does something else with requests. */
  answer: ((req: IncomingMessage, res: ServerResponse) => boolean) | undefined
  close(): Promise<void>
  reopen(): Promise<void>
}

export async function startWorld(
  t: TestContext,
  config: {
    readonly graphql?: object
    readonly subscription?: object
    readonly upstream?: object
    /** Beside those of chat and people. */
    readonly upstreams?: object
    readonly more?: object
  } = {},
  options: Partial<GatewayOptions> = {},
): Promise<World> {
  const chat = await startChat(t)
  const asked: World['asked'] = []
  const hold: World['people'] = { before: undefined, broken: false }
  const people = await startPeople(t, asked, hold)
  const gateway = await startGateway(
    t,
    {
      plugins: ['requestId', 'accessLog', 'metrics'],
      upstreams: {
        chat: { targets: [{ url: `http://127.0.0.1:${chat.port}` }], ...config.upstream },
        people: { targets: [{ url: people }] },
        ...config.upstreams,
      },
      graphql: {
        auth: 'none',
        subgraphs: {
          chat: {
            upstream: 'chat',
            schema: `${folder}/chat.graphql`,
            ...(config.subscription && { subscription: config.subscription }),
          },
          people: { upstream: 'people', schema: `${folder}/people.graphql` },
        },
        ...config.graphql,
      },
      ...config.more,
    },
    options,
  )
  return { gateway, url: `${gateway.url}/graphql`, chat, asked, people: hold }
}

async function startPeople(t: TestContext, asked: World['asked'], hold: World['people']): Promise<string> {
  const schema = buildSubgraphSchema({
    typeDefs: parse(sdls.people),
    resolvers: {
      Query: { person: (_: unknown, { id }: { id: string }) => ({ id, name: `name of ${id}` }) },
      User: {
        __resolveReference: ({ id }: { id: string }) =>
          id === '9' ? null : { id, name: `name of ${id}`, email: `${id}@x` },
      },
    } as never,
  })
  const server = createServer(async (req, res) => {
    const request = JSON.parse(await textOf(req))
    asked.push(request)
    await hold.before?.()
    if (hold.broken) {
      res.writeHead(500).end('broken')
      return
    }
    const result = await graphql({ schema, source: request.query, variableValues: request.variables })
    res.setHeader('content-type', 'application/json')
    res.end(JSON.stringify(result))
  })
  const port = await listen(server)
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${port}`
}

async function startChat(t: TestContext): Promise<Chat> {
  const bus = new EventEmitter()
  bus.setMaxListeners(0)
  const counts = new EventEmitter()
  let open = 0
  const counted = (by: number): void => {
    open += by
    counts.emit('change')
  }
  async function* messages(_: unknown, { room }: { room: string }, context: { signal?: AbortSignal } = {}) {
    counted(1)
    try {
      for await (const [message] of on(bus, room, { signal: context.signal as AbortSignal }))
        yield { messages: message }
    } catch (error) {
      if ((error as Error).name !== 'AbortError') throw error
    } finally {
      counted(-1)
    }
  }
  async function* ticks(_: unknown, { count }: { count: number }) {
    for (let tick = 1; tick <= count; tick++) yield { ticks: tick }
  }
  // biome-ignore lint/correctness/useYield: it fails before it has anything
  async function* fails() {
    throw new Error('SELECT * FROM secrets')
  }
  async function* maybe() {
    yield { maybe: null }
    yield { maybe: { text: 'there', author: { id: '3' } } }
  }
  const schema = buildSubgraphSchema({
    typeDefs: parse(sdls.chat),
    resolvers: {
      Query: {
        rooms: () => ['a', 'b'],
        last: () => [1, 2].map((id) => ({ text: `text ${id}`, author: { id: `${id}` } })),
        one: () => ({ text: 'one', author: { id: '1' } }),
        none: () => null,
      },
      Mutation: {
        say: (_: unknown, { room, text }: { room: string; text: string }) => {
          const message = { text, author: { id: '1' } }
          bus.emit(room, message)
          return message
        },
      },
      Subscription: {
        messages: { subscribe: messages },
        ticks: { subscribe: ticks },
        fails: { subscribe: fails },
        maybe: { subscribe: maybe },
      },
    } as never,
  })
  const sockets = new Set<WebSocket>()
  const connections = new Set<Socket>()
  const handshakes: IncomingHttpHeaders[] = []
  const server = createServer(async (req, res) => {
    if (chat.answer?.(req, res) === true) return
    const request = JSON.parse(await textOf(req))
    const abort = new AbortController()
    res.on('close', () => abort.abort())
    const given = { schema, variableValues: request.variables, contextValue: { signal: abort.signal } }
    if (!request.query.startsWith('subscription')) {
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify(await graphql({ ...given, source: request.query })))
      return
    }
    handshakes.push(req.headers)
    const results = await subscribe({ ...given, document: parse(request.query) })
    if (!(Symbol.asyncIterator in results)) {
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify(results))
      return
    }
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write(':\n\n')
    for await (const result of results as AsyncIterable<ExecutionResult>) {
      res.write(`event: next\ndata: ${JSON.stringify(result)}\n\n`)
    }
    res.end('event: complete\ndata:\n\n')
  })
  server.on('connection', (socket) => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
  })
  const graphqlServer = new WebSocketServer({ noServer: true })
  useServer(
    {
      schema,
      context: (ctx) => {
        const abort = new AbortController()
        ctx.extra.socket.on('close', () => abort.abort())
        return { signal: abort.signal }
      },
    },
    graphqlServer,
  )
  const bare = new WebSocketServer({ noServer: true })
  server.on('upgrade', (req, socket, head) => {
    handshakes.push(req.headers)
    const other = chat.instead
    const accept = other === undefined ? graphqlServer : bare
    accept.handleUpgrade(req, socket, head, (ws) => {
      sockets.add(ws)
      ws.on('close', () => sockets.delete(ws))
      if (other === undefined) graphqlServer.emit('connection', ws, req)
      else other(ws, req)
    })
  })
  const port = await listen(server)
  const cut = (): void => {
    for (const socket of connections) socket.destroy()
    for (const socket of sockets) socket.terminate()
  }
  const chat: Chat = {
    say: (room, text, author = '1') => void bus.emit(room, { text, author: { id: author } }),
    get open() {
      return open
    },
    untilOpen: async (count) => {
      while (open !== count) await new Promise((resolve) => counts.once('change', resolve))
    },
    handshakes,
    sockets,
    port,
    cut,
    instead: undefined,
    answer: undefined,
    close: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
    reopen: () => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve)),
  }
  t.after(() => {
    cut()
    server.close()
  })
  return chat
}

async function textOf(req: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of req) text += chunk
  return text
}
