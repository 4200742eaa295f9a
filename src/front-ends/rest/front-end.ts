import { toGatewayError } from '../../core/error.ts'
import type { FrontEnd } from '../../core/front-end.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { messageOf } from '../../core/message-of.ts'
import { Mistake } from '../../core/mistake.ts'
import { tooLarge } from '../../core/request-body.ts'
import type { Policy, Row, ValueMatch } from '../../core/route.ts'
import type { Place } from '../../core/text-template.ts'
import type { Destination } from '../../traffic/destination.ts'
import { dispatch } from '../../traffic/dispatch.ts'
import { isUnanswered } from '../../traffic/fallback.ts'
import { refuseWithProblem } from '../problem.ts'
import { type AggregateOptions, compileAggregate } from './aggregate/aggregate.ts'
import { httpTransport } from './http-transport.ts'
import { compileOperationAnswer, type OperationAnswerOptions } from './operation-answer.ts'
import { ProxyCall, type ProxyRoute } from './proxy-call.ts'
import { compileRedirect, type RedirectOptions } from './redirect.ts'
import { compileAnswer, compileRespond, type RespondOptions } from './respond.ts'
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
  readonly answer: RouteAnswer
  readonly policy: Policy
  /** Where it was written: `routes[3]`. */
  readonly origin: string
  /** What its texts may name. */
  readonly place: Place
}

/** Who answers the requests of a route: an upstream, or the gateway itself. */
export type RouteAnswer =
  | ({ readonly kind: 'proxy' } & ProxyOptions)
  | ({ readonly kind: 'redirect' } & RedirectOptions)
  | ({ readonly kind: 'respond' } & RespondOptions)
  | ({ readonly kind: 'aggregate' } & AggregateOptions)
  | ({ readonly kind: 'operation' } & OperationAnswerOptions)

/** How requests go on to an upstream. */
export interface ProxyOptions {
  readonly destination: Destination
  readonly rewrite: RewriteOptions
  /** To the head of the answer; undefined: the upstream's own. */
  readonly timeoutMs: number | undefined
  readonly maxBodyBytes: number
  /** Lower-case names of request headers with credentials that stay here. */
  readonly hiddenHeaders: ReadonlySet<string>
  /** Names of cookies with credentials that stay here. */
  readonly hiddenCookies: readonly string[]
  /** What clients get where nobody answers; undefined: an error. */
  readonly fallback: RespondOptions | undefined
}

/** The REST reverse proxy: streams requests and answers, connects WebSockets, refuses with problem+json. Throws a {@link RouteMistake}. */
export function createRestFrontEnd(routes: readonly RestRoute[]): FrontEnd {
  const rows: Row[] = []
  const frontEnd: FrontEnd = { name: 'rest', rows, refuse: refuseWithProblem, close: async () => {} }
  routes.forEach((route, index) => {
    try {
      rows.push(restRow(route, frontEnd))
    } catch (error) {
      throw new RouteMistake(error, index)
    }
  })
  return frontEnd
}

/** A route that cannot be compiled: what is wrong, and which one it is. */
export class RouteMistake extends Error {
  readonly index: number
  /** The keys below that of the route's answer which lead to the mistake, as far as they are known. */
  readonly path: readonly PropertyKey[]

  constructor(cause: unknown, index: number) {
    super(messageOf(cause), { cause })
    this.index = index
    this.path = cause instanceof Mistake ? cause.path : []
  }
}

function restRow(route: RestRoute, frontEnd: FrontEnd): Row {
  const { id, path: template, methods, hosts, headers, query, priority, encodedSlash, policy, origin } = route
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
    leadsTo: leadsTo(route.answer),
    ...expects(route.answer),
    origin,
    serve: serveWith(route),
  }
}

function expects(answer: RouteAnswer): Pick<Row, 'expects'> {
  return answer.kind === 'proxy' ? { expects: (x) => answer.destination.expect(x) } : {}
}

function leadsTo(answer: RouteAnswer): string {
  if (answer.kind === 'proxy') return answer.destination.summary
  if (answer.kind === 'operation') return 'graphql operation'
  return answer.kind === 'aggregate' ? `aggregate of ${answer.parts.length}` : answer.kind
}

/** Throws an Error for a text that names what the place has not. */
function serveWith(route: RestRoute): Row['serve'] {
  const { answer, place } = route
  if (answer.kind === 'redirect') return compileRedirect(answer, place)
  if (answer.kind === 'respond') return compileRespond(answer, place)
  if (answer.kind === 'aggregate') return compileAggregate(answer, route)
  if (answer.kind === 'operation') return compileOperationAnswer(answer, route)
  const { destination, hiddenHeaders, hiddenCookies, timeoutMs, maxBodyBytes, fallback } = answer
  const proxy: ProxyRoute = {
    destination,
    rewrite: compileRewrite(answer.rewrite, place),
    prefix: answer.rewrite.stripPrefix ?? '',
    hiddenHeaders,
    hiddenCookies,
    timeoutMs,
    maxBodyBytes,
  }
  if (fallback === undefined) return (x) => serve(x, proxy)
  const answerInstead = compileAnswer(fallback, place)
  return async (x) => {
    try {
      await serve(x, proxy)
    } catch (thrown) {
      const error = toGatewayError(thrown)
      if (!isUnanswered(error) || x.committed || x.gone) throw error
      const failed = x.calls.at(-1)
      x.attributes['gateway.fallback'] = `${failed?.upstreamName}: ${error.reason}`
      if (failed instanceof ProxyCall) failed.upstream.fallbacks++
      if (x.hasBody && !x.req.complete) x.req.resume()
      answerInstead(x)
    }
  }
}

function serve(x: HttpExchange, route: ProxyRoute): Promise<void> {
  if (x.upgrade !== undefined) return dispatch(new ProxyCall(x, route), upgradeTransport)
  if (x.contentLength !== undefined && x.contentLength > route.maxBodyBytes)
    throw tooLarge(route.maxBodyBytes)
  return dispatch(new ProxyCall(x, route), httpTransport)
}
