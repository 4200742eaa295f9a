import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { GraphQLError, graphql, parse } from 'graphql'
import { listen } from './harness.ts'

/** A real subgraph on loopback whose next answers a test may replace. */
export interface Subgraph {
  readonly name: string
  readonly url: string
  /** What it was asked, in order. */
  readonly requests: { headers: IncomingHttpHeaders; query: string; variables: Record<string, unknown> }[]
  /** Answers instead of the schema while it is set. */
  instead: ((req: IncomingMessage, res: ServerResponse) => void) | undefined
  /** Headers of its answers beside the usual ones. */
  extraHeaders: [name: string, value: string][]
  /** `extensions` of its answers. */
  extensions: Record<string, unknown> | undefined
  /** Runs before each answer. */
  before: (() => Promise<void>) | undefined
  close(): Promise<void>
}

const link =
  '@link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@external", "@shareable"])'

export const schemas: Readonly<Record<string, string>> = {
  accounts: `extend schema ${link}
type Query { me: User userByName(name: String!): User private: String locked: String broken: String }
type Mutation { rename(name: String!): User }
type User @key(fields: "id") { id: ID! name: String! friends: [User!]! }`,
  products: `extend schema ${link}
type Query { products: [Product!] cheapest: Product }
type Product @key(fields: "upc") { upc: ID! title: String! price: Int! }`,
  reviews: `extend schema ${link}
type Query { reviews: [Review!] }
type Review { body: String! author: User! product: Product! }
type User @key(fields: "id") { id: ID! reviews: [Review!] }
type Product @key(fields: "upc") { upc: ID! reviews: [Review!] }`,
}

const users = [
  { id: '1', name: 'Ada' },
  { id: '2', name: 'Alan' },
]
const products = [
  { upc: 'a', title: 'Lamp', price: 30 },
  { upc: 'b', title: 'Desk', price: 120 },
]
const reviews = [
  { body: 'bright', author: { id: '1' }, product: { upc: 'a' } },
  { body: 'solid', author: { id: '2' }, product: { upc: 'b' } },
  { body: 'heavy', author: { id: '1' }, product: { upc: 'b' } },
]

const resolvers = {
  accounts: {
    Query: {
      me: () => users[0],
      userByName: (_: unknown, { name }: { name: string }) => users.find((user) => user.name === name),
      private: () => {
        throw new Error('connect ECONNREFUSED db-7.internal:5432 password=hunter2')
      },
      locked: () => {
        const extensions = {
          code: 'FORBIDDEN',
          hint: 'ask Ada',
          stacktrace: ['at db.ts:7'],
          http: { status: 418 },
        }
        throw new GraphQLError('Only admins may see this.', { extensions })
      },
      broken: () => {
        throw new GraphQLError('SELECT * FROM users', {
          extensions: { code: 'INTERNAL_SERVER_ERROR', exception: {} },
        })
      },
    },
    Mutation: { rename: (_: unknown, { name }: { name: string }) => ({ ...users[0], name }) },
    User: {
      __resolveReference: ({ id }: { id: string }) => users.find((user) => user.id === id),
      friends: ({ id }: { id: string }) => users.filter((user) => user.id !== id),
    },
  },
  products: {
    Query: { products: () => products, cheapest: () => products[0] },
    Product: {
      __resolveReference: ({ upc }: { upc: string }) => products.find((product) => product.upc === upc),
    },
  },
  reviews: {
    Query: { reviews: () => reviews },
    User: { reviews: ({ id }: { id: string }) => reviews.filter((review) => review.author.id === id) },
    Product: {
      reviews: ({ upc }: { upc: string }) => reviews.filter((review) => review.product.upc === upc),
    },
  },
}

/** One server in the place of all three, for those who ask for nothing but what accounts has. */
export function inAllPlaces(accounts: Subgraph): Subgraph[] {
  return Object.keys(resolvers).map((name) => ({ ...accounts, name }))
}

export async function startSubgraph(name: keyof typeof resolvers): Promise<Subgraph> {
  const schema = buildSubgraphSchema({
    typeDefs: parse(schemas[name] ?? ''),
    resolvers: resolvers[name] as never,
  })
  const server: Server = createServer(async (req, res) => {
    let text = ''
    for await (const chunk of req) text += chunk
    const request = JSON.parse(text)
    subgraph.requests.push({ ...request, headers: req.headers })
    await subgraph.before?.()
    if (subgraph.instead !== undefined) return subgraph.instead(req, res)
    const result = await graphql({ schema, source: request.query, variableValues: request.variables })
    res.setHeader('content-type', 'application/json')
    for (const [header, value] of subgraph.extraHeaders) res.appendHeader(header, value)
    const { extensions } = subgraph
    res.end(JSON.stringify(extensions === undefined ? result : { ...result, extensions }))
  })
  const url = `http://127.0.0.1:${await listen(server)}`
  const subgraph: Subgraph = {
    name,
    url,
    requests: [],
    instead: undefined,
    extraHeaders: [],
    extensions: undefined,
    before: undefined,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return subgraph
}
