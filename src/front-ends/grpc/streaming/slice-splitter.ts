import type { ElementSplitter } from './element-splitter.ts'

/** Raw bytes as they come, in slices small enough for a message: the body of a stream of `google.api.HttpBody`. */
export class SliceSplitter implements ElementSplitter {
  readonly #sliceBytes: number

  /** Of one message. */
  constructor(maxBytes: number) {
    // What is left is for the content type and the fields beside the body.
    this.#sliceBytes = Math.max(1, Math.min(32_768, maxBytes >> 1))
  }

  *push(piece: Buffer): Generator<Buffer> {
    for (let at = 0; at < piece.length; at += this.#sliceBytes)
      yield piece.subarray(at, at + this.#sliceBytes)
  }

  finish(): undefined {}
}
