const maxEntries = 10_000

/** What is remembered under a digest. */
export interface Remembered {
  /** About how much room it takes. */
  readonly bytes: number
}

/**
 * What was found out about something, by its SHA-256: at most 10,000 entries, and about `maxBytes`. First in, first out: what is still in use is
 * found out again, at the cost of one signature or one question.
 */
export class DigestCache<T extends Remembered> {
  readonly #maxBytes: number
  readonly #entries = new Map<string, T>()
  #bytes = 0

  /** @param maxBytes 32 MiB by default. */
  constructor(maxBytes = 33_554_432) {
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#entries.size
  }

  get(digest: string): T | undefined {
    return this.#entries.get(digest)
  }

  set(digest: string, entry: T): void {
    this.delete(digest)
    this.#entries.set(digest, entry)
    this.#bytes += entry.bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= maxEntries && this.#bytes <= this.#maxBytes) break
      this.delete(oldest)
    }
  }

  /** Forgets all; returns how many there were. */
  clear(): number {
    const { size } = this
    this.#entries.clear()
    this.#bytes = 0
    return size
  }

  delete(digest: string): void {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return
    this.#entries.delete(digest)
    this.#bytes -= entry.bytes
  }
}
