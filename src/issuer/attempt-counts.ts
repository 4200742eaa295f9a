/** Failures under one key. */
export interface AttemptCount {
  failures: number
  /** Unix time in milliseconds, all three. */
  waitUntil: number
  forgetAt: number
  knownUntil: number
}

const maxCounts = 100_000
/** How many old counts a new one looks at; above one, so that what is forgotten leaves faster than new ones come. */
const lookedAt = 8

/** Failures by key, in bounded memory. */
export class AttemptCounts {
  readonly #counts = new Map<string, AttemptCount>()
  #hand = this.#counts.entries()

  get size(): number {
    return this.#counts.size
  }

  find(key: string): AttemptCount | undefined {
    return this.#counts.get(key)
  }

  /** That of a key; made when there is none. */
  of(key: string, nowMs: number): AttemptCount {
    let count = this.#counts.get(key)
    if (count === undefined) {
      this.#makeRoom(nowMs)
      count = { failures: 0, waitUntil: 0, forgetAt: 0, knownUntil: 0 }
      this.#counts.set(key, count)
    }
    return count
  }

  /** Drops what is forgotten among the next few; when there is no room even so, the one of them with the fewest failures. */
  #makeRoom(nowMs: number): void {
    let least: string | undefined
    let fewest = Number.POSITIVE_INFINITY
    for (let i = 0; i < lookedAt && this.#counts.size > 0; i++) {
      let next = this.#hand.next()
      if (next.done) {
        this.#hand = this.#counts.entries()
        next = this.#hand.next()
        if (next.done) break
      }
      const [key, { failures, forgetAt, knownUntil }] = next.value
      if (forgetAt <= nowMs && knownUntil <= nowMs) this.#counts.delete(key)
      else if (failures < fewest) {
        least = key
        fewest = failures
      }
    }
    if (this.#counts.size >= maxCounts && least !== undefined) this.#counts.delete(least)
  }
}
