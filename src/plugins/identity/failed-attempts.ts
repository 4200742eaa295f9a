const maxTracked = 10_000

/**
 * Counts what failed, by who tried, in windows of a fixed length. Of those who tried the last 10,000 are known: who comes from more addresses
 * than that is not stopped by this.
 */
export class FailedAttempts {
  readonly #windowMs: number
  readonly #most: number
  readonly #byCaller = new Map<string, { count: number; readonly until: number }>()

  /** @param most how many may fail in `windowMs` milliseconds. */
  constructor(most: number, windowMs: number) {
    this.#most = most
    this.#windowMs = windowMs
  }

  /** In how many milliseconds the caller may try again; 0: now. */
  waitMs(caller: string, nowMs: number): number {
    const known = this.#byCaller.get(caller)
    return known === undefined || known.count < this.#most ? 0 : Math.max(0, known.until - nowMs)
  }

  add(caller: string, nowMs: number): void {
    const known = this.#byCaller.get(caller)
    if (known !== undefined && nowMs < known.until) {
      known.count++
      return
    }
    this.#byCaller.delete(caller)
    this.#byCaller.set(caller, { count: 1, until: nowMs + this.#windowMs })
    if (this.#byCaller.size <= maxTracked) return
    for (const oldest of this.#byCaller.keys()) {
      this.#byCaller.delete(oldest)
      break
    }
  }
}
