import type { GatewayError } from '../../../../core/error.ts'
import type { Reason } from '../../../../core/reason.ts'

/** How the connection of a client ends: the codes of RFC 6455 section 7.4.1 and of the `graphql-transport-ws` protocol. */
export const closeCodes = {
  serviceRestart: 1012,
  badRequest: 4400,
  unauthorized: 4401,
  forbidden: 4403,
  initTimeout: 4408,
  subscriberExists: 4409,
  tooMany: 4429,
  internal: 4500,
} as const

/**
 * The code for an error that ends a connection. Clients of the protocol do not come again after 4401, and do after 4403: whose credential has
 * expired may have another one then.
 */
export function closeCodeOf({ reason, code }: GatewayError): number {
  if (reason === 'DRAINING' || reason === 'OVERLOADED') return closeCodes.serviceRestart
  if (expired.has(reason) || code === 'permission_denied') return closeCodes.forbidden
  if (code === 'unauthenticated') return closeCodes.unauthorized
  if (code === 'resource_exhausted') return closeCodes.tooMany
  return code === 'invalid_argument' ? closeCodes.badRequest : closeCodes.internal
}

/** What fits into the frame that closes a connection: 123 bytes (RFC 6455 section 5.5). */
export function closeReason(text: string): string {
  let reason = text
  while (Buffer.byteLength(reason) > 123) reason = reason.slice(0, -1)
  return reason
}

const expired: ReadonlySet<Reason> = new Set<Reason>(['JWT_EXPIRED', 'KEY_EXPIRED'])
