import { GatewayError } from '../../../core/error.ts'

/** The beginning of an element whose end has not come. Grows by doubling, so that tiny pieces cost no more than they hold. */
export class Carry {
  readonly #maxBytes: number
  #bytes = Buffer.alloc(0)
  #length = 0

  /** Of one element. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get length(): number {
    return this.#length
  }

  /** Keeps a part of an element. Throws BODY_TOO_LARGE. */
  add(part: Buffer): void {
    const length = this.#length + part.length
    this.#check(length)
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, Math.min(this.#bytes.length * 2, this.#maxBytes)))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
    }
    part.copy(this.#bytes, this.#length)
    this.#length = length
  }

  /** The element that ends with this part; valid until something is added. Throws BODY_TOO_LARGE. */
  complete(part: Buffer): Buffer {
    if (this.#length === 0) {
      this.#check(part.length)
      return part
    }
    this.add(part)
    const element = this.#bytes.subarray(0, this.#length)
    this.#length = 0
    if (this.#bytes.length > keptBytes) this.#bytes = Buffer.alloc(0)
    return element
  }

  #check(length: number): void {
    if (length > this.#maxBytes)
      throw new GatewayError('BODY_TOO_LARGE', `The message is larger than ${this.#maxBytes} bytes.`)
  }
}

/** A larger store is let go with its element. */
const keptBytes = 65_536
