import type { Exchange } from '../core/exchange.ts'
import type { ExpectedTarget } from '../core/expected-target.ts'
import type { Canary } from './canary/canary.ts'
import type { Mirror } from './mirror/mirror.ts'
import type { Upstream } from './upstream.ts'

/** What a place may have besides its upstream. */
export interface DestinationOptions {
  /** A new version that is let in. */
  readonly canary?: Canary | undefined
  /** Where a share of the calls is copied to. */
  readonly mirror?: Mirror | undefined
  /** Who takes the calls that an upstream cannot; of all upstreams of the configuration. */
  readonly fallbacks?: ReadonlyMap<Upstream, Upstream>
}

/** Where the calls of one place of the configuration go: of a route, a subgraph, a gRPC service. */
export class Destination {
  /** Whose calls they are: `users`, `graphql/accounts`, `grpc/library.v1.LibraryService`. */
  readonly place: string
  readonly upstream: Upstream
  readonly canary: Canary | undefined
  readonly mirror: Mirror | undefined
  readonly #fallbacks: ReadonlyMap<Upstream, Upstream>

  constructor(
    place: string,
    upstream: Upstream,
    { canary, mirror, fallbacks = none }: DestinationOptions = {},
  ) {
    this.place = place
    this.upstream = upstream
    this.canary = canary
    this.mirror = mirror
    this.#fallbacks = fallbacks
  }

  /** The upstreams that calls may go to, for people: `users (canary users-v2, mirror users-next, fallback spare)`. */
  get summary(): string {
    const { canary, mirror, upstream } = this
    const beside = [
      canary && `canary ${canary.upstream.name}`,
      mirror && `mirror ${mirror.destination.upstream.name}`,
      ...this.#fallbacksOf(upstream).map(({ name }) => `fallback ${name}`),
    ].filter((text) => text !== undefined)
    return beside.length === 0 ? upstream.name : `${upstream.name} (${beside.join(', ')})`
  }

  /** Who takes a call of this exchange. */
  choose(x: Exchange): Upstream {
    return this.canary?.takes(x) === true ? this.canary.upstream : this.upstream
  }

  /** Where the call of this exchange would go right now. */
  expect(x: Exchange): ExpectedTarget {
    return this.choose(x).expect(x)
  }

  /** Who takes the calls that an upstream cannot; undefined: nobody. */
  fallbackOf(upstream: Upstream): Upstream | undefined {
    return this.#fallbacks.get(upstream)
  }

  /** One after the other; the configuration has no circles. */
  #fallbacksOf(upstream: Upstream): Upstream[] {
    const next = this.#fallbacks.get(upstream)
    return next === undefined ? [] : [next, ...this.#fallbacksOf(next)]
  }
}

const none: ReadonlyMap<Upstream, Upstream> = new Map()
