import { GatewayError, refusalHeaders } from '../../core/error.ts'
import type { FrontEnd } from '../../core/front-end.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Logger } from '../../core/log.ts'
import { openPolicy } from '../../core/policy.ts'
import type { Policy, Row } from '../../core/route.ts'
import type { StoredOperation } from '../../core/stored-operation.ts'
import type { Place } from '../../core/text-template.ts'
import type { Destination } from '../../traffic/destination.ts'
import { answerText, isNothing } from './answer.ts'
import type { GuardOptions } from './create-guard.ts'
import { type Engine, startEngine } from './engine.ts'
import { refusalBody } from './errors.ts'
import { serveExplorer } from './explorer.ts'
import type { OperationLimits } from './limits.ts'
import { type AnswerType, answerType } from './media-type.ts'
import type { KnownOperation, OperationContext } from './operation.ts'
import { readOperation } from './operation-request.ts'
import type { PlanningOptions } from './planning/planner.ts'
import { type OperationSource, prepareOperation } from './prepared-operation.ts'
import { HttpSubgraph } from './subgraphs/http-subgraph.ts'
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
  readonly planning?: PlanningOptions
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
  const { log, limits, introspection } = options
  const supergraphSdl =
    options.supergraph ?? (await composeSupergraph(options.subgraphs.map(withSdl))).supergraphSdl
  const engine = await startEngine({
    supergraphSdl,
    subgraphs: options.subgraphs.map((subgraph) => new HttpSubgraph({ ...subgraph, log })),
    introspection,
    limits,
    ...(options.planning === undefined ? {} : { planning: { planning: options.planning } }),
    guard: { authorization: options.authorization, maxCost: limits.cost, listSize: limits.listSize },
    log,
  })
  return new GraphqlFrontEnd(options, engine)
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
  readonly #engine: Engine
  readonly #maxBodyBytes: number

  constructor(options: GraphqlOptions, engine: Engine) {
    this.#engine = engine
    this.#maxBodyBytes = options.limits.bodyBytes
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
    return prepareOperation(source, { engine: this.#engine, place })
  }

  async close(): Promise<void> {
    this.#engine.close()
  }

  async #serve(x: HttpExchange): Promise<void> {
    const type = acceptable(x)
    const { query, operationName, variables = {} } = await readOperation(x, this.#maxBodyBytes)
    if (query === undefined)
      throw new GatewayError('PERSISTED_QUERY_NOT_FOUND', 'No operation is kept under this hash.')
    const operation = this.#engine.read(query).operation(operationName)
    note(x, operation)
    this.#engine.checkVariables(operation, variables)
    const context: OperationContext = { x, faults: [] }
    const result = await this.#engine.execute({ operation, variables, context })
    if (x.gone || x.committed) return
    const [fault] = context.faults
    if (fault !== undefined && isNothing(result)) x.error ??= fault
    x.answer(200, ['Content-Type', `${type}; charset=utf-8`, 'Vary', 'Accept'], answerText(x, result))
  }
}

/** Notes the operation for log and metrics, and refuses the kinds that cannot run. */
function note(x: HttpExchange, { type, name }: KnownOperation): void {
  x.attributes['graphql.operation.type'] = type
  if (name !== '') x.attributes['graphql.operation.name'] = name.slice(0, 64)
  if (type === 'subscription') throw new GatewayError('NOT_IMPLEMENTED', 'Subscriptions are not supported.')
  if (type !== 'query' && x.request.method !== 'POST') {
    throw new GatewayError('METHOD_NOT_ALLOWED', 'GET is for queries only.', { headers: ['Allow', 'POST'] })
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
