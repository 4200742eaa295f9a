import type { GraphQLFormattedError } from 'graphql'
import type { Exchange } from '../../../core/exchange.ts'
import type { OperationContext } from '../operation.ts'
import type { CallEvents } from '../subscriptions/subgraph/subscription-call.ts'

/** Where the fetches of query plans for one part of the supergraph go: a GraphQL server, or a service that is asked in another protocol. */
export interface Subgraph {
  readonly name: string
  /** Whether clients are not told its name with its errors. Default false. */
  readonly anonymous?: boolean
  /** Rejects with a GatewayError when there is no usable answer. */
  fetch(fetch: SubgraphFetch, context: OperationContext): Promise<SubgraphData>
  /** How the primary fetch of a subscription is asked for; nothing is sent yet. Absent: it has none. */
  subscribe?(fetch: SubgraphFetch, context: OperationContext): SubgraphSubscription
}

/** A subscription as a subgraph would be asked for it. */
export interface SubgraphSubscription {
  /** The same for those that get the same events: everything that the subgraph may decide by. */
  readonly key: string
  /**
   * Asks for it on a connection of its own; `x` is what the call belongs to, and ends it when it is gone. Resolves when the subgraph has nothing
   * more to say, rejects with a GatewayError.
   */
  run(x: Exchange, events: CallEvents): Promise<void>
  /** Reads one event ({@link SubgraphEvent.take}) as what the fetch would have come to. Throws UPSTREAM_BAD_ANSWER. */
  read(event: unknown, x: Exchange): SubgraphData
}

/** One fetch of a query plan. */
export interface SubgraphFetch {
  readonly type: 'query' | 'mutation' | 'subscription'
  /** The operation's text, the same object for each fetch of a compiled plan. */
  readonly query: string
  readonly operationName: string | undefined
  /** The variables as JSON text, `representations` included; undefined: none. */
  readonly variables: string | undefined
  /** The whole GraphQL request as JSON text, made of the three above. */
  readonly body: string
}

/** What a fetch came to. */
export interface SubgraphData {
  /** The operation's own: no other has the same objects. */
  readonly data: Record<string, unknown> | null | undefined
  /** As clients may see them; paths are those of the fetch. */
  readonly errors: readonly GraphQLFormattedError[]
}
