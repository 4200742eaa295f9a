import type { Exchange } from '../../../core/exchange.ts'
import type { Principal } from '../../../core/principal.ts'
import type { Reason } from '../../../core/reason.ts'

/** One thing that is asked of a caller by a directive of the supergraph. */
export type Condition =
  | { readonly kind: 'authenticated' }
  /** Any of the lists, all that it names (specs.apollo.dev/requiresScopes, policy). */
  | { readonly kind: 'scopes' | 'policies'; readonly anyOf: readonly (readonly string[])[] }

/** Decides the policies of `@policy` by name; a name that is not there refuses. */
export type Policies = ReadonlyMap<string, (principal: Principal, x: Exchange) => boolean>

/** Whether the caller of an exchange meets a condition. Nobody does without having said who he is; an empty list of alternatives is met by nobody. */
export function isMet(condition: Condition, x: Exchange, policies: Policies): boolean {
  const { principal } = x
  if (principal === undefined) return false
  if (condition.kind === 'authenticated') return true
  if (condition.kind === 'scopes')
    return condition.anyOf.some((all) => all.every((scope) => principal.scopes.includes(scope)))
  return condition.anyOf.some((all) => all.every((name) => policies.get(name)?.(principal, x) === true))
}

/** Why a condition that is not met refuses. */
export function reasonOf(condition: Condition, principal: Principal | undefined): Reason {
  if (principal === undefined || condition.kind === 'authenticated') return 'NO_CREDENTIALS'
  return condition.kind === 'scopes' ? 'SCOPE_MISSING' : 'POLICY_REFUSED'
}
