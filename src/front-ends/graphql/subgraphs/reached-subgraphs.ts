import type { SubgraphSource } from '../supergraph/supergraph-source.ts'
import { type HttpSubgraphsOptions, httpSubgraphs, type SubgraphRules } from './http-subgraphs.ts'
import type { Subgraph } from './subgraph.ts'

/** One subgraph and who serves it: an upstream, or a `service`. Needs `sdl` or `live` when no supergraph is given. */
export interface SubgraphOptions extends SubgraphSource, SubgraphRules {
  /** Who is asked where there is no GraphQL server. */
  readonly service?: Subgraph
}

/** All subgraphs as fetches reach them. Throws an Error when nobody serves one. */
export function reachedSubgraphs(
  subgraphs: readonly SubgraphOptions[],
  options: HttpSubgraphsOptions,
): readonly Subgraph[] {
  const services = subgraphs.flatMap(({ service }) => service ?? [])
  const servers = subgraphs.flatMap(({ service, destination, ...rest }) => {
    if (service !== undefined) return []
    if (destination === undefined) throw new Error(`Subgraph "${rest.name}" has no upstream.`)
    return { ...rest, destination }
  })
  return [...httpSubgraphs(servers, options), ...services]
}
