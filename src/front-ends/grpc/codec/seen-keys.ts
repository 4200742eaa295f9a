/** The keys of one map, each a piece of a buffer that stays where it is, to find one that comes twice. */
export class SeenKeys {
  readonly #places: number[] = []
  #texts: Set<string> | undefined

  /** Notes a key; whether it was there already. */
  add(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#texts !== undefined) return this.#addText(bytes, from, to)
    const places = this.#places
    for (let i = 0; i < places.length; i += 2) {
      const start = places[i] as number
      if ((places[i + 1] as number) - start === to - from && same(bytes, { start, from, to })) return true
    }
    if (places.length === few * 2) {
      this.#texts = new Set()
      for (let i = 0; i < places.length; i += 2)
        this.#addText(bytes, places[i] as number, places[i + 1] as number)
      return this.#addText(bytes, from, to)
    }
    places.push(from, to)
    return false
  }

  #addText(bytes: Uint8Array, from: number, to: number): boolean {
    const texts = this.#texts as Set<string>
    const { size } = texts
    texts.add((bytes as Buffer).toString('latin1', from, to))
    return texts.size === size
  }
}

/** So many are compared one by one. */
const few = 8

function same(bytes: Uint8Array, { start, from, to }: { start: number; from: number; to: number }): boolean {
  for (let i = from, k = start; i < to; i++, k++) if (bytes[i] !== bytes[k]) return false
  return true
}
