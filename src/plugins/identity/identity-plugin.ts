import { asksForSomething } from '../../core/authorization.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Principal } from '../../core/principal.ts'
import type { Policy } from '../../core/route.ts'
import type { Place } from '../../core/text-template.ts'
import { compileAuthorization } from './authorize.ts'
import type { Identity } from './identity.ts'
import { noCredentials } from './refusals.ts'

/**
 * Enforces one policy: identity, then what the policy asks of the caller. Credentials that are not valid are refused on optional
 * routes too. Throws a Mistake for a policy that its place cannot meet.
 */
export function identityPlugin(identity: Identity, policy: Policy, where: AdmissionPlace = {}): Plugin {
  const admit = compileAdmission(identity, policy, where)
  return {
    onRequest(x: Exchange): void | Promise<void> {
      const found = identity.identify(x)
      if (found instanceof Promise) return found.then((principal) => admit(x, principal))
      admit(x, found)
    },
  }
}

/** Lets a caller in, whom identity has found or not, or throws why not. */
export type Admission = (x: Exchange, principal: Principal | undefined) => void

export interface AdmissionPlace {
  /** What claims may be compared with. Default: nothing of the request. */
  readonly place?: Place
}

const nowhere: Place = { protocol: undefined, variable: () => undefined, credentialHeaders: new Set() }

/** What decides about callers of a place whose `auth` is not none. Throws a Mistake for a policy that its place cannot meet. */
export function compileAdmission(
  identity: Identity,
  policy: Policy,
  { place = nowhere }: AdmissionPlace,
): Admission {
  const required = policy.auth === 'required' || asksForSomething(policy.authorize)
  const refusalOf = compileAuthorization(policy.authorize, place)
  return (x, principal) => {
    if (principal === undefined) {
      if (required) throw noCredentials(identity.challenges)
      return
    }
    x.principal = principal
    const refusal = refusalOf(principal, x)
    if (refusal !== undefined) throw refusal
  }
}
