import type { GraphQLFormattedError } from 'graphql'
import { GatewayError, toGatewayError } from '../../../core/error.ts'
import type { Exchange } from '../../../core/exchange.ts'
import type { Logger } from '../../../core/log.ts'
import { bufferedTransport } from '../../../traffic/buffered-call.ts'
import type { Destination } from '../../../traffic/destination.ts'
import { announce, dispatchAnnounced } from '../../../traffic/dispatch.ts'
import { tellMore } from '../errors.ts'
import type { FetchObserver } from '../observer.ts'
import type { OperationContext } from '../operation.ts'
import type { Uploads } from '../requests/uploads/uploads.ts'
import {
  graphqlSubscription,
  type SubscriptionEndpoint,
} from '../subscriptions/subgraph/graphql-subscription.ts'
import { multipartBody } from './multipart-body.ts'
import { compileReplyRules, type ReplyRules, type TakeReply } from './reply-rules.ts'
import type { HeadersFor } from './request-headers.ts'
import type { SharedFetches } from './shared-fetches.ts'
import type { Subgraph, SubgraphData, SubgraphFetch, SubgraphSubscription } from './subgraph.ts'
import { acceptedAnswers, type SubgraphAnswer } from './subgraph-answer.ts'
import { SubgraphCall, type SubgraphCallOptions } from './subgraph-call.ts'
import {
  compileErrorPolicy,
  type ErrorPolicy,
  isFailure,
  type ShowError,
  withoutUpstream,
} from './subgraph-errors.ts'

/** One GraphQL server as {@link HttpSubgraph} needs it. */
export interface HttpSubgraphOptions {
  readonly name: string
  readonly destination: Destination
  /** Path of its endpoint. */
  readonly path: string
  readonly subscription: SubscriptionEndpoint
  readonly headersFor: HeadersFor
  readonly errors: ErrorPolicy
  /** Where identical queries meet; undefined: each is sent. */
  readonly shared: SharedFetches | undefined
  /** Told when a mutation is over, whatever came of it. */
  mutated(): void
  /** Undefined: clients see nothing of answers but data and errors. */
  readonly reply: ReplyRules | undefined
  readonly observe: FetchObserver | undefined
  readonly log: Logger
}

/** A subgraph that is a GraphQL server: each fetch becomes a call through `dispatch`. */
export class HttpSubgraph implements Subgraph {
  readonly name: string
  readonly anonymous: boolean
  readonly #options: HttpSubgraphOptions
  readonly #show: ShowError
  readonly #take: TakeReply | undefined

  constructor(options: HttpSubgraphOptions) {
    this.name = options.name
    this.anonymous = !options.errors.showSubgraph
    this.#options = options
    this.#take = options.reply && compileReplyRules(options.name, options.reply)
    this.#show = compileErrorPolicy(options.errors)
  }

  fetch(fetch: SubgraphFetch, context: OperationContext): Promise<SubgraphData> {
    const { uploads } = context
    return uploads === undefined ? this.#fetch(fetch, context) : this.#fetchWithFiles(fetch, context, uploads)
  }

  async #fetchWithFiles(
    fetch: SubgraphFetch,
    context: OperationContext,
    uploads: Uploads,
  ): Promise<SubgraphData> {
    const claim = fetch.variables === undefined ? undefined : uploads.claim(JSON.parse(fetch.variables))
    if (claim === undefined) return await this.#fetch(fetch, context)
    try {
      const { stream, contentType } = multipartBody(fetch.body, claim, uploads.limits)
      // What is longer on its way than others has its own time.
      const call = this.#call(fetch, context, {
        body: stream,
        contentType,
        timeoutMs: uploads.limits.timeoutMs,
      })
      claim.onFail = (error) => call.end(error)
      return await this.#fetch(fetch, context, call)
    } finally {
      claim.release()
    }
  }

  async #fetch(
    fetch: SubgraphFetch,
    context: OperationContext,
    call = this.#call(fetch, context),
  ): Promise<SubgraphData> {
    const { observe, mutated } = this.#options
    announce(call)
    try {
      const { data, errors, extensions } = await this.#send(fetch, call)
      observe?.(errors === undefined ? 'ok' : 'error', call)
      this.#take?.(context, { headers: call.received?.headers ?? {}, extensions })
      if (errors === undefined) return { data, errors: none }
      const status = call.received?.status ?? 0
      return { data, errors: errors.map((reported) => this.#told(reported, { status, x: context.x })) }
    } catch (thrown) {
      observe?.('failed', call)
      throw this.#failure(toGatewayError(thrown), call)
    } finally {
      // The exchange keeps the call for its log; its answer may be large.
      call.received = undefined
      if (fetch.type === 'mutation') mutated()
    }
  }

  #send({ type, body }: SubgraphFetch, call: SubgraphCall): Promise<SubgraphAnswer> {
    const { shared, destination } = this.#options
    // The release of a canary is judged by calls that were made.
    if (
      shared === undefined ||
      type !== 'query' ||
      !call.replayable ||
      destination.canary !== undefined ||
      body.length > maxShared ||
      // Files are not in the body that is compared.
      call.exchange.header('content-type')?.startsWith('multipart/') === true
    )
      return dispatchAnnounced<SubgraphCall, SubgraphAnswer>(call, bufferedTransport)
    return shared.send(call, body)
  }

  #call({ type, body }: SubgraphFetch, { x, limits }: OperationContext, files?: FilesOfCall): SubgraphCall {
    const { destination, path, headersFor } = this.#options
    const headers = headersFor(x)
    headers.push('content-type', files?.contentType ?? 'application/json', 'accept', acceptedAnswers)
    // Servers that are protected against forged requests ask for it with forms.
    if (files !== undefined) headers.push('apollo-require-preflight', 'true')
    return new SubgraphCall(x, destination, {
      path,
      body: files?.body ?? Buffer.from(body),
      headers,
      idempotent: type !== 'mutation',
      limits,
      ...(files === undefined ? undefined : { timeoutMs: files.timeoutMs }),
    })
  }

  subscribe(fetch: SubgraphFetch, { x }: OperationContext): SubgraphSubscription {
    const { name, destination, subscription, headersFor } = this.#options
    return graphqlSubscription(fetch, x, {
      name,
      destination,
      endpoint: subscription,
      headers: headersFor(x),
      told: (reported, of) => this.#told(reported, { status: 200, x: of }),
      failed: (error) => (this.anonymous ? withoutName(error) : error),
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
    { status, x }: { readonly status: number; readonly x: Exchange },
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

type FilesOfCall = Pick<SubgraphCallOptions, 'body'> & {
  readonly contentType: string
  readonly timeoutMs: number
}

function withoutName(error: GatewayError): GatewayError {
  const { reason, message, reached, retryAfterMs, status } = error
  const options = { cause: error, reached, status }
  const spoken = withoutUpstream(message)
  return new GatewayError(reason, spoken, retryAfterMs === undefined ? options : { ...options, retryAfterMs })
}

/** Longer bodies are hardly ever the same, and would have to be compared. */
const maxShared = 65_536
const none: readonly GraphQLFormattedError[] = []
