import { GatewayError } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import type { AccessTokens } from './access-tokens.ts'
import { type Attempts, attemptKeys } from './attempts.ts'
import type { HashTurns } from './hash-turns.ts'
import { isPasswordOf, type PasswordHash } from './password-hash.ts'
import { preparePassword, prepareUserName } from './prepared-text.ts'
import { createRefreshToken, type RefreshToken, readRefreshToken } from './refresh-token.ts'
import type { Session, Sessions } from './session.ts'
import type { User, Users } from './users.ts'

/** Who asks, as far as it matters to a login. */
export interface Asking {
  /** The client's address. */
  readonly address: string
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** What a login or refresh gives. */
export interface Grant {
  readonly accessToken: string
  readonly expiresInMs: number
  readonly refreshToken: string
  readonly scopes: readonly string[]
}

/** Whether sessions are ended from elsewhere (an administrator), and the other way round. */
export interface SessionRevocations {
  isRevoked(session: Session): boolean
  /** Ends the access tokens of a session at once, on all gateways. */
  revoke(sessionId: string): Promise<void>
}

/** What an {@link Issuer} is made of. */
export interface IssuerParts {
  readonly users: Users
  readonly sessions: Sessions
  readonly attempts: Attempts
  readonly turns: HashTurns
  readonly tokens: AccessTokens
  readonly revocations: SessionRevocations
  /** How long a session lasts, however often its token is refreshed; in milliseconds. */
  readonly sessionForMs: number
  readonly sessionsPerUser: number
  readonly now: () => number
  readonly log: Logger
  /** Default {@link isPasswordOf}. */
  readonly isPasswordOf?: (hash: PasswordHash, password: string) => Promise<boolean>
}

/** The gateway's own issuer of tokens, for those who have no identity provider. */
export class Issuer {
  readonly #parts: IssuerParts

  constructor(parts: IssuerParts) {
    this.#parts = parts
  }

  /**
   * Begins a session. Rejects with LOGIN_FAILED, in the same words and after the same work whatever was wrong; INVALID_ARGUMENT for what cannot be a name or
   * password; TOO_MANY_ATTEMPTS, OVERLOADED, UNAVAILABLE.
   */
  async login(
    typed: { readonly username: string; readonly password: string },
    asking: Asking,
  ): Promise<Grant> {
    const { users, attempts, turns, log, isPasswordOf: fits = isPasswordOf } = this.#parts
    const { address, signal } = asking
    const password = preparePassword(typed.password)
    if (password === undefined) throw invalid('password', 'must have 1 to 1,024 bytes, none of control')
    const name = prepareUserName(typed.username)
    if (name === undefined) throw invalid('username', 'must have 1 to 256 characters, none of control')
    const keys = attemptKeys(name, address)
    const user = users.named(name)
    const hash = user?.passwordHash ?? users.stranger
    const isTheirs = await turns.take(keys.address, signal, {
      // Who finds no place has not failed.
      admit: () => attempts.begin(keys),
      work: () => fits(hash, password),
    })
    if (user === undefined || !isTheirs) {
      // A name that nobody has may be a password that was typed in at the wrong place.
      log.warn({ 'client.address': address, ...(user && { 'user.id': user.id }) }, 'a login failed')
      throw loginFailed('The user name or the password is not right.')
    }
    await attempts.succeeded(keys)
    const refresh = createRefreshToken()
    const session = this.#newSession(user, refresh)
    if (this.#parts.revocations.isRevoked(session)) {
      log.warn({ 'client.address': address, 'user.id': user.id }, 'a user who is banned has tried to log in')
      throw loginFailed('The user name or the password is not right.')
    }
    return await this.#begin(user, { address, session, refresh })
  }

  /**
   * Exchanges a refresh token for the next one. One that was exchanged before ends its session: either its owner or a thief has used it, and nobody can
   * tell which (RFC 9700 section 4.14.2). Rejects with LOGIN_FAILED, in the same words whatever was wrong, and UNAVAILABLE.
   */
  async refresh(text: string, { address }: Pick<Asking, 'address'>): Promise<Grant> {
    const { sessions, users, revocations, log } = this.#parts
    const presented = readRefreshToken(text)
    if (presented === undefined) throw refreshRefused()
    const next = createRefreshToken(presented)
    const rotation = await sessions.rotate(presented.sessionId, presented.digest, next.digest)
    if (rotation.outcome === 'unknown') throw refreshRefused()
    const { session, outcome } = rotation
    if (outcome === 'reused') {
      log.warn(
        { 'client.address': address, 'user.id': session.userId },
        'a refresh token was used twice: its session has ended',
      )
      await revocations.revoke(session.id)
      throw refreshRefused()
    }
    const user = users.withId(session.userId)
    if (user === undefined || user.mark !== session.mark || revocations.isRevoked(session)) {
      await this.#end(session.id)
      throw refreshRefused()
    }
    return await this.#grant(user, session, next)
  }

  /** Ends the sessions that a refresh token and an access token belong to; either may be absent or worth nothing. */
  async logout(refreshToken: string | undefined, accessToken: string | undefined): Promise<void> {
    const presented = refreshToken === undefined ? undefined : readRefreshToken(refreshToken)
    // Of a session that is not there nothing is noted: strangers could name any number of them.
    if (presented !== undefined && (await this.#parts.sessions.end(presented.sessionId)))
      await this.#parts.revocations.revoke(presented.sessionId)
    const id = accessToken === undefined ? undefined : await this.#parts.tokens.sessionOf(accessToken)
    if (id !== undefined && id !== presented?.sessionId) await this.#end(id)
  }

  #newSession(user: User, { sessionId: id }: RefreshToken): Session {
    const createdAt = this.#parts.now()
    const expiresAt = createdAt + this.#parts.sessionForMs
    return { id, userId: user.id, mark: user.mark, createdAt, expiresAt }
  }

  async #begin(
    user: User,
    { address, session, refresh }: { address: string; session: Session; refresh: RefreshToken },
  ): Promise<Grant> {
    const { sessions, revocations, sessionsPerUser, log } = this.#parts
    const ended = await sessions.open(session, refresh.digest, sessionsPerUser)
    for (const id of ended) await revocations.revoke(id)
    log.info({ 'client.address': address, 'user.id': user.id }, 'a user has logged in')
    return await this.#grant(user, session, refresh)
  }

  async #grant(user: User, session: Session, refresh: RefreshToken): Promise<Grant> {
    const { token, expiresInMs } = await this.#parts.tokens.sign(user, session)
    return { accessToken: token, expiresInMs, refreshToken: refresh.text, scopes: user.scopes }
  }

  async #end(id: string): Promise<void> {
    await this.#parts.sessions.end(id)
    await this.#parts.revocations.revoke(id)
  }
}

function invalid(field: string, detail: string): GatewayError {
  return new GatewayError('INVALID_ARGUMENT', `The ${field} ${detail}.`, { violations: [{ field, detail }] })
}

function refreshRefused(): GatewayError {
  return loginFailed('The refresh token is not valid: log in again.')
}

function loginFailed(message: string): GatewayError {
  return new GatewayError('LOGIN_FAILED', message, {
    headers: ['WWW-Authenticate', 'Bearer realm="trivium"'],
  })
}
