import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildSubgraphSchema } from '@apollo/subgraph'
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { execute, parse } from 'graphql'
import { askHttp2, connectHttp2 } from '../listener/http2-client.ts'
import { startBackend } from '../world.ts'

/** What a place may be configured with, the same words for every front-end. */
export interface PlaceConfig {
  readonly auth?: 'required' | 'optional' | 'none'
  readonly authorize?: object
  readonly plugins?: readonly unknown[]
}

/** One way into the gateway: how it is configured, asked and read. The suite takes it as its argument. */
export interface Door {
  readonly name: string
  readonly protocol: 'rest' | 'graphql' | 'grpc'
  /** The label of metrics and logs. */
  readonly routeId: string
  /** Starts a real backend, and tells what it was told by the gateway. */
  start(t: TestContext): Promise<DoorBackend>
}

/** What a backend does with the next requests; tests change it as they go. */
export interface Behaviour {
  /**
   * `fail`: 503, or UNAVAILABLE of gRPC. `break`: 500, or INTERNAL. `refuse`: 400, or INVALID_ARGUMENT, as to a client that asked for
   * nonsense; an error of GraphQL.
   */
  answers: 'well' | 'fail' | 'break' | 'refuse'
  /** What it waits for before it answers. */
  until: Promise<unknown> | undefined
  /** How long it waits before it answers. */
  delayMs: number
}

export interface DoorBackend {
  readonly behaviour: Behaviour
  /** The parts of a configuration that lead to it. */
  config(place: PlaceConfig): object
  /** A request that succeeds when nothing refuses it. */
  ask(url: string, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** The path and method that {@link ask} uses, for preflights. */
  readonly target: { readonly path: string; readonly method: string }
  /** Headers (metadata) of each request that reached the backend, oldest first, lower case. */
  readonly seen: Readonly<Record<string, string>>[]
  /** The stable reason in a refusal's body, where this protocol puts it. */
  reason(body: string): unknown
}

const rest: Door = {
  name: 'rest',
  protocol: 'rest',
  routeId: 'echo',
  async start(t) {
    const seen: Record<string, string>[] = []
    const behaviour = wellBehaved()
    const backend = await startBackend(t, async (req, res) => {
      seen.push(req.headers as Record<string, string>)
      await turn(behaviour)
      res.statusCode = httpStatus[behaviour.answers]
      res.setHeader('Content-Type', 'application/json')
      res.end('{"id":"42"}')
    })
    return {
      seen,
      behaviour,
      target: { path: '/v1/users/42', method: 'GET' },
      config: (place) => ({
        upstreams: { backend: { targets: [{ url: backend.url }] } },
        routes: [{ id: 'echo', path: '/v1/users/**', methods: ['GET'], upstream: 'backend', ...place }],
      }),
      ask: (url, headers = {}) => fetch(`${url}/v1/users/42`, { headers }),
      reason: (body) => JSON.parse(body).reason,
    }
  },
}

const graphql: Door = {
  name: 'graphql',
  protocol: 'graphql',
  routeId: 'graphql',
  async start(t) {
    const seen: Record<string, string>[] = []
    const behaviour = wellBehaved()
    const me = () => {
      if (behaviour.answers === 'refuse') throw new Error('nobody is here')
      return { id: '42' }
    }
    const schema = buildSubgraphSchema({
      typeDefs: parse('type Query { me: User } type User { id: ID! }'),
      resolvers: { Query: { me } },
    })
    const backend = await startBackend(t, async (req, res) => {
      seen.push(req.headers as Record<string, string>)
      const chunks: Buffer[] = []
      for await (const chunk of req) chunks.push(chunk as Buffer)
      await turn(behaviour)
      if (behaviour.answers === 'fail' || behaviour.answers === 'break') {
        res.writeHead(httpStatus[behaviour.answers]).end('no')
        return
      }
      const { query, variables } = JSON.parse(Buffer.concat(chunks).toString('utf8'))
      const result = await execute({ schema, document: parse(query), variableValues: variables })
      res.setHeader('Content-Type', 'application/json')
      res.end(JSON.stringify(result))
    })
    return {
      seen,
      behaviour,
      target: { path: '/graphql', method: 'POST' },
      config: (place) => ({
        upstreams: { backend: { targets: [{ url: backend.url }] } },
        graphql: {
          ...place,
          subgraphs: { users: { upstream: 'backend', schema: 'test/doors/users.graphql' } },
          // As at the other doors, each request is a call.
          sharing: { fetches: false },
        },
      }),
      ask: (url, headers = {}) =>
        fetch(`${url}/graphql`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', ...headers },
          body: JSON.stringify({ query: '{ me { id } }' }),
        }),
      reason: (body) => JSON.parse(body).errors[0].extensions.reason,
    }
  },
}

const grpc: Door = {
  name: 'grpc',
  protocol: 'grpc',
  routeId: 'doors.v1.Users/GetUser',
  async start(t) {
    const seen: Record<string, string>[] = []
    const behaviour = wellBehaved()
    const definitions = loadSync('doors.proto', {
      includeDirs: ['test/doors', 'node_modules/google-proto-files'],
      keepCase: true,
    })
    const server = new Server()
    const getUser: handleUnaryCall<unknown, { id: string }> = async (call, reply) => {
      seen.push(call.metadata.getMap() as Record<string, string>)
      await turn(behaviour)
      if (behaviour.answers === 'well') reply(null, { id: '42' })
      else reply({ code: grpcStatus[behaviour.answers] })
    }
    server.addService(definitions['doors.v1.Users'] as ServiceDefinition, { GetUser: getUser })
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
    t.after(() => server.forceShutdown())
    return {
      seen,
      behaviour,
      target: { path: '/v1/grpc/users/42', method: 'GET' },
      config: (place) => ({
        upstreams: { backend: { targets: [{ url: `http://127.0.0.1:${port}` }] } },
        grpc: {
          protos: ['test/doors/doors.proto'],
          includeDirs: ['test/doors'],
          services: { 'doors.v1.Users': { upstream: 'backend', ...place } },
        },
      }),
      ask: (url, headers = {}) => fetch(`${url}/v1/grpc/users/42`, { headers }),
      reason: (body) =>
        JSON.parse(body).details.find((detail: { '@type': string }) => detail['@type'].endsWith('ErrorInfo'))
          .reason,
    }
  },
}

/** The same by HTTP/2 with prior knowledge. */
const restByHttp2: Door = {
  ...rest,
  name: 'rest (HTTP/2)',
  async start(t) {
    const backend = await rest.start(t)
    return {
      ...backend,
      async ask(url, headers = {}) {
        const session = await connectHttp2(t, url)
        const reply = await askHttp2(session, { ':path': '/v1/users/42', ...headers })
        session.close()
        if (reply.rstCode !== 0) throw new Error(`the answer was broken off (${reply.rstCode})`)
        const heads = Object.entries(reply.headers).filter(([name]) => !name.startsWith(':'))
        const flat = heads.map(([name, value]): [string, string] => [name, String(value)])
        return new Response(new Uint8Array(reply.body), { status: reply.status, headers: flat })
      },
    }
  },
}

const httpStatus = { well: 200, fail: 503, break: 500, refuse: 400 } as const
const grpcStatus = {
  fail: status.UNAVAILABLE,
  break: status.INTERNAL,
  refuse: status.INVALID_ARGUMENT,
} as const

function wellBehaved(): Behaviour {
  return { answers: 'well', until: undefined, delayMs: 0 }
}

/** Without anything to wait for, an answer is sent within the same turn. */
function turn({ until, delayMs }: Behaviour): Promise<unknown> | undefined {
  return delayMs === 0 ? until : sleep(delayMs)
}

/** Every front-end; a fourth one adds itself here. */
export const doors: readonly Door[] = [rest, graphql, grpc, restByHttp2]
