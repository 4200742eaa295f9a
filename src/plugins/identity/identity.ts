import type { Exchange, Principal } from '../../core/exchange.ts'
import type { PluginHost } from '../../pipeline/registry.ts'
import type { Authenticator } from './authenticator.ts'
import { bearerToken } from './bearer-token.ts'
import type { Consumer } from './consumer.ts'
import { ConsumerKeys } from './consumer-keys.ts'
import type { JwtOptions } from './jwt-issuer.ts'
import { JwtVerifier } from './jwt-verifier.ts'
import type { Revocations } from './revocations.ts'

/** Who is believed to be who: the parts of a configuration that identity is made from. */
export interface IdentityOptions {
  readonly jwt: readonly JwtOptions[]
  readonly apiKeys: {
    /** The header that keys come in, in any case. Default `x-api-key`. */
    readonly header?: string | undefined
  }
  readonly consumers: readonly Consumer[]
  /** Absent: nothing is ever revoked. */
  readonly revocations?: Revocations | undefined
}

/** Finds out who a request comes from; one per configuration, shared by all its routes. */
export class Identity {
  /** The cheapest first; of several that find somebody the last one decides who it is. */
  readonly #authenticators: readonly Authenticator[]
  readonly #revocations: Revocations | undefined

  constructor(authenticators: readonly Authenticator[], revocations?: Revocations) {
    this.#authenticators = authenticators
    this.#revocations = revocations
  }

  /**
   * Who sent the request; undefined when it carries no credentials. All that it carries must be valid. Throws (or rejects with) a
   * GatewayError when something is not, or was revoked.
   */
  identify(x: Exchange): Principal | undefined | Promise<Principal | undefined> {
    let found: Principal | undefined
    for (let i = 0; i < this.#authenticators.length; i++) {
      const next = this.#authenticators[i]?.authenticate(x)
      if (next instanceof Promise) return this.#identifyRest(x, { found, next, from: i + 1 })
      found = this.#accepted(next) ?? found
    }
    return found
  }

  /** Called when no configuration uses it any more. */
  async close(): Promise<void> {
    for (const authenticator of this.#authenticators) await authenticator.close?.()
  }

  /** The same from the first one that has something to await. */
  async #identifyRest(
    x: Exchange,
    begun: { found: Principal | undefined; next: Promise<Principal | undefined>; from: number },
  ): Promise<Principal | undefined> {
    let found = this.#accepted(await begun.next) ?? begun.found
    for (let i = begun.from; i < this.#authenticators.length; i++)
      found = this.#accepted(await this.#authenticators[i]?.authenticate(x)) ?? found
    return found
  }

  /** Also what was remembered as valid is asked about: a revocation holds at once. */
  #accepted(principal: Principal | undefined): Principal | undefined {
    if (principal !== undefined) this.#revocations?.check(principal)
    return principal
  }
}

/**
 * With both a token and a key the token decides who it is, and the key must be valid too. Throws an Error that names the place in the
 * configuration when issuers or keys cannot work.
 */
export function createIdentity(options: IdentityOptions, host: PluginHost): Identity {
  const now = (): number => host.now()
  const tokens = new JwtVerifier(options.jwt, now)
  const keys = new ConsumerKeys(options.consumers)
  const keyHeader = (options.apiKeys.header ?? 'x-api-key').toLowerCase()
  const byKey: Authenticator = {
    authenticate(x) {
      const key = x.header(keyHeader)
      return key === undefined ? undefined : keys.verify(key, now())
    },
  }
  const byToken: Authenticator = {
    authenticate(x) {
      const token = bearerToken(x.header('authorization'))
      return token === undefined ? undefined : tokens.verify(token)
    },
    async close() {
      tokens.clear()
    },
  }
  return new Identity([byKey, byToken], options.revocations)
}
