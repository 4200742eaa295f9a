import { GatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { essence } from '../../../core/media-type.ts'

/**
 * Refuses what a page of another site can make a browser send without a preflight. Passes: a content type that no form has, a header that Apollo's
 * clients send, a browser that says that the request is of this very site, and whatever is no browser. Throws CSRF_REFUSED.
 */
export function refuseForgeable(x: HttpExchange): void {
  const contentType = x.header('content-type')
  if (contentType !== undefined && !formTypes.has(essence(contentType))) return
  if (preflighted.some((name) => (x.header(name) ?? '') !== '')) return
  if (essence(contentType ?? '') !== 'multipart/form-data' && !isFromElsewhere(x)) return
  throw new GatewayError(
    'CSRF_REFUSED',
    `Another site could have made a browser send this request. Send a "content-type" of application/json, or a header "${preflighted.join('" or "')}" with any value.`,
  )
}

/** The headers by which a request shows that no form sent it; the names are Apollo's. */
const preflighted = ['apollo-require-preflight', 'x-apollo-operation-name']

/** What HTML forms and scripts may send to other sites without asking (Fetch Standard, "CORS-safelisted request-header"); none at all likewise. */
const formTypes = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain', ''])

/**
 * Whether a page of another site may be behind it. Browsers say so in a header that no page can write (Fetch Metadata Request Headers, section
 * 2.3), but not to plain HTTP, and old ones never: of them each request is suspect, and every browser calls itself "Mozilla/".
 */
function isFromElsewhere(x: HttpExchange): boolean {
  const site = x.header('sec-fetch-site')
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  if (x.header('origin') !== undefined || x.header('referer') !== undefined) return true
  return /mozilla\//i.test(x.header('user-agent') ?? '')
}
