import type { Told } from './algorithm.ts'
import { TokenBucket } from './token-bucket.ts'

/**
 * A leaky bucket as a queue: requests go on one by one, an interval apart, and up to `queue` of them wait for their turn. To count is the same
 * as a token bucket that holds one more than wait (both are the algorithm of ITU-T I.371); what differs is that its debt is waited for.
 */
export class LeakyBucket extends TokenBucket {
  readonly #intervalMicros: number

  constructor(options: { readonly limit: number; readonly windowMs: number; readonly queue: number }) {
    super({ ...options, burst: options.queue + 1 })
    this.#intervalMicros = this.script[2]
  }

  turnMicros({ at }: Told, nowMicros: number, cost: number): number {
    return Math.max(at - cost * this.#intervalMicros - nowMicros, 0)
  }
}
