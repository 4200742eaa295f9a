import type { Exchange } from '../core/exchange.ts'
import type { Canary } from './canary/canary.ts'
import type { Upstream } from './upstream.ts'

/** Where the calls of one place of the configuration go: of a route, a subgraph, a gRPC service. */
export class Destination {
  /** Whose calls they are: `users`, `graphql/accounts`, `grpc/library.v1.LibraryService`. */
  readonly place: string
  readonly upstream: Upstream
  /** A new version that is let in; undefined: none. */
  readonly canary: Canary | undefined

  constructor(place: string, upstream: Upstream, canary?: Canary) {
    this.place = place
    this.upstream = upstream
    this.canary = canary
  }

  /** Who takes a call of this exchange. */
  choose(x: Exchange): Upstream {
    return this.canary?.takes(x) === true ? this.canary.upstream : this.upstream
  }
}
