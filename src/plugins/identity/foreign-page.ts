import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import { allowedPage, isOwnPage } from '../../core/page-origin.ts'

/** RFC 9110 section 9.2.1. */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses, with CSRF_REFUSED, what a page of somebody else's can have made a browser send, with the cookies that go along by themselves:
 * requests that change something, and WebSockets, unless the browser says that they come from this origin or an allowed one
 * (`Sec-Fetch-Site`, which no page can set, else `Origin`). What says neither is refused too.
 */
export function refuseForeignPage(x: Exchange, allowedOrigins: readonly string[]): void {
  const { method, headers } = x.request
  if (safeMethods.has(method) && headers.upgrade === undefined) return
  const origin = x.header('origin')
  if (origin !== undefined && allowedOrigins.includes(origin)) {
    x.set(allowedPage, true)
    return
  }
  if (isOwnPage(x)) return
  throw new GatewayError(
    'CSRF_REFUSED',
    'Another site could have made a browser send this request: a token or key in a cookie counts only with an Origin that is allowed.',
  )
}
