import { GatewayError } from '../../../core/error.ts'
import { tooLarge } from '../../../core/request-body.ts'
import { Carry } from '../streaming/carry.ts'
import type { ElementSplitter } from '../streaming/element-splitter.ts'

/** Before each message: flags and length. */
export const envelopeHeadBytes = 5

/** The messages of a body in envelopes: a byte of flags and the length before each (Connect, "Enveloped-Message"). */
export class EnvelopeSplitter implements ElementSplitter {
  /** Whether the message that {@link push} gave last is compressed. */
  compressed = false
  readonly #maxBytes: number
  readonly #carry: Carry
  readonly #head = Buffer.alloc(envelopeHeadBytes)
  #headLength = 0
  #missing = 0

  /** Of one message. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#carry = new Carry(maxBytes)
  }

  *push(piece: Buffer): Generator<Buffer> {
    let at = 0
    for (;;) {
      if (this.#headLength < envelopeHeadBytes) {
        const copied = piece.copy(this.#head, this.#headLength, at, at + envelopeHeadBytes - this.#headLength)
        this.#headLength += copied
        at += copied
        if (this.#headLength < envelopeHeadBytes) return
        this.#readHead()
      }
      const there = piece.length - at
      if (there < this.#missing) {
        this.#carry.add(piece.subarray(at))
        this.#missing -= there
        return
      }
      const message = this.#carry.complete(piece.subarray(at, at + this.#missing))
      at += this.#missing
      this.#headLength = 0
      yield message
    }
  }

  finish(): undefined {
    if (this.#headLength > 0) throw new GatewayError('INVALID_BODY', 'The body ends within a message.')
  }

  #readHead(): void {
    const flags = this.#head.readUInt8(0)
    // The end of a stream, 2, is the server's to send.
    if (flags > 1) throw new GatewayError('INVALID_BODY', 'The message has flags that mean nothing.')
    this.compressed = flags === 1
    this.#missing = this.#head.readUInt32BE(1)
    if (this.#missing > this.#maxBytes) throw tooLarge(this.#maxBytes)
  }
}
