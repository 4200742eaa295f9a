import { cookieValues } from '../../core/cookies.ts'
import type { Exchange } from '../../core/exchange.ts'
import { bearerToken } from './bearer-token.ts'
import { refuseForeignPage } from './foreign-page.ts'
import { jwtInvalid } from './refusals.ts'

/** Where in a request a token may stand. */
export interface TokenPlaces {
  /** Lower case. `authorization`: after `Bearer`; another one: the token alone. Default `authorization`. */
  readonly header?: string | undefined
  /** The name of a cookie, case matters; absent: cookies are not looked at. */
  readonly cookie?: string | undefined
  /** Origins besides the gateway's own whose pages may change something with the token in the cookie. Default: none. */
  readonly allowedOrigins?: readonly string[] | undefined
}

/**
 * Reads the token of a request; undefined when there is none. One in the header decides, and the cookie, which browsers send by
 * themselves, is not looked at then. Throws JWT_INVALID for two cookies of the name (RFC 6265bis section 8.6: a neighbour can have set one of
 * them), CSRF_REFUSED where a page of another site can have sent the one in the cookie.
 */
export function tokenReader({
  header = 'authorization',
  cookie,
  allowedOrigins = [],
}: TokenPlaces): (x: Exchange) => string | undefined {
  const inHeader =
    header === 'authorization'
      ? (x: Exchange) => bearerToken(x.header('authorization'))
      : (x: Exchange) => x.header(header)
  if (cookie === undefined) return inHeader
  return (x) => inHeader(x) ?? inCookie(x, cookie, allowedOrigins)
}

function inCookie(x: Exchange, name: string, allowedOrigins: readonly string[]): string | undefined {
  const sent = x.header('cookie')
  if (sent === undefined) return undefined
  const values = cookieValues(sent, name)
  // An emptied cookie is how many applications sign out.
  if (values.length === 0 || (values.length === 1 && values[0] === '')) return undefined
  if (values.length > 1) throw jwtInvalid('two cookies of the name')
  refuseForeignPage(x, allowedOrigins)
  return values[0]
}
