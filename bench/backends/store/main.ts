import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { type DocumentNode, execute, type GraphQLSchema, parse } from 'graphql'
import { resolvers } from './data.ts'

// Four subgraphs of a store on PORT, each at the path of its name; GET /calls says how many requests they had so far.

interface Body {
  readonly query: string
  readonly operationName?: string
  readonly variables?: Record<string, unknown>
}

const schemas = new Map<string, GraphQLSchema>(
  Object.entries(resolvers).map(([name, own]) => {
    const typeDefs = parse(readFileSync(new URL(`${name}.graphql`, import.meta.url), 'utf8'))
    return [`/${name}`, buildSubgraphSchema([{ typeDefs, resolvers: own }])]
  }),
)
const documents = new Map<string, DocumentNode>()
let calls = 0

const server = createServer(async (request, response) => {
  response.setHeader('Content-Type', 'application/json')
  if (request.url === '/calls') {
    response.end(JSON.stringify(calls))
    return
  }
  calls++
  const schema = schemas.get(request.url ?? '')
  if (schema === undefined) throw new Error(`There is no subgraph at ${request.url}.`)
  const { query, operationName, variables } = JSON.parse(await textOf(request)) as Body
  const result = await execute({
    schema,
    document: documentOf(query),
    operationName: operationName ?? null,
    variableValues: variables ?? null,
  })
  response.end(JSON.stringify(result))
})
// Longer than any contestant waits for its turn: whoever sends on a connection that has just ended has an error of ours.
server.keepAliveTimeout = 120_000
server.listen(Number(process.env.PORT), '127.0.0.1')

/** The benchmark has few queries; their texts are parsed once. */
function documentOf(query: string): DocumentNode {
  const document = documents.get(query) ?? parse(query)
  documents.set(query, document)
  return document
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}
