import type { GraphQLFormattedError } from 'graphql'
import type { Exchange } from '../../../core/exchange.ts'
import type { Logger } from '../../../core/log.ts'
import { bufferedTransport } from '../../../traffic/buffered-call.ts'
import type { Destination } from '../../../traffic/destination.ts'
import { dispatch } from '../../../traffic/dispatch.ts'
import { forwardingHeaders } from '../../../traffic/forwarding.ts'
import type { OperationContext } from '../operation.ts'
import {
  graphqlSubscription,
  type SubscriptionEndpoint,
} from '../subscriptions/subgraph/graphql-subscription.ts'
import type { Subgraph, SubgraphData, SubgraphFetch, SubgraphSubscription } from './subgraph.ts'
import type { SubgraphAnswer } from './subgraph-answer.ts'
import { SubgraphCall } from './subgraph-call.ts'
import { publicSubgraphError } from './subgraph-errors.ts'

/** One GraphQL server as {@link HttpSubgraph} needs it. */
export interface HttpSubgraphOptions {
  readonly name: string
  readonly destination: Destination
  /** Path of its endpoint. */
  readonly path: string
  /** Where it takes subscriptions. Default: WebSockets at its path. */
  readonly subscription?: SubscriptionEndpoint | undefined
  readonly log: Logger
}

/** A subgraph that is a GraphQL server: each fetch becomes a call through `dispatch`. */
export class HttpSubgraph implements Subgraph {
  readonly name: string
  readonly #options: HttpSubgraphOptions

  constructor(options: HttpSubgraphOptions) {
    this.name = options.name
    this.#options = options
  }

  async fetch({ type, body }: SubgraphFetch, { x, limits }: OperationContext): Promise<SubgraphData> {
    const { destination, path } = this.#options
    const call = new SubgraphCall(x, destination, {
      path,
      body: Buffer.from(body),
      headers: headersFor(x),
      idempotent: type !== 'mutation',
      limits,
    })
    const { data, errors = [] } = await dispatch<SubgraphCall, SubgraphAnswer>(call, bufferedTransport)
    return { data, errors: errors.map((reported) => this.#told(reported, x)) }
  }

  subscribe(fetch: SubgraphFetch, { x }: OperationContext): SubgraphSubscription {
    const { name, destination, path, subscription } = this.#options
    return graphqlSubscription(fetch, x, {
      name,
      destination,
      endpoint: subscription ?? { protocol: 'ws', path },
      headers: headersFor(x),
      told: (reported, of) => this.#told(reported, of),
    })
  }

  #told(reported: Readonly<Record<string, unknown>>, x: Exchange): GraphQLFormattedError {
    const { error, masked } = publicSubgraphError(reported)
    if (masked) {
      this.#options.log.warn(
        {
          subgraph: this.name,
          message: String(reported.message).slice(0, 500),
          path: reported.path,
          request_id: x.id,
          trace_id: x.trace.traceId,
        },
        'A subgraph reported an error whose message is not shown to clients.',
      )
    }
    return error
  }
}

function headersFor(x: Exchange): string[] {
  const headers = forwardingHeaders(x.request, '')
  headers.push('content-type', 'application/json')
  headers.push('accept', 'application/graphql-response+json, application/json;q=0.9')
  const forwarded = x.route.policy.forwardCredentials ? withCredentials : always
  for (const name of forwarded) {
    const value = x.header(name)
    if (value !== undefined) headers.push(name, value)
  }
  return headers
}

const always = ['accept-language']
const withCredentials = [...always, 'authorization', 'x-api-key']
