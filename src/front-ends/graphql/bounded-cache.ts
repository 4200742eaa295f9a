/** Values by name, bounded by their number and by the bytes that they are said to take; the one that was used longest ago goes first. */
export class BoundedCache<V> {
  readonly #limits: CacheLimits
  readonly #entries = new Map<string, Entry<V>>()
  #bytes = 0

  constructor(limits: CacheLimits) {
    this.#limits = limits
  }

  /** Of all entries. */
  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#entries.size
  }

  get(name: string): V | undefined {
    const entry = this.#entries.get(name)
    if (entry === undefined) return undefined
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    return entry.value
  }

  /** Does not keep what takes more than all may. @param bytes what the entry takes in memory, about. */
  set(name: string, value: V, bytes: number): void {
    this.#delete(name)
    if (bytes > this.#limits.bytes) return
    this.#entries.set(name, { value, bytes })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) return
      this.#delete(oldest)
    }
  }

  #delete(name: string): void {
    this.#bytes -= this.#entries.get(name)?.bytes ?? 0
    this.#entries.delete(name)
  }
}

/** How much may be kept. */
export interface CacheLimits {
  readonly entries: number
  readonly bytes: number
}

interface Entry<V> {
  readonly value: V
  readonly bytes: number
}
