import type { Verdict } from './verdict.ts'

const maxEntries = 10_000
const maxBytes = 8 * 1_048_576
const maxEntryBytes = 16_384

interface Entry {
  readonly verdict: Verdict
  readonly bytes: number
  /** Unix time in milliseconds. */
  readonly expiresAt: number
}

/** What a service let pass, for as long as it holds: at most 10,000 entries and 8 MiB, those that were kept longest go first. */
export class VerdictCache {
  readonly #entries = new Map<string, Entry>()
  readonly #ttlMs: number
  readonly #now: () => number
  #bytes = 0

  constructor(ttlMs: number, now: () => number) {
    this.#ttlMs = ttlMs
    this.#now = now
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Verdict | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (this.#now() < entry.expiresAt) return entry.verdict
    this.#drop(key, entry)
    return undefined
  }

  set(key: string, verdict: Verdict): void {
    const bytes = key.length + verdict.headers.join().length + (verdict.user?.length ?? 0)
    if (bytes > maxEntryBytes) return
    const before = this.#entries.get(key)
    if (before !== undefined) this.#drop(key, before)
    this.#entries.set(key, { verdict, bytes, expiresAt: this.#now() + this.#ttlMs })
    this.#bytes += bytes
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= maxEntries && this.#bytes <= maxBytes) break
      this.#drop(oldest, entry)
    }
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }
}
