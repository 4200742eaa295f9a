/** Request bytes of one call that wait for room, framed as gRPC messages, in their order. */
export class SendQueue {
  bytes = 0
  /** No more will be added. */
  ended = false
  #chunks: Uint8Array[] = []
  /** Where the first chunk goes on. */
  #at = 0

  /** Adds one message; the bytes are kept, not copied. */
  add(message: Uint8Array): void {
    const { length } = message
    const prefix = Buffer.allocUnsafe(5)
    prefix[0] = 0
    prefix.writeUInt32BE(length, 1)
    this.#chunks.push(prefix)
    if (length > 0) this.#chunks.push(message)
    this.bytes += length + 5
  }

  /** Hands out the first so many bytes, in one or more pieces. */
  take(bytes: number, into: { append(piece: Uint8Array): void }): void {
    this.bytes -= bytes
    let left = bytes
    let taken = 0
    while (left > 0) {
      const chunk = this.#chunks[taken] as Uint8Array
      const piece = chunk.subarray(this.#at, this.#at + left)
      into.append(piece)
      left -= piece.length
      this.#at += piece.length
      if (this.#at < chunk.length) break
      this.#at = 0
      taken++
    }
    if (taken > 0) this.#chunks.splice(0, taken)
  }
}
