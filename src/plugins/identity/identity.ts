import type { Exchange, Principal, UpstreamCall } from '../../core/exchange.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Policy } from '../../core/route.ts'
import type { PluginHost } from '../../pipeline/registry.ts'
import type { Consumer } from './consumer.ts'
import { ConsumerKeys } from './consumer-keys.ts'
import { identityHeaders } from './identity-headers.ts'
import type { JwtOptions } from './jwt-issuer.ts'
import { JwtVerifier } from './jwt-verifier.ts'
import { noCredentials, roleMissing, scopeMissing } from './refusals.ts'

/** Who is believed to be who: the parts of a configuration that identity is made from. */
export interface IdentityOptions {
  readonly jwt: readonly JwtOptions[]
  readonly apiKeys: {
    /** The header that keys come in, in any case. Default `x-api-key`. */
    readonly header?: string | undefined
  }
  readonly consumers: readonly Consumer[]
}

/** Finds out who a request comes from; one per configuration, shared by all its routes. */
export interface Identity {
  /**
   * Who sent the request; undefined when it carries no credentials. With both a token and a key the token decides who it is, and
   * the key must be valid too. Throws (or rejects with) a GatewayError when what it carries is not valid.
   */
  identify(x: Exchange): Principal | undefined | Promise<Principal>
  /** Called when no configuration uses it any more. */
  close(): Promise<void>
}

/** Throws an Error that names the place in the configuration when issuers or keys cannot work. */
export function createIdentity(options: IdentityOptions, host: PluginHost): Identity {
  const now = (): number => host.now()
  const tokens = new JwtVerifier(options.jwt, now)
  const keys = new ConsumerKeys(options.consumers)
  const keyHeader = (options.apiKeys.header ?? 'x-api-key').toLowerCase()
  return {
    identify(x) {
      const key = x.header(keyHeader)
      const token = bearerToken(x.header('authorization'))
      const owner = key === undefined ? undefined : keys.verify(key, now())
      return token === undefined ? owner : tokens.verify(token)
    },
    async close() {
      tokens.clear()
    },
  }
}

/**
 * Enforces one policy: identity, then one of the roles and all of the scopes; tells upstreams who calls. Credentials that are not
 * valid are refused on optional routes too.
 */
export function identityPlugin(identity: Identity, policy: Policy): Plugin {
  const { roles, scopes } = policy.authorize
  const required = policy.auth === 'required' || roles.length > 0 || scopes.length > 0
  const admit = (x: Exchange, principal: Principal | undefined): void => {
    if (principal === undefined) {
      if (required) throw noCredentials()
      return
    }
    x.principal = principal
    if (roles.length > 0 && !roles.some((role) => principal.roles.includes(role))) throw roleMissing()
    if (!scopes.every((scope) => principal.scopes.includes(scope))) throw scopeMissing(scopes)
  }
  return {
    onRequest(x: Exchange): void | Promise<void> {
      const found = identity.identify(x)
      if (found instanceof Promise) return found.then((principal) => admit(x, principal))
      admit(x, found)
    },
    onCall(x: Exchange, call: UpstreamCall): void {
      if (x.principal === undefined) return
      const headers = identityHeaders(x.principal)
      for (let i = 0; i < headers.length; i++) call.headers.push(headers[i] as string)
    },
  }
}

/** The scheme in any case, and what comes after it: `Bearers` is another scheme, `Bearer,x` is not. */
const bearerScheme = /^bearer(?![!#$%&'*+.^_`|~\w-])( *)(.*)$/is

/**
 * The token of `Authorization: Bearer` (RFC 6750 section 2.1; blanks by RFC 9110 section 11.4); other schemes are not ours. `''` for one that
 * is empty or not separated by blanks: that must be refused, because it is meant as a token.
 */
function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  const found = bearerScheme.exec(authorization)
  if (found === null) return undefined
  return found[1] === '' ? '' : found[2]
}
