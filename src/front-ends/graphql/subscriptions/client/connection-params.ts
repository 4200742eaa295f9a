import { GatewayError } from '../../../../core/error.ts'
import { isRecord } from '../../../../core/is-record.ts'

/**
 * The headers with credentials that a client says in the payload of `connection_init`, because browsers cannot set them for a WebSocket: members of
 * the payload or of its `headers`, in any case. `names`: those that are taken, in lower case; all else is for nobody. Throws MALFORMED_REQUEST
 * for one that is said twice, or is no value of a header.
 */
export function headersOfPayload(
  payload: unknown,
  names: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  if (!isRecord(payload)) return found
  for (const place of [payload, payload.headers]) {
    if (!isRecord(place)) continue
    for (const [key, value] of Object.entries(place)) {
      const name = key.toLowerCase()
      if (!names.has(name) || value === undefined || value === null) continue
      if (typeof value !== 'string' || value.length > maxLength || !isHeaderValue.test(value))
        throw new GatewayError('MALFORMED_REQUEST', `"${name}" of connection_init is no header.`)
      if (Object.hasOwn(found, name))
        throw new GatewayError('MALFORMED_REQUEST', `"${name}" is said twice in connection_init.`)
      found[name] = value
    }
  }
  return found
}

const maxLength = 8_192
/** RFC 9110 section 5.5, without obs-text. */
const isHeaderValue = /^[\t\x20-\x7e]*$/
