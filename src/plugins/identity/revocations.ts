import type { Principal } from '../../core/exchange.ts'
import { userKey } from '../../core/user-key.ts'
import { keyRevoked, tokenRevoked } from './refusals.ts'

/** Credentials that are no longer accepted although nothing else is wrong with them. */
export class Revocations {
  /** By {@link credentialKey}; the Unix time in milliseconds when they would have ended anyway. */
  readonly #credentials = new Map<string, number>()
  /** By `userKey`: what was issued before this Unix time in milliseconds. */
  readonly #users = new Map<string, number>()

  /** Throws TOKEN_REVOKED or KEY_REVOKED. */
  check(principal: Principal): void {
    if (this.#credentials.size === 0 && this.#users.size === 0) return
    if (this.#credentials.has(credentialKey(principal)) || this.#isBanned(principal))
      throw principal.via === 'apiKey' ? keyRevoked() : tokenRevoked()
  }

  /** `expiresAt`: Unix time in milliseconds. */
  revoke(credential: Pick<Principal, 'via' | 'issuer' | 'credentialId'>, expiresAt: number): void {
    this.#credentials.set(credentialKey(credential), expiresAt)
  }

  /** Ends all that was issued to a user before `since`, Unix time in milliseconds. */
  revokeUser(user: Pick<Principal, 'id' | 'issuer'>, since: number): void {
    this.#users.set(userKey(user), since)
  }

  #isBanned(principal: Principal): boolean {
    const since = this.#users.get(userKey(principal))
    // A credential that does not say when it was issued may be an old one.
    return since !== undefined && (principal.issuedAt ?? 0) < since
  }
}

/** Neither a way nor an issuer has a line break in it that could make two of these equal. */
function credentialKey({
  via,
  issuer = '',
  credentialId = '',
}: Pick<Principal, 'via' | 'issuer' | 'credentialId'>): string {
  return `${via}\n${issuer}\n${credentialId}`
}
