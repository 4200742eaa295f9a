import { WireFault } from './json-fault.ts'

/** Deeper messages are refused, as every protobuf implementation does. */
export const maxWireDepth = 100

/** Reads the protobuf wire format (protobuf.dev, "Encoding"). What runs past the end of a message is found by the next `tag`. */
export class WireReader {
  bytes: Uint8Array = nothing
  pos = 0
  /** The last varint, by halves. */
  lo = 0
  hi = 0
  /** A field came again where the reader cannot merge: the message is to be put in order, and read again. */
  odd = false
  /** How often messages inside an Any were put in order. */
  repairs = 0
  /** Where {@link entry} found them, -1 for not at all. */
  keyAt = -1
  valueAt = -1
  /** What comes after the group that {@link group} measured. */
  groupAfter = 0
  depth = 0
  /** Made when it is first needed: many messages have no fixed fields. */
  #view: DataView | undefined

  start(bytes: Uint8Array): void {
    this.bytes = bytes
    this.#view = undefined
    this.pos = 0
    this.depth = 0
    this.odd = false
  }

  /** The next tag before `end`, 0 when there is none. */
  tag(end: number): number {
    const { pos } = this
    if (pos >= end) {
      if (pos > end) throw truncated()
      return 0
    }
    const first = this.bytes[pos] as number
    if (first < 128) {
      this.pos = pos + 1
      if (first < 8) throw new WireFault('There is a field of number 0.')
      return first
    }
    this.varint()
    const tag = this.lo >>> 0
    // 2^32 - 1 is field 2^29 - 1, the largest there is.
    if (this.hi !== 0 || this.pos - pos > 5 || tag < 8) throw new WireFault('There is a tag that is none.')
    return tag
  }

  varint(): void {
    const { bytes } = this
    let { pos } = this
    let byte = bytes[pos++] as number
    if (byte < 128) {
      this.lo = byte
      this.hi = 0
      this.pos = pos
      return
    }
    let lo = byte & 127
    let hi = 0
    for (let shift = 7; ; shift += 7) {
      if (shift > 63) throw new WireFault('A varint is longer than ten bytes.')
      byte = bytes[pos++] as number
      if (byte === undefined) throw truncated()
      if (shift < 28) lo |= (byte & 127) << shift
      else if (shift === 28) {
        lo |= byte << 28
        hi = (byte & 127) >> 4
      } else hi |= (byte & 127) << (shift - 32)
      if (byte < 128) break
    }
    this.lo = lo
    this.hi = hi
    this.pos = pos
  }

  zigzag32(): number {
    this.varint()
    return (this.lo >>> 1) ^ -(this.lo & 1)
  }

  /** Like {@link varint}, with the sign at the end. */
  zigzag64(): void {
    this.varint()
    const { lo, hi } = this
    const sign = -(lo & 1)
    this.lo = ((lo >>> 1) | (hi << 31)) ^ sign
    this.hi = (hi >>> 1) ^ sign
  }

  bool(): boolean {
    this.varint()
    return this.lo !== 0 || this.hi !== 0
  }

  fixed32(): number {
    const at = this.#take(4)
    return this.#fixed().getInt32(at, true)
  }

  /** Into `lo` and `hi`. */
  fixed64(): void {
    const at = this.#take(8)
    this.lo = this.#fixed().getInt32(at, true)
    this.hi = this.#fixed().getInt32(at + 4, true)
  }

  float(): number {
    const at = this.#take(4)
    return this.#fixed().getFloat32(at, true)
  }

  double(): number {
    const at = this.#take(8)
    return this.#fixed().getFloat64(at, true)
  }

  /** Where the length-delimited value that begins here ends. */
  length(end: number): number {
    this.varint()
    const stop = this.pos + (this.lo >>> 0)
    if (this.hi !== 0 || stop > end) throw truncated()
    return stop
  }

  /** Passes over the value of a tag. */
  skip(tag: number, end: number): void {
    switch (tag & 7) {
      case 0:
        this.varint()
        break
      case 1:
        this.pos += 8
        break
      case 2:
        this.pos = this.length(end)
        break
      case 3:
        this.group(tag >>> 3, end)
        this.pos = this.groupAfter
        break
      case 5:
        this.pos += 4
        break
      default:
        throw new WireFault(`Wire type ${tag & 7} does not belong here.`)
    }
    if (this.pos > end) throw truncated()
  }

  /** Where the group that begins here ends; `groupAfter` is behind its end tag. Stays where it is. */
  group(fieldNumber: number, end: number): number {
    const start = this.pos
    this.enter()
    for (;;) {
      const at = this.pos
      const tag = this.tag(end)
      if (tag === 0) throw truncated()
      if ((tag & 7) === 4) {
        if (tag >>> 3 !== fieldNumber) throw new WireFault('A group ends that did not begin.')
        this.groupAfter = this.pos
        this.pos = start
        this.depth--
        return at
      }
      this.skip(tag, end)
    }
  }

  /** Finds key and value of a map entry, for `keyAt` and `valueAt`. */
  entry(end: number, key: number, value: number): void {
    let keyAt = -1
    let valueAt = -1
    for (let tag = this.tag(end); tag !== 0; tag = this.tag(end)) {
      if (tag === key) {
        if (keyAt >= 0) this.odd = true
        keyAt = this.pos
      } else if (tag === value) {
        if (valueAt >= 0) this.odd = true
        valueAt = this.pos
      } else if (tag >>> 3 < 3) throw wrongType(tag)
      this.skip(tag, end)
    }
    this.keyAt = keyAt
    this.valueAt = valueAt
  }

  /** One message deeper. */
  enter(): void {
    if (++this.depth > maxWireDepth)
      throw new WireFault(`The message is nested deeper than ${maxWireDepth} levels.`)
  }

  #fixed(): DataView {
    const { buffer, byteOffset, byteLength } = this.bytes
    this.#view ??= new DataView(buffer, byteOffset, byteLength)
    return this.#view
  }

  #take(size: number): number {
    const at = this.pos
    this.pos = at + size
    if (this.pos > this.bytes.length) throw truncated()
    return at
  }
}

/** A known field came in another wire type than its own. */
export function wrongType(tag: number): WireFault {
  return new WireFault(`Field ${tag >>> 3} has wire type ${tag & 7}, which is not its own.`)
}

function truncated(): WireFault {
  return new WireFault('The message is cut off.')
}

const nothing = new Uint8Array(0)
