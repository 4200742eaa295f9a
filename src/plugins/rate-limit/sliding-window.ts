import { type Algorithm, maxKeys, type Standing, type State } from './algorithm.ts'

interface Windows extends State {
  startMicros: number
  previous: number
}

/**
 * So many requests in the window that ends now, as two counters: that of the current fixed window, and that of the one before by the
 * share of it that is still in sight, rounded up, as if its requests had come evenly. Exact while limit times window stays below
 * 2^53 microseconds; beyond that it may be one request off.
 */
export class SlidingWindow implements Algorithm<Windows> {
  readonly script: Algorithm['script']
  readonly maxKeys: number = maxKeys
  readonly #limit: number
  readonly #spanMicros: number

  constructor({ limit, windowMs }: { readonly limit: number; readonly windowMs: number }) {
    this.#limit = limit
    this.#spanMicros = Math.ceil(windowMs * 1_000)
    this.script = [3, limit, this.#spanMicros]
  }

  fresh(): Windows {
    return { idleAt: 0, used: 0, startMicros: 0, previous: 0 }
  }

  admits(state: Windows, nowMicros: number): boolean {
    const start = nowMicros - (nowMicros % this.#spanMicros)
    // A window that has not begun yet is there when the clock went back or windows were made longer: what it counted, counts.
    if (state.startMicros < start) {
      state.previous = start - state.startMicros <= this.#spanMicros ? state.used : 0
      state.used = 0
    }
    state.startMicros = start
    return state.used + this.#inSight(state.previous, nowMicros - start) < this.#limit
  }

  add(state: Windows): void {
    state.used++
    state.idleAt = state.startMicros + 2 * this.#spanMicros
  }

  standing({ startMicros, used, previous }: Windows, nowMicros: number): Standing {
    return this.standingTold([startMicros, used, previous], nowMicros)
  }

  standingTold(
    [startMicros, used, previous]: readonly [number, number, number],
    nowMicros: number,
  ): Standing {
    const span = this.#spanMicros
    const elapsed = nowMicros - startMicros
    const counted = used + this.#inSight(previous, elapsed)
    if (counted === 0) return { remaining: this.#limit, waitMicros: 0 }
    const wanted = Math.min(counted, this.#limit) - 1
    // When so little of a window is in sight that only `wanted` are counted: of the one before, or later of this one.
    const waitMicros =
      used <= wanted
        ? span - Math.floor(((wanted - used) * span) / previous) - elapsed
        : 2 * span - Math.floor((wanted * span) / used) - elapsed
    return { remaining: Math.max(this.#limit - counted, 0), waitMicros }
  }

  #inSight(previous: number, elapsedMicros: number): number {
    return Math.ceil((previous * (this.#spanMicros - elapsedMicros)) / this.#spanMicros)
  }
}
