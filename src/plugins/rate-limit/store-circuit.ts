const retryMs = 1_000

/**
 * Keeps requests away from a store that fails: after a failure nobody asks it for a second, then one request does, and the rest
 * follow when that one succeeded. Shared by all limiters, because they share the store.
 */
export class StoreCircuit {
  #retryAt = 0
  #down = false

  /** Whether the last that was asked of the store went well. */
  get up(): boolean {
    return !this.#down
  }

  /** Whether to ask the store now; while it is down, true once per second. */
  mayAsk(nowMs: number): boolean {
    if (!this.#down) return true
    // The lower side holds when the clock went back.
    if (nowMs < this.#retryAt && nowMs >= this.#retryAt - retryMs) return false
    this.#retryAt = nowMs + retryMs
    return true
  }

  /** The store answered. True when it was down before. */
  succeeded(): boolean {
    const changed = this.#down
    this.#down = false
    return changed
  }

  /** The store failed. True when it was up before. */
  failed(nowMs: number): boolean {
    const changed = !this.#down
    this.#down = true
    this.#retryAt = nowMs + retryMs
    return changed
  }
}
