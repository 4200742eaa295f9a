import { type Algorithm, maxKeys, type State, type Told } from './algorithm.ts'

/**
 * So many requests in the window that ends now, as two counters: that of the current fixed window, and that of the one before by the
 * share of it that is still in sight, rounded up, as if its requests had come evenly. Exact while limit times window stays below
 * 2^53 microseconds; beyond that it may be one request off.
 */
export class SlidingWindow implements Algorithm {
  readonly script: Algorithm['script']
  readonly most: number
  readonly maxKeys: number = maxKeys
  readonly #limit: number
  readonly #spanMicros: number

  constructor({ limit, windowMs }: { readonly limit: number; readonly windowMs: number }) {
    this.#limit = limit
    this.most = limit
    this.#spanMicros = Math.ceil(windowMs * 1_000)
    this.script = [3, limit, this.#spanMicros]
  }

  from(units: number, nowMicros: number): State {
    if (units === 0) return { by: this, idleAt: 0, at: 0, used: 0, before: 0 }
    const at = nowMicros - (nowMicros % this.#spanMicros)
    return { by: this, idleAt: at + 2 * this.#spanMicros, at, used: Math.ceil(units), before: 0 }
  }

  units(state: State, nowMicros: number): number {
    this.#turnTo(state, nowMicros)
    return this.#counted(state, nowMicros)
  }

  admits(state: State, nowMicros: number, cost: number): boolean {
    this.#turnTo(state, nowMicros)
    return this.#counted(state, nowMicros) + cost <= this.#limit
  }

  add(state: State, _nowMicros: number, cost: number): void {
    state.used += cost
    state.idleAt = state.at + 2 * this.#spanMicros
  }

  remaining(told: Told, nowMicros: number): number {
    return Math.max(this.#limit - this.#counted(told, nowMicros), 0)
  }

  waitMicros(told: Told, nowMicros: number): number {
    const counted = this.#counted(told, nowMicros)
    return counted === 0 ? 0 : this.#until(Math.min(counted, this.#limit) - 1, told, nowMicros)
  }

  retryMicros(told: Told, nowMicros: number, cost: number): number {
    return this.#until(this.#limit - cost, told, nowMicros)
  }

  /** Until so little is in sight that only `wanted` are counted: of the window before, or later of this one. */
  #until(wanted: number, { at, used, before }: Told, nowMicros: number): number {
    const span = this.#spanMicros
    const elapsed = nowMicros - at
    return used <= wanted
      ? span - Math.floor(((wanted - used) * span) / before) - elapsed
      : 2 * span - Math.floor((wanted * span) / used) - elapsed
  }

  #turnTo(state: State, nowMicros: number): void {
    const start = nowMicros - (nowMicros % this.#spanMicros)
    // A window that has not begun yet is there when the clock went back: what it counted, counts.
    if (state.at < start) {
      state.before = start - state.at <= this.#spanMicros ? state.used : 0
      state.used = 0
    }
    state.at = start
  }

  #counted({ at, used, before }: Told, nowMicros: number): number {
    const inSight = Math.max(this.#spanMicros - (nowMicros - at), 0)
    return used + Math.ceil((before * inSight) / this.#spanMicros)
  }
}
