import { type Algorithm, maxKeys, type Standing, type State } from './algorithm.ts'

/** Times of requests that all limits of a key may keep in memory, so that a limit of thousands has room for fewer keys: 32 MB. */
const maxTimes = 4_000_000

interface Log extends State {
  /** Oldest first, from `head` on. */
  readonly times: number[]
  head: number
}

/** So many requests in the window that ends now, exactly: the time of each is kept. */
export class SlidingLog implements Algorithm<Log> {
  readonly script: Algorithm['script']
  readonly maxKeys: number
  readonly #limit: number
  readonly #spanMicros: number

  constructor({ limit, windowMs }: { readonly limit: number; readonly windowMs: number }) {
    this.#limit = limit
    this.#spanMicros = Math.ceil(windowMs * 1_000)
    this.maxKeys = Math.min(maxKeys, Math.floor(maxTimes / limit))
    this.script = [4, limit, this.#spanMicros]
  }

  fresh(): Log {
    return { idleAt: 0, used: 0, times: [], head: 0 }
  }

  admits(state: Log, nowMicros: number): boolean {
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
    state.used = times.length - state.head
    return state.used < this.#limit
  }

  add(state: Log, nowMicros: number): void {
    state.times.push(nowMicros)
    state.used++
    state.idleAt = nowMicros + this.#spanMicros
  }

  standing({ times, head, used }: Log, nowMicros: number): Standing {
    // Usually the oldest; after the limit was lowered, the one with whose end less than the limit is left.
    const next = times[head + Math.max(used - this.#limit, 0)] ?? 0
    return this.standingTold([next, used, 0], nowMicros)
  }

  standingTold([next, used]: readonly [number, number, number], nowMicros: number): Standing {
    return {
      remaining: Math.max(this.#limit - used, 0),
      waitMicros: used === 0 ? 0 : next + this.#spanMicros - nowMicros,
    }
  }
}
