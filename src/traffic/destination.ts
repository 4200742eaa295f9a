import type { Exchange } from '../core/exchange.ts'
import type { Upstream } from './upstream.ts'

/** Where the calls of one place of the configuration go: of a route, a subgraph, a gRPC service. */
export class Destination {
  /** Whose calls they are: `route users`, `subgraph accounts`, `service library.v1.LibraryService`. */
  readonly place: string
  readonly upstream: Upstream

  constructor(place: string, upstream: Upstream) {
    this.place = place
    this.upstream = upstream
  }

  /** Who takes a call of this exchange. */
  choose(_x: Exchange): Upstream {
    return this.upstream
  }
}
