import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buildSubgraphSchema } from '@apollo/subgraph'
import {
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  parse,
  subscribe,
  validate,
} from 'graphql'
import type { Backend, BackendOptions } from './backend.ts'
import { sendEvents } from './graphql-events.ts'
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
  /** Aborted when nobody waits for the answer any more. */
  readonly gone: AbortSignal
}

/** Resolvers by type and field. `__resolveReference` is given the reference and the context, no arguments. */
export type SubgraphResolvers = Readonly<Record<string, Record<string, Field['resolve'] | EventField>>>

/** A method, not a property: so its parameters may be narrower than unknown, as the SDL promises. */
interface Field {
  resolve(parent: unknown, args: unknown, context: SubgraphContext): unknown
}

/** A field of Subscription: what it yields is what `resolve` makes the value of. */
interface EventField extends Field {
  subscribe(parent: unknown, args: unknown, context: SubgraphContext): AsyncIterable<unknown>
}

/** A subgraph: its SDL is `schemas/{name}.graphql`. */
export interface Subgraph {
  readonly name: string
  readonly resolvers: SubgraphResolvers
}

/** Starts a federated subgraph at POST `/graphql`, with `/health` beside it. Subscriptions are answered by server-sent events. */
export async function startSubgraph(subgraph: Subgraph, options: BackendOptions): Promise<Backend> {
  const sdl = await readFile(new URL(`../schemas/${subgraph.name}.graphql`, import.meta.url), 'utf8')
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers: subgraph.resolvers }])
  const closing = new AbortController()
  const handle: Handle = (request, response) => {
    const { method, path } = readTarget(request)
    if (path === '/health') return { body: { status: 'ok' } }
    if (path !== '/graphql') throw new Problem(404, 'GraphQL is at /graphql.')
    if (method !== 'POST') throw methodNotAllowed('POST')
    return answer(request, response, { schema, closing: closing.signal })
  }
  const server = createJsonServer(handle)
  return startHttpBackend({ name: subgraph.name, server, onClosing: () => closing.abort() }, options)
}

interface Served {
  readonly schema: GraphQLSchema
  /** Aborted when the subgraph ends. */
  readonly closing: AbortSignal
}

/** Answers 400 where nothing was executed, as the GraphQL over HTTP specification has it, and else 200; a subscription by its events. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { schema, closing }: Served,
): Promise<Reply | undefined> {
  try {
    const body = await readJson(request, maxBodyBytes)
    const document = parse(textAt(body, '/query') ?? refuse('query must be a text.'))
    const errors = validate(schema, document)
    if (errors.length > 0) return { status: 400, body: { errors } }
    const left = new AbortController()
    response.once('close', () => left.abort())
    const gone = AbortSignal.any([left.signal, closing])
    const operationName = textAt(body, '/operationName')
    const operation = {
      schema,
      document,
      operationName,
      variableValues: variablesOf(body),
      contextValue: contextOf(request, gone),
    }
    if (getOperationAST(document, operationName)?.operation === 'subscription') {
      const events = await subscribe(operation)
      if (!(Symbol.asyncIterator in events)) return { status: 400, body: events }
      return await sendEvents(response, events, gone)
    }
    const result = await execute(operation)
    return { status: 'data' in result ? 200 : 400, body: result }
  } catch (error) {
    if (error instanceof Problem) {
      return { status: error.status, body: { errors: [{ message: error.message }] } }
    }
    if (error instanceof GraphQLError) return { status: 400, body: { errors: [error] } }
    throw error
  }
}

function contextOf(request: IncomingMessage, gone: AbortSignal): SubgraphContext {
  return { userId: String(request.headers['x-user-id'] ?? '42'), gone }
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
