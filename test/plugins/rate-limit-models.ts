import type { LimitOptions } from '../../src/plugins/rate-limit/options.ts'
import { type Quota, quotaOf } from '../../src/plugins/rate-limit/quota.ts'

export type Algorithm = LimitOptions['algorithm']
export const algorithms: readonly Algorithm[] = [
  'tokenBucket',
  'leakyBucket',
  'slidingWindow',
  'slidingLog',
  'fixedWindow',
]

/** A limit as short as its test: windows in microseconds. */
export interface Small {
  readonly algorithm: Algorithm
  readonly limit: number
  readonly windowMicros: number
  /** Requests at once after a pause; of a leaky bucket one, and those that may wait. */
  readonly burst: number
}

export function randomLimit(
  algorithm: Algorithm,
  { random, maxWindowMicros }: { readonly random: () => number; readonly maxWindowMicros: number },
): Small {
  const limit = 1 + Math.floor(random() * 12)
  const burst = algorithm.endsWith('Bucket') ? 1 + Math.floor(random() * 15) : limit
  const windowMicros = limit + Math.floor(random() * maxWindowMicros)
  return { algorithm, limit, windowMicros, burst }
}

export function quotaFor({ algorithm, limit, windowMicros, burst }: Small): Quota {
  const size = { limit, window: windowMicros / 1_000, burst, queue: burst - 1 }
  return quotaOf({ name: 'n', algorithm }, size)
}

/** The same limit, dumb: remembers when every unit came, and goes through all of them for every answer. */
export class Model {
  readonly #small: Small
  readonly #times: number[] = []

  constructor(small: Small) {
    this.#small = small
  }

  add(now: number, cost = 1): void {
    for (let i = 0; i < cost; i++) this.#times.push(now)
  }

  /** Whole units left at a moment, if nobody comes before it. */
  remaining(now: number): number {
    const { algorithm, limit, windowMicros: window, burst } = this.#small
    if (algorithm === 'leakyBucket') {
      // As a queue: who comes waits until those before him are gone, and is let in as long as fewer than `burst` are there.
      let room = 0
      while (this.turn(now) + room * this.#interval() <= (burst - 1) * this.#interval()) room++
      return room
    }
    if (algorithm === 'tokenBucket') {
      // As a bucket that drips: one drop each microsecond, a token is so many of them.
      const token = this.#interval()
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

  /** How long one that comes now would wait for its turn; 0 where nobody waits. */
  turn(now: number): number {
    if (this.#small.algorithm !== 'leakyBucket') return 0
    let free = 0
    for (const time of this.#times) free = Math.max(free, time) + this.#interval()
    return Math.max(free - now, 0)
  }

  /** Until one more is left, found by waiting: a microsecond at a time. */
  wait(now: number): number {
    const left = this.remaining(now)
    if (left === this.#small.burst) return 0
    for (let wait = 1; ; wait++) if (this.remaining(now + wait) > left) return wait
  }

  /** Until so many are left; Infinity when there never are. */
  retry(now: number, cost: number): number {
    if (cost > this.#small.burst) return Number.POSITIVE_INFINITY
    for (let wait = 0; ; wait++) if (this.remaining(now + wait) >= cost) return wait
  }

  #interval(): number {
    return Math.ceil(this.#small.windowMicros / this.#small.limit)
  }
}
