import { createHash } from 'node:crypto'
import { print } from 'graphql'
import { GatewayError } from '../../../core/error.ts'
import { BoundedCache } from '../bounded-cache.ts'
import { BoundedMap } from '../bounded-map.ts'
import type { KnownOperation } from '../operation.ts'
import type { LoadAnswer, PlanAnswer, PlannedSupergraph } from './messages.ts'
import type { Plan } from './plan.ts'
import { planningError, tooLong } from './planning-error.ts'
import type { Planned, PlanningFigures } from './planning-figures.ts'
import { type PlanningOptions, planningDefaults } from './planning-options.ts'
import { type PlanningProcesses, planningProcesses } from './planning-processes.ts'
import { type PlannedExecution, ProgressiveOverride } from './progressive-override.ts'
import { type Variant, type Variants, variantKey, variantOf, variantsOf } from './variant.ts'

/** A supergraph that is ready to be planned for. */
export interface Planner {
  /** SDL of what clients may ask for. */
  readonly apiSdl: string
  readonly figures: PlanningFigures
  /**
   * How an operation is to be run: at once where it is known, and then the same object each time. Rejects (or throws) with a
   * GatewayError: PLANNING_LIMIT_EXCEEDED, OVERLOADED, INTERNAL.
   */
  plan(execution: PlannedExecution): Plan | Promise<Plan>
  /** Plans an operation before it is asked for, every condition without a default taken as false. Rejects as `plan` does. */
  warm(operation: KnownOperation): Promise<Plan>
  close(): void
}

/** What {@link loadPlanner} may be given. */
export interface LoadOptions {
  readonly planning?: PlanningOptions
  /** Whether clients may use `@defer`: plans then have Defer nodes. Default false. */
  readonly defer?: boolean
  /** Called after each operation that was not known, in no hurry. */
  readonly onPlanned?: ((planned: Planned) => void) | undefined
}

/** Loads a supergraph into Apollo's planner, in another process. Rejects with an Error when it does not load. */
export async function loadPlanner(supergraphSdl: string, options: LoadOptions = {}): Promise<Planner> {
  const { planning = planningDefaults, defer = false, onPlanned } = options
  const { maxEvaluatedPlans, pathsLimit } = planning
  const bounds = { maxEvaluatedPlans, pathsLimit }
  const hash = createHash('sha256')
    .update(JSON.stringify([supergraphSdl, bounds]))
    .digest('hex')
  const supergraph = { hash, sdl: supergraphSdl, bounds }
  const processes = planningProcesses(planning.heapMb)
  const facts = await processes.load(supergraph)
  const apiSdl = defer ? `${facts.apiSdl}\n\n${deferSdl}` : facts.apiSdl
  return new RemotePlanner({ supergraph, facts: { ...facts, apiSdl }, processes, planning, onPlanned })
}

/** As in the RFC on incremental delivery of the GraphQL specification. */
const deferSdl = 'directive @defer(if: Boolean! = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT'

interface RemotePlannerParts {
  readonly supergraph: PlannedSupergraph
  readonly facts: LoadAnswer
  readonly processes: PlanningProcesses
  readonly planning: PlanningOptions
  readonly onPlanned: LoadOptions['onPlanned']
}

class RemotePlanner implements Planner {
  readonly #parts: RemotePlannerParts
  readonly #cache: BoundedCache<Plan>
  readonly #labels: ProgressiveOverride
  readonly #variants = new WeakMap<KnownOperation, Variants>()
  readonly #waiting = new Map<string, Promise<Plan>>()
  /** Until when what went above a limit is refused without another try, by key; of the clock of `performance.now`. */
  readonly #refused = new BoundedMap<string, number>(maxRefused)
  #hits = 0
  #misses = 0

  constructor(parts: RemotePlannerParts) {
    this.#parts = parts
    this.#cache = new BoundedCache({ entries: Number.POSITIVE_INFINITY, bytes: parts.planning.cacheBytes })
    this.#labels = new ProgressiveOverride(parts.planning.overrides)
  }

  get apiSdl(): string {
    return this.#parts.facts.apiSdl
  }

  get figures(): PlanningFigures {
    return {
      hits: this.#hits,
      misses: this.#misses,
      waiting: this.#waiting.size,
      cachedPlans: this.#cache.size,
      cachedBytes: this.#cache.bytes,
    }
  }

  plan(execution: PlannedExecution): Plan | Promise<Plan> {
    const { operation } = execution
    const variants = this.#variantsOf(operation)
    const variant = variantKey(variants, execution, this.#labels)
    const key = operation.hash + variant
    const known = this.#cache.get(key)
    if (known !== undefined) {
      this.#hits++
      return known
    }
    this.#misses++
    const underway = this.#waiting.get(key)
    if (underway !== undefined) return underway
    if ((this.#refused.get(key) ?? 0) > performance.now()) throw tooLong('It was tried a while ago.')
    if (this.#waiting.size >= this.#parts.planning.queue)
      throw new GatewayError('OVERLOADED', 'Too many operations wait to be planned.', { retryAfterMs: 1_000 })
    const planned = this.#planNow(operation, variantOf(variants, variant), key).finally(() =>
      this.#waiting.delete(key),
    )
    this.#waiting.set(key, planned)
    return planned
  }

  async warm(operation: KnownOperation): Promise<Plan> {
    const { conditions } = this.#variantsOf(operation)
    const missing = conditions.filter(({ byDefault }) => byDefault === undefined)
    return this.plan({ operation, variables: Object.fromEntries(missing.map(({ name }) => [name, false])) })
  }

  close(): void {
    this.#parts.processes.release(this.#parts.supergraph)
  }

  #variantsOf(operation: KnownOperation): Variants {
    let variants = this.#variants.get(operation)
    if (variants === undefined) {
      variants = variantsOf(operation, this.#parts.facts.overrides)
      this.#variants.set(operation, variants)
    }
    return variants
  }

  async #planNow(operation: KnownOperation, variant: Variant, key: string): Promise<Plan> {
    const { supergraph, processes, planning, onPlanned } = this.#parts
    const { conditions, overrides } = variant
    const document = print(operation.document)
    const request = { document, operationName: operation.name, conditions, overrides }
    const askedAt = performance.now()
    let startedAt = askedAt
    const started = (): void => {
      startedAt = performance.now()
    }
    let answer: PlanAnswer | undefined
    let error: GatewayError | undefined
    try {
      answer = await processes.plan(supergraph, { request, limitMs: planning.timeoutMs, started })
    } catch (thrown) {
      error = planningError(thrown)
      if (error.reason === 'PLANNING_LIMIT_EXCEEDED') this.#refused.set(key, performance.now() + refusedForMs)
    }
    onPlanned?.({
      operation,
      waitedMs: startedAt - askedAt,
      tookMs: performance.now() - startedAt,
      evaluatedPlans: answer?.evaluatedPlans ?? 0,
      error,
    })
    if (answer === undefined) throw error
    const plan = JSON.parse(answer.plan) as Plan
    const bytes = answer.plan.length + key.length + entryBytes
    // One plan must not drive out all others.
    if (bytes <= planning.cacheBytes / 8) this.#cache.set(key, plan, bytes)
    return plan
  }
}

const maxRefused = 1_000
/** What a cached plan takes besides its text and its key. */
const entryBytes = 500
const refusedForMs = 60_000
