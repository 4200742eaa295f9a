import type { FrontEnd } from '../../core/front-end.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Policy, Row, ValueMatch } from '../../core/route.ts'
import { dispatch } from '../../traffic/dispatch.ts'
import type { Upstream } from '../../traffic/upstream.ts'
import { tooLarge } from '../body.ts'
import { httpTransport } from './http-transport.ts'
import { refuseWithProblem } from './problem.ts'
import { ProxyCall, type ProxyRoute } from './proxy-call.ts'
import { compileRewrite, type RewriteOptions } from './rewrite.ts'
import { upgradeTransport } from './upgrade-transport.ts'

/** One REST route: when it matches, who answers, how the path changes. */
export interface RestRoute {
  readonly id: string
  readonly path: string
  readonly methods: readonly string[]
  readonly hosts: readonly string[]
  readonly headers: readonly ValueMatch[]
  readonly query: readonly ValueMatch[]
  readonly priority: number
  readonly encodedSlash: boolean
  readonly upstream: Upstream
  readonly rewrite: RewriteOptions
  /** To the head of the answer; undefined: the upstream's own. */
  readonly timeoutMs: number | undefined
  readonly maxBodyBytes: number
  readonly policy: Policy
  /** Where it was written: `routes[3]`. */
  readonly origin: string
  /** Lower-case names of request headers with credentials that stay here. */
  readonly hiddenHeaders: ReadonlySet<string>
}

/** The REST reverse proxy: streams requests and answers, connects WebSockets, refuses with problem+json. */
export function createRestFrontEnd(routes: readonly RestRoute[]): FrontEnd {
  const rows: Row[] = []
  const frontEnd: FrontEnd = { name: 'rest', rows, refuse: refuseWithProblem, close: async () => {} }
  for (const route of routes) rows.push(restRow(route, frontEnd))
  return frontEnd
}

function restRow(route: RestRoute, frontEnd: FrontEnd): Row {
  const { id, path: template, methods, hosts, headers, query, priority, encodedSlash, policy, origin } = route
  const proxy: ProxyRoute = {
    upstream: route.upstream,
    rewrite: compileRewrite(route.rewrite),
    prefix: route.rewrite.stripPrefix ?? '',
    hiddenHeaders: route.hiddenHeaders,
    timeoutMs: route.timeoutMs,
    maxBodyBytes: route.maxBodyBytes,
  }
  return {
    id,
    protocol: 'rest',
    template,
    policy,
    methods,
    hosts,
    headers,
    query,
    priority,
    encodedSlash,
    frontEnd,
    origin,
    serve: (x) => serve(x, proxy),
  }
}

function serve(x: HttpExchange, route: ProxyRoute): Promise<void> {
  if (x.upgrade !== undefined) return dispatch(new ProxyCall(x, route), upgradeTransport)
  if (x.contentLength !== undefined && x.contentLength > route.maxBodyBytes)
    throw tooLarge(route.maxBodyBytes)
  return dispatch(new ProxyCall(x, route), httpTransport)
}
