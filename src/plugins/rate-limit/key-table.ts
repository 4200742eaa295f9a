import type { State } from './algorithm.ts'

/** How many old keys a new one looks at; above one, so that what is idle leaves faster than keys come. */
const lookedAt = 4

/** The keys of one limit in this process; one that is idle is the same as one never seen, and is forgotten. */
export class KeyTable {
  readonly #states = new Map<string, State>()
  #hand: MapIterator<[string, State]> = this.#states.entries()

  get size(): number {
    return this.#states.size
  }

  get(key: string): State | undefined {
    return this.#states.get(key)
  }

  /** Puts in a new key, and forgets others if that takes more than `maxKeys`. */
  add(key: string, state: State, { maxKeys, nowMicros }: { maxKeys: number; nowMicros: number }): void {
    this.#makeRoom(maxKeys, nowMicros)
    this.#states.set(key, state)
  }

  /** Puts another state in the place of a key that is there. */
  replace(key: string, state: State): void {
    this.#states.set(key, state)
  }

  forget(key: string): void {
    this.#states.delete(key)
  }

  /**
   * Forgets the idle ones of the next few keys; when there is no room even so, the least used of them, because it loses the least.
   * Goes round all keys by and by, so that no single request pays for a sweep.
   */
  #makeRoom(maxKeys: number, nowMicros: number): void {
    let least: string | undefined
    let leastUsed = Number.POSITIVE_INFINITY
    for (let i = 0; i < lookedAt && this.#states.size > 0; i++) {
      let next = this.#hand.next()
      if (next.done) {
        this.#hand = this.#states.entries()
        next = this.#hand.next()
        if (next.done) break
      }
      const [key, { idleAt, used }] = next.value
      // More than fit are there only after a reload with room for fewer.
      if (idleAt <= nowMicros || this.#states.size > maxKeys) {
        this.#states.delete(key)
      } else if (used < leastUsed) {
        least = key
        leastUsed = used
      }
    }
    if (this.#states.size >= maxKeys && least !== undefined) this.#states.delete(least)
  }
}
