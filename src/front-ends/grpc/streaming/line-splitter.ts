import { Carry } from './carry.ts'
import type { ElementSplitter } from './element-splitter.ts'

/** Elements on lines of their own (NDJSON); empty lines are passed over, the last line may end with the body. */
export class LineSplitter implements ElementSplitter {
  readonly #carry: Carry

  /** Of one line. */
  constructor(maxBytes: number) {
    this.#carry = new Carry(maxBytes)
  }

  *push(piece: Buffer): Generator<Buffer> {
    let start = 0
    for (;;) {
      const end = piece.indexOf(lineFeed, start)
      if (end < 0) break
      const line = this.#carry.complete(piece.subarray(start, end))
      if (!isBlank(line)) yield line
      start = end + 1
    }
    if (start < piece.length) this.#carry.add(piece.subarray(start))
  }

  finish(): Buffer | undefined {
    const line = this.#carry.complete(Buffer.alloc(0))
    return isBlank(line) ? undefined : line
  }
}

function isBlank(line: Buffer): boolean {
  for (const byte of line) if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false
  return true
}

const lineFeed = 0x0a
