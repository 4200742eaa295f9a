import { hash } from 'node:crypto'
import { errors } from 'jose'
import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Principal } from '../../core/principal.ts'
import type { PluginHost } from '../../pipeline/registry.ts'
import { DigestCache } from '../digest-cache.ts'
import type { Authenticator } from './authenticator.ts'
import { principalFrom } from './claims.ts'
import { readCompactJws } from './compact-jws.ts'
import { Introspection, type IntrospectionOptions } from './introspection.ts'
import { JwtIssuer, type JwtOptions } from './jwt-issuer.ts'
import { bearerChallenge, jwtExpired, jwtInvalid } from './refusals.ts'
import { tokenDigest } from './revocable.ts'
import { bindingOf, requireBinding } from './token-binding.ts'
import { type TokenPlaces, tokenReader } from './token-places.ts'
import { bytesOf, type VerifiedToken } from './verified-token.ts'

/** Whose tokens are accepted, and where they stand. */
export interface TokenOptions {
  readonly jwt: readonly JwtOptions[]
  readonly introspection?: readonly IntrospectionOptions[] | undefined
  readonly tokens?: TokenPlaces | undefined
}

const defaultMaxBytes = 8_192

/** How an outside service that tokens are checked with is, for people. */
export interface ProviderStatus {
  /** `keys https://id.example`, `introspection https://id.example` */
  readonly name: string
  /** Undefined: all is well. */
  readonly trouble: string | undefined
}

/**
 * Callers with tokens: JSON Web Tokens of the configured issuers, and others that a server is asked about. Remembers by their SHA-256 those
 * that were good.
 */
export class TokenAuthenticator implements Authenticator {
  readonly challenge: string | undefined
  readonly #issuers = new Map<string, JwtIssuer>()
  /** Those with the longest prefix first. */
  readonly #introspections: readonly Introspection[]
  readonly #read: (x: Exchange) => string | undefined
  readonly #verified = new DigestCache<VerifiedToken>()
  readonly #now: () => number
  /** What is longer than any issuer allows is not even hashed. */
  readonly #maxBytes: number

  /** Throws an Error that starts with the place in the configuration when something contradicts itself. */
  constructor({ jwt, introspection = [], tokens = {} }: TokenOptions, host: PluginHost) {
    this.challenge = jwt.length + introspection.length > 0 ? bearerChallenge : undefined
    this.#now = () => host.now()
    this.#read = tokenReader(tokens)
    this.#maxBytes = Math.max(defaultMaxBytes, ...jwt.map(({ maxBytes = defaultMaxBytes }) => maxBytes))
    jwt.forEach((options, i) => {
      const place = jwt.length === 1 ? 'auth.jwt' : `auth.jwt[${i}]`
      if (this.#issuers.has(options.issuer))
        throw new Error(`${place}.issuer: "${options.issuer}" is there twice`)
      this.#issuers.set(options.issuer, new JwtIssuer(options, place, host))
    })
    const prefixes = introspection.map(({ tokenPrefix = '' }) => tokenPrefix)
    prefixes.forEach((prefix, i) => {
      if (prefixes.indexOf(prefix) !== i)
        throw new Error(`auth.introspection[${i}].tokenPrefix: "${prefix}" is there twice`)
    })
    this.#introspections = introspection
      .map((options, i) => new Introspection(options, `auth.introspection[${i}]`, host))
      .toSorted((a, b) => prefixOf(b).length - prefixOf(a).length)
  }

  /** Has keys fetched that are at an address, now and regularly. */
  start(): void {
    for (const issuer of this.#issuers.values()) issuer.start()
  }

  /** At once when the token was verified before. Throws JWT_INVALID, JWT_EXPIRED, UNAVAILABLE, CSRF_REFUSED or TOO_MANY_ATTEMPTS. */
  authenticate(x: Exchange): Principal | undefined | Promise<Principal> {
    const token = this.#read(x)
    if (token === undefined) return undefined
    if (token.length > this.#maxBytes) throw jwtInvalid('too long')
    const digest = hash('sha256', token, 'base64')
    const known = this.#verified.get(digest)
    if (known === undefined || this.#now() >= known.validUntil || known.version !== known.keys.version)
      return this.#verifyAnew(token, digest, x)
    if (known.binding !== undefined) requireBinding(known.binding, x)
    return known.principal
  }

  forget(): number {
    const asked = this.#introspections.reduce((sum, introspection) => sum + introspection.forget(), 0)
    return this.#verified.clear() + asked
  }

  async close(): Promise<void> {
    for (const issuer of this.#issuers.values()) issuer.close()
  }

  /** The outside services that tokens are checked with. */
  get providers(): readonly ProviderStatus[] {
    const issuers = [...this.#issuers.values()].filter(({ keys }) => keys.refresh !== undefined)
    return [
      ...issuers.map(({ options, keys }) => ({ name: `keys ${options.issuer}`, trouble: keys.trouble })),
      ...this.#introspections.map(({ options, trouble }) => ({
        name: `introspection ${options.issuer}`,
        trouble,
      })),
    ]
  }

  async #verifyAnew(token: string, digest: string, x: Exchange): Promise<Principal> {
    const verified = await this.#verify(token, digest, x.request.clientAddress)
    this.#verified.set(digest, verified)
    if (verified.binding !== undefined) requireBinding(verified.binding, x)
    return verified.principal
  }

  #verify(token: string, digest: string, from: string): Promise<VerifiedToken> {
    const introspection = this.#introspections.find((one) => token.startsWith(prefixOf(one)))
    // What begins like the header of a JWS is one, or nothing: nobody is asked about a broken one.
    if (introspection === undefined || looksLikeJws(token)) {
      const { iss } = readCompactJws(token).payload
      const issuer = typeof iss === 'string' ? this.#issuers.get(iss) : undefined
      if (issuer !== undefined) return verifyJwt(token, issuer)
      if (introspection === undefined) throw jwtInvalid('unknown issuer')
    }
    return introspection.verify(token, digest, from)
  }
}

async function verifyJwt(token: string, issuer: JwtIssuer): Promise<VerifiedToken> {
  const { maxBytes = defaultMaxBytes, claims = {} } = issuer.options
  if (token.length > maxBytes) throw jwtInvalid('too long')
  try {
    // What is withdrawn while we verify must not be remembered as good.
    const { version } = issuer.keys
    const payload = await issuer.verify(token)
    const principal = principalFrom(payload, claims)
    if (principal === undefined) throw jwtInvalid('names no user')
    return {
      principal: { ...principal, tokenDigest: tokenDigest(token) },
      validUntil: issuer.expiresAt(payload),
      keys: issuer.keys,
      version,
      binding: bindingOf(payload),
      bytes: bytesOf(token.length),
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error
    throw error instanceof errors.JWTExpired ? jwtExpired() : jwtInvalid(error)
  }
}

function prefixOf({ options }: Introspection): string {
  return options.tokenPrefix ?? ''
}

/** Three parts, the first of which is the base64url of something that begins with `{`. */
function looksLikeJws(token: string): boolean {
  return /^e[wy3][\w-]*\.[^.]*\.[^.]*$/.test(token)
}
