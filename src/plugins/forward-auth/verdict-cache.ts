import { DigestCache, type Remembered } from '../digest-cache.ts'
import type { Verdict } from './verdict.ts'

const maxBytes = 8 * 1_048_576
const maxEntryBytes = 16_384

interface Entry extends Remembered {
  readonly verdict: Verdict
  /** Unix time in milliseconds. */
  readonly expiresAt: number
}

/** What a service let pass, for as long as it holds: at most 10,000 entries and 8 MiB, those that were kept longest go first. */
export class VerdictCache {
  readonly #entries = new DigestCache<Entry>(maxBytes)
  readonly #ttlMs: number
  readonly #now: () => number

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
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, verdict: Verdict): void {
    const bytes = key.length + verdict.headers.join().length + (verdict.user?.length ?? 0)
    if (bytes <= maxEntryBytes)
      this.#entries.set(key, { verdict, bytes, expiresAt: this.#now() + this.#ttlMs })
  }
}
