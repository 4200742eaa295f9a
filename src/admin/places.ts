import { GatewayError } from '../core/error.ts'

/** Room for so many at a time, of those who listen to a stream. */
export class Places {
  readonly #most: number
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Takes one until `signal` aborts. Throws TOO_MANY_AT_ONCE when there is none left. */
  hold(signal: AbortSignal): void {
    if (this.#taken >= this.#most)
      throw new GatewayError('TOO_MANY_AT_ONCE', `${this.#most} listen already; try again later.`, {
        retryAfterMs: 10_000,
      })
    if (signal.aborted) return
    this.#taken++
    signal.addEventListener('abort', () => this.#taken--, { once: true })
  }
}
