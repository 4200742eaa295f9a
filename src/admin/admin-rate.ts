import { GatewayError } from '../core/error.ts'
import { networkOf } from '../core/network-of.ts'

/** Callers that are remembered at the most. */
const maxCallers = 10_000

export interface AdminRateOptions {
  /** In one window, which may come at once; 0: no limit. */
  readonly limit: number
  readonly windowMs: number
}

/** How often one token may be used from one address (IPv6: its /64): by the generic cell rate algorithm, one number per caller. */
export class AdminRate {
  readonly #options: () => AdminRateOptions
  /** When all that was used will have come back, Unix time in milliseconds, by caller; the longest unused first. */
  readonly #fullAt = new Map<string, number>()

  /** @param options of the running configuration. */
  constructor(options: () => AdminRateOptions) {
    this.#options = options
  }

  /** Counts one call. Throws RATE_LIMITED. */
  take(name: string, address: string, nowMs: number): void {
    const { limit, windowMs } = this.#options()
    if (limit === 0) return
    const caller = `${networkOf(address)} ${name}`
    const fullAt = Math.max(this.#fullAt.get(caller) ?? 0, nowMs) + windowMs / limit
    const waitMs = fullAt - nowMs - windowMs
    // A hair for what fractions add up to.
    if (waitMs > 0.5)
      throw new GatewayError(
        'RATE_LIMITED',
        `More than ${limit} requests in ${windowMs / 1_000} s (admin.rateLimit).`,
        {
          retryAfterMs: waitMs,
        },
      )
    this.#fullAt.delete(caller)
    this.#fullAt.set(caller, fullAt)
    const [oldest] = this.#fullAt.keys()
    if (this.#fullAt.size > maxCallers && oldest !== undefined) this.#fullAt.delete(oldest)
  }
}
