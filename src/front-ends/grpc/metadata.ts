import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import { forwardingHeaders } from '../../traffic/forwarding.ts'
import type { MetadataRules, ReplyPlace } from './metadata-rules.ts'

/**
 * The metadata of a call, flat: where the request came from, the client's credentials if they are to be forwarded, and the headers
 * that the rules let pass. What the gateway itself establishes cannot be set that way, in any spelling.
 */
export function requestMetadata(x: Exchange, rules: MetadataRules): string[] {
  const { forwardCredentials } = x.route.policy
  const metadata = forwardingHeaders(x.request, '')
  for (const [header, value] of Object.entries(x.request.headers)) {
    if (value === undefined) continue
    const name = rules.fromHeader(header, forwardCredentials)
    if (name !== undefined) addMetadata(metadata, { name, header, value: String(value) })
  }
  return metadata
}

/** Metadata of an answer as HTTP headers, flat; `-bin` values stay in base64. */
export function replyMetadata(
  metadata: readonly string[],
  rules: MetadataRules,
  place: ReplyPlace = 'header',
): string[] {
  const headers: string[] = []
  for (let i = 0; i + 1 < metadata.length; i += 2) {
    const value = metadata[i + 1] as string
    const header = rules.toHeader(metadata[i] as string, place)
    if (header !== undefined && /^[\x20-\x7e]*$/.test(value)) headers.push(header, value)
  }
  return headers
}

/** The first value of a name in flat metadata. */
export function metadataValue(metadata: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < metadata.length; i += 2) if (metadata[i] === name) return metadata[i + 1]
  return undefined
}

/** One header as metadata: the name that it gets, and the one that it came by, for messages. */
interface Sent {
  readonly name: string
  readonly header: string
  readonly value: string
}

/** Adds one header's value; `-bin` values are checked, and come apart where they were joined. Throws INVALID_ARGUMENT. */
export function addMetadata(metadata: string[], { name, header, value }: Sent): void {
  if (!name.endsWith('-bin')) {
    metadata.push(name, value)
    return
  }
  for (const part of value.split(',')) {
    const base64 = part.trim()
    if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(base64)) {
      throw new GatewayError('INVALID_ARGUMENT', `The header "${header}" must be base64.`)
    }
    metadata.push(name, base64)
  }
}
