import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery, printSchema } from 'graphql'
import { GatewayError } from '../../../core/error.ts'
import { OwnExchange } from '../../../core/own-exchange.ts'
import { bufferedTransport } from '../../../traffic/buffered-call.ts'
import { Destination } from '../../../traffic/destination.ts'
import { dispatch } from '../../../traffic/dispatch.ts'
import { acceptedAnswers, type SubgraphAnswer } from '../subgraphs/subgraph-answer.ts'
import { maxAnswerBytes, SubgraphCall } from '../subgraphs/subgraph-call.ts'

/** How a subgraph is asked for its own schema. */
export interface LiveOptions {
  /** Between two times, a tenth more or less; milliseconds. */
  readonly intervalMs: number
  /** For all that is asked at one time; milliseconds. */
  readonly timeoutMs: number
  /** Sent with each question, by name. */
  readonly headers: Readonly<Record<string, string>>
}

/** A subgraph that tells its schema. */
export interface LiveSubgraph {
  /** Whose upstream is asked; a canary, a mirror and a fallback of it are not. */
  readonly destination: Destination
  /** Of its GraphQL endpoint. */
  readonly path: string
  readonly live: LiveOptions
}

/**
 * Asks a subgraph for its SDL by `_service` (Apollo's subgraph specification), else by introspection, which knows no directives: such a one
 * contributes its types, and no entities. Rejects with an Error that says why neither could be had.
 */
export async function askForSchema(subgraph: LiveSubgraph): Promise<string> {
  const deadlineAt = performance.now() + subgraph.live.timeoutMs
  const service = await ask(subgraph, '{_service{sdl}}', deadlineAt).catch(refused)
  const sdl = sdlOf(service)
  if (sdl !== undefined) return sdl
  const told = await ask(subgraph, getIntrospectionQuery(), deadlineAt).catch(refused)
  const schema = told.data?.__schema
  if (typeof schema !== 'object' || schema === null)
    throw new Error(
      `tells its schema neither by _service (${said(service)}) nor by introspection (${said(told)})`,
    )
  return sdlOfIntrospection(told.data)
}

function ask(subgraph: LiveSubgraph, query: string, deadlineAt: number): Promise<SubgraphAnswer> {
  const { destination, path, live } = subgraph
  const headers = ['content-type', 'application/json', 'accept', acceptedAnswers, 'user-agent', 'trivium']
  for (const [name, value] of Object.entries(live.headers)) headers.push(name.toLowerCase(), value)
  const call = new SubgraphCall(
    new OwnExchange('graphql-schema'),
    new Destination(destination.place, destination.upstream),
    {
      path,
      body: Buffer.from(JSON.stringify({ query })),
      headers,
      idempotent: true,
      limits: { deadlineAt, maxAnswerBytes },
    },
  )
  return dispatch<SubgraphCall, SubgraphAnswer>(call, bufferedTransport)
}

/** Many servers answer 400 to a field that they do not have: that is an answer too. */
function refused(error: unknown): SubgraphAnswer {
  if (error instanceof GatewayError && error.reason === 'SUBGRAPH_ERROR')
    return { data: undefined, errors: [{ message: error.message }], extensions: undefined }
  throw error
}

function sdlOf({ data }: SubgraphAnswer): string | undefined {
  const service = data?._service
  if (typeof service !== 'object' || service === null || !('sdl' in service)) return undefined
  return typeof service.sdl === 'string' && service.sdl.trim() !== '' ? service.sdl : undefined
}

function sdlOfIntrospection(data: unknown): string {
  try {
    return printSchema(buildClientSchema(data as IntrospectionQuery))
  } catch (cause) {
    throw new Error('answers introspection with what is no schema', { cause })
  }
}

function said({ errors }: SubgraphAnswer): string {
  const [first] = errors ?? []
  return typeof first?.message === 'string' ? first.message.slice(0, 200) : 'no answer to that'
}
