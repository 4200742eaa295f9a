import type { GraphQLFormattedError } from 'graphql'
import type { OperationContext } from '../operation.ts'

/** Where the fetches of query plans for one part of the supergraph go: a GraphQL server, or a service that is asked in another protocol. */
export interface Subgraph {
  readonly name: string
  /** Whether clients are not told its name with its errors. Default false. */
  readonly anonymous?: boolean
  /** Rejects with a GatewayError when there is no usable answer. */
  fetch(fetch: SubgraphFetch, context: OperationContext): Promise<SubgraphData>
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
