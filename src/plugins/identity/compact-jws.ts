import { hasDuplicateMembers } from '../../core/duplicate-members.ts'
import { jwtInvalid } from './refusals.ts'

/** What a compact JWS says, before anybody has looked at its signature. */
export interface UnverifiedToken {
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Readonly<Record<string, unknown>>
}

/** The last second of the year 9999: what is later was not meant as a date. */
const maxNumericDate = 253_402_300_799
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The parts of a compact JWS (RFC 7515 section 7.1), read so that no other reader can find something else in it: canonical base64url
 * without padding, valid UTF-8, JSON objects without duplicate members (RFC 7515 section 4, RFC 7519 section 4), no `crit` and no `b64`
 * (RFC 7797), whose rules we do not follow, `exp`, `nbf` and `iat` that are dates (RFC 7519 section 2). Throws JWT_INVALID.
 */
export function readCompactJws(token: string): UnverifiedToken {
  const parts = token.split('.', 4)
  if (parts.length !== 3 || !parts.every(isCanonicalBase64Url))
    throw jwtInvalid('not three parts of base64url')
  const header = jsonObject(parts[0] ?? '')
  const payload = jsonObject(parts[1] ?? '')
  if (header.crit !== undefined) throw jwtInvalid('crit is not honoured')
  if (header.b64 !== undefined) throw jwtInvalid('b64 is not honoured')
  for (const claim of ['exp', 'nbf', 'iat']) {
    if (!isDate(payload[claim])) throw jwtInvalid(`${claim} is no date`)
  }
  return { header, payload }
}

function isDate(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && value >= 0 && value <= maxNumericDate)
}

/** Canonical: the unused bits of the last character are zero, so that one token has one spelling (RFC 4648 section 3.5). */
function isCanonicalBase64Url(part: string): boolean {
  return part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part
}

function jsonObject(part: string): Record<string, unknown> {
  let text: string
  let value: unknown
  try {
    text = utf8.decode(Buffer.from(part, 'base64url'))
    value = JSON.parse(text)
  } catch {
    // Without the cause: it would quote the token in the log.
    throw jwtInvalid('not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw jwtInvalid('not a JSON object')
  if (hasDuplicateMembers(text)) throw jwtInvalid('a JSON member is there twice')
  return value as Record<string, unknown>
}
