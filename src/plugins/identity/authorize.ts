import type { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Principal } from '../../core/principal.ts'
import type { Authorization } from '../../core/route.ts'
import type { Place } from '../../core/text-template.ts'
import { compileClaimConditions } from './claim-conditions.ts'
import { claimMissing, consumerRefused, roleMissing, scopeMissing } from './refusals.ts'

/** Why the caller may not do it; undefined: it may. Of claims see {@link compileAuthorization}. */
export function authorize(
  principal: Principal,
  { consumers = [], roles, scopes, anyScope = [] }: Authorization,
): GatewayError | undefined {
  const { consumer } = principal
  if (consumers.length > 0 && (consumer === undefined || !consumers.includes(consumer)))
    return consumerRefused()
  if (roles.length > 0 && !roles.some((role) => principal.roles.includes(role))) return roleMissing()
  const has = (scope: string): boolean => principal.scopes.includes(scope)
  if (scopes.every(has) && (anyScope.length === 0 || anyScope.some(has))) return undefined
  // Of those of which one is enough, the first is as good as any.
  return scopeMissing([...scopes, ...anyScope.slice(0, 1)], principal.via)
}

/** Why the caller may not do what it asks for; undefined: it may. */
export type AuthorizationCheck = (principal: Principal, x: Exchange) => GatewayError | undefined

/** All that a place asks for, claims included. Throws a Mistake for a variable that the path of the place has not. */
export function compileAuthorization(authorization: Authorization, place: Place): AuthorizationCheck {
  const claimsFit = compileClaimConditions(authorization.claims ?? {}, place)
  if (claimsFit === undefined) return (principal) => authorize(principal, authorization)
  return (principal, x) =>
    authorize(principal, authorization) ?? (claimsFit(principal, x) ? undefined : claimMissing())
}
