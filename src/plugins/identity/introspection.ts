import { hash } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { FailedAttempts } from '../../core/failed-attempts.ts'
import type { PluginHost } from '../../pipeline/registry.ts'
import { DigestCache } from '../digest-cache.ts'
import { type ClaimNames, principalFrom } from './claims.ts'
import { isNumericDate } from './compact-jws.ts'
import { canBeAsked } from './fetch-json.ts'
import { IntrospectionClient } from './introspection-client.ts'
import { canDescribeItself, ProviderMetadata } from './provider-metadata.ts'
import { jwtExpired, jwtInvalid, tooManyAttempts } from './refusals.ts'
import { tokenDigest } from './revocable.ts'
import { bindingOf } from './token-binding.ts'
import { bytesOf, type VerifiedToken } from './verified-token.ts'

/** A server that is asked about opaque tokens (RFC 7662). */
export interface IntrospectionOptions {
  /** Whose tokens they are; the `iss` of an answer, where it has one. */
  readonly issuer: string
  /** The endpoint; absent: what the issuer says of itself. */
  readonly url?: string | undefined
  readonly clientId: string
  readonly clientSecret: string
  /** Only tokens that begin so are asked about; the longest of several decides. Default: all. */
  readonly tokenPrefix?: string | undefined
  /** One of them must be (among) the `aud` of the answer; absent: any. */
  readonly audience?: string | readonly string[] | undefined
  /** What the answer must have besides the claim of the user. */
  readonly requiredClaims?: readonly string[] | undefined
  readonly claims?: ClaimNames | undefined
  /** How far the server's clock may be off, in milliseconds. */
  readonly clockSkewMs: number
  /** How long a token that is good is not asked about again, in milliseconds, and at most until it expires. */
  readonly cacheForMs: number
  readonly timeoutMs: number
  readonly concurrency: number
  readonly perSecond: number
}

/** How long a token that is not good is remembered as such. */
const refusedForMs = 10_000
/** A minute's failures of one address; a whole office may sit behind it. */
const maxFailures = 60
const failureWindowMs = 60_000

/** What a token may be written with (RFC 6750 section 2.1); what is not need not be asked about. */
const tokenText = /^[A-Za-z0-9._~+/-]+=*$/

interface Refused {
  readonly validUntil: number
  readonly expired: boolean
  readonly bytes: number
}

/** Asks one server about tokens, and remembers what it said. */
export class Introspection {
  readonly options: IntrospectionOptions
  readonly #client: IntrospectionClient
  readonly #host: PluginHost
  readonly #asked = new Map<string, Promise<VerifiedToken | Refused>>()
  readonly #good: DigestCache<VerifiedToken>
  readonly #refused = new DigestCache<Refused>()
  readonly #failures = new FailedAttempts({ limit: maxFailures, windowMs: failureWindowMs })

  /** Throws an Error that starts with `place` when it cannot be asked. */
  constructor(options: IntrospectionOptions, place: string, host: PluginHost) {
    const { issuer, url } = options
    if (url !== undefined && !canBeAsked(url))
      throw new Error(
        `${place}.url: must be an http(s) address, without a user name (there are clientId and clientSecret)`,
      )
    if (options.clientSecret === '') throw new Error(`${place}.clientSecret: must not be empty`)
    if (url === undefined && !canDescribeItself(issuer)) {
      const message = 'without url it must be an https address, which tells where its endpoint is'
      throw new Error(`${place}.issuer: ${message}`)
    }
    const now = (): number => host.now()
    const metadata = new ProviderMetadata(issuer, now)
    const locate = async (): Promise<string> => url ?? (await metadata.endpoint('introspection_endpoint'))
    this.options = options
    // Outlives a reload that changes nothing here: nobody has to be asked again about everything. The options hold a secret.
    const fingerprint = hash('sha256', JSON.stringify(options))
    this.#good = host.keep(`identity.introspection:${fingerprint}`, () => new DigestCache<VerifiedToken>())
    this.#host = host
    this.#client = new IntrospectionClient({ ...options, locate, log: host.log, now })
  }

  /** What is wrong with the server, for people; undefined: nothing. */
  get trouble(): string | undefined {
    return this.#client.trouble
  }

  /** Forgets what the server said; returns about how many tokens. */
  forget(): number {
    return this.#good.clear() + this.#refused.clear()
  }

  /**
   * What a token from an address stands for. One that was good before is not held against anybody. Throws JWT_INVALID, JWT_EXPIRED,
   * UNAVAILABLE, or TOO_MANY_ATTEMPTS for an address from which too much came that was no token.
   */
  async verify(token: string, digest: string, from: string): Promise<VerifiedToken> {
    if (!tokenText.test(token)) throw jwtInvalid('no text of a token')
    const nowMs = this.#host.now()
    const good = this.#good.get(digest)
    if (good !== undefined && nowMs < good.validUntil) return good
    const refused = this.#refused.get(digest)
    if (refused !== undefined && nowMs < refused.validUntil) throw refusal(refused)
    const isNew = good === undefined
    const waitMs = isNew ? this.#failures.waitMs(from, nowMs) : 0
    if (waitMs > 0) throw tooManyAttempts(waitMs)
    const found = await this.#askOnce(token, digest, isNew)
    if ('principal' in found) return found
    if (isNew) this.#failures.add(from, nowMs)
    throw refusal(found)
  }

  /** One question for all who come with the same token at a time. */
  #askOnce(token: string, digest: string, isNew: boolean): Promise<VerifiedToken | Refused> {
    let asked = this.#asked.get(digest)
    if (asked === undefined) {
      asked = this.#ask(token, digest, isNew).finally(() => this.#asked.delete(digest))
      this.#asked.set(digest, asked)
    }
    return asked
  }

  async #ask(token: string, digest: string, isNew: boolean): Promise<VerifiedToken | Refused> {
    const answer = await this.#client.ask(token, isNew)
    const found = this.#judge(answer, token)
    if ('principal' in found) {
      this.#good.set(digest, found)
    } else {
      this.#good.delete(digest)
      this.#refused.set(digest, found)
    }
    return found
  }

  #judge(answer: JWTPayload, token: string): VerifiedToken | Refused {
    const { issuer, claims = {}, clockSkewMs, cacheForMs } = this.options
    const nowMs = this.#host.now()
    const refused = { validUntil: nowMs + refusedForMs, expired: false, bytes: 200 }
    if (answer.active !== true || !this.#isForUs(answer)) return refused
    const { exp, nbf = 0, iat = 0 } = answer
    if (exp !== undefined && nowMs >= exp * 1_000 + clockSkewMs) return { ...refused, expired: true }
    if (Math.max(nbf, iat) * 1_000 > nowMs + clockSkewMs) return refused
    const principal = principalFrom({ ...answer, iss: issuer }, claims, 'introspection')
    if (principal === undefined) return refused
    const expiresAt = exp === undefined ? Number.POSITIVE_INFINITY : exp * 1_000 + clockSkewMs
    const validUntil = Math.min(expiresAt, nowMs + cacheForMs)
    return {
      principal: { ...principal, tokenDigest: tokenDigest(token) },
      validUntil,
      keys: noKeys,
      version: 0,
      binding: bindingOf(answer),
      bytes: bytesOf(JSON.stringify(answer).length),
    }
  }

  /** What the answer says of itself (RFC 7662 section 2.2): dates that are dates, and ours where it says whose. */
  #isForUs(answer: JWTPayload): boolean {
    const { issuer, audience, requiredClaims = [] } = this.options
    const { exp, nbf, iat, iss, aud, token_type: type = 'Bearer' } = answer
    if (![exp, nbf, iat].every(isNumericDate)) return false
    // Whoever has only copied a token that is bound to a key (RFC 9449) must not be able to use it.
    if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') return false
    if (!requiredClaims.every((name) => Object.hasOwn(answer, name))) return false
    if (iss !== undefined && iss !== issuer) return false
    if (audience === undefined) return true
    const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
    const ours = typeof audience === 'string' ? [audience] : audience
    return named.some((one) => typeof one === 'string' && ours.includes(one))
  }
}

const noKeys = { version: 0 }

function refusal({ expired }: Refused): Error {
  return expired ? jwtExpired() : jwtInvalid('not active')
}
