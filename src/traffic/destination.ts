import type { Exchange } from '../core/exchange.ts'
import type { Upstream } from './upstream.ts'

/** Where the calls of one place of the configuration go: of a route, a subgraph, a gRPC service. */
export class Destination {
  /** Whose calls they are: `route users`, `subgraph accounts`, `service library.v1.LibraryService`. */
  readonly place: string
  readonly upstream: Upstream
  readonly #fallbacks: ReadonlyMap<Upstream, Upstream>

  /** @param fallbacks of all upstreams of the configuration. */
  constructor(place: string, upstream: Upstream, fallbacks: ReadonlyMap<Upstream, Upstream> = none) {
    this.place = place
    this.upstream = upstream
    this.#fallbacks = fallbacks
  }

  /** Who takes a call of this exchange. */
  choose(_x: Exchange): Upstream {
    return this.upstream
  }

  /** Who takes the calls that an upstream cannot; undefined: nobody. */
  fallbackOf(upstream: Upstream): Upstream | undefined {
    return this.#fallbacks.get(upstream)
  }
}

const none: ReadonlyMap<Upstream, Upstream> = new Map()
