/** Chance that can be had again: the same seed gives the same numbers (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }

  /** So many bits. */
  bits(count: number): bigint {
    let value = 0n
    for (let i = 0; i < count; i += 16) value = (value << 16n) | BigInt(this.below(0x1_0000))
    return BigInt.asUintN(count, value)
  }
}

/** How many cases are tried: the number times `FUZZ_TIMES`, default 1. */
export function many(cases: number): number {
  return cases * Number(process.env.FUZZ_TIMES ?? 1)
}
