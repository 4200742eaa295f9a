import { causeOf } from '../core/cause-of.ts'
import { GatewayError } from '../core/error.ts'
import type { Target } from '../core/target.ts'
import { readTarget } from './read-target.ts'

/** Bounds of the time that an instance stays without a heartbeat. */
const ttl = { minMs: 1_000, maxMs: 86_400_000 }

/** The target of an instance that may be registered. Throws INVALID_ARGUMENT for others. */
export function registrable(service: string, written: unknown, ttlMs: number): Target {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(service))
    throw invalid('a service is named by up to 63 letters, digits, ".", "_" and "-"')
  if (!(ttlMs >= ttl.minMs && ttlMs <= ttl.maxMs))
    throw invalid('the time to live of an instance is from 1 second to 24 hours')
  try {
    return readTarget(written)
  } catch (error) {
    throw invalid(causeOf(error))
  }
}

function invalid(message: string): GatewayError {
  return new GatewayError('INVALID_ARGUMENT', message)
}
