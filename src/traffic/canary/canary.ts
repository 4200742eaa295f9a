import type { Exchange } from '../../core/exchange.ts'
import type { Upstream } from '../upstream.ts'
import { compileMatch, type MatchOptions } from './match.ts'
import { compilePercentile } from './percentile.ts'
import type { Release } from './release.ts'

/** Who is sent to a new version. */
export interface CanaryOptions {
  readonly match: MatchOptions
  /** What a user is known by; see {@link compilePercentile}. */
  readonly stickyBy: readonly string[]
}

/** A new version beside the upstream of a place: decides for each call which of the two takes it. */
export class Canary {
  /** Of the new version. */
  readonly upstream: Upstream
  readonly release: Release
  readonly #match
  readonly #percentile

  constructor(upstream: Upstream, release: Release, options: CanaryOptions) {
    this.upstream = upstream
    this.release = release
    this.#match = compileMatch(options.match)
    this.#percentile = compilePercentile(options.stickyBy, release.place)
  }

  /** Whether the exchange belongs to the canary's side: by rule, else by percentage. */
  takes(x: Exchange): boolean {
    const { release } = this
    if (!release.open) return false
    const said = this.#match(x)
    if (said !== undefined) return said === 'canary'
    return this.#percentile(x) < release.weight
  }
}
