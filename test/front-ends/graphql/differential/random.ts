/** Numbers that look random and are the same for the same seed. */
export class Random {
  #state: number

  constructor(seed: number | string) {
    this.#state = hash(String(seed))
  }

  /** At least 0, below 1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    return mixed(this.#state) / 4_294_967_296
  }

  /** At least 0, below `end`. */
  int(end: number): number {
    return Math.floor(this.next() * end)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.int(list.length)]
    if (found === undefined) throw new Error('there is nothing to pick from')
    return found
  }

  /** In their order, at least `least`, at most `most`. */
  some<T>(list: readonly T[], least = 1, most = list.length): T[] {
    const count = Math.min(list.length, least + this.int(Math.max(1, most - least + 1)))
    const left = [...list]
    while (left.length > count) left.splice(this.int(left.length), 1)
    return left
  }

  shuffled<T>(list: readonly T[]): T[] {
    const left = [...list]
    const result: T[] = []
    while (left.length > 0) result.push(...left.splice(this.int(left.length), 1))
    return result
  }
}

/** 32 bits that stand for the text (FNV-1a, mixed). */
export function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return mixed(h)
}

/** At least 0, below 1; the same for the same text. */
export function fraction(text: string): number {
  return hash(text) / 4_294_967_296
}

function mixed(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
