import { type Algorithm, maxKeys, type State, type Told } from './algorithm.ts'

/** Times of requests that all limits of a key may keep in memory, so that a limit of thousands has room for fewer keys: 32 MB. */
const maxTimes = 4_000_000

interface Log extends State {
  /** One to a unit, oldest first, from `head` on. */
  readonly times: number[]
  head: number
}

/** So many requests in the window that ends now, exactly: the time of each is kept. */
export class SlidingLog implements Algorithm<Log> {
  readonly script: Algorithm['script']
  readonly most: number
  readonly maxKeys: number
  readonly #limit: number
  readonly #spanMicros: number

  constructor({ limit, windowMs }: { readonly limit: number; readonly windowMs: number }) {
    this.#limit = limit
    this.most = limit
    this.#spanMicros = Math.ceil(windowMs * 1_000)
    this.maxKeys = Math.min(maxKeys, Math.floor(maxTimes / limit))
    this.script = [4, limit, this.#spanMicros]
  }

  from(units: number, nowMicros: number): Log {
    const used = Math.min(Math.ceil(units), this.#limit)
    const [at, idleAt] = used === 0 ? [0, 0] : [nowMicros, nowMicros + this.#spanMicros]
    return { by: this, idleAt, at, used, before: 0, times: new Array(used).fill(nowMicros), head: 0 }
  }

  units(state: Log, nowMicros: number): number {
    this.#trim(state, nowMicros)
    return state.used
  }

  admits(state: Log, nowMicros: number, cost: number): boolean {
    this.#trim(state, nowMicros)
    return state.used + cost <= this.#limit
  }

  seek(state: Log, cost: number): void {
    state.before = state.times[state.head + state.used - this.#limit + cost - 1] ?? 0
  }

  add(state: Log, nowMicros: number, cost: number): void {
    for (let i = 0; i < cost; i++) state.times.push(nowMicros)
    state.idleAt = nowMicros + this.#spanMicros
    this.#count(state)
  }

  remaining({ used }: Told): number {
    return Math.max(this.#limit - used, 0)
  }

  waitMicros({ at, used }: Told, nowMicros: number): number {
    return used === 0 ? 0 : at + this.#spanMicros - nowMicros
  }

  retryMicros({ before }: Told, nowMicros: number): number {
    return before + this.#spanMicros - nowMicros
  }

  #trim(state: Log, nowMicros: number): void {
    const { times } = state
    while (state.head < times.length && (times[state.head] as number) <= nowMicros - this.#spanMicros)
      state.head++
    if (state.head * 2 > times.length) {
      times.splice(0, state.head)
      state.head = 0
    }
    // What is still to come is there when the clock went back.
    for (let i = times.length - 1; i >= state.head && (times[i] as number) > nowMicros; i--)
      times[i] = nowMicros
    this.#count(state)
  }

  #count(state: Log): void {
    state.used = state.times.length - state.head
    // Usually the oldest; after the limit was lowered, the one with whose end less than the limit is left.
    state.at = state.times[state.head + Math.max(state.used - this.#limit, 0)] ?? 0
  }
}
