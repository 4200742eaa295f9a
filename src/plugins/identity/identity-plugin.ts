import type { Exchange, Principal } from '../../core/exchange.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Policy } from '../../core/route.ts'
import { asksForSomething, authorize } from './authorize.ts'
import type { Identity } from './identity.ts'
import { noCredentials } from './refusals.ts'

/**
 * Enforces one policy: identity, then what the policy asks of the caller. Credentials that are not valid are refused on optional
 * routes too.
 */
export function identityPlugin(identity: Identity, policy: Policy): Plugin {
  const required = policy.auth === 'required' || asksForSomething(policy.authorize)
  const admit = (x: Exchange, principal: Principal | undefined): void => {
    if (principal === undefined) {
      if (required) throw noCredentials()
      return
    }
    x.principal = principal
    const refusal = authorize(principal, policy.authorize)
    if (refusal !== undefined) throw refusal
  }
  return {
    onRequest(x: Exchange): void | Promise<void> {
      const found = identity.identify(x)
      if (found instanceof Promise) return found.then((principal) => admit(x, principal))
      admit(x, found)
    },
  }
}
