import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { startBackend, startGateway, type TestGateway } from '../../../world.ts'

/** What a backend was asked. */
export interface Asked {
  /** `GET /people/1`, or `GetItem`. */
  readonly what: string
  /** The body, or the message as JSON. */
  readonly body: string
  readonly headers: IncomingHttpHeaders
}

/** Answers one call instead of the backend; false: the backend answers. */
export type Instead = (
  asked: Asked,
  answer: {
    readonly http?: ServerResponse
    grpc?: (error: Partial<ServiceError> | null, message?: object) => void
  },
) => boolean

/** A gateway over a gRPC service and an HTTP API, both real. */
export interface Services extends TestGateway {
  /** In the order that backends were asked. */
  readonly asked: Asked[]
  query(query: string, variables?: object, headers?: Record<string, string>): Promise<Answer>
}

/** A GraphQL answer. */
export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: an answer has any shape; the assertions check it
  readonly data?: any
  readonly errors: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[]
}

/** `${kind.name}` */
export function v(name: string): string {
  return `\${${name}}`
}

const method = (name: string) => `catalog.v1.Catalog/${name}`

/** What fills items.graphql. */
export const itemResolvers = {
  'Query.item': { grpc: { method: method('GetItem'), request: { id: v('args.id') } }, nullIfNotFound: true },
  'Query.items': {
    grpc: { method: method('FindItems'), request: { kinds: v('args.kinds'), page_size: v('args.first') } },
    at: 'items',
  },
  'Mutation.addItem': { grpc: { method: method('AddItem'), request: { item: v('args.item') } } },
  Item: {
    grpc: { method: method('FindItems'), request: { ids: v('batch.id') } },
    at: 'items',
    match: 'id',
    nullIfNotFound: true,
  },
  'Item.isbn': { value: v('this.attributes.isbn') },
  'Item.owner': { value: { id: v('this.ownerId') } },
  'Person.owns': {
    grpc: { method: method('FindItems'), request: { owners: v('batch.id'), page_size: v('args.first') } },
    at: 'items',
    match: { ownerId: 'id' },
  },
}

/** What fills people.graphql. */
export const personResolvers = {
  'Query.person': { rest: { path: `/people/${v('args.id')}` } },
  'Query.search': {
    rest: { path: '/people', query: { q: v('args.text'), tag: [v('args.tags')], limit: v('args.limit') } },
    at: 'data.people',
  },
  'Query.whoami': {
    rest: { path: '/seen', headers: { 'x-tenant': v('header.x-tenant'), 'x-arg': 'fixed' } },
  },
  'Mutation.rename': {
    rest: {
      method: 'PUT',
      path: `/people/${v('args.id')}`,
      body: { name: v('args.to.name'), age: v('args.to.age') },
    },
  },
  Person: {
    rest: { path: '/people', query: { ids: v('batch.id') } },
    at: 'data.people',
    match: { key: 'id' },
    batchSize: 3,
  },
  'Person.id': { value: v('this.key') },
  'Person.friend': { value: { id: v('this.friendKey') } },
  'Person.notes': {
    rest: { path: `/people/${v('this.id')}/notes`, query: { last: v('args.last') } },
  },
  'Note.by': { value: { id: v('this.author') } },
}

/** Starts both backends and a gateway over them. `more`: further parts of the configuration; `subgraphs`: instead of those of the test. */
export async function startServices(
  t: TestContext,
  options: {
    readonly instead?: Instead
    readonly subgraphs?: object
    /** Each backend stands under one address, or under two. Default 1. */
    readonly targets?: 1 | 2
    readonly upstream?: object
    readonly more?: object
  } = {},
): Promise<Services> {
  const asked: Asked[] = []
  const people = await startBackend(t, async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const { method: verb, url = '', headers } = req
    const one = { what: `${verb} ${url}`, body: Buffer.concat(chunks).toString(), headers }
    asked.push(one)
    if (options.instead?.(one, { http: res }) === true) return
    answerRest(one, res)
  })
  const catalog = await startCatalog(t, asked, options.instead)
  const gateway = await startGateway(t, {
    plugins: ['requestId', 'accessLog', 'metrics'],
    upstreams: {
      people: { targets: targetsOf(people.url, options.targets), ...options.upstream },
      catalog: { targets: targetsOf(catalog, options.targets), ...options.upstream },
    },
    grpc: {
      protos: ['test/front-ends/graphql/services/catalog.proto'],
      services: { 'catalog.v1.Catalog': { upstream: 'catalog', auth: 'none' } },
    },
    graphql: {
      auth: 'none',
      introspection: true,
      subgraphs: {
        items: {
          schema: 'test/front-ends/graphql/services/items.graphql',
          resolvers: itemResolvers,
          enums: { Kind: { TOOL: 'KIND_TOOL', PLAYTHING: 'KIND_TOY' } },
        },
        people: {
          upstream: 'people',
          schema: 'test/front-ends/graphql/services/people.graphql',
          resolvers: personResolvers,
        },
        ...options.subgraphs,
      },
    },
    ...options.more,
  })
  return {
    ...gateway,
    asked,
    query: async (query, variables, headers) => {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
      })
      const { data, errors = [] } = (await response.json()) as Answer
      return { status: response.status, data, errors }
    },
  }
}

function targetsOf(url: string, count = 1): { url: string }[] {
  return [url, url.replace('127.0.0.1', '[::ffff:127.0.0.1]')].slice(0, count).map((one) => ({ url: one }))
}

const persons = [
  { key: 1, name: 'Ada', age: 36, serial: 9007199254740993n, friendKey: 2 },
  { key: 2, name: 'Alan', age: 41, friendKey: null },
  { key: 3, name: 'Grace', age: null, friendKey: 1 },
  { key: 4, name: 'Edsger', age: 72, friendKey: 1 },
]

function answerRest({ what, body, headers }: Asked, res: ServerResponse): void {
  const [verb, target = ''] = what.split(' ')
  const url = new URL(target, 'http://x')
  const send = (value: unknown, code = 200): void => {
    const text = JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `#${one}#` : one))
    res.writeHead(code, { 'content-type': 'application/json' }).end(text.replace(/"#(\d+)#"/g, '$1'))
  }
  const [, first, id, rest] = url.pathname.split('/')
  const person = persons.find(({ key }) => String(key) === id)
  const ids = url.searchParams.get('ids')?.split(',')
  if (first === 'seen') send({ tenant: headers['x-tenant'] ?? null, caller: headers['x-user-id'] ?? null })
  else if (rest === 'notes') {
    const notes = [
      { text: `of ${id}`, author: 2 },
      { text: 'last', author: null },
    ]
    send(notes.slice(0, Number(url.searchParams.get('last') ?? 2)))
  } else if (id !== undefined && person === undefined) send({ secret: 'stack' }, 404)
  else if (id !== undefined) send(verb === 'PUT' ? { ...person, ...JSON.parse(body) } : person)
  else if (ids === undefined) send({ data: { people: persons.slice(0, 2) } })
  else send({ data: { people: persons.filter(({ key }) => ids.includes(String(key))).reverse() } })
}

const items = [
  {
    id: '1',
    title: 'Hammer',
    kind: 'KIND_TOOL',
    rating: 4.5,
    tags: ['iron'],
    attributes: { isbn: 'x-1' },
    added: { seconds: '0', nanos: 0 },
    sold: true,
    weight: 900,
    maker: { name: 'Acme' },
    ownerId: '1',
  },
  {
    id: '9007199254740993',
    title: 'Ball',
    kind: 'KIND_TOY',
    tags: [],
    attributes: {},
    sold: false,
    weight: 0,
    ownerId: '2',
  },
  {
    id: '3',
    title: 'Rope',
    kind: 'KIND_UNSPECIFIED',
    tags: [],
    attributes: {},
    sold: false,
    weight: 10,
    ownerId: '1',
  },
]

async function startCatalog(t: TestContext, asked: Asked[], instead: Instead | undefined): Promise<string> {
  const definitions = loadSync('catalog.proto', {
    includeDirs: [import.meta.dirname],
    longs: String,
    enums: String,
    defaults: true,
  })
  type Handle = (request: Record<string, unknown>) => object | undefined
  const handler =
    (name: string, handle: Handle): handleUnaryCall<Record<string, unknown>, object> =>
    ({ request, metadata }, callback) => {
      const one = {
        what: name,
        body: JSON.stringify(request),
        headers: metadata.getMap() as IncomingHttpHeaders,
      }
      asked.push(one)
      const grpc = callback as (error: Partial<ServiceError> | null, message?: object) => void
      if (instead?.(one, { grpc }) === true) return
      const found = handle(request)
      if (found === undefined) grpc({ code: status.NOT_FOUND, details: `There is no item ${request.id}.` })
      else grpc(null, found)
    }
  const server = new Server()
  server.addService(definitions['catalog.v1.Catalog'] as ServiceDefinition, {
    GetItem: handler('GetItem', ({ id }) => items.find((item) => item.id === id)),
    FindItems: handler('FindItems', ({ ids, owners, kinds, pageSize }) => {
      const [wanted, of, like] = [ids, owners, kinds] as [string[], string[], string[]]
      const found = items.filter(
        (item) =>
          (wanted.length === 0 || wanted.includes(item.id)) &&
          (of.length === 0 || of.includes(item.ownerId)) &&
          (like.length === 0 || like.includes(item.kind)),
      )
      return { items: found.slice(0, Number(pageSize) || 10) }
    }),
    AddItem: handler('AddItem', ({ item }) => ({ ...(item as object), id: '77' })),
    WatchItems: () => {},
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  t.after(() => server.forceShutdown())
  return `http://127.0.0.1:${port}`
}
