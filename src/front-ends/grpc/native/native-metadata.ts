import { classifyRequestHeader, passesToClient } from '../../../core/headers.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { forwardingHeaders } from '../../../traffic/forwarding.ts'
import { addMetadata } from '../metadata.ts'
import { isCredential, isReserved } from '../metadata-rules.ts'

/**
 * The metadata of a call, flat: where the request came from, then the client's own. Headers of the connection and of the wire, and
 * what the gateway itself establishes, never pass; credentials do where the policy says so.
 */
export function nativeRequestMetadata(x: HttpExchange, credentials: ReadonlySet<string>): string[] {
  const metadata = forwardingHeaders(x.request, '')
  const { forwardCredentials } = x.route.policy
  const raw = x.req.rawHeaders
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    if (classifyRequestHeader(name) === 'drop' || isReserved(name)) continue
    if (!forwardCredentials && isCredential(name, credentials)) continue
    addMetadata(metadata, { name, header: name, value: raw[i + 1] as string })
  }
  return metadata
}

/** Metadata of an answer, initial or trailing, as it goes on to the client; the status is not among it, its details are. */
export function passedMetadata(metadata: readonly string[]): string[] {
  const passed: string[] = []
  for (let i = 0; i + 1 < metadata.length; i += 2) {
    const name = metadata[i] as string
    const value = metadata[i + 1] as string
    if (name !== 'grpc-status-details-bin' && (isReserved(name) || !passesToClient(name))) continue
    if (/^[\x20-\x7e]*$/.test(value)) passed.push(name, value)
  }
  return passed
}

/** Text as `grpc-message` carries it: UTF-8, everything but printable ASCII percent-encoded, and the percent sign too. */
export function percentEncoded(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/g, (odd) =>
    Buffer.from(odd).toString('hex').toUpperCase().replace(/../g, '%$&'),
  )
}
