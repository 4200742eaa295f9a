import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { FailedAttempts } from '../../core/failed-attempts.ts'
import type { Principal } from '../../core/principal.ts'
import type { PluginHost } from '../../pipeline/registry.ts'
import { checkApiKeyFormat } from './api-key.ts'
import type { Authenticator } from './authenticator.ts'
import type { Consumer } from './consumer.ts'
import { ConsumerCertificates } from './consumer-certificates.ts'
import { ConsumerKeys } from './consumer-keys.ts'
import { type KeyPlaces, keyReader } from './key-places.ts'
import type { ManagedKeys } from './managed-keys.ts'
import { apiKeyChallenge, tooManyAttempts } from './refusals.ts'
import type { Revocations } from './revocations.ts'
import { type ProviderStatus, TokenAuthenticator, type TokenOptions } from './token-authenticator.ts'

/** Who is believed to be who: the parts of a configuration that identity is made from. */
export interface IdentityOptions extends TokenOptions {
  readonly apiKeys: KeyPlaces
  readonly consumers: readonly Consumer[]
  /** Keys that are made while the gateway runs. Absent: there are none. */
  readonly managed?: ManagedKeys | undefined
  /** Absent: nothing is ever revoked. */
  readonly revocations?: Revocations | undefined
  /** Whether outside services are asked for what will be needed, now and regularly; by default only when a request needs it. */
  readonly asksAhead?: boolean
  /** Counts credentials that are not valid, by address. Absent: any number may be tried. */
  readonly failures?: FailedAttempts | undefined
}

/** What an identity has besides ways to prove it. */
interface IdentityParts extends Pick<IdentityOptions, 'revocations' | 'failures'> {
  readonly keys: ConsumerKeys
  providers(): readonly ProviderStatus[]
  now(): number
}

/** Finds out who a request comes from; one per configuration, shared by all its routes. */
export class Identity {
  /** The API keys that it knows. */
  readonly keys: ConsumerKeys
  /** The cheapest first; of several that find somebody the last one decides who it is. */
  readonly #authenticators: readonly Authenticator[]
  /** What a 401 asks for: one for each way that somebody could use. */
  readonly challenges: readonly string[]
  readonly #parts: IdentityParts

  constructor(authenticators: readonly Authenticator[], parts: IdentityParts) {
    this.#authenticators = authenticators
    this.challenges = authenticators.flatMap(({ challenge }) => challenge ?? []).reverse()
    this.#parts = parts
    this.keys = parts.keys
  }

  /** The outside services that callers are checked with. */
  get providers(): readonly ProviderStatus[] {
    return this.#parts.providers()
  }

  /**
   * Who sent the request; undefined when it carries no credentials. All that it carries must be valid. Throws (or rejects with) a
   * GatewayError when something is not, or was revoked.
   */
  identify(x: Exchange): Principal | undefined | Promise<Principal | undefined> {
    try {
      let found: Principal | undefined
      for (let i = 0; i < this.#authenticators.length; i++) {
        const next = this.#authenticators[i]?.authenticate(x)
        if (next instanceof Promise) return this.#identifyRest(x, { found, next, from: i + 1 })
        found = this.#accepted(next) ?? found
      }
      return found
    } catch (error) {
      throw this.#counted(x, error)
    }
  }

  /** Forgets what was found out about tokens, so that it is found out again; returns of how many. */
  forget(): number {
    return this.#authenticators.reduce((sum, authenticator) => sum + (authenticator.forget?.() ?? 0), 0)
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
    try {
      let found = this.#accepted(await begun.next) ?? begun.found
      for (let i = begun.from; i < this.#authenticators.length; i++)
        found = this.#accepted(await this.#authenticators[i]?.authenticate(x)) ?? found
      return found
    } catch (error) {
      throw this.#counted(x, error)
    }
  }

  /** Only what was never valid can be a guess; clients whose tokens expired have to be told so. */
  #counted(x: Exchange, error: unknown): unknown {
    const { failures, now } = this.#parts
    if (failures === undefined || !(error instanceof GatewayError)) return error
    if (error.reason !== 'KEY_INVALID' && error.reason !== 'JWT_INVALID') return error
    const { clientAddress } = x.request
    const waitMs = failures.waitMs(clientAddress, now())
    failures.add(clientAddress, now())
    return waitMs > 0 ? tooManyAttempts(waitMs) : error
  }

  /** Also what was remembered as valid is asked about: a revocation holds at once. */
  #accepted(principal: Principal | undefined): Principal | undefined {
    if (principal !== undefined) this.#parts.revocations?.check(principal)
    return principal
  }
}

/**
 * With both a token and a key the token decides who it is, and the key must be valid too. Throws an Error that names the place in the
 * configuration when issuers cannot work.
 */
export function createIdentity(options: IdentityOptions, host: PluginHost): Identity {
  const now = (): number => host.now()
  const tokens = new TokenAuthenticator(options, host)
  const { failures, revocations } = options
  const keys = new ConsumerKeys(options.consumers, options.managed)
  const readKey = keyReader(options.apiKeys)
  const byKey: Authenticator = {
    challenge: options.consumers.length > 0 ? apiKeyChallenge : undefined,
    authenticate(x) {
      const key = readKey(x)
      if (key === undefined) return undefined
      const waitMs = failures?.waitMs(x.request.clientAddress, now()) ?? 0
      // One of ours cannot be guessed, and passes: other people may share the address.
      if (waitMs > 0 && checkApiKeyFormat(key) === 'foreign') throw tooManyAttempts(waitMs)
      return keys.verify(key, now())
    },
  }
  if (options.asksAhead === true) tokens.start()
  const providers = (): readonly ProviderStatus[] => tokens.providers
  const certificates = new ConsumerCertificates(options.consumers, now)
  const proofs = certificates.isEmpty ? [byKey, tokens] : [certificates, byKey, tokens]
  return new Identity(proofs, { keys, revocations, failures, providers, now })
}
