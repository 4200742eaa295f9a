import { type Bucket, type Decision, take } from './gcra.ts'

const maxKeys = 100_000
/** How many old keys a new one looks at; above one, so that what is full again leaves faster than keys come. */
const lookedAt = 4

/** Buckets of this process only; a key whose bucket is full again is the same as one never seen, and is forgotten. */
export class MemoryLimiter {
  readonly #fullAt = new Map<string, number>()
  readonly #maxKeys: number
  #hand: MapIterator<[string, number]>

  /** @param limit keys at the most, default 100,000. */
  constructor(limit: number = maxKeys) {
    this.#maxKeys = limit
    this.#hand = this.#fullAt.entries()
  }

  get size(): number {
    return this.#fullAt.size
  }

  /** Takes a token of `key` if there is one. The bucket may be another than last time: configuration was reloaded. */
  take(bucket: Bucket, key: string, nowMicros: number): Decision {
    const fullAt = this.#fullAt.get(key)
    const decision = take(bucket, fullAt ?? 0, nowMicros)
    if (decision.admitted) {
      if (fullAt === undefined) this.#makeRoom(nowMicros)
      this.#fullAt.set(key, nowMicros + decision.backlogMicros)
    }
    return decision
  }

  /**
   * Forgets the full ones of the next few keys; when there is no room even so, the fullest of them, because it loses the least. Goes
   * round all keys by and by, so that no single request pays for a sweep.
   */
  #makeRoom(nowMicros: number): void {
    let fullest: string | undefined
    let fullestAt = Number.POSITIVE_INFINITY
    for (let i = 0; i < lookedAt && this.#fullAt.size > 0; i++) {
      let next = this.#hand.next()
      if (next.done) {
        this.#hand = this.#fullAt.entries()
        next = this.#hand.next()
        if (next.done) break
      }
      const [key, fullAt] = next.value
      if (fullAt <= nowMicros) {
        this.#fullAt.delete(key)
      } else if (fullAt < fullestAt) {
        fullest = key
        fullestAt = fullAt
      }
    }
    if (this.#fullAt.size >= this.#maxKeys && fullest !== undefined) this.#fullAt.delete(fullest)
  }
}
