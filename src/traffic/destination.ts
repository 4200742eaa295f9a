import type { Exchange } from '../core/exchange.ts'
import type { Mirror } from './mirror/mirror.ts'
import type { Upstream } from './upstream.ts'

/** Where the calls of one place of the configuration go: of a route, a subgraph, a gRPC service. */
export class Destination {
  /** Whose calls they are: `users`, `graphql/accounts`, `grpc/library.v1.LibraryService`. */
  readonly place: string
  readonly upstream: Upstream
  /** Where a share of them is copied to; undefined: nowhere. */
  readonly mirror: Mirror | undefined

  constructor(place: string, upstream: Upstream, { mirror }: { readonly mirror?: Mirror | undefined } = {}) {
    this.place = place
    this.upstream = upstream
    this.mirror = mirror
  }

  /** Who takes a call of this exchange. */
  choose(_x: Exchange): Upstream {
    return this.upstream
  }
}
