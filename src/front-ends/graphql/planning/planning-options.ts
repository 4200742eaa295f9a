import type { PlannerBounds } from './messages.ts'

/** How planning is bounded. */
export interface PlanningOptions extends PlannerBounds {
  /** What planning one operation may take, in milliseconds. */
  readonly timeoutMs: number
  /** Operations that may wait to be planned at a time. */
  readonly queue: number
  /** Bytes of plans, as JSON text, that are remembered. */
  readonly cacheBytes: number
  /** Largest heap of a planning process, in megabytes. */
  readonly heapMb: number
  /** Labels of progressive `@override` other than `percent(..)` that are on. */
  readonly overrides: readonly string[]
}

/** The defaults of `graphql.planning`. */
export const planningDefaults: PlanningOptions = {
  timeoutMs: 5_000,
  queue: 100,
  cacheBytes: 16_777_216,
  heapMb: 512,
  maxEvaluatedPlans: 10_000,
  pathsLimit: undefined,
  overrides: [],
}
