/** Finds which of some names stands in a text of bytes, without making a string of it. */
export class NameTable {
  readonly #names: Uint8Array[] = []
  readonly #values: number[] = []
  readonly #slots: Int32Array
  readonly #next: number[] = []

  /** Of names given twice the first counts. */
  constructor(entries: readonly (readonly [name: string, value: number])[]) {
    let size = 8
    while (size < entries.length * 4) size *= 2
    this.#slots = new Int32Array(size).fill(-1)
    for (const [name, value] of entries) this.#add(Buffer.from(name), value)
  }

  /** The value of the name in these bytes, whose {@link hashOf} the caller knows; -2 for none. */
  find(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const length = to - from
    let entry = this.#slots[slot(hash, this.#slots.length)] as number
    for (; entry >= 0; entry = this.#next[entry] as number) {
      const name = this.#names[entry] as Uint8Array
      if (name.length !== length) continue
      let i = 0
      while (i < length && name[i] === bytes[from + i]) i++
      if (i === length) return this.#values[entry] as number
    }
    return -2
  }

  #add(name: Uint8Array, value: number): void {
    const hash = hashOf(name, 0, name.length)
    if (this.find(name, 0, name.length, hash) !== -2) return
    const at = slot(hash, this.#slots.length)
    this.#next.push(this.#slots[at] as number)
    this.#slots[at] = this.#names.length
    this.#names.push(name)
    this.#values.push(value)
  }
}

/** What {@link NameTable} files names under. A reader computes the same as it goes: h = h * 31 + byte, in 32 bits. */
export function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0
  for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0
  return hash
}

function slot(hash: number, size: number): number {
  return (hash ^ (hash >>> 15)) & (size - 1)
}
