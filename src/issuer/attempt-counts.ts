import { type Counts, KeyTable } from '../core/key-table.ts'

const maxCounts = 100_000

/** Failures under one key; times are Unix times in milliseconds. */
export class AttemptCount implements Counts {
  failures = 0
  waitUntil = 0
  forgetAt = 0
  knownUntil = 0

  get idleAt(): number {
    return Math.max(this.forgetAt, this.knownUntil)
  }

  get used(): number {
    return this.failures
  }
}

/** Failures by key: at most 100,000 keys, of which those with the fewest are forgotten first. */
export class AttemptCounts {
  readonly #table = new KeyTable<AttemptCount>()

  get size(): number {
    return this.#table.size
  }

  find(key: string): AttemptCount | undefined {
    return this.#table.get(key)
  }

  /** That of a key; made when there is none. */
  of(key: string, nowMs: number): AttemptCount {
    let count = this.#table.get(key)
    if (count === undefined) {
      count = new AttemptCount()
      this.#table.add(key, count, { maxKeys: maxCounts, now: nowMs })
    }
    return count
  }
}
