import { randomUUID } from 'node:crypto'
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify, SignJWT } from 'jose'
import type { KeyRing } from './key-ring.ts'
import type { Session } from './session.ts'
import type { User } from './users.ts'

/** What the access tokens of the issuer say; times in milliseconds. */
export interface AccessTokenOptions {
  readonly issuer: string
  readonly audience: string
  readonly validForMs: number
  readonly keys: KeyRing
  readonly now: () => number
}

/** All that any of its keys may sign with: a key set may hold keys of an algorithm from before. */
export const signingAlgorithms = ['ES256', 'EdDSA', 'RS256'] as const
/** RFC 9068 section 2.1. */
export const accessTokenType = 'at+jwt'

/** Signs access tokens (RFC 9068), and knows its own. */
export class AccessTokens {
  readonly #options: AccessTokenOptions

  constructor(options: AccessTokenOptions) {
    this.#options = options
  }

  /** By which key to check a token that says that it is from here. Rejects with what jose says of an unknown key. */
  readonly key: JWTVerifyGetKey = async ({ kid, alg }) => {
    const key = await this.#options.keys.verifier(kid, alg)
    if (key === undefined) throw new errors.JWKSNoMatchingKey()
    return key
  }

  /** A token for a user, which ends with its session at the latest. */
  async sign(
    user: User,
    session: Session,
  ): Promise<{ readonly token: string; readonly expiresInMs: number }> {
    const { issuer, audience, validForMs, keys, now } = this.#options
    const key = await keys.signer()
    const nowMs = now()
    const expiresInMs = Math.min(validForMs, session.expiresAt - nowMs)
    const token = await new SignJWT({
      client_id: issuer,
      sid: session.id,
      cred: user.mark,
      roles: user.roles,
      ...(user.scopes.length === 0 ? {} : { scope: user.scopes.join(' ') }),
      ...(user.displayName === undefined ? {} : { name: user.displayName }),
      // With milliseconds, so that what ends all tokens up to now does not end the next one.
      iat: nowMs / 1_000,
      exp: Math.ceil((nowMs + expiresInMs) / 1_000),
    })
      .setProtectedHeader({ alg: key.algorithm, typ: accessTokenType, kid: key.kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(user.id)
      .setJti(randomUUID())
      .sign(key.privateKey)
    return { token, expiresInMs }
  }

  /** The session of a token of ours that has not expired; undefined of all others. */
  async sessionOf(token: string): Promise<string | undefined> {
    const { issuer, audience, now } = this.#options
    let payload: JWTPayload
    try {
      ;({ payload } = await jwtVerify(token, this.key, {
        issuer,
        audience,
        algorithms: [...signingAlgorithms],
        typ: accessTokenType,
        currentDate: new Date(now()),
      }))
    } catch {
      return undefined
    }
    return typeof payload.sid === 'string' ? payload.sid : undefined
  }
}
