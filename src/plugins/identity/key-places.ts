import { cookieValues } from '../../core/cookies.ts'
import { GatewayError } from '../../core/error.ts'
import { type Exchange, Slot } from '../../core/exchange.ts'
import type { Plugin } from '../../core/plugin.ts'
import { takeQuery } from '../../core/take-query.ts'
import { refuseForeignPage } from './foreign-page.ts'

/** Where in a request an API key may stand. */
export interface KeyPlaces {
  /** Name of a header, lower case. Default `x-api-key`. `Authorization: ApiKey` is looked at besides. */
  readonly header?: string | undefined
  /** Name of a parameter of the query, case matters; absent: the query is not looked at. */
  readonly query?: string | undefined
  /** Name of a cookie, case matters; absent: cookies are not looked at. */
  readonly cookie?: string | undefined
  /** Origins besides the gateway's own whose pages may change something with the key in the cookie. Default: none. */
  readonly allowedOrigins?: readonly string[] | undefined
}

/** The parameters of the query that were taken out of it. */
const fromQuery = new Slot<readonly string[]>('keys of the query')

/** The scheme in any case, and what comes after it (RFC 9110 section 11.4). */
const keyScheme = /^apikey(?![!#$%&'*+.^_`|~\w-]) *(.*)$/is

/**
 * Reads the key of a request; undefined when there is none. Throws MALFORMED_REQUEST for one in several places or several times, because who
 * reads only one of them would see another caller; CSRF_REFUSED where a page of another site can have sent the cookie.
 */
export function keyReader({
  header = 'x-api-key',
  query,
  cookie,
  allowedOrigins = [],
}: KeyPlaces): (x: Exchange) => string | undefined {
  const name = header.toLowerCase()
  return (x) => {
    let key = x.header(name)
    // How several headers of one name are told, which HTTP allows to be joined (RFC 9110 section 5.3).
    if (key?.includes(', ')) throw severalKeys()
    const authorization = x.header('authorization')
    if (authorization !== undefined) key = theOne(key, keyScheme.exec(authorization)?.[1])
    if (query !== undefined) for (const value of x.get(fromQuery) ?? []) key = theOne(key, value)
    const cookies = cookie === undefined ? undefined : x.header('cookie')
    if (cookie === undefined || cookies === undefined) return key
    // An emptied cookie is how many applications sign out.
    const values = cookieValues(cookies, cookie).filter((value) => value !== '')
    for (const value of values) key = theOne(key, value)
    if (values.length > 0) refuseForeignPage(x, allowedOrigins)
    return key
  }
}

/**
 * Takes the keys out of the query, for all that comes after it: plugins, logs, upstreams. First of all, in every place. With `keep` they
 * are only read.
 */
export function queryKeyTaker(name: string, { keep }: { readonly keep: boolean }): Plugin {
  return {
    onRequest(x: Exchange): void {
      if (x.request.query === '') return
      const values = keep ? new URLSearchParams(x.request.query).getAll(name) : takeQuery(x, name)
      if (values.length > 0) x.set(fromQuery, values)
    },
  }
}

function theOne(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other
  throw severalKeys()
}

function severalKeys(): GatewayError {
  return new GatewayError('MALFORMED_REQUEST', 'There is more than one API key in the request.')
}
