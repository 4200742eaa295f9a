/** How many old keys a new one looks at; above one, so that what is idle leaves faster than keys come. */
const lookedAt = 4

/** What is counted under one key. */
export interface Counts {
  /** From then on it says the same as a key never seen, by the clock of whoever counts. */
  readonly idleAt: number
  /** Of two keys, the one with more here is the one to remember when there is room for one. */
  readonly used: number
}

/** Counts by key, in bounded memory; one that is idle is the same as one never seen, and is forgotten. */
export class KeyTable<C extends Counts> {
  readonly #counts = new Map<string, C>()
  #hand: MapIterator<[string, C]> = this.#counts.entries()

  get size(): number {
    return this.#counts.size
  }

  get(key: string): C | undefined {
    return this.#counts.get(key)
  }

  /** Puts in a new key, and forgets others if that takes more than `maxKeys`. */
  add(key: string, counts: C, { maxKeys, now }: { maxKeys: number; now: number }): void {
    this.#makeRoom(maxKeys, now)
    this.#counts.set(key, counts)
  }

  /** Puts others in the place of those of a key that is there. */
  replace(key: string, counts: C): void {
    this.#counts.set(key, counts)
  }

  forget(key: string): void {
    this.#counts.delete(key)
  }

  /**
   * Forgets the idle ones of the next few keys; when there is no room even so, the least used of them, because it loses the least.
   * Goes round all keys by and by, so that no single request pays for a sweep.
   */
  #makeRoom(maxKeys: number, now: number): void {
    let least: string | undefined
    let leastUsed = Number.POSITIVE_INFINITY
    for (let i = 0; i < lookedAt && this.#counts.size > 0; i++) {
      let next = this.#hand.next()
      if (next.done) {
        this.#hand = this.#counts.entries()
        next = this.#hand.next()
        if (next.done) break
      }
      const [key, { idleAt, used }] = next.value
      // More than fit are there only after a reload with room for fewer.
      if (idleAt <= now || this.#counts.size > maxKeys) {
        this.#counts.delete(key)
      } else if (used < leastUsed) {
        least = key
        leastUsed = used
      }
    }
    if (this.#counts.size >= maxKeys && least !== undefined) this.#counts.delete(least)
  }
}
