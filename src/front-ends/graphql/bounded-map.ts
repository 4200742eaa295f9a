/** A map that forgets the entry that was used longest ago once it holds more than `maxEntries`. */
export class BoundedMap<K, V> {
  readonly #maxEntries: number
  readonly #entries = new Map<K, V>()

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#maxEntries) return
    const oldest = this.#entries.keys().next()
    if (oldest.done !== true) this.#entries.delete(oldest.value)
  }

  /** The entry that was used longest ago first. */
  entries(): MapIterator<[K, V]> {
    return this.#entries.entries()
  }
}
