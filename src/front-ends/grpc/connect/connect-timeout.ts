import { GatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { shorterLimit, type TimeLimit } from '../time-limit.ts'

/**
 * The shorter of `Connect-Timeout-Ms` and `configuredMs` (0: none). Throws INVALID_ARGUMENT for a header that is none,
 * DEADLINE_EXCEEDED for one that has run out.
 */
export function connectTimeLimit(x: HttpExchange, configuredMs: number): TimeLimit {
  const header = x.header('connect-timeout-ms')
  if (header === undefined) return { timeoutMs: configuredMs, clientDeadline: false }
  if (!/^\d{1,10}$/.test(header))
    throw new GatewayError('INVALID_ARGUMENT', 'Connect-Timeout-Ms must be up to ten digits: milliseconds.')
  return shorterLimit(x, Number(header), configuredMs)
}
