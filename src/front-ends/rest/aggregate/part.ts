import type { CallLimits } from '../../../core/call-limits.ts'
import { GatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'

/** Makes the call of a part. Rejects with a GatewayError. */
export type RunPart = (x: HttpExchange, limits: CallLimits) => Promise<PartAnswer>

/** What a part answered: JSON. */
export interface PartAnswer {
  readonly value: unknown
  /** Why that is not all of it. */
  readonly failure?: GatewayError | undefined
}

/**
 * What it means for the whole that a backend answered with `status`: what clients do wrong (4xx) passes as it is, all else is a 502. 407 is
 * between the gateway and what stands before the backend.
 */
export function refusedPart(status: number, message: string, headers: readonly string[] = []): GatewayError {
  if (status >= 400 && status < 500 && status !== 407)
    return new GatewayError('PART_REFUSED', message, { status, headers })
  return new GatewayError('PART_FAILED', message, { headers })
}
