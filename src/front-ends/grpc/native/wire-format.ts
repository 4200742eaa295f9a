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
  const format = formats.get(x.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '')
  return format?.kind === 'grpc' && !x.http2 ? undefined : format
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
