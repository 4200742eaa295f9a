import type { HttpExchange } from '../../core/http-exchange.ts'
import { replyMetadata } from './metadata.ts'
import type { MetadataRules } from './metadata-rules.ts'

/** A whole answer. */
export interface WholeAnswer {
  readonly status: number
  /** Flat; it grows. */
  readonly headers: string[]
  /** From {@link replyTrailers}. */
  readonly trailers: readonly string[]
  readonly body: string | Buffer
}

/**
 * Trailing metadata as HTTP trailers, flat: `Grpc-Trailer-*`. Empty for a client that did not say `TE: trailers` (RFC 9110 section
 * 6.5.1), which would never see them.
 */
export function replyTrailers(x: HttpExchange, metadata: readonly string[], rules: MetadataRules): string[] {
  // Only a chunked body has trailers: not the answer to HEAD, nor one to HTTP/1.0.
  if (metadata.length === 0 || x.request.method === 'HEAD' || x.req.httpVersionMinor === 0) return []
  const te = x.header('te')
  if (te === undefined || !/(?:^|,)\s*trailers\s*(?:[,;]|$)/i.test(te)) return []
  return replyMetadata(metadata, rules, 'trailer')
}

/** Answers at once; with trailers the body is chunked, and their names are announced ahead (RFC 9110 section 6.6.2). */
export function answerWhole(x: HttpExchange, { status, headers, trailers, body }: WholeAnswer): void {
  if (trailers.length === 0) {
    x.answer(status, headers, body)
    return
  }
  const names = new Set(trailers.filter((_, index) => index % 2 === 0))
  headers.push('Trailer', [...names].join(', '))
  x.writeHead(status, headers)
  x.write(body)
  addTrailers(x, trailers)
  x.res.end()
}

/** Puts trailers behind a chunked body that is about to end. */
export function addTrailers(x: HttpExchange, trailers: readonly string[]): void {
  if (trailers.length === 0) return
  const pairs: [string, string][] = []
  for (let i = 0; i + 1 < trailers.length; i += 2)
    pairs.push([trailers[i] as string, trailers[i + 1] as string])
  x.res.addTrailers(pairs)
}
