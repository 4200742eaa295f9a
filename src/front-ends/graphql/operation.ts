import type { DocumentNode, GraphQLFormattedError, OperationDefinitionNode } from 'graphql'
import type { CallLimits } from '../../core/call-limits.ts'
import type { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Uploads } from './requests/uploads/uploads.ts'

/** One operation of a document that is valid and within the limits. The same object each time that the document is known: caches may hang on it. */
export interface KnownOperation {
  /** `''` when it has none. */
  readonly name: string
  readonly type: 'query' | 'mutation' | 'subscription'
  readonly node: OperationDefinitionNode
  /** The whole document, other operations and fragments included. */
  readonly document: DocumentNode
  /** Told apart by this from every other operation of the schema, filtered ones included: SHA-256 in hex. */
  readonly hash: string
}

/** One request to run an operation. */
export interface Execution {
  readonly operation: KnownOperation
  /** As the client sent them, found to fit the operation; defaults are not filled in. */
  readonly variables: Readonly<Record<string, unknown>>
  readonly context: OperationContext
}

/** What an operation carries to its fetches. */
export interface OperationContext {
  readonly x: Exchange
  /** What fetches failed with, in order; of a stored operation also what fields were refused for, each field once. */
  readonly faults: GatewayError[]
  /** Of each fetch of a stored operation; undefined: clients sent it. */
  readonly limits?: CallLimits | undefined
  /** What subgraphs said in the `extensions` of their answers, as far as clients may see it; by subgraph. */
  subgraphExtensions?: Record<string, Readonly<Record<string, unknown>>>
  /** Whether the plan stands in the answer. */
  showsPlan?: boolean
  /** Files that came with the request; undefined: none did. */
  readonly uploads?: Uploads | undefined
}

/** What an operation came to; of a subscription, one event. */
export interface OperationResult {
  /** The data as JSON text, `null` included; undefined: nothing was executed. */
  readonly data: string | undefined
  /** In the gateway's words, without the ids of the request. */
  readonly errors: readonly GraphQLFormattedError[]
  readonly extensions?: Readonly<Record<string, unknown>> | undefined
}
