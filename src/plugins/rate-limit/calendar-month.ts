import { type Algorithm, maxKeys, type State, type Told } from './algorithm.ts'

/** So many requests in each month of the calendar, in UTC. */
export class CalendarMonth implements Algorithm {
  readonly script: Algorithm['script']
  readonly most: number
  readonly maxKeys: number = maxKeys
  readonly #limit: number
  #start = 0
  #end = 0

  constructor(limit: number) {
    this.#limit = limit
    this.most = limit
    this.script = [5, limit, 0]
  }

  from(units: number, nowMicros: number): State {
    if (units === 0) return { by: this, idleAt: 0, at: 0, used: 0, before: 0 }
    this.#turnTo(nowMicros)
    return { by: this, idleAt: this.#end, at: this.#start, used: Math.ceil(units), before: 0 }
  }

  units({ at, used }: State, nowMicros: number): number {
    this.#turnTo(nowMicros)
    return at < this.#start ? 0 : used
  }

  admits(state: State, nowMicros: number, cost: number): boolean {
    this.#turnTo(nowMicros)
    // A month that has not begun yet is there when the clock went back: what it counted, counts.
    if (state.at < this.#start) state.used = 0
    state.at = this.#start
    return state.used + cost <= this.#limit
  }

  add(state: State, _nowMicros: number, cost: number): void {
    state.used += cost
    state.idleAt = this.#end
  }

  remaining({ used }: Told): number {
    return Math.max(this.#limit - used, 0)
  }

  waitMicros(told: Told, nowMicros: number): number {
    return told.used === 0 ? 0 : this.retryMicros(told, nowMicros)
  }

  retryMicros({ at }: Told, nowMicros: number): number {
    this.#turnTo(at)
    return this.#end - nowMicros
  }

  /** Computed once a month, because it is asked for every request. */
  #turnTo(micros: number): void {
    if (micros >= this.#start && micros < this.#end) return
    const date = new Date(micros / 1_000)
    this.#start = Date.UTC(date.getUTCFullYear(), date.getUTCMonth()) * 1_000
    this.#end = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) * 1_000
  }
}
