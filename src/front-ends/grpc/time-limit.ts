import { GatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'

/** How long a call may take, and whose word that is. */
export interface TimeLimit {
  /** Milliseconds; 0: no limit. */
  readonly timeoutMs: number
  /** Whether it is the client's. */
  readonly clientDeadline: boolean
}

/** What remains of `givenMs`, the client's, since the request came; `configuredMs` (0: none) where that is shorter. Throws DEADLINE_EXCEEDED. */
export function shorterLimit(x: HttpExchange, givenMs: number, configuredMs: number): TimeLimit {
  const leftMs = givenMs - (performance.now() - x.request.startedAt)
  if (leftMs <= 0)
    throw new GatewayError('DEADLINE_EXCEEDED', 'The time that the client gave ran out.', { reached: false })
  if (configuredMs !== 0 && configuredMs < leftMs) return { timeoutMs: configuredMs, clientDeadline: false }
  return { timeoutMs: leftMs, clientDeadline: true }
}
