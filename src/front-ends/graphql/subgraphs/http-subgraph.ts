import type { GraphQLFormattedError } from 'graphql'
import { GatewayError, toGatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import type { Logger } from '../../../core/log.ts'
import { bufferedTransport } from '../../../traffic/buffered-call.ts'
import type { Destination } from '../../../traffic/destination.ts'
import { announce, dispatchAnnounced } from '../../../traffic/dispatch.ts'
import { tellMore } from '../errors.ts'
import type { OperationContext } from '../operation.ts'
import type { HeadersFor } from './request-headers.ts'
import type { Subgraph, SubgraphData, SubgraphFetch } from './subgraph.ts'
import type { SubgraphAnswer } from './subgraph-answer.ts'
import { SubgraphCall } from './subgraph-call.ts'
import { compileErrorPolicy, type ErrorPolicy, isFailure, type ShowError } from './subgraph-errors.ts'

/** One GraphQL server as {@link HttpSubgraph} needs it. */
export interface HttpSubgraphOptions {
  readonly name: string
  readonly destination: Destination
  /** Path of its endpoint. */
  readonly path: string
  readonly headersFor: HeadersFor
  readonly errors: ErrorPolicy
  readonly log: Logger
}

/** A subgraph that is a GraphQL server: each fetch becomes a call through `dispatch`. */
export class HttpSubgraph implements Subgraph {
  readonly name: string
  readonly anonymous: boolean
  readonly #options: HttpSubgraphOptions
  readonly #show: ShowError

  constructor(options: HttpSubgraphOptions) {
    this.name = options.name
    this.anonymous = !options.errors.showSubgraph
    this.#options = options
    this.#show = compileErrorPolicy(options.errors)
  }

  async fetch(fetch: SubgraphFetch, context: OperationContext): Promise<SubgraphData> {
    const call = this.#call(fetch, context)
    announce(call)
    try {
      const { data, errors = none } = await dispatchAnnounced<SubgraphCall, SubgraphAnswer>(
        call,
        bufferedTransport,
      )
      const status = call.received?.status ?? 0
      return { data, errors: errors.map((reported) => this.#told(reported, { status, x: context.x })) }
    } catch (thrown) {
      throw this.#failure(toGatewayError(thrown), call)
    } finally {
      // The exchange keeps the call for its log; its answer may be large.
      call.received = undefined
    }
  }

  #call({ type, body }: SubgraphFetch, { x, limits }: OperationContext): SubgraphCall {
    const { destination, path, headersFor } = this.#options
    const headers = headersFor(x)
    headers.push('content-type', 'application/json')
    headers.push('accept', 'application/graphql-response+json, application/json;q=0.9')
    return new SubgraphCall(x, destination, {
      path,
      body: Buffer.from(body),
      headers,
      idempotent: type !== 'mutation',
      limits,
    })
  }

  #failure(error: GatewayError, { received }: SubgraphCall): GatewayError {
    const { showStatus } = this.#options.errors
    const told = this.anonymous ? withoutName(error) : error
    if (showStatus && received !== undefined && isFailure(received.status))
      tellMore(told, { subgraphStatus: received.status })
    return told
  }

  #told(
    reported: Readonly<Record<string, unknown>>,
    { status, x }: { readonly status: number; readonly x: HttpExchange },
  ): GraphQLFormattedError {
    const { error, masked } = this.#show(reported, status)
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

/** Messages of the gateway name the upstream, which is called as the subgraph more often than not. */
function withoutName(error: GatewayError): GatewayError {
  const { reason, message, reached, retryAfterMs, status } = error
  const spoken = message.replace(/upstream "[^"]*"/gi, (said) =>
    said.startsWith('U') ? 'A subgraph' : 'a subgraph',
  )
  const options = { cause: error, reached, status }
  return new GatewayError(reason, spoken, retryAfterMs === undefined ? options : { ...options, retryAfterMs })
}

const none: readonly Readonly<Record<string, unknown>>[] = []
