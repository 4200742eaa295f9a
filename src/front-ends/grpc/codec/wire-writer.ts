/** Writes the protobuf wire format (protobuf.dev, "Encoding") into one buffer that grows and is used again. */
export class WireWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(firstSize)
  pos = 0
  /** Of the same bytes. */
  view = new DataView(this.bytes.buffer)

  /** Forgets what was written, and the memory too when it was much. */
  reset(): void {
    this.pos = 0
    if (this.bytes.length > keptSize) this.#replace(firstSize)
  }

  /** What was written, in memory of its own. */
  finish(): Uint8Array {
    const result = Buffer.allocUnsafe(this.pos)
    this.bytes.copy(result, 0, 0, this.pos)
    return result
  }

  /** Makes room for so many bytes. */
  ensure(size: number): void {
    const needed = this.pos + size
    if (needed <= this.bytes.length) return
    const old = this.bytes
    this.#replace(Math.max(needed, old.length * 2))
    old.copy(this.bytes, 0, 0, this.pos)
  }

  /** A tag of one byte, a bool, or any other byte. */
  byte(value: number): void {
    if (this.pos === this.bytes.length) this.ensure(1)
    this.bytes[this.pos++] = value
  }

  raw(chunk: Uint8Array): void {
    this.ensure(chunk.length)
    this.bytes.set(chunk, this.pos)
    this.pos += chunk.length
  }

  /** A tag, a length, a uint32. */
  uint32(value: number): void {
    this.ensure(5)
    const bytes = this.bytes
    let pos = this.pos
    let rest = value
    while (rest > 127) {
      bytes[pos++] = (rest & 127) | 128
      rest >>>= 7
    }
    bytes[pos++] = rest
    this.pos = pos
  }

  /** An int32 or an enum: ten bytes when it is negative. */
  int32(value: number): void {
    if (value >= 0) this.uint32(value)
    else this.varint64(value >>> 0, -1)
  }

  sint32(value: number): void {
    this.uint32(((value << 1) ^ (value >> 31)) >>> 0)
  }

  varint64(low: number, high: number): void {
    this.ensure(10)
    const bytes = this.bytes
    let pos = this.pos
    let lo = low >>> 0
    let hi = high >>> 0
    while (hi > 0 || lo > 127) {
      bytes[pos++] = (lo & 127) | 128
      lo = ((lo >>> 7) | (hi << 25)) >>> 0
      hi >>>= 7
    }
    bytes[pos++] = lo
    this.pos = pos
  }

  sint64(low: number, high: number): void {
    const sign = high >> 31
    this.varint64((low << 1) ^ sign, ((high << 1) | (low >>> 31)) ^ sign)
  }

  fixed32(value: number): void {
    this.ensure(4)
    this.view.setInt32(this.pos, value, true)
    this.pos += 4
  }

  fixed64(low: number, high: number): void {
    this.ensure(8)
    this.view.setInt32(this.pos, low, true)
    this.view.setInt32(this.pos + 4, high, true)
    this.pos += 8
  }

  float(value: number): void {
    this.ensure(4)
    this.view.setFloat32(this.pos, value, true)
    this.pos += 4
  }

  double(value: number): void {
    this.ensure(8)
    this.view.setFloat64(this.pos, value, true)
    this.pos += 8
  }

  /** Leaves one byte for a length; what follows begins at the result. */
  fork(): number {
    this.ensure(1)
    return ++this.pos
  }

  /** Puts the length before what was written since `start`; returns by how many bytes that had to move. */
  join(start: number): number {
    const length = this.pos - start
    if (length < 128) {
      this.bytes[start - 1] = length
      return 0
    }
    const moved = length < 16_384 ? 1 : length < 2_097_152 ? 2 : length < 268_435_456 ? 3 : 4
    this.ensure(moved)
    this.bytes.copyWithin(start + moved, start, this.pos)
    this.pos = start - 1
    this.uint32(length)
    this.pos += length
    return moved
  }

  #replace(size: number): void {
    this.bytes = Buffer.allocUnsafeSlow(size)
    this.view = new DataView(this.bytes.buffer)
  }
}

const firstSize = 4_096
const keptSize = 1_048_576
