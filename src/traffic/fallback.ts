import type { GatewayError } from '../core/error.ts'
import type { Call } from './call.ts'
import type { Upstream } from './upstream.ts'

/** Whether nobody gave an answer that is worth something, so that another may: the gateway's own 503 and 504, and most of its 502. */
export function isUnanswered({ code, entry }: GatewayError): boolean {
  return code === 'unavailable' || entry.status === 504
}

/**
 * The upstream that takes a call which its own could not: nobody answered, and sending it again is safe and of use. Undefined: there is
 * none.
 */
export function fallbackOf(call: Call, error: GatewayError): Upstream | undefined {
  if (!isUnanswered(error) || (error.reached && !call.idempotent)) return undefined
  return nextOf(call)
}

/** Whether an answer that is no good is dropped because the fallback may have a better one. */
export function dropsForFallback(call: Call): boolean {
  return call.idempotent && nextOf(call) !== undefined
}

function nextOf(call: Call): Upstream | undefined {
  const next = call.destination.fallbackOf(call.upstream)
  // What nobody was asked for is still whole: a stream of messages, too.
  if (next === undefined || (!call.replayable && call.attempts.length > 0) || call.ended !== undefined)
    return undefined
  return call.exchange.committed || performance.now() >= call.deadlineAt ? undefined : next
}
