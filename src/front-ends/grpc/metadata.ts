import { GatewayError } from '../../core/error.ts'
import { classifyRequestHeader } from '../../core/headers.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { forwardingHeaders } from '../../traffic/forwarding.ts'

const prefix = 'grpc-metadata-'

/**
 * The metadata of a call, flat: where the request came from, the client's credentials if they are to be forwarded, and each
 * `Grpc-Metadata-*` header without its prefix. What the gateway itself establishes cannot be set that way, in any spelling.
 */
export function requestMetadata(x: HttpExchange): string[] {
  const { forwardCredentials } = x.route.policy
  const metadata = forwardingHeaders(x.request, '')
  for (const [name, value] of Object.entries(x.request.headers)) {
    if (value === undefined) continue
    const kind = classifyRequestHeader(name)
    if (kind === 'credential' && forwardCredentials) addMetadata(metadata, name, String(value))
    if (!name.startsWith(prefix)) continue
    const bare = name.slice(prefix.length)
    const bareKind = classifyRequestHeader(bare)
    if (isReserved(bare) || bareKind === 'drop' || (bareKind === 'credential' && !forwardCredentials))
      continue
    addMetadata(metadata, bare, String(value))
  }
  return metadata
}

/** Initial metadata of an answer as `Grpc-Metadata-*` headers, flat; `-bin` values stay in base64. */
export function replyMetadata(metadata: readonly string[]): string[] {
  const headers: string[] = []
  for (let i = 0; i + 1 < metadata.length; i += 2) {
    const name = metadata[i] as string
    const value = metadata[i + 1] as string
    if (isReserved(name) || !/^[\x20-\x7e]*$/.test(value)) continue
    headers.push(`Grpc-Metadata-${name}`, value)
  }
  return headers
}

/** The first value of a name in flat metadata. */
export function metadataValue(metadata: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < metadata.length; i += 2) if (metadata[i] === name) return metadata[i + 1]
  return undefined
}

/** Adds one header's value; `-bin` values are checked, and come apart where they were joined. Throws INVALID_ARGUMENT. */
export function addMetadata(metadata: string[], name: string, value: string): void {
  if (!name.endsWith('-bin')) {
    metadata.push(name, value)
    return
  }
  for (const part of value.split(',')) {
    const base64 = part.trim()
    if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(base64)) {
      throw new GatewayError('INVALID_ARGUMENT', `The metadata "${name}" must be base64.`)
    }
    metadata.push(name, base64)
  }
}

/** Names that gRPC and HTTP keep for themselves (gRPC PROTOCOL-HTTP2: `grpc-` is reserved). */
export function isReserved(name: string): boolean {
  return name === '' || name.startsWith('grpc-') || name.startsWith(':') || ofTheWire.has(name)
}

const ofTheWire = new Set([
  'accept-encoding',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'server',
  'user-agent',
])
