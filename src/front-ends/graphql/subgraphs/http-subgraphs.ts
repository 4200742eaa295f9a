import type { Logger } from '../../../core/log.ts'
import type { Destination } from '../../../traffic/destination.ts'
import type { SubscriptionEndpoint } from '../subscriptions/subgraph/graphql-subscription.ts'
import { HttpSubgraph } from './http-subgraph.ts'
import { type HeadersFor, usualHeaders } from './request-headers.ts'
import { SharedFetches } from './shared-fetches.ts'
import { type ErrorPolicy, usualErrorPolicy } from './subgraph-errors.ts'

/** How one GraphQL server is talked with. */
export interface SubgraphRules {
  /** Default: no header of the client but its language, and its credentials where the policy forwards them. */
  readonly headersFor?: HeadersFor
  /** Default: {@link usualErrorPolicy}. */
  readonly errors?: ErrorPolicy
  /** Whether identical queries that are under way at a time are sent once. Default true. */
  readonly shared?: boolean
  /** Where it takes subscriptions. Default: WebSockets at its path. */
  readonly subscription?: SubscriptionEndpoint | undefined
}

/** A GraphQL server among the subgraphs. */
export interface HttpSubgraphPlace extends SubgraphRules {
  readonly name: string
  readonly destination: Destination
  /** Path of its endpoint. */
  readonly path: string
}

/** What all of them share. */
export interface HttpSubgraphsOptions {
  /** Lower-case names of headers that no subgraph decides its answers by, for the comparison of queries. */
  readonly ignoredHeaders?: readonly string[]
  readonly log: Logger
}

/** The subgraphs that are GraphQL servers. */
export function httpSubgraphs(
  places: readonly HttpSubgraphPlace[],
  options: HttpSubgraphsOptions,
): HttpSubgraph[] {
  const { log, ignoredHeaders } = options
  const fetches = new SharedFetches(ignoredHeaders)
  const mutated = (): void => fetches.forget()
  return places.map(
    ({
      name,
      destination,
      path,
      headersFor = usualHeaders,
      errors = usualErrorPolicy,
      shared = true,
      subscription,
    }) =>
      new HttpSubgraph({
        name,
        destination,
        path,
        headersFor,
        errors,
        shared: shared ? fetches : undefined,
        mutated,
        subscription: subscription ?? { protocol: 'ws', path },
        log,
      }),
  )
}
