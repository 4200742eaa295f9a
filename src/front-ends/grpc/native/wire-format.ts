import type { HttpExchange } from '../../../core/http-exchange.ts'

/**
 * How a client frames its messages: gRPC (PROTOCOL-HTTP2, trailers in HEADERS), gRPC-Web (PROTOCOL-WEB, trailers in the body), or
 * gRPC-Web in base64.
 */
export interface WireFormat {
  readonly kind: 'grpc' | 'web' | 'webText'
  /** Of the answer: the client's own. */
  readonly contentType: string
}

/** What the client speaks; undefined when its content type says neither, or it wants trailers of HTTP/1.1. */
export function wireFormat(x: HttpExchange): WireFormat | undefined {
  const format = formats.get(mediaType(x))
  return format?.kind === 'grpc' && !x.http2 ? undefined : format
}

/** Whether the content type is of the family of gRPC, also one that is not served here or not this way. */
export function saysGrpc(x: HttpExchange): boolean {
  return mediaType(x).startsWith('application/grpc')
}

/** The words for a refusal of whatever says that it is gRPC; undefined for all else, and where gRPC has no trailers (HTTP/1.1). */
export function refusalFormat(x: HttpExchange): WireFormat | undefined {
  const format = wireFormat(x)
  if (format !== undefined || !saysGrpc(x)) return format
  const family = mediaType(x).startsWith('application/grpc-web') ? 'application/grpc-web' : 'application/grpc'
  return family === 'application/grpc' && !x.http2 ? undefined : formats.get(family)
}

function mediaType(x: HttpExchange): string {
  const type = x.header('content-type') ?? ''
  // The usual ones are written as the table has them.
  return formats.has(type) ? type : (type.split(';', 1)[0] as string).trim().toLowerCase()
}

const formats: ReadonlyMap<string, WireFormat> = new Map(
  (
    [
      ['grpc', 'application/grpc'],
      ['grpc', 'application/grpc+proto'],
      ['web', 'application/grpc-web'],
      ['web', 'application/grpc-web+proto'],
      ['webText', 'application/grpc-web-text'],
      ['webText', 'application/grpc-web-text+proto'],
    ] as const
  ).map(([kind, contentType]) => [contentType, { kind, contentType }]),
)
