import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { execute, GraphQLError, type GraphQLSchema, parse, validate } from 'graphql'
import type { Backend, BackendOptions } from './backend.ts'
import { startHttpBackend } from './http-backend.ts'
import { valueAt } from './json-pointer.ts'
import { createJsonServer, type Handle, type Reply, readJson } from './json-server.ts'
import { methodNotAllowed, Problem } from './problem.ts'
import { readTarget } from './request-target.ts'

const maxBodyBytes = 2 * 1024 * 1024

/** What resolvers know of the request. */
export interface SubgraphContext {
  /** The user that the gateway has identified (`x-user-id`), or 42 when it names none. */
  readonly userId: string
}

/** Resolvers by type and field. `__resolveReference` is given the reference and the context, no arguments. */
export type SubgraphResolvers = Readonly<Record<string, Record<string, Field['resolve']>>>

/** A method, not a property: so its parameters may be narrower than unknown, as the SDL promises. */
interface Field {
  resolve(parent: unknown, args: unknown, context: SubgraphContext): unknown
}

/** A subgraph: its SDL is `schemas/{name}.graphql`. */
export interface Subgraph {
  readonly name: string
  readonly resolvers: SubgraphResolvers
}

/** Starts a federated subgraph at POST `/graphql`, with `/health` beside it. */
export async function startSubgraph(subgraph: Subgraph, options: BackendOptions): Promise<Backend> {
  const sdl = await readFile(new URL(`../schemas/${subgraph.name}.graphql`, import.meta.url), 'utf8')
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers: subgraph.resolvers }])
  const handle: Handle = (request) => {
    const { method, path } = readTarget(request)
    if (path === '/health') return { body: { status: 'ok' } }
    if (path !== '/graphql') throw new Problem(404, 'GraphQL is at /graphql.')
    if (method !== 'POST') throw methodNotAllowed('POST')
    return answer(request, schema)
  }
  return startHttpBackend({ name: subgraph.name, server: createJsonServer(handle) }, options)
}

/** Answers 400 where nothing was executed, as the GraphQL over HTTP specification has it, and else 200. */
async function answer(request: IncomingMessage, schema: GraphQLSchema): Promise<Reply> {
  try {
    const body = await readJson(request, maxBodyBytes)
    const document = parse(textAt(body, '/query') ?? refuse('query must be a text.'))
    const errors = validate(schema, document)
    if (errors.length > 0) return { status: 400, body: { errors } }
    const result = await execute({
      schema,
      document,
      operationName: textAt(body, '/operationName'),
      variableValues: variablesOf(body),
      contextValue: contextOf(request),
    })
    return { status: 'data' in result ? 200 : 400, body: result }
  } catch (error) {
    if (error instanceof Problem) {
      return { status: error.status, body: { errors: [{ message: error.message }] } }
    }
    if (error instanceof GraphQLError) return { status: 400, body: { errors: [error] } }
    throw error
  }
}

function contextOf(request: IncomingMessage): SubgraphContext {
  return { userId: String(request.headers['x-user-id'] ?? '42') }
}

function textAt(body: unknown, pointer: string): string | undefined {
  const value = valueAt(body, pointer) ?? undefined
  return value === undefined || typeof value === 'string' ? value : refuse(`${pointer} must be a text.`)
}

function variablesOf(body: unknown): Record<string, unknown> {
  const variables = valueAt(body, '/variables') ?? {}
  if (typeof variables !== 'object' || Array.isArray(variables)) refuse('variables must be an object.')
  return variables as Record<string, unknown>
}

function refuse(detail: string): never {
  throw new Problem(400, detail)
}
