import type { Logger } from '../../../core/log.ts'
import type { SubgraphSource } from '../supergraph/supergraph-source.ts'
import { HttpSubgraph } from './http-subgraph.ts'
import { type HeadersFor, usualHeaders } from './request-headers.ts'
import type { Subgraph } from './subgraph.ts'
import { type ErrorPolicy, usualErrorPolicy } from './subgraph-errors.ts'

/** One subgraph and who serves it: an upstream, or a `service`. Needs `sdl` or `live` when no supergraph is given. */
export interface SubgraphOptions extends SubgraphSource {
  /** Who is asked where there is no GraphQL server. */
  readonly service?: Subgraph
  /** Default: no header of the client but its language, and its credentials where the policy forwards them. */
  readonly headersFor?: HeadersFor
  /** Default: {@link usualErrorPolicy}. */
  readonly errors?: ErrorPolicy
}

/** The subgraph as fetches reach it. Throws an Error when nobody serves it. */
export function reachedSubgraph(options: SubgraphOptions, log: Logger): Subgraph {
  const { service, destination, name } = options
  if (service !== undefined) return service
  if (destination === undefined) throw new Error(`Subgraph "${name}" has no upstream.`)
  return new HttpSubgraph({ ...usual, ...options, destination, log })
}

const usual = { headersFor: usualHeaders, errors: usualErrorPolicy }
