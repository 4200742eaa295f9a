import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { buildSchema, type GraphQLSchema, graphql, parse } from 'graphql'

/** A real subgraph whose schema, manners and life a test may change while others ask it. */
export interface ChangingSubgraph {
  readonly port: number
  readonly url: string
  /** The headers of all questions for its schema, oldest first. */
  readonly asked: IncomingMessage['headers'][]
  /** How many operations it was asked. */
  readonly operations: number
  /** Of fields of Query: values by name. */
  data: Readonly<Record<string, unknown>>
  /** Answers questions for the schema instead, while it is set. */
  instead: ((req: IncomingMessage, res: ServerResponse) => void) | undefined
  /** Runs before each operation. */
  before: (() => Promise<void>) | undefined
  change(sdl: string): void
  /** Without `_service`: a server that knows nothing of federation. */
  changeToPlain(sdl: string, options?: { introspection: boolean }): void
  stop(): Promise<void>
  start(): Promise<void>
}

export const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable"])\n'

export async function changingSubgraph(
  t: TestContext,
  sdl: string,
  data: Readonly<Record<string, unknown>> = {},
): Promise<ChangingSubgraph> {
  let schema: GraphQLSchema
  let introspection = true
  let server: Server
  let operations = 0
  const asked: IncomingMessage['headers'][] = []
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    let text = ''
    for await (const chunk of req) text += chunk
    const { query, variables } = JSON.parse(text) as { query: string; variables: Record<string, unknown> }
    const isForSchema = query.includes('_service') || query.includes('__schema')
    if (isForSchema) {
      asked.push(req.headers)
      if (subgraph.instead !== undefined) return subgraph.instead(req, res)
    } else {
      operations++
      await subgraph.before?.()
    }
    if (!introspection && query.includes('__schema')) {
      res.writeHead(400, { 'content-type': 'application/json' }).end('{"errors":[{"message":"no"}]}')
      return
    }
    const result = await graphql({
      schema,
      source: query,
      variableValues: variables,
      rootValue: subgraph.data,
    })
    res.writeHead(result.data === undefined ? 400 : 200, { 'content-type': 'application/json' })
    res.end(JSON.stringify(result))
  }
  const listen = async (port: number): Promise<number> => {
    server = createServer((req, res) => void serve(req, res))
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
  const build = (text: string): GraphQLSchema => buildSubgraphSchema({ typeDefs: parse(text) })
  schema = build(sdl)
  const port = await listen(0)
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  const subgraph: ChangingSubgraph = {
    port,
    url: `http://127.0.0.1:${port}`,
    asked,
    get operations() {
      return operations
    },
    data,
    instead: undefined,
    before: undefined,
    change(text) {
      schema = build(text)
    },
    changeToPlain(text, options = { introspection: true }) {
      schema = buildSchema(text)
      introspection = options.introspection
    },
    stop,
    start: async () => void (await listen(port)),
  }
  t.after(stop)
  return subgraph
}
