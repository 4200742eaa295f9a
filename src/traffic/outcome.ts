import type { GatewayError } from '../core/error.ts'
import type { Reason } from '../core/reason.ts'

/** What an attempt or a call says of who was asked: it did well, it failed, or nothing. */
export type Outcome = 'ok' | 'failed' | 'neutral'

/**
 * Reads how an attempt or a call ended. `failed`: no connection, reset, no answer in time, a `fault` (5xx, or such a status of gRPC).
 * `neutral`: the client left, another attempt was faster, or it is the gateway that failed or refused. What clients do wrong (4xx) is `ok`.
 */
export function outcomeOf(fault: string | undefined, error: GatewayError | undefined): Outcome {
  if (fault !== undefined) return 'failed'
  if (error === undefined) return 'ok'
  if (error.stale || ours.has(error.reason)) return 'neutral'
  return error.code === 'unavailable' || timeouts.has(error.reason) ? 'failed' : 'neutral'
}

const timeouts: ReadonlySet<Reason> = new Set<Reason>(['UPSTREAM_TIMEOUT', 'CONNECT_TIMEOUT'])
/** Said by the gateway without having asked. */
const ours: ReadonlySet<Reason> = new Set<Reason>(['OVERLOADED', 'DRAINING'])
