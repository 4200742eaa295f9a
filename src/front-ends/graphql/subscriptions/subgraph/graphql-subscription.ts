import type { GraphQLFormattedError } from 'graphql'
import { GatewayError, toGatewayError } from '../../../../core/error.ts'
import type { Exchange } from '../../../../core/exchange.ts'
import { isRecord } from '../../../../core/is-record.ts'
import type { Destination } from '../../../../traffic/destination.ts'
import { dispatch } from '../../../../traffic/dispatch.ts'
import type { SubgraphData, SubgraphFetch, SubgraphSubscription } from '../../subgraphs/subgraph.ts'
import { eventStreamTransport } from './event-stream-transport.ts'
import { socketTransport } from './socket-transport.ts'
import { type CallEvents, SubscriptionCall } from './subscription-call.ts'

/** How a GraphQL server takes subscriptions. */
export interface SubscriptionEndpoint {
  /** `ws`: the `graphql-transport-ws` protocol; `sse`: server-sent events, one connection for each. */
  readonly protocol: 'ws' | 'sse'
  readonly path: string
}

/** What a {@link graphqlSubscription} is made from. */
export interface GraphqlSubscriptionOptions {
  readonly name: string
  readonly destination: Destination
  readonly endpoint: SubscriptionEndpoint
  /** Of the client's, what the subgraph gets; flat. */
  readonly headers: readonly string[]
  /** An error of the subgraph as clients may see it. */
  told(reported: Readonly<Record<string, unknown>>, x: Exchange): GraphQLFormattedError
  /** What the call failed with as clients may see it. */
  failed(error: GatewayError): GatewayError
}

/** A subscription at a subgraph that is a GraphQL server: a call through `dispatch` for each connection that it needs. */
export function graphqlSubscription(
  { body }: SubgraphFetch,
  x: Exchange,
  { name, destination, endpoint, headers, told, failed }: GraphqlSubscriptionOptions,
): SubgraphSubscription {
  const transport = endpoint.protocol === 'ws' ? socketTransport : eventStreamTransport
  return {
    key: JSON.stringify([name, body, deciding(headers), deciding(callHeaders(x, destination))]),
    run: (x: Exchange, events: CallEvents) => {
      const own = ['content-type', 'application/json', 'accept', 'text/event-stream, application/json;q=0.5']
      const call = new SubscriptionCall(x, destination, {
        path: endpoint.path,
        body,
        headers: [...headers, ...own],
        events,
      })
      return dispatch(call, transport).catch((thrown) => Promise.reject(failed(toGatewayError(thrown))))
    },
    read: (event, x) => readEvent(event, (reported) => told(reported, x), name),
  }
}

/** What plugins add to the call: who the caller is, above all. */
function callHeaders(x: Exchange, destination: Destination): readonly string[] {
  const headers: string[] = []
  const call = { upstreamName: destination.upstream.name, traceparent: '', headers }
  const { onCall } = x.hooks
  for (let i = 0; i < onCall.length; i++) onCall[i]?.(x, call)
  return headers
}

/** Without what tells one request from another, or the way that it came, by which nobody decides what somebody gets. */
function deciding(headers: readonly string[]): string[] {
  return headers.filter((_, i) => !ofRequest.has((headers[i - (i % 2)] as string).toLowerCase()))
}

/** X-Forwarded-Host is not among them: a subgraph may have another tenant at each. */
const ofRequest: ReadonlySet<string> = new Set([
  'traceparent',
  'tracestate',
  'x-request-id',
  'x-trace-id',
  'x-forwarded-for',
  'x-forwarded-port',
  'forwarded',
  'via',
  'x-gateway',
])

function readEvent(
  event: unknown,
  told: (reported: Readonly<Record<string, unknown>>) => GraphQLFormattedError,
  name: string,
): SubgraphData {
  const { data, errors } = isRecord(event) ? event : {}
  const hasErrors = Array.isArray(errors) && errors.length > 0 && errors.every(isRecord)
  const hasData = isRecord(data)
  if (!hasErrors && !hasData) {
    throw new GatewayError(
      'UPSTREAM_BAD_ANSWER',
      `Upstream "${name}" sent an event with neither data nor errors.`,
    )
  }
  return {
    data: hasData ? (data as Record<string, unknown>) : data === null ? null : undefined,
    errors: hasErrors ? errors.map(told) : [],
  }
}
