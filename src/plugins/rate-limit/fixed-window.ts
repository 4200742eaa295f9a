import { type Algorithm, maxKeys, type State, type Told } from './algorithm.ts'

/**
 * So many requests in each window; windows begin at whole multiples of their length since 1970, so that a day is a day in UTC. At
 * the border of two windows twice the limit may pass in a short time.
 */
export class FixedWindow implements Algorithm {
  readonly script: Algorithm['script']
  readonly most: number
  readonly maxKeys: number = maxKeys
  readonly #limit: number
  readonly #spanMicros: number

  constructor({ limit, windowMs }: { readonly limit: number; readonly windowMs: number }) {
    this.#limit = limit
    this.most = limit
    this.#spanMicros = Math.ceil(windowMs * 1_000)
    this.script = [2, limit, this.#spanMicros]
  }

  from(units: number, nowMicros: number): State {
    if (units === 0) return { by: this, idleAt: 0, at: 0, used: 0, before: 0 }
    const at = nowMicros - (nowMicros % this.#spanMicros)
    return { by: this, idleAt: at + this.#spanMicros, at, used: Math.ceil(units), before: 0 }
  }

  units({ at, used }: State, nowMicros: number): number {
    return nowMicros < at + this.#spanMicros ? used : 0
  }

  admits(state: State, nowMicros: number, cost: number): boolean {
    const start = nowMicros - (nowMicros % this.#spanMicros)
    // A window that has not begun yet is there when the clock went back: what it counted, counts.
    if (state.at < start) state.used = 0
    state.at = start
    return state.used + cost <= this.#limit
  }

  add(state: State, _nowMicros: number, cost: number): void {
    state.used += cost
    state.idleAt = state.at + this.#spanMicros
  }

  remaining({ used }: Told): number {
    return Math.max(this.#limit - used, 0)
  }

  waitMicros({ at, used }: Told, nowMicros: number): number {
    return used === 0 ? 0 : at + this.#spanMicros - nowMicros
  }

  retryMicros({ at }: Told, nowMicros: number): number {
    return at + this.#spanMicros - nowMicros
  }
}
