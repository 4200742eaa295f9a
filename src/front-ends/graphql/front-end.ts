import { GatewayError, refusalHeaders } from '../../core/error.ts'
import type { Hooks } from '../../core/exchange.ts'
import type { FrontEnd } from '../../core/front-end.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Logger } from '../../core/log.ts'
import type { Policy, Row } from '../../core/route.ts'
import type { StoredOperation } from '../../core/stored-operation.ts'
import type { Place } from '../../core/text-template.ts'
import { answerText, isNothing } from './answer.ts'
import { ClientOperations, type ClientOperationsOptions, note, nothingSeen } from './client-operations.ts'
import type { GuardOptions } from './create-guard.ts'
import { endpointRows } from './endpoint-rows.ts'
import { type Engine, type EngineOptions, startEngine } from './engine.ts'
import { refusalBody } from './errors.ts'
import { serveParts, takesParts } from './incremental/serve-parts.ts'
import type { OperationLimits } from './limits.ts'
import { answerType } from './media-type.ts'
import type { GraphqlObserver } from './observer.ts'
import type { KnownOperation, OperationContext } from './operation.ts'
import {
  isBatch,
  type OperationRequest,
  type RequestLimits,
  readRequest,
  shapedBody,
} from './operation-request.ts'
import type { PlanningOptions } from './planning/planning-options.ts'
import type { OperationSource } from './prepared-operation.ts'
import { acceptable, refusalType } from './requests/acceptable.ts'
import { type BatchOptions, runBatch } from './requests/batch.ts'
import { OperationFinder } from './requests/operation-finder.ts'
import type { PersistedQueries } from './requests/persisted-queries.ts'
import { refusalStatus, resultStatus } from './requests/status.ts'
import type { TrustedDocuments } from './requests/trusted-documents.ts'
import type { UploadLimits } from './requests/uploads/uploads.ts'
import { type Audience, viewerBy } from './requests/viewer.ts'
import { type ReachedOptions, reachedSubgraphs, type SubgraphPlace } from './subgraphs/reached-subgraphs.ts'
import { SharedSubscriptions } from './subscriptions/shared-subscriptions.ts'
import { type SubscriptionSettings, Subscriptions } from './subscriptions/subscriptions.ts'
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
  /** Who may ask for the schema. */
  readonly introspection: Audience
  /** Whose mistakes are answered with names of the schema. Default: as `introspection`. */
  readonly suggestions?: Audience | undefined
  /** Operations that clients may ask for without their text. Default: none. */
  readonly persisted?: PersistedQueries | undefined
  readonly trusted?: TrustedDocuments | undefined
  /** Default: one operation per request. */
  readonly batching?: BatchOptions | undefined
  /** Default: no files. */
  readonly uploads?: UploadLimits | undefined
  /** Whether browsers that navigate to the path get GraphiQL, without credentials. */
  readonly explorer: boolean
  readonly limits: OperationLimits & { readonly bodyBytes: number } & Pick<GuardOptions, 'listSize'> & {
      /** The largest cost of an operation; undefined: any. */
      readonly cost?: number | undefined
    }
  readonly authorization: GuardOptions['authorization']
  readonly subscriptions: SubscriptionSettings
  readonly planning?: PlanningOptions
  /** Default: fetches are shared, operations are not. */
  readonly sharing?: Pick<ReachedOptions, 'ignoredHeaders'> & Pick<EngineOptions, 'sharesOperations'>
  /** Default: nothing but what is run. */
  readonly seen?: Omit<ClientOperationsOptions, 'observer' | 'log'>
  readonly observer?: GraphqlObserver | undefined
  readonly log: Logger
}

/** One subgraph and who serves it. Needs `sdl` or `live` when no supergraph is given. */
export type SubgraphOptions = SubgraphSource & SubgraphPlace

/** Builds the GraphQL front-end. Rejects with an Error that lists every mistake when subgraphs whose schemas are files do not compose. */
export async function createGraphqlFrontEnd(options: GraphqlOptions): Promise<GraphqlFrontEnd> {
  const { log, limits, trusted, supergraph, subgraphs, observer, memory = new SupergraphMemory() } = options
  const reached = reachedSubgraphs(subgraphs, { ...options.sharing, observer, log })
  const guard = { authorization: options.authorization, maxCost: limits.cost, listSize: limits.listSize }
  const operations = new ClientOperations({ ...nothingSeen, ...options.seen, observer, log })
  const onPlanned = operations.planned.bind(operations)
  const planning = { onPlanned, defer: true, ...(options.planning && { planning: options.planning }) }
  const { reconnects, chargeEvents } = options.subscriptions
  const subscriptions = { shared: new SharedSubscriptions({ reconnects, log }), chargeEvents }
  const viewer = { introspection: options.introspection !== false, suggestions: true }
  const life = new SupergraphLife({
    supergraph,
    subgraphs,
    memory,
    warmUp: options.warmUp ?? { operations: 0, timeoutMs: 0 },
    online: options.online ?? true,
    registered: trusted?.texts ?? [],
    log,
    start: async (supergraphSdl) => {
      const given = { supergraphSdl, subgraphs: reached, ...options.sharing, subscriptions, planning }
      const engine = await startEngine({ ...given, limits, viewer, guard, log })
      await trusted?.check(engine)
      return engine
    },
  })
  try {
    await life.begin()
  } catch (error) {
    await life.close()
    throw error
  }
  return new GraphqlFrontEnd(options, { life, operations })
}

interface FrontEndParts {
  readonly life: SupergraphLife
  readonly operations: ClientOperations
}

/** Serves the endpoint, and runs operations for other places. */
export class GraphqlFrontEnd implements FrontEnd {
  readonly name = 'graphql'
  readonly rows: readonly Row[]
  readonly #life: SupergraphLife
  readonly #subscriptions: Subscriptions
  readonly #finder: OperationFinder
  readonly #operations: ClientOperations
  readonly #limits: RequestLimits

  constructor(options: GraphqlOptions, { life, operations }: FrontEndParts) {
    this.#life = life
    this.#operations = operations
    const { introspection, suggestions = introspection, persisted, trusted, batching, uploads } = options
    this.#finder = new OperationFinder({ viewerOf: viewerBy(introspection, suggestions), persisted, trusted })
    this.#limits = { bodyBytes: options.limits.bodyBytes, batching, uploads }
    this.#subscriptions = new Subscriptions(options.subscriptions, {
      engines: life.engines,
      read: async (x, engine, payload) => {
        const found = await this.#finder.find(x, shapedBody(payload, undefined) as OperationRequest, engine)
        note(x, found.operation)
        return found
      },
    })
    this.rows = endpointRows({
      path: options.path,
      policy: options.policy,
      explorer: options.explorer,
      frontEnd: this,
      serve: (x) => this.#serve(x),
      sockets: (row) => this.#subscriptions.rows(row),
    })
  }

  planned(row: Row, hooks: Hooks): void {
    if (row === this.rows[0]) this.#subscriptions.planned(row, hooks)
  }

  refuse(x: HttpExchange, error: GatewayError): void {
    const type = refusalType(x)
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
    this.#subscriptions.retire()
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
    const headers = ['Content-Type', `${type}; charset=utf-8`, 'Vary', 'Accept']
    const request = await readRequest(x, this.#limits)
    if (isBatch(request)) {
      x.attributes['graphql.batch.size'] = request.length
      const body = await runBatch(x, request, (one) => this.#answerOne(x, one, engine))
      headers.push(...this.#operations.headers(x))
      if (!x.gone && !x.committed) x.answer(200, headers, body)
      return
    }
    const { uploads } = request
    const { operation, variables } = await this.#finder.find(x, request, engine)
    note(x, operation)
    const context: OperationContext = { x, faults: [], uploads }
    const execution = { operation, variables, context }
    if (operation.type === 'subscription') return this.#subscriptions.serve(x, engine, execution)
    const inParts = takesParts(x.header('accept'))
    const { first: result, rest } = await this.#operations.run(engine, execution, inParts)
    uploads?.close()
    if (uploads?.failure !== undefined) throw uploads.failure
    if (x.gone || x.committed) return
    if (rest !== undefined) return serveParts(x, { first: result, rest })
    const [fault] = context.faults
    if (fault !== undefined && isNothing(result)) x.error ??= fault
    if (answerType(x.header('accept')) === undefined) return this.#subscriptions.serveOnce(x, result)
    headers.push(...this.#operations.headers(x))
    x.answer(resultStatus(result, type), headers, answerText(x, result))
  }

  /** One operation of a batch. */
  async #answerOne(x: HttpExchange, request: OperationRequest, engine: Engine): Promise<string> {
    const { operation, variables } = await this.#finder.find(x, request, engine)
    refuseSubscription(operation)
    const context: OperationContext = { x, faults: [] }
    const { first } = await this.#operations.run(engine, { operation, variables, context })
    return answerText(x, first)
  }
}

function refuseSubscription({ type }: KnownOperation): void {
  if (type === 'subscription') throw new GatewayError('NOT_IMPLEMENTED', 'A batch has no subscriptions.')
}
