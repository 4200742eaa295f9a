import { GatewayError } from '../../../../core/error.ts'
import type { HttpExchange } from '../../../../core/http-exchange.ts'
import { allowedPage, isOwnPage } from '../../../../core/page-origin.ts'

/**
 * Refuses, with ORIGIN_REFUSED, a WebSocket with cookies that a page of another origin has opened: browsers ask nobody (RFC 6455 section 10.2), the page
 * reads what is answered, and the cookies may count for a subgraph or a service that is asked who calls.
 */
export function refuseForeignCookies(x: HttpExchange): void {
  if (x.header('origin') === undefined || x.header('cookie') === undefined) return
  if (isOwnPage(x) || x.get(allowedPage) === true) return
  throw new GatewayError(
    'ORIGIN_REFUSED',
    'Pages of this origin may not open a WebSocket with cookies. The cors plugin can allow the origin.',
  )
}
