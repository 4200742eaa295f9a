import { isUtf8 } from 'node:buffer'
import type { JsonValue } from '@bufbuild/protobuf'
import { GatewayError } from '../../core/error.ts'
import { type JsonPlace, parseExactly } from './exact-json.ts'

/** Deeper JSON is refused before it is parsed. */
const maxDepth = 100

/** The JSON value that a body holds. Refuses invalid UTF-8, more than 100 levels, and whatever is not exactly one value. */
export function parseJsonBody(bytes: Buffer, place: JsonPlace): JsonValue {
  if (!isUtf8(bytes)) throw new GatewayError('INVALID_BODY', 'The body is not valid UTF-8.')
  if (deeperThan(bytes, maxDepth))
    throw new GatewayError('INVALID_BODY', `The body is nested deeper than ${maxDepth} levels.`)
  try {
    return parseExactly(bytes.toString('utf8'), place)
  } catch (cause) {
    throw new GatewayError('INVALID_BODY', 'The body is not valid JSON.', { cause })
  }
}

function deeperThan(bytes: Buffer, limit: number): boolean {
  let depth = 0
  let quoted = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (quoted) {
      if (byte === backslash) i++
      else if (byte === quote) quoted = false
    } else if (byte === quote) quoted = true
    else if (byte === openBrace || byte === openBracket) {
      if (++depth > limit) return true
    } else if (byte === closeBrace || byte === closeBracket) depth--
  }
  return false
}

const quote = 0x22
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
