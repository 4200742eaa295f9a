import { Slot } from './exchange.ts'

/**
 * What a request counts as at every limit, where something that runs before the limits knows it; whole, at least 1. Default 1: one
 * request is one request.
 */
export const requestCost: Slot<number> = new Slot('requestCost')

/** What is known of an operation once its document is read. */
export interface ChargedOperation {
  /** The name of the GraphQL operation; `''` when it has none. */
  readonly name: string
  /** At least 0; rounded up to whole units, at least 1. Of several operations in one request: the sum. */
  readonly cost: number
  /** Whether it is one more event of an operation that was charged when it began, so that only limits by cost count it. Default false. */
  readonly again?: boolean
}

/**
 * Left on the exchange by rate limits with `cost: operation` or `by: operation`, which cannot count a request of GraphQL before its
 * document is read. The front-end calls it once, after validation and before anything runs. Throws (or rejects with) RATE_LIMITED, QUOTA_EXCEEDED or UNAVAILABLE.
 */
export const chargeOperation: Slot<(operation: ChargedOperation) => void | Promise<void>> = new Slot(
  'chargeOperation',
)

/**
 * Left on the exchange by limits on requests: counts one more of them, for an operation that came in the same request as others. The front-end calls it
 * for each operation of a batch but the first, before it is read. Rejects with RATE_LIMITED, QUOTA_EXCEEDED or UNAVAILABLE.
 */
export const chargeFurther: Slot<() => Promise<void>> = new Slot('chargeFurther')
