import type { GatewayError } from '../../../core/error.ts'
import type { KnownOperation } from '../operation.ts'

/** One operation that was planned. */
export interface Planned {
  readonly operation: KnownOperation
  /** Milliseconds that it waited for a planning process, and that planning took. */
  readonly waitedMs: number
  readonly tookMs: number
  readonly evaluatedPlans: number
  /** Undefined: there is a plan. */
  readonly error: GatewayError | undefined
}

/** What planning has come to so far. */
export interface PlanningFigures {
  readonly hits: number
  readonly misses: number
  /** Operations that wait or are being planned. */
  readonly waiting: number
  readonly cachedPlans: number
  readonly cachedBytes: number
}
