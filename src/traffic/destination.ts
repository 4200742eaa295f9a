import type { Exchange } from '../core/exchange.ts'
import type { Canary } from './canary/canary.ts'
import type { Upstream } from './upstream.ts'

/** What a place may have besides its upstream. */
export interface DestinationOptions {
  /** A new version that is let in. */
  readonly canary?: Canary | undefined
  /** Who takes the calls that an upstream cannot; of all upstreams of the configuration. */
  readonly fallbacks?: ReadonlyMap<Upstream, Upstream>
}

/** Where the calls of one place of the configuration go: of a route, a subgraph, a gRPC service. */
export class Destination {
  /** Whose calls they are: `users`, `graphql/accounts`, `grpc/library.v1.LibraryService`. */
  readonly place: string
  readonly upstream: Upstream
  readonly canary: Canary | undefined
  readonly #fallbacks: ReadonlyMap<Upstream, Upstream>

  constructor(place: string, upstream: Upstream, { canary, fallbacks = none }: DestinationOptions = {}) {
    this.place = place
    this.upstream = upstream
    this.canary = canary
    this.#fallbacks = fallbacks
  }

  /** Who takes a call of this exchange. */
  choose(x: Exchange): Upstream {
    return this.canary?.takes(x) === true ? this.canary.upstream : this.upstream
  }

  /** Who takes the calls that an upstream cannot; undefined: nobody. */
  fallbackOf(upstream: Upstream): Upstream | undefined {
    return this.#fallbacks.get(upstream)
  }
}

const none: ReadonlyMap<Upstream, Upstream> = new Map()
