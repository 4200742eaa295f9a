/** Counts what went well and what failed in about the last `windowMs`: in ten buckets, the oldest of which is dropped as a whole. */
export class RollingCounts {
  readonly #bucketMs: number
  readonly #all = new Array<number>(buckets).fill(0)
  readonly #failed = new Array<number>(buckets).fill(0)
  /** Which bucket is filled, counted from time 0. */
  #tick = 0
  /** In the window as it was at the last {@link add}. */
  total = 0
  failures = 0

  constructor(windowMs: number) {
    this.#bucketMs = windowMs / buckets
  }

  /** `now`: `performance.now()`; one that is older than the last counts as the last. */
  add(failed: boolean, now: number): void {
    const tick = Math.floor(now / this.#bucketMs)
    if (tick > this.#tick) this.#forget(tick)
    const at = this.#tick % buckets
    this.#all[at] = (this.#all[at] as number) + 1
    this.total++
    if (!failed) return
    this.#failed[at] = (this.#failed[at] as number) + 1
    this.failures++
  }

  clear(): void {
    this.#all.fill(0)
    this.#failed.fill(0)
    this.total = 0
    this.failures = 0
  }

  #forget(tick: number): void {
    for (let past = Math.max(this.#tick + 1, tick - buckets + 1); past <= tick; past++) {
      const at = past % buckets
      this.total -= this.#all[at] as number
      this.failures -= this.#failed[at] as number
      this.#all[at] = 0
      this.#failed[at] = 0
    }
    this.#tick = tick
  }
}

const buckets = 10
