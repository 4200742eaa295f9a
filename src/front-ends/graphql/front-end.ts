import { GatewayError, refusalHeaders } from '../../core/error.ts'
import type { FrontEnd } from '../../core/front-end.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Logger } from '../../core/log.ts'
import { openPolicy } from '../../core/policy.ts'
import type { Policy, Row } from '../../core/route.ts'
import type { StoredOperation } from '../../core/stored-operation.ts'
import type { Place } from '../../core/text-template.ts'
import type { Destination } from '../../traffic/destination.ts'
import { type Apollo, startApollo } from './apollo.ts'
import { CheckedOperations, type OperationFacts } from './checked-operations.ts'
import type { GuardOptions } from './create-guard.ts'
import { refusalBody } from './errors.ts'
import { serveExplorer } from './explorer.ts'
import type { OperationLimits } from './limits.ts'
import { type AnswerType, answerType } from './media-type.ts'
import { readOperation } from './operation-request.ts'
import { type OperationSource, prepareOperation } from './prepared-operation.ts'
import { composeSupergraph } from './supergraph.ts'

/** What the GraphQL front-end is built from. */
export interface GraphqlOptions {
  /** A literal path, `/graphql`. */
  readonly path: string
  readonly policy: Policy
  readonly subgraphs: readonly SubgraphOptions[]
  /** SDL of a supergraph that was composed elsewhere; without it the subgraphs' own are composed. */
  readonly supergraph?: string
  /** Whether clients may ask for the schema. Off also takes "Did you mean" out of error messages. */
  readonly introspection: boolean
  /** Whether browsers that navigate to the path get GraphiQL, without credentials. */
  readonly explorer: boolean
  readonly limits: OperationLimits & { readonly bodyBytes: number } & Pick<GuardOptions, 'listSize'> & {
      /** The largest cost of an operation; undefined: any. */
      readonly cost?: number | undefined
    }
  readonly authorization: GuardOptions['authorization']
  readonly log: Logger
}

/** One subgraph and the upstream that serves it. */
export interface SubgraphOptions {
  readonly name: string
  readonly destination: Destination
  /** Path of its GraphQL endpoint. */
  readonly path: string
  /** Needed when no supergraph is given. */
  readonly sdl?: string
  /** The file of the SDL, for messages. */
  readonly file?: string
}

/** Builds the GraphQL front-end. Rejects with an Error that lists every mistake when the subgraphs do not compose. */
export async function createGraphqlFrontEnd(options: GraphqlOptions): Promise<GraphqlFrontEnd> {
  const { log } = options
  const subgraphs = options.subgraphs.map(({ name, destination, path }) => ({ name, destination, path, log }))
  const { introspection } = options
  const supergraphSdl = options.supergraph ?? (await composeSupergraph(options.subgraphs.map(withSdl)))
  const apollo = await startApollo({
    supergraphSdl,
    subgraphs,
    introspection,
    maxTokens: options.limits.tokens,
    guard: {
      authorization: options.authorization,
      maxCost: options.limits.cost,
      listSize: options.limits.listSize,
    },
    log,
  })
  return new GraphqlFrontEnd(options, apollo)
}

function withSdl({ name, sdl, file }: SubgraphOptions): { name: string; sdl: string; file?: string } {
  if (sdl === undefined)
    throw new Error(`Subgraph "${name}" has no schema; it is needed where no supergraph is given.`)
  return file === undefined ? { name, sdl } : { name, sdl, file }
}

/** Serves the endpoint, and runs operations for other places. */
export class GraphqlFrontEnd implements FrontEnd {
  readonly name = 'graphql'
  readonly rows: readonly Row[]
  readonly #apollo: Apollo
  readonly #operations: CheckedOperations
  readonly #maxBodyBytes: number
  readonly #introspection: boolean

  constructor(options: GraphqlOptions, apollo: Apollo) {
    this.#apollo = apollo
    this.#operations = new CheckedOperations(options.limits)
    this.#maxBodyBytes = options.limits.bodyBytes
    this.#introspection = options.introspection
    const row: Omit<Row, 'id' | 'policy' | 'methods' | 'serve'> = {
      protocol: 'graphql',
      template: options.path,
      hosts: [],
      headers: [],
      query: [],
      priority: 0,
      encodedSlash: false,
      frontEnd: this,
      origin: 'graphql.path',
    }
    const { policy } = options
    const operations: Row = {
      ...row,
      id: 'graphql',
      policy,
      methods: ['GET', 'POST'],
      serve: (x) => this.#serve(x),
    }
    // Wins for navigations because it asks for more: browsers send this header with them, and scripts cannot set it.
    const navigations = { headers: [{ name: 'sec-fetch-mode', value: 'navigate' }], policy: explorerPolicy }
    const explorer: Row = {
      ...row,
      ...navigations,
      id: 'graphql-explorer',
      methods: ['GET'],
      serve: serveExplorer,
    }
    this.rows = options.explorer ? [operations, explorer] : [operations]
  }

  refuse(x: HttpExchange, error: GatewayError): void {
    const type = answerType(x.header('accept')) ?? 'application/json'
    const headers = [...refusalHeaders(error), 'Content-Type', `${type}; charset=utf-8`]
    x.answer(error.entry.status, headers, refusalBody(x, error))
  }

  /** Prepares an operation for a place whose texts may name values; the limits of operations hold for it. Throws a Mistake. */
  prepare(source: OperationSource, place: Place): StoredOperation {
    const tools = { apollo: this.#apollo, limits: this.#operations, introspection: this.#introspection }
    return prepareOperation(source, { tools, place })
  }

  async close(): Promise<void> {
    await this.#apollo.stop()
  }

  async #serve(x: HttpExchange): Promise<void> {
    const type = acceptable(x)
    const request = await readOperation(x, this.#maxBodyBytes)
    if (request.query !== undefined)
      this.#admit(x, this.#operations.check(request.query, request.operationName))
    const { status = 200, headers, body } = await this.#apollo.execute(x, request, type)
    if (x.gone || x.committed) return
    if (body.kind !== 'complete')
      throw new GatewayError('NOT_IMPLEMENTED', 'Answers in parts are not supported.')
    const flat: string[] = []
    for (const [name, value] of headers) if (name !== 'content-length') flat.push(name, value)
    flat.push('Vary', 'Accept')
    x.answer(status, flat, body.string)
  }

  /** Notes the operation for log and metrics, and refuses the kinds that cannot run. */
  #admit(x: HttpExchange, operation: OperationFacts | undefined): void {
    if (operation === undefined) return
    x.attributes['graphql.operation.type'] = operation.type
    if (operation.name !== '') x.attributes['graphql.operation.name'] = operation.name.slice(0, 64)
    if (operation.type === 'subscription') {
      throw new GatewayError('NOT_IMPLEMENTED', 'Subscriptions are not supported.')
    }
    if (operation.type !== 'query' && x.request.method !== 'POST') {
      throw new GatewayError('METHOD_NOT_ALLOWED', 'GET is for queries only.', { headers: ['Allow', 'POST'] })
    }
  }
}

/** Checked before anything runs: a mutation must not be done and then be answered 406. */
function acceptable(x: HttpExchange): AnswerType {
  const type = answerType(x.header('accept'))
  if (type !== undefined) return type
  throw new GatewayError(
    'NOT_ACCEPTABLE',
    'Answers are application/json or application/graphql-response+json.',
  )
}

/** The page shows nothing that needs protection; its operations go through the policy of the endpoint. */
const explorerPolicy = openPolicy('graphql-explorer')
