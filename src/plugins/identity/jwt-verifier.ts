import { hash } from 'node:crypto'
import { errors } from 'jose'
import { GatewayError } from '../../core/error.ts'
import type { Principal } from '../../core/exchange.ts'
import { principalFrom } from './claims.ts'
import { readCompactJws } from './compact-jws.ts'
import { JwtIssuer, type JwtOptions } from './jwt-issuer.ts'
import { jwtExpired, jwtInvalid } from './refusals.ts'
import { tokenDigest } from './revocable.ts'

const defaultMaxBytes = 8_192
const maxCached = 10_000
/** A verified token is checked again after this long, so that a key that its issuer withdrew stops working. */
const recheckMs = 600_000

interface Verified {
  readonly principal: Principal
  /** Unix time in milliseconds. */
  readonly validUntil: number
}

/** Verifies tokens of the configured issuers, and remembers by their SHA-256 those that were valid. */
export class JwtVerifier {
  readonly #issuers = new Map<string, JwtIssuer>()
  readonly #verified = new Map<string, Verified>()
  readonly #now: () => number
  /** What is longer than any issuer allows is not even hashed. */
  readonly #maxBytes: number

  constructor(issuers: readonly JwtOptions[], now: () => number) {
    this.#now = now
    this.#maxBytes = Math.max(defaultMaxBytes, ...issuers.map(({ maxBytes = defaultMaxBytes }) => maxBytes))
    issuers.forEach((options, i) => {
      const place = issuers.length === 1 ? 'auth.jwt' : `auth.jwt[${i}]`
      if (this.#issuers.has(options.issuer)) {
        throw new Error(`${place}.issuer: "${options.issuer}" is there twice`)
      }
      this.#issuers.set(options.issuer, new JwtIssuer(options, place, now))
    })
  }

  /** Who a token speaks for: at once when it was verified before. Throws JWT_INVALID, JWT_EXPIRED or UNAVAILABLE. */
  verify(token: string): Principal | Promise<Principal> {
    if (token.length > this.#maxBytes) throw jwtInvalid('too long')
    const digest = hash('sha256', token, 'base64')
    const known = this.#verified.get(digest)
    if (known !== undefined && this.#now() < known.validUntil) return known.principal
    return this.#verifyAnew(token, digest)
  }

  /** Forgets all verified tokens. */
  clear(): void {
    this.#verified.clear()
  }

  async #verifyAnew(token: string, digest: string): Promise<Principal> {
    const { iss } = readCompactJws(token).payload
    const issuer = typeof iss === 'string' ? this.#issuers.get(iss) : undefined
    if (issuer === undefined) throw jwtInvalid('unknown issuer')
    if (token.length > (issuer.options.maxBytes ?? defaultMaxBytes)) throw jwtInvalid('too long')
    try {
      const payload = await issuer.verify(token)
      const named = principalFrom(payload, issuer.options.claims ?? {})
      if (named === undefined) throw jwtInvalid('names no user')
      const principal = { ...named, tokenDigest: tokenDigest(token) }
      this.#remember(digest, principal, issuer.expiresAt(payload))
      return principal
    } catch (error) {
      if (error instanceof GatewayError) throw error
      throw error instanceof errors.JWTExpired ? jwtExpired() : jwtInvalid(error)
    }
  }

  /** First in, first out: a token that is still in use is verified again at the cost of one signature. */
  #remember(digest: string, principal: Principal, expiresAt: number): void {
    this.#verified.delete(digest)
    if (this.#verified.size >= maxCached) {
      for (const oldest of this.#verified.keys()) {
        this.#verified.delete(oldest)
        break
      }
    }
    this.#verified.set(digest, { principal, validUntil: Math.min(expiresAt, this.#now() + recheckMs) })
  }
}
