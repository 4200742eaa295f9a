import type { Exchange, Principal } from '../../core/exchange.ts'
import type { PluginHost } from '../../pipeline/registry.ts'
import type { Authenticator } from './authenticator.ts'
import type { Consumer } from './consumer.ts'
import { ConsumerKeys } from './consumer-keys.ts'
import type { Revocations } from './revocations.ts'
import { type ProviderStatus, TokenAuthenticator, type TokenOptions } from './token-authenticator.ts'

/** Who is believed to be who: the parts of a configuration that identity is made from. */
export interface IdentityOptions extends TokenOptions {
  readonly apiKeys: {
    /** The header that keys come in, in any case. Default `x-api-key`. */
    readonly header?: string | undefined
  }
  readonly consumers: readonly Consumer[]
  /** Absent: nothing is ever revoked. */
  readonly revocations?: Revocations | undefined
  /** Whether outside services are asked for what will be needed, now and regularly; by default only when a request needs it. */
  readonly asksAhead?: boolean
}

/** What an identity has besides ways to prove it. */
interface IdentityParts {
  readonly revocations?: Revocations | undefined
  readonly providers?: () => readonly ProviderStatus[]
}

/** Finds out who a request comes from; one per configuration, shared by all its routes. */
export class Identity {
  /** The cheapest first; of several that find somebody the last one decides who it is. */
  readonly #authenticators: readonly Authenticator[]
  readonly #revocations: Revocations | undefined
  readonly #providers: () => readonly ProviderStatus[]

  constructor(authenticators: readonly Authenticator[], parts: IdentityParts = {}) {
    this.#authenticators = authenticators
    this.#revocations = parts.revocations
    this.#providers = parts.providers ?? (() => [])
  }

  /** The outside services that callers are checked with. */
  get providers(): readonly ProviderStatus[] {
    return this.#providers()
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
  const tokens = new TokenAuthenticator(options, host)
  const keys = new ConsumerKeys(options.consumers)
  const keyHeader = (options.apiKeys.header ?? 'x-api-key').toLowerCase()
  const byKey: Authenticator = {
    authenticate(x) {
      const key = x.header(keyHeader)
      return key === undefined ? undefined : keys.verify(key, now())
    },
  }
  if (options.asksAhead === true) tokens.start()
  return new Identity([byKey, tokens], {
    revocations: options.revocations,
    providers: () => tokens.providers,
  })
}
