/** Texts by name, bounded by their number and their size together; the one that was used longest ago goes first. */
export class BoundedTexts {
  readonly #limits: TextLimits
  readonly #texts = new Map<string, string>()
  #bytes = 0

  constructor(limits: TextLimits) {
    this.#limits = limits
  }

  /** Of all texts, as {@link sizeOf} counts. */
  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#texts.size
  }

  get(name: string): string | undefined {
    const text = this.#texts.get(name)
    if (text === undefined) return undefined
    this.#texts.delete(name)
    this.#texts.set(name, text)
    return text
  }

  /** A text that is larger than all may be is not kept. */
  set(name: string, text: string): void {
    this.#delete(name)
    const bytes = sizeOf(text)
    if (bytes > this.#limits.bytes) return
    this.#texts.set(name, text)
    this.#bytes += bytes
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) return
      this.#delete(oldest)
    }
  }

  #delete(name: string): void {
    const text = this.#texts.get(name)
    if (text === undefined) return
    this.#bytes -= sizeOf(text)
    this.#texts.delete(name)
  }
}

/** How much may be kept. */
export interface TextLimits {
  readonly entries: number
  readonly bytes: number
}

/** What a text takes in memory, about: V8 has one byte for each character of most, two for each of the others. */
function sizeOf(text: string): number {
  return Buffer.byteLength(text) + 100
}
