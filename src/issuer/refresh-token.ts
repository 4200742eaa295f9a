import { hash, randomBytes } from 'node:crypto'

/** A refresh token for its owner, and what is kept of it. */
export interface RefreshToken {
  readonly text: string
  /** The session that it belongs to: the SHA-256 of its first part, 128 bits of it, in base64url. */
  readonly sessionId: string
  /** SHA-256 of the whole, in base64url. */
  readonly digest: string
}

const shape = /^gwr_([A-Za-z0-9_-]{22})([A-Za-z0-9_-]{43})$/
const locatorBytes = 16
const secretBytes = 32

/**
 * A new token `gwr_` + 128 bits that all tokens of a session share + 256 bits of its own. Only who holds a token knows the first part (the
 * session's id is but its hash), so that a token with the first part of a session and another second one is an old one of it.
 *
 * @param before the token that it follows; a new session without.
 */
export function createRefreshToken(before?: RefreshToken): RefreshToken {
  const locator = before?.text.slice(4, 26) ?? randomBytes(locatorBytes).toString('base64url')
  return tokenOf(`gwr_${locator}${randomBytes(secretBytes).toString('base64url')}`, locator)
}

/** Undefined for what is none by its form. */
export function readRefreshToken(text: string): RefreshToken | undefined {
  const locator = shape.exec(text)?.[1]
  return locator === undefined ? undefined : tokenOf(text, locator)
}

function tokenOf(text: string, locator: string): RefreshToken {
  const sessionId = hash('sha256', locator, 'base64url').slice(0, 22)
  return { text, sessionId, digest: hash('sha256', text, 'base64url') }
}
