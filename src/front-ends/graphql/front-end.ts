import { GatewayError, refusalHeaders } from '../../core/error.ts'
import type { FrontEnd } from '../../core/front-end.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Logger } from '../../core/log.ts'
import { openPolicy } from '../../core/policy.ts'
import type { Policy, Row } from '../../core/route.ts'
import type { StoredOperation } from '../../core/stored-operation.ts'
import type { Place } from '../../core/text-template.ts'
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
import type { OperationSource } from './prepared-operation.ts'
import { refusalStatus, resultStatus } from './requests/status.ts'
import { HttpSubgraph } from './subgraphs/http-subgraph.ts'
import { type HeadersFor, usualHeaders } from './subgraphs/request-headers.ts'
import { type ErrorPolicy, usualErrorPolicy } from './subgraphs/subgraph-errors.ts'
import { SupergraphLife, type SupergraphStatus } from './supergraph/supergraph-life.ts'
import { SupergraphMemory } from './supergraph/supergraph-memory.ts'
import type { SubgraphSource } from './supergraph/supergraph-source.ts'
import type { SupergraphUrl } from './supergraph/supergraph-url.ts'
import type { WarmUpOptions } from './supergraph/warm-up.ts'

/** What the GraphQL front-end is built from. */
export interface GraphqlOptions {
  /** A literal path, `/graphql`. */
  readonly path: string
  readonly policy: Policy
  readonly subgraphs: readonly SubgraphOptions[]
  /** A supergraph that was composed elsewhere, or where to fetch one; without it the subgraphs' own schemas are composed. */
  readonly supergraph?: string | SupergraphUrl | undefined
  /** What an earlier front-end of the same gateway knew. Default: nothing. */
  readonly memory?: SupergraphMemory
  /** Default: nothing is planned before it is asked for. */
  readonly warmUp?: WarmUpOptions
  /** Whether subgraphs and addresses are asked for schemas. Default true. */
  readonly online?: boolean
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

/** One subgraph and the upstream that serves it. Needs `sdl` or `live` when no supergraph is given. */
export interface SubgraphOptions extends SubgraphSource {
  /** Default: no header of the client but its language, and its credentials where the policy forwards them. */
  readonly headersFor?: HeadersFor
  /** Default: {@link usualErrorPolicy}. */
  readonly errors?: ErrorPolicy
}

/** Builds the GraphQL front-end. Rejects with an Error that lists every mistake when subgraphs whose schemas are files do not compose. */
export async function createGraphqlFrontEnd(options: GraphqlOptions): Promise<GraphqlFrontEnd> {
  const { log, limits, introspection, supergraph, subgraphs, memory = new SupergraphMemory() } = options
  const reached = subgraphs.map((subgraph) => new HttpSubgraph({ ...usual, ...subgraph, log }))
  const guard = { authorization: options.authorization, maxCost: limits.cost, listSize: limits.listSize }
  const planning = options.planning === undefined ? {} : { planning: { planning: options.planning } }
  const life = new SupergraphLife({
    supergraph,
    subgraphs,
    memory,
    warmUp: options.warmUp ?? { operations: 0, timeoutMs: 0 },
    online: options.online ?? true,
    log,
    start: (supergraphSdl) =>
      startEngine({ supergraphSdl, subgraphs: reached, introspection, limits, guard, log, ...planning }),
  })
  try {
    await life.begin()
  } catch (error) {
    await life.close()
    throw error
  }
  return new GraphqlFrontEnd(options, life)
}

/** Serves the endpoint, and runs operations for other places. */
export class GraphqlFrontEnd implements FrontEnd {
  readonly name = 'graphql'
  readonly rows: readonly Row[]
  readonly #life: SupergraphLife
  readonly #maxBodyBytes: number

  constructor(options: GraphqlOptions, life: SupergraphLife) {
    this.#life = life
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
    x.answer(refusalStatus(error, type), headers, refusalBody(x, error))
  }

  /** Prepares an operation for a place whose texts may name values; the limits of operations hold for it. Throws a Mistake. */
  prepare(source: OperationSource, place: Place): StoredOperation {
    return this.#life.stored.add(source, place)
  }

  /** How the supergraph is, for people. */
  get supergraph(): SupergraphStatus {
    return this.#life.status
  }

  /** SDL of the supergraph that runs; undefined: there is none yet. */
  get supergraphSdl(): string | undefined {
    return this.#life.supergraphSdl
  }

  retire(): void {
    this.#life.retire()
  }

  close(): Promise<void> {
    return this.#life.close()
  }

  async #serve(x: HttpExchange): Promise<void> {
    const running = this.#life.engines.enter()
    try {
      await this.#answer(x, running.engine)
    } finally {
      running.leave()
    }
  }

  async #answer(x: HttpExchange, engine: Engine): Promise<void> {
    const type = acceptable(x)
    const { query, operationName, variables = {} } = await readOperation(x, this.#maxBodyBytes)
    if (query === undefined)
      throw new GatewayError('PERSISTED_QUERY_NOT_FOUND', 'No operation is kept under this hash.')
    const operation = engine.read(query).operation(operationName)
    note(x, operation)
    engine.checkVariables(operation, variables)
    const context: OperationContext = { x, faults: [] }
    const result = await engine.execute({ operation, variables, context })
    if (x.gone || x.committed) return
    const [fault] = context.faults
    if (fault !== undefined && isNothing(result)) x.error ??= fault
    const headers = ['Content-Type', `${type}; charset=utf-8`, 'Vary', 'Accept']
    x.answer(resultStatus(result, type), headers, answerText(x, result))
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

/** What holds for subgraphs of which nothing is said. */
const usual = { headersFor: usualHeaders, errors: usualErrorPolicy }

/** The page shows nothing that needs protection; its operations go through the policy of the endpoint. */
const explorerPolicy = openPolicy('graphql-explorer')
