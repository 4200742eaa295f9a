import { classifyRequestHeader } from '../../core/headers.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { Call } from '../../traffic/call.ts'
import type { Destination } from '../../traffic/destination.ts'
import { forwardingHeaders } from '../../traffic/forwarding.ts'
import type { CopiedBody } from './copy-request.ts'
import { KeptBody } from './kept-body.ts'
import type { Rewrite } from './rewrite.ts'

/** How one route is proxied; computed when configuration loads. */
export interface ProxyRoute {
  readonly destination: Destination
  readonly rewrite: Rewrite
  /** What `X-Forwarded-Prefix` says; `''` for none. */
  readonly prefix: string
  /** Lower-case names of headers with credentials that stay here. */
  readonly hiddenHeaders: ReadonlySet<string>
  readonly timeoutMs: number | undefined
  readonly maxBodyBytes: number
}

/** A REST request on its way to an upstream: the client's head with the gateway's headers. */
export class ProxyCall extends Call {
  declare readonly exchange: HttpExchange
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly route: ProxyRoute
  /** What was read of the body, for another attempt; undefined: nothing is kept. */
  kept: KeptBody | undefined
  /** What was read of the body, for its copy; undefined: it is not mirrored, or has no body. */
  copied: CopiedBody | undefined

  constructor(x: HttpExchange, route: ProxyRoute) {
    const { method } = x.request
    super(x, route.destination, {
      headers: outgoingHeaders(x, route),
      idempotent: idempotentMethods.has(method),
      replayable: true,
      hedgeable: safeMethods.has(method) && !x.hasBody && x.upgrade === undefined,
      streamed: x.upgrade !== undefined,
      headDecides: true,
      ...(route.timeoutMs === undefined ? undefined : { timeoutMs: route.timeoutMs }),
    })
    this.method = method
    this.path = route.rewrite(x)
    this.route = route
    const { retry } = this.upstream.options
    if (retry.nonIdempotent || (retry.idempotencyKey && x.header('idempotency-key') !== undefined))
      this.idempotent = true
    if (x.whole !== undefined) {
      this.kept = KeptBody.whole(x.whole)
      return
    }
    const mayGoElsewhere = retry.attempts > 1 || route.destination.fallbackOf(this.upstream) !== undefined
    if (x.hasBody && this.idempotent && mayGoElsewhere && retry.maxBodyBytes > 0)
      this.kept = new KeptBody(retry.maxBodyBytes)
  }
}

/** RFC 9110 section 9.2.2. */
export const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
/** RFC 9110 section 9.2.1. */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The client's headers that pass, in their order and spelling, then the gateway's; flat. */
function outgoingHeaders(x: HttpExchange, route: ProxyRoute): string[] {
  const raw = x.req.rawHeaders
  const headers: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const kind = classifyRequestHeader(name)
    if (kind === 'drop') continue
    if (route.hiddenHeaders.size > 0 && route.hiddenHeaders.has(name.toLowerCase())) continue
    headers.push(name, raw[i + 1] as string)
  }
  const forwarding = forwardingHeaders(x.request, route.prefix)
  for (let i = 0; i < forwarding.length; i++) headers.push(forwarding[i] as string)
  return headers
}
