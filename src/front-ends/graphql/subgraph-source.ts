import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway'
import { GraphQLError, Kind, parse, type SelectionNode } from 'graphql'
import type { CallLimits } from '../../core/call-limits.ts'
import { GatewayError, toGatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Logger } from '../../core/log.ts'
import { bufferedTransport } from '../../traffic/buffered-call.ts'
import type { Destination } from '../../traffic/destination.ts'
import { dispatch } from '../../traffic/dispatch.ts'
import { forwardingHeaders } from '../../traffic/forwarding.ts'
import { extensionsOf } from './errors.ts'
import type { SubgraphAnswer } from './subgraph-answer.ts'
import { SubgraphCall } from './subgraph-call.ts'
import { publicSubgraphError } from './subgraph-errors.ts'

/** What an operation carries through Apollo to its fetches. */
export interface OperationContext {
  readonly x: HttpExchange
  /** What fetches failed with, in order; of a stored operation also what fields were refused for, each field once. */
  readonly faults: GatewayError[]
  /** Of each fetch of a stored operation. */
  readonly limits?: CallLimits
  /** Holds why the operation was not run, once that is known. A list, because Apollo copies the context. */
  readonly refusals: GatewayError[]
}

type ProcessOptions = GraphQLDataSourceProcessOptions<OperationContext>
type ProcessResult = Awaited<ReturnType<GraphQLDataSource['process']>>

/** Where @apollo/gateway sends the fetches for one subgraph: each becomes a call through `dispatch`. */
export class SubgraphSource implements GraphQLDataSource<OperationContext> {
  readonly #subgraph: SubgraphSourceOptions

  constructor(subgraph: SubgraphSourceOptions) {
    this.#subgraph = subgraph
  }

  async process(options: ProcessOptions): Promise<ProcessResult> {
    const { query = '', variables, operationName } = options.request
    const { x, faults, limits } = options.context as OperationContext
    const call = new SubgraphCall(x, this.#subgraph.destination, {
      path: this.#subgraph.path,
      body: Buffer.from(JSON.stringify({ query, variables, operationName })),
      headers: headersFor(x),
      idempotent: !query.startsWith('mutation'),
      limits,
    })
    try {
      const answer = await dispatch<SubgraphCall, SubgraphAnswer>(call, bufferedTransport)
      checkEntities(answer, variables?.representations, call.upstreamName)
      return this.#public(answer, x)
    } catch (thrown) {
      const error = toGatewayError(thrown)
      call.error ??= error
      faults.push(error)
      return failed(options, error, this.#subgraph.name)
    }
  }

  #public(answer: SubgraphAnswer, x: HttpExchange): ProcessResult {
    const data = answer.data === undefined ? {} : { data: answer.data }
    if (answer.errors === undefined) return data
    const errors = answer.errors.map((reported) => {
      const { error, masked } = publicSubgraphError(reported)
      if (masked) this.#logMasked(reported, x)
      return error
    })
    return { ...data, errors }
  }

  #logMasked(reported: Readonly<Record<string, unknown>>, x: HttpExchange): void {
    this.#subgraph.log.warn(
      {
        subgraph: this.#subgraph.name,
        message: String(reported.message).slice(0, 500),
        path: reported.path,
        request_id: x.id,
        trace_id: x.trace.traceId,
      },
      'A subgraph reported an error whose message is not shown to clients.',
    )
  }
}

/** One subgraph as {@link SubgraphSource} needs it. */
export interface SubgraphSourceOptions {
  readonly name: string
  readonly destination: Destination
  readonly path: string
  readonly log: Logger
}

function headersFor(x: HttpExchange): string[] {
  const headers = forwardingHeaders(x.request, '')
  headers.push('content-type', 'application/json')
  headers.push('accept', 'application/graphql-response+json, application/json;q=0.9')
  const forwarded = x.route.policy.forwardCredentials ? withCredentials : always
  for (const name of forwarded) {
    const value = x.header(name)
    if (value !== undefined) headers.push(name, value)
  }
  return headers
}

const always = ['accept-language']
const withCredentials = [...always, 'authorization', 'x-api-key']

/** One entity per representation, in order (Federation subgraph specification); else data would land on the wrong objects. */
function checkEntities(answer: SubgraphAnswer, representations: unknown, upstreamName: string): void {
  if (!Array.isArray(representations) || !answer.data) return
  const entities = answer.data._entities
  if (Array.isArray(entities) && entities.length === representations.length) return
  if (answer.errors !== undefined && (entities === null || entities === undefined)) return
  throw new GatewayError(
    'UPSTREAM_BAD_ANSWER',
    `Upstream "${upstreamName}" answered with other entities than asked for.`,
  )
}

/**
 * A failed fetch as errors at the fields that are missing for it. Below a list, where each element misses them, it is one error
 * at the list, and thrown: Apollo would put a `@` for the elements into the path.
 */
function failed(options: ProcessOptions, error: GatewayError, serviceName: string): ProcessResult {
  const { message } = error
  const extensions = { ...extensionsOf(error), serviceName }
  const parent = 'pathInIncomingRequest' in options ? (options.pathInIncomingRequest ?? []) : []
  const list = parent.indexOf('@')
  if (list !== -1)
    throw new GraphQLError(message, { path: parent.slice(0, list), extensions, originalError: error })
  const fields = fieldsOf(options.request.query ?? '')
  return { errors: fields.map((field) => ({ message, path: [field], extensions: { ...extensions } })) }
}

/** The response keys at the top of a fetch; those of the entities in an entity fetch. */
function fieldsOf(query: string): string[] {
  const definition = parse(query, { noLocation: true }).definitions.find(
    (node) => node.kind === Kind.OPERATION_DEFINITION,
  )
  return [...new Set(responseKeys(definition?.selectionSet.selections ?? []))]
}

function responseKeys(selections: readonly SelectionNode[]): string[] {
  return selections.flatMap((node) => {
    if (node.kind === Kind.FRAGMENT_SPREAD) return []
    if (node.kind === Kind.INLINE_FRAGMENT) return responseKeys(node.selectionSet.selections)
    if (node.name.value === '_entities') return responseKeys(node.selectionSet?.selections ?? [])
    return node.name.value === '__typename' ? [] : [node.alias?.value ?? node.name.value]
  })
}
