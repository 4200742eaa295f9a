import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { buildSubgraphSchema } from '@apollo/subgraph'
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { GraphQLError, graphql, parse } from 'graphql'
import { startBackend, startGateway, type TestGateway } from '../../../world.ts'

/** One request that reached a backend. */
export interface Seen {
  readonly backend: 'rest' | 'graphql' | 'grpc'
  /** `GET /users/42`, the GraphQL text, or the gRPC message as JSON. */
  readonly what: string
  readonly body: string
  readonly headers: IncomingHttpHeaders
}

/** Real backends of all three kinds behind one gateway. */
export interface House extends TestGateway {
  /** Oldest first. */
  readonly seen: Seen[]
  ask(path: string, init?: RequestInit): Promise<Told>
}

/** What a client was told. */
export interface Told {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: an answer has any shape; the assertions check it
  readonly json: any
}

export interface HouseOptions {
  readonly routes: readonly object[]
  /** More of the configuration. */
  readonly more?: object
  /** Answers a REST call instead of the house; false: the house does. */
  readonly rest?: (req: IncomingMessage, res: ServerResponse) => boolean
  /** Awaited before each backend answers. */
  readonly before?: (seen: Seen) => Promise<unknown> | undefined
}

/** `${name}`, which a linter takes for a mistake. */
export const v = (name: string): string => `\${${name}}`

export async function openHouse(t: TestContext, options: HouseOptions): Promise<House> {
  const seen: Seen[] = []
  const note = async (one: Seen): Promise<void> => {
    seen.push(one)
    await options.before?.(one)
  }
  const rest = await startBackend(t, async (req, res) => {
    const body = await textOf(req)
    const { headers } = req
    await note({ backend: 'rest', what: `${req.method} ${req.url}`, body, headers })
    if (res.destroyed || options.rest?.(req, res) === true) return
    answerRest(req, res)
  })
  const shop = await startBackend(t, async (req, res) => {
    const { query, variables } = JSON.parse(await textOf(req))
    const { headers } = req
    await note({ backend: 'graphql', what: query, body: JSON.stringify(variables ?? {}), headers })
    if (res.destroyed) return
    const result = await graphql({ schema: shopSchema, source: query, variableValues: variables })
    res.setHeader('Content-Type', 'application/json')
    res.end(JSON.stringify(result))
  })
  const library = await startLibrary(t, note)
  const gateway = await startGateway(t, {
    plugins: ['requestId', 'accessLog'],
    upstreams: {
      rest: { targets: [{ url: rest.url }] },
      shop: { targets: [{ url: shop.url }] },
      library: { targets: [{ url: library }] },
      down: { targets: [{ url: 'http://127.0.0.1:1' }], retry: { attempts: 1 } },
    },
    graphql: {
      auth: 'none',
      subgraphs: { shop: { upstream: 'shop', schema: 'test/front-ends/rest/aggregate/shop.graphql' } },
    },
    grpc: {
      protos: ['protos/library/**/*.proto'],
      includeDirs: ['protos'],
      services: { 'library.v1.LibraryService': { upstream: 'library', auth: 'none' } },
    },
    routes: options.routes.map((route, index) => ({ id: `r${index}`, auth: 'none', ...route })),
    ...options.more,
  })
  return {
    ...gateway,
    seen,
    ask: async (path, init = {}) => {
      const response = await fetch(gateway.url + path, init)
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.includes('json') === true && text !== ''
      const json = isJson ? JSON.parse(text) : undefined
      return { status: response.status, headers: response.headers, text, json }
    },
  }
}

/** A JSON body to send. */
export function sends(body: unknown, method = 'POST'): RequestInit {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

function answerRest({ url = '', method }: IncomingMessage, res: ServerResponse): void {
  res.setHeader('Content-Type', 'application/json')
  const [path = ''] = url.split('?')
  if (path === '/orders') {
    const items = [
      { upc: '1', price: 2.5, secret: 'x' },
      { upc: '2', price: 3, secret: 'y' },
    ]
    res.end(
      JSON.stringify([
        { id: '7', items },
        { id: '8', items: [] },
      ]),
    )
  } else if (path.startsWith('/users/')) {
    const id = path.slice('/users/'.length)
    if (id === 'nobody') res.writeHead(404).end('{"message":"no such user"}')
    else res.end(JSON.stringify({ id, name: 'Ada', book: '2', address: { city: 'London', zip: 'W1' } }))
  } else if (method === 'POST') res.writeHead(201).end('{"made":true}')
  else res.writeHead(500).end('{"stack":"at secret.ts"}')
}

const shopSchema = buildSubgraphSchema({
  typeDefs: parse(readFileSync('test/front-ends/rest/aggregate/shop.graphql', 'utf8')),
  resolvers: {
    Query: {
      user: (_: unknown, { id }: { id: string }) => (id === 'nobody' ? null : { id, name: `User ${id}` }),
      users: () => [
        { id: '1', name: 'Ada' },
        { id: '2', name: 'Alan' },
      ],
      large: () => 'x'.repeat(1_048_576),
      echo: (_: unknown, given: object) => JSON.stringify(given),
      fail: (_: unknown, { code }: { code?: string }) => {
        throw new GraphQLError('It failed on purpose.', code === undefined ? {} : { extensions: { code } })
      },
    },
    Mutation: { rename: (_: unknown, user: { id: string; name: string }) => user },
    User: {
      secret: () => {
        throw new GraphQLError('Only admins may see this.', { extensions: { code: 'FORBIDDEN' } })
      },
    },
  },
})

async function startLibrary(t: TestContext, note: (seen: Seen) => Promise<void>): Promise<string> {
  const definitions = loadSync('library/v1/library.proto', {
    includeDirs: ['protos', 'node_modules/google-proto-files'],
    longs: String,
  })
  const server = new Server()
  const getBook: handleUnaryCall<{ readonly book: string }, object> = async (
    { request, metadata },
    reply,
  ) => {
    const headers = metadata.getMap() as IncomingHttpHeaders
    await note({ backend: 'grpc', what: JSON.stringify(request), body: '', headers })
    const { book: id } = request
    if (id === '404') reply({ code: status.NOT_FOUND, details: 'There is no book 404.' })
    else if (id === '500') reply({ code: status.INTERNAL, details: 'The shelf broke.' })
    else if (id === '1000000') reply(null, { id, title: 'x'.repeat(1_048_576) })
    else reply(null, { id, shelf: '1', title: 'Kettle songs', tags: ['a', 'b'] })
  }
  server.addService(definitions['library.v1.LibraryService'] as ServiceDefinition, { GetBook: getBook })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  t.after(() => server.forceShutdown())
  return `http://127.0.0.1:${port}`
}

async function textOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
