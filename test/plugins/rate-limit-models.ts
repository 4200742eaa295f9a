import type { LimitOptions } from '../../src/plugins/rate-limit/options.ts'
import { type Quota, quotaOf } from '../../src/plugins/rate-limit/quota.ts'

export type Algorithm = LimitOptions['algorithm']
export const algorithms: readonly Algorithm[] = ['tokenBucket', 'slidingWindow', 'slidingLog', 'fixedWindow']

/** A limit as short as its test: windows in microseconds. */
export interface Small {
  readonly algorithm: Algorithm
  readonly limit: number
  readonly windowMicros: number
  readonly burst: number
}

export function randomLimit(
  algorithm: Algorithm,
  { random, maxWindowMicros }: { readonly random: () => number; readonly maxWindowMicros: number },
): Small {
  const limit = 1 + Math.floor(random() * 12)
  const burst = algorithm === 'tokenBucket' ? 1 + Math.floor(random() * 15) : limit
  const windowMicros = limit + Math.floor(random() * maxWindowMicros)
  return { algorithm, limit, windowMicros, burst }
}

export function quotaFor({ algorithm, limit, windowMicros, burst }: Small): Quota {
  return quotaOf({ name: 'n', algorithm }, { limit, window: windowMicros / 1_000, burst })
}

/** The same limit, dumb: remembers when every request came, and goes through all of them for every answer. */
export class Model {
  readonly #small: Small
  readonly #times: number[] = []

  constructor(small: Small) {
    this.#small = small
  }

  add(now: number): void {
    this.#times.push(now)
  }

  /** Whole requests left at a moment, if nobody comes before it. */
  remaining(now: number): number {
    const { algorithm, limit, windowMicros: window, burst } = this.#small
    if (algorithm === 'tokenBucket') {
      // As a bucket that drips: one drop each microsecond, a token is so many of them.
      const token = Math.ceil(window / limit)
      let drops = burst * token
      let last = 0
      for (const time of this.#times) {
        drops = Math.min(drops + time - last, burst * token) - token
        last = time
      }
      return Math.floor(Math.min(drops + now - last, burst * token) / token)
    }
    const windowOf = (time: number): number => Math.floor(time / window)
    const inWindow = (nth: number): number => this.#times.filter((time) => windowOf(time) === nth).length
    if (algorithm === 'fixedWindow') return limit - inWindow(windowOf(now))
    if (algorithm === 'slidingLog') return limit - this.#times.filter((time) => time > now - window).length
    const share = BigInt(inWindow(windowOf(now) - 1)) * BigInt(window - (now % window))
    const inSight = Number((share + BigInt(window) - 1n) / BigInt(window))
    return limit - inWindow(windowOf(now)) - inSight
  }

  /** Until one more is left, found by waiting: a microsecond at a time. */
  wait(now: number): number {
    const left = this.remaining(now)
    if (left === this.#small.burst) return 0
    for (let wait = 1; ; wait++) if (this.remaining(now + wait) > left) return wait
  }
}
