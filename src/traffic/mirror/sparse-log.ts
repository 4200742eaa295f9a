import type { Logger } from '../../core/log.ts'

/** Between two lines. */
const pauseMs = 10_000

/** Warnings about things that may happen with every request: one line in ten seconds, which says how many were not written. */
export class SparseLog {
  readonly #log: Logger
  readonly #now: () => number
  #nextAt = Number.NEGATIVE_INFINITY
  #unwritten = 0

  /** @param now milliseconds of any clock that does not go back. */
  constructor(log: Logger, now: () => number = () => performance.now()) {
    this.#log = log
    this.#now = now
  }

  /** `fields` is only called for a line that is written. */
  warn(fields: () => object, message: string): void {
    const now = this.#now()
    if (now < this.#nextAt) {
      this.#unwritten++
      return
    }
    this.#nextAt = now + pauseMs
    this.#log.warn({ ...fields(), unwritten: this.#unwritten }, message)
    this.#unwritten = 0
  }
}
