import { type Algorithm, maxKeys, type Standing, type State } from './algorithm.ts'

interface Window extends State {
  startMicros: number
}

/**
 * So many requests in each window; windows begin at whole multiples of their length since 1970, so that a day is a day in UTC. At
 * the border of two windows twice the limit may pass in a short time.
 */
export class FixedWindow implements Algorithm<Window> {
  readonly script: Algorithm['script']
  readonly maxKeys: number = maxKeys
  readonly #limit: number
  readonly #spanMicros: number

  constructor({ limit, windowMs }: { readonly limit: number; readonly windowMs: number }) {
    this.#limit = limit
    this.#spanMicros = Math.ceil(windowMs * 1_000)
    this.script = [2, limit, this.#spanMicros]
  }

  fresh(): Window {
    return { idleAt: 0, used: 0, startMicros: 0 }
  }

  admits(state: Window, nowMicros: number): boolean {
    const start = nowMicros - (nowMicros % this.#spanMicros)
    // A window that has not begun yet is there when the clock went back or windows were made longer: what it counted, counts.
    if (state.startMicros < start) state.used = 0
    state.startMicros = start
    return state.used < this.#limit
  }

  add(state: Window): void {
    state.used++
    state.idleAt = state.startMicros + this.#spanMicros
  }

  standing({ startMicros, used }: Window, nowMicros: number): Standing {
    return this.standingTold([startMicros, used, 0], nowMicros)
  }

  standingTold([startMicros, used]: readonly [number, number, number], nowMicros: number): Standing {
    return {
      remaining: Math.max(this.#limit - used, 0),
      waitMicros: used === 0 ? 0 : startMicros + this.#spanMicros - nowMicros,
    }
  }
}
