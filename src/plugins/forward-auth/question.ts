import { hash } from 'node:crypto'
import type { Exchange } from '../../core/exchange.ts'
import { userKey } from '../../core/user-key.ts'
import type { ForwardAuthOptions } from './options.ts'

/** What the service is told of a request besides where it came from, flat. */
export function questionHeaders(x: Exchange, requestHeaders: readonly string[]): string[] {
  const { method, path, query } = x.request
  const uri = query === '' ? path : `${path}?${query}`
  const headers = ['x-forwarded-method', method, 'x-forwarded-uri', uri, 'x-gateway-route', x.route.id]
  for (const name of requestHeaders) {
    const value = x.header(name)
    if (value !== undefined) headers.push(name, value)
  }
  return headers
}

/** Under what an answer is kept; undefined: it is not. A digest: what clients send must not take more room than a key is worth. */
export function cacheKey(
  x: Exchange,
  { cacheBy, requestHeaders }: Pick<ForwardAuthOptions, 'cacheBy' | 'requestHeaders'>,
): string | undefined {
  const parts = cacheBy.length === 0 ? allSent(x, requestHeaders) : cacheBy.map((by) => partOf(x, by))
  return parts.includes(undefined) ? undefined : hash('sha256', JSON.stringify(parts), 'base64url')
}

function allSent(x: Exchange, requestHeaders: readonly string[]): string[] {
  const { scheme, host, clientAddress, peerAddress } = x.request
  const user = x.principal === undefined ? '' : JSON.stringify(x.principal)
  return [scheme, host, clientAddress, peerAddress, user, ...questionHeaders(x, requestHeaders)]
}

/** Undefined: the request has no such thing. */
function partOf(x: Exchange, by: string): string | undefined {
  const { request, principal, route } = x
  switch (by) {
    case 'user':
      return principal === undefined ? undefined : `${principal.via}\n${userKey(principal)}`
    case 'ip':
      return request.clientAddress
    case 'route':
      return route.id
    case 'method':
    case 'path':
    case 'query':
    case 'host':
      return request[by]
    default:
      return x.header(by.slice('header:'.length).toLowerCase())
  }
}
