const maxEntries = 10_000
const maxBytes = 33_554_432

/** What is remembered under the digest of a token. */
export interface Remembered {
  /** About how much room it takes. */
  readonly bytes: number
}

/**
 * What was found out about tokens, by their SHA-256: at most 10,000 of them, and about 32 MiB. First in, first out: a token that is still in
 * use is looked at again, at the cost of one signature or one question.
 */
export class TokenCache<T extends Remembered> {
  readonly #entries = new Map<string, T>()
  #bytes = 0

  get(digest: string): T | undefined {
    return this.#entries.get(digest)
  }

  set(digest: string, entry: T): void {
    this.delete(digest)
    this.#entries.set(digest, entry)
    this.#bytes += entry.bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= maxEntries && this.#bytes <= maxBytes) break
      this.delete(oldest)
    }
  }

  delete(digest: string): void {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return
    this.#entries.delete(digest)
    this.#bytes -= entry.bytes
  }
}
