import { toGatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Call } from '../call.ts'
import { type Outcome, outcomeOf } from '../outcome.ts'
import { maySendAgain } from '../retry.ts'
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

/** A new version beside the upstream of a place: which calls it takes, and what becomes of them. */
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

  /** Whether the call is on one of the two sides; else a fallback has it. */
  isSide({ upstream, destination }: Call): boolean {
    return upstream === this.upstream || upstream === destination.upstream
  }

  /**
   * Makes a call by `send` on the side that was chosen for it, and tells the release how it ended. A canary costs no call that may safely be
   * sent again: that goes to the stable side then, where it counts for nothing, having come late.
   */
  async carry<Reply>(call: Call, send: () => Promise<Reply>): Promise<Reply> {
    // Not one that a fallback led here: the stable side has had it then.
    const isFresh = call.canary === undefined
    this.#mark(call)
    const isCanary = call.canary === true
    try {
      const reply = await send()
      this.#record(call, isCanary, outcomeOf(call.fault, undefined))
      return reply
    } catch (thrown) {
      const error = toGatewayError(thrown)
      const goesBack = isFresh && isCanary && maySendAgain(call, error)
      this.#record(call, isCanary, outcomeOf(call.fault, error))
      if (!goesBack) throw error
      call.turnTo(call.destination.upstream, error)
      this.#mark(call)
      return await send()
    }
  }

  #record(call: Call, isCanary: boolean, outcome: Outcome): void {
    this.release.record(isCanary ? 'canary' : 'stable', outcome, call.durationMs)
  }

  /** Backend and client are told the side; the client of several calls, whether any of them is on that of a canary. */
  #mark(call: Call): void {
    const { headers, exchange } = call
    call.canary = call.upstream === this.upstream
    put(headers, 'x-canary', String(call.canary))
    put(exchange.replyHeaders, 'X-Canary', String(exchange.calls.some(({ canary }) => canary)))
  }
}

function put(headers: string[], name: string, value: string): void {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== name) continue
    headers[i + 1] = value
    return
  }
  headers.push(name, value)
}
