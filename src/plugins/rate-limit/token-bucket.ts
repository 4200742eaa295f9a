import { type Algorithm, maxKeys, type Standing, type State } from './algorithm.ts'

/**
 * A token bucket as the generic cell rate algorithm (ITU-T I.371, annex A): one token each interval, `burst` of them at the most. All
 * that is kept of a key is when its bucket is full again.
 */
export class TokenBucket implements Algorithm {
  readonly script: Algorithm['script']
  readonly maxKeys: number = maxKeys
  readonly #intervalMicros: number
  readonly #capacityMicros: number

  /** The interval is rounded up: the limit is never exceeded. */
  constructor(options: { readonly limit: number; readonly windowMs: number; readonly burst: number }) {
    this.#intervalMicros = Math.ceil((options.windowMs * 1_000) / options.limit)
    this.#capacityMicros = this.#intervalMicros * options.burst
    this.script = [1, this.#capacityMicros, this.#intervalMicros]
  }

  fresh(): State {
    return { idleAt: 0, used: 0 }
  }

  admits(state: State, nowMicros: number): boolean {
    // Later than a bucket takes to fill it is only when the clock went back or the limit was lowered.
    state.idleAt = Math.min(state.idleAt, nowMicros + this.#capacityMicros)
    return backlog(state.idleAt, nowMicros) + this.#intervalMicros <= this.#capacityMicros
  }

  add(state: State, nowMicros: number): void {
    state.idleAt = nowMicros + backlog(state.idleAt, nowMicros) + this.#intervalMicros
    state.used = state.idleAt
  }

  standing(state: State, nowMicros: number): Standing {
    return this.#standing(state.idleAt, nowMicros)
  }

  standingTold([fullAt]: readonly [number, number, number], nowMicros: number): Standing {
    return this.#standing(fullAt, nowMicros)
  }

  #standing(fullAt: number, nowMicros: number): Standing {
    const lacking = backlog(fullAt, nowMicros)
    const left = this.#capacityMicros - lacking
    return {
      remaining: Math.floor(left / this.#intervalMicros),
      waitMicros: lacking === 0 ? 0 : this.#intervalMicros - (left % this.#intervalMicros),
    }
  }
}

/** Until the bucket is full. */
function backlog(fullAt: number, nowMicros: number): number {
  return Math.max(fullAt - nowMicros, 0)
}
