import { isUtf8 } from 'node:buffer'
import { hasDuplicateMembers } from '../../core/duplicate-members.ts'
import { GatewayError } from '../../core/error.ts'
import { maxJsonDepth, shallowerThan } from '../../core/json-value.ts'

/**
 * A body as JSON that has one reading only: UTF-8, no member twice (RFC 8259 section 4: what receivers make of that differs), at most 100
 * levels deep. Throws INVALID_BODY.
 */
export function readJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw new GatewayError('INVALID_BODY', 'The body is not valid UTF-8.')
  const text = body.toString()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Without the cause, which quotes the body.
    throw new GatewayError('INVALID_BODY', 'The body is not JSON.')
  }
  if (!shallowerThan(value, maxJsonDepth))
    throw new GatewayError('INVALID_BODY', `The body is nested deeper than ${maxJsonDepth} levels.`)
  if (hasDuplicateMembers(text))
    throw new GatewayError('INVALID_BODY', 'An object in the body has two members of one name.')
  return value
}
