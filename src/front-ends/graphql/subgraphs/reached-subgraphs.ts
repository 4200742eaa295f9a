import type { Logger } from '../../../core/log.ts'
import type { Destination } from '../../../traffic/destination.ts'
import type { GraphqlObserver } from '../observer.ts'
import type { SubscriptionEndpoint } from '../subscriptions/subgraph/graphql-subscription.ts'
import { HttpSubgraph } from './http-subgraph.ts'
import type { ReplyRules } from './reply-rules.ts'
import { type HeadersFor, usualHeaders } from './request-headers.ts'
import { SeenService } from './seen-service.ts'
import { SharedFetches } from './shared-fetches.ts'
import type { Subgraph } from './subgraph.ts'
import { type ErrorPolicy, usualErrorPolicy } from './subgraph-errors.ts'

/** How one GraphQL server is talked with. */
export interface SubgraphRules {
  /** Default: no header of the client but its language, and its credentials where the policy forwards them. */
  readonly headersFor?: HeadersFor
  /** Default: {@link usualErrorPolicy}. */
  readonly errors?: ErrorPolicy
  /** Whether identical queries that are under way at a time are sent once. Default true. */
  readonly shared?: boolean
  /** Default: clients see nothing of answers but data and errors. */
  readonly reply?: ReplyRules | undefined
  /** Where it takes subscriptions. Default: WebSockets at its path. */
  readonly subscription?: SubscriptionEndpoint | undefined
}

/** A subgraph and who serves it: a GraphQL server at an upstream, or a service that is asked in another way. */
export interface SubgraphPlace extends SubgraphRules {
  readonly name: string
  /** Needed for a GraphQL server. */
  readonly destination?: Destination | undefined
  /** Path of its endpoint. */
  readonly path: string
  /** Who is asked where there is no GraphQL server. */
  readonly service?: Subgraph
}

/** What all of them share. */
export interface ReachedOptions {
  /** Lower-case names of headers that no subgraph decides its answers by, for the comparison of queries. */
  readonly ignoredHeaders?: readonly string[]
  readonly observer?: GraphqlObserver | undefined
  readonly log: Logger
}

/** The subgraphs as fetches reach them. Throws an Error for one that nobody serves. */
export function reachedSubgraphs(places: readonly SubgraphPlace[], options: ReachedOptions): Subgraph[] {
  const { log, ignoredHeaders, observer } = options
  const fetches = new SharedFetches(ignoredHeaders)
  const mutated = (): void => fetches.forget()
  return places.map((place) => {
    const { name, path, destination, service, subscription, reply, shared = true } = place
    const observe = observer?.subgraph(name)
    if (service !== undefined) return new SeenService(service, { observe, mutated })
    if (destination === undefined) throw new Error(`Subgraph "${name}" has no upstream.`)
    const { headersFor = usualHeaders, errors = usualErrorPolicy } = place
    return new HttpSubgraph({
      name,
      destination,
      path,
      headersFor,
      errors,
      // What one caller is given to keep is not for another.
      shared: shared && !setsCookies(reply) ? fetches : undefined,
      mutated,
      reply,
      observe,
      subscription: subscription ?? { protocol: 'ws', path },
      log,
    })
  })
}

function setsCookies(reply: ReplyRules | undefined): boolean {
  return reply !== undefined && Object.keys(reply.forward).some((name) => name.toLowerCase() === 'set-cookie')
}
