import type { Algorithm, Told } from './algorithm.ts'
import type { Verdict } from './decision.ts'

/** What is told of one limit, once a request was counted or refused. */
export function verdictOf(
  { algorithm, cost, price = cost }: Priced,
  { admits, admitted, told, nowMicros }: Outcome,
): Verdict {
  return {
    admits,
    remaining: algorithm.remaining(told, nowMicros),
    waitMicros: algorithm.waitMicros(told, nowMicros),
    retryMicros: admits
      ? 0
      : price > algorithm.most
        ? Number.POSITIVE_INFINITY
        : algorithm.retryMicros(told, nowMicros, price),
    turnMicros: admitted ? (algorithm.turnMicros?.(told, nowMicros, cost) ?? 0) : 0,
  }
}

interface Priced {
  readonly algorithm: Algorithm
  readonly cost: number
  readonly price?: number
}

interface Outcome {
  /** Whether this limit would let it pass, and whether all do. */
  readonly admits: boolean
  readonly admitted: boolean
  readonly told: Told
  readonly nowMicros: number
}
