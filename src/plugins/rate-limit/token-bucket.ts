import { type Algorithm, maxKeys, type State, type Told } from './algorithm.ts'

/**
 * A token bucket as the generic cell rate algorithm (ITU-T I.371, annex A): one token each interval, `burst` of them at the most. All
 * that is kept of a key is when its bucket is full again.
 */
export class TokenBucket implements Algorithm {
  readonly script: Algorithm['script']
  readonly most: number
  readonly maxKeys: number = maxKeys
  readonly #intervalMicros: number
  readonly #capacityMicros: number

  /** The interval is rounded up: the limit is never exceeded. */
  constructor(options: { readonly limit: number; readonly windowMs: number; readonly burst: number }) {
    this.#intervalMicros = Math.ceil((options.windowMs * 1_000) / options.limit)
    this.#capacityMicros = this.#intervalMicros * options.burst
    this.most = options.burst
    this.script = [1, this.#capacityMicros, this.#intervalMicros]
  }

  from(units: number, nowMicros: number): State {
    const used = Math.min(Math.ceil(units * this.#intervalMicros), this.#capacityMicros)
    const at = units === 0 ? 0 : nowMicros + used
    return { by: this, idleAt: at, at, used: at, before: 0 }
  }

  units({ at }: State, nowMicros: number): number {
    return backlog(at, nowMicros) / this.#intervalMicros
  }

  admits(state: State, nowMicros: number, cost: number): boolean {
    // Later than a bucket takes to fill it is only when the clock went back or the limit was lowered.
    state.at = Math.min(state.at, nowMicros + this.#capacityMicros)
    return backlog(state.at, nowMicros) + cost * this.#intervalMicros <= this.#capacityMicros
  }

  add(state: State, nowMicros: number, cost: number): void {
    state.at = nowMicros + backlog(state.at, nowMicros) + cost * this.#intervalMicros
    state.idleAt = state.at
    state.used = state.at
  }

  remaining({ at }: Told, nowMicros: number): number {
    return Math.floor((this.#capacityMicros - backlog(at, nowMicros)) / this.#intervalMicros)
  }

  waitMicros({ at }: Told, nowMicros: number): number {
    const lacking = backlog(at, nowMicros)
    if (lacking === 0) return 0
    return this.#intervalMicros - ((this.#capacityMicros - lacking) % this.#intervalMicros)
  }

  retryMicros({ at }: Told, nowMicros: number, cost: number): number {
    return Math.max(backlog(at, nowMicros) + cost * this.#intervalMicros - this.#capacityMicros, 0)
  }
}

/** Until the bucket is full. */
function backlog(at: number, nowMicros: number): number {
  return Math.max(at - nowMicros, 0)
}
