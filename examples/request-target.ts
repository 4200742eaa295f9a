import type { IncomingMessage } from 'node:http'

/** What a request asks for, HEAD counted as GET: node:http leaves the body out by itself. */
export interface RequestTarget {
  readonly method: string
  /** Raw path, still percent-encoded, at least `/`. */
  readonly path: string
  readonly query: URLSearchParams
}

/** Splits a request target by hand: `new URL('//x', base)` would take `x` for a host. */
export function readTarget(request: IncomingMessage): RequestTarget {
  const [path = '/', ...query] = (request.url ?? '/').split('?')
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET')
  return { method, path: path || '/', query: new URLSearchParams(query.join('?')) }
}
