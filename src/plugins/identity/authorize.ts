import type { GatewayError } from '../../core/error.ts'
import type { Principal } from '../../core/exchange.ts'
import type { Authorization } from '../../core/route.ts'
import { roleMissing, scopeMissing } from './refusals.ts'

/** Why the caller may not do it; undefined: it may. */
export function authorize(principal: Principal, { roles, scopes }: Authorization): GatewayError | undefined {
  if (roles.length > 0 && !roles.some((role) => principal.roles.includes(role))) return roleMissing()
  if (!scopes.every((scope) => principal.scopes.includes(scope))) return scopeMissing(scopes)
  return undefined
}

/** Whether it cannot be met by somebody who is not known. */
export function asksForSomething({ roles, scopes }: Authorization): boolean {
  return roles.length > 0 || scopes.length > 0
}
