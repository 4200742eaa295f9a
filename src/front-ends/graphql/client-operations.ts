import type { Exchange } from '../../core/exchange.ts'
import type { Logger } from '../../core/log.ts'
import type { Engine } from './engine.ts'
import type { AnswerInParts } from './execution/run-parts.ts'
import type { GraphqlObserver } from './observer.ts'
import type { Execution, KnownOperation, OperationResult } from './operation.ts'
import type { Planned } from './planning/planning-figures.ts'
import type { Audience } from './requests/viewer.ts'
import { ReplyParts } from './subgraphs/reply-parts.ts'

/** What {@link ClientOperations} does besides running them. */
export interface ClientOperationsOptions {
  /** Who may ask for the plan by the header `apollo-expose-query-plan`. */
  readonly queryPlan: Audience
  /** Operations that take longer are logged, in milliseconds; 0: none. */
  readonly slowOperationMs: number
  /** The same for the planning of one. */
  readonly slowPlanningMs: number
  /** Names of the client's headers that decide what subgraphs answer. */
  readonly varyOn: readonly string[]
  /** Whether other things of a client decide too, so that no answer is for others. */
  readonly personal: boolean
  readonly observer?: GraphqlObserver | undefined
  readonly log: Logger
}

/** Where nothing is configured. */
export const nothingSeen: Omit<ClientOperationsOptions, 'log'> = {
  queryPlan: false,
  slowOperationMs: 0,
  slowPlanningMs: 0,
  varyOn: ['Accept-Language'],
  personal: false,
}

/** Runs operations of clients, and notes what comes of them for answer, log and metrics. */
export class ClientOperations {
  readonly #options: ClientOperationsOptions
  readonly #planningMs = new WeakMap<KnownOperation, number>()

  constructor(options: ClientOperationsOptions) {
    this.#options = options
  }

  /** `inParts`: whether the client takes an answer in parts. Rejects with a GatewayError when the operation is not to be run. */
  async run(engine: Engine, execution: Execution, inParts = false): Promise<AnswerInParts> {
    const startedAt = performance.now()
    const { context, operation } = execution
    const { x } = context
    if (this.#showsPlan(x)) context.showsPlan = true
    const { first, rest }: AnswerInParts = inParts
      ? await engine.executeParts(execution)
      : { first: await engine.execute(execution) }
    noteErrors(x, first.errors)
    if (first.errors.length > 0 || operation.type !== 'query') ReplyParts.known(x)?.forbidCaching()
    this.#noteSlow(operation, x, performance.now() - startedAt)
    const { subgraphExtensions: subgraphs } = context
    if (subgraphs === undefined) return { first, rest }
    return { first: { ...first, extensions: { ...first.extensions, subgraphs } }, rest }
  }

  /** What subgraphs add to the head of the answer, flat. */
  headers(x: Exchange): string[] {
    const { varyOn, personal } = this.#options
    const parts = ReplyParts.known(x)
    const showsPlan = this.#showsPlan(x)
    if (showsPlan) parts?.forbidCaching()
    const headers =
      parts?.headers({ personal: personal || x.principal !== undefined, calls: x.calls.length }) ?? []
    if (parts?.isCacheable === true) headers.push('Vary', varyOn.join(', '))
    else if (showsPlan) headers.push('Cache-Control', 'no-store')
    return headers
  }

  /** Told of each operation that was not known. */
  planned(planned: Planned): void {
    const { slowPlanningMs, observer, log } = this.#options
    const { operation, waitedMs, tookMs, evaluatedPlans, error } = planned
    observer?.planned(planned)
    this.#planningMs.set(operation, tookMs)
    if (slowPlanningMs === 0 || tookMs < slowPlanningMs) return
    const fields = {
      ...named(operation),
      'graphql.planning.duration_ms': rounded(tookMs),
      'graphql.planning.waited_ms': rounded(waitedMs),
      'graphql.planning.evaluated_plans': evaluatedPlans,
      ...(error === undefined ? undefined : { 'gateway.error.reason': error.reason }),
    }
    log.warn(fields, 'Planning an operation took long.')
  }

  #noteSlow(operation: KnownOperation, x: Exchange, tookMs: number): void {
    const { slowOperationMs, log } = this.#options
    if (slowOperationMs === 0 || tookMs < slowOperationMs) return
    const planningMs = this.#planningMs.get(operation)
    const fields = {
      ...named(operation),
      'graphql.operation.duration_ms': rounded(tookMs),
      ...(planningMs === undefined ? undefined : { 'graphql.planning.duration_ms': rounded(planningMs) }),
      'graphql.fetches': x.calls.length,
      request_id: x.id,
      trace_id: x.trace.traceId,
    }
    log.warn(fields, 'An operation took long.')
  }

  #showsPlan(x: Exchange): boolean {
    const { queryPlan } = this.#options
    if (queryPlan === false || x.header(planHeader) !== 'true') return false
    return queryPlan === true || queryPlan(x)
  }
}

/** Notes the operation for log and metrics. */
export function note(x: Exchange, { type, name }: KnownOperation): void {
  x.attributes['graphql.operation.type'] = type
  if (name !== '') x.attributes['graphql.operation.name'] = name.slice(0, 64)
}

/** Counts the errors of a result for log and metrics. */
export function noteErrors(x: Exchange, { length }: OperationResult['errors']): void {
  if (length > 0) x.attributes['graphql.errors'] = Number(x.attributes['graphql.errors'] ?? 0) + length
}

/** Never with values of variables: what clients ask with is theirs. */
function named({ name, type, hash }: KnownOperation): Record<string, string> {
  const kind = { 'graphql.operation.type': type, 'graphql.operation.hash': hash }
  return name === '' ? kind : { 'graphql.operation.name': name.slice(0, 64), ...kind }
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}

/** As Apollo's router has it. */
const planHeader = 'apollo-expose-query-plan'
