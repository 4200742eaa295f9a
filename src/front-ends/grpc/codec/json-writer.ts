import { WireFault } from './json-fault.ts'

/** Writes JSON as UTF-8 into one buffer that is used again. Each value is followed by a comma, which the closing bracket replaces. */
export class JsonWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(firstSize)
  pos = 0

  /** Forgets what was written, and the memory too when it was much. */
  reset(): void {
    this.pos = 0
    if (this.bytes.length > keptSize) this.bytes = Buffer.allocUnsafeSlow(firstSize)
  }

  finish(): string {
    return this.bytes.toString('utf8', 0, this.pos)
  }

  ensure(size: number): void {
    const needed = this.pos + size
    if (needed <= this.bytes.length) return
    const old = this.bytes
    this.bytes = Buffer.allocUnsafeSlow(Math.max(needed, old.length * 2))
    old.copy(this.bytes, 0, 0, this.pos)
  }

  byte(value: number): void {
    if (this.pos === this.bytes.length) this.ensure(1)
    this.bytes[this.pos++] = value
  }

  /** Bytes that are JSON already: `"name":`, `"ENUM_VALUE"`. */
  raw(json: Uint8Array): void {
    const { length } = json
    this.ensure(length)
    const { bytes } = this
    let { pos } = this
    for (let i = 0; i < length; i++) bytes[pos++] = json[i] as number
    this.pos = pos
  }

  /** ASCII text that is JSON already. */
  ascii(text: string): void {
    const { length } = text
    this.ensure(length)
    const { bytes } = this
    let { pos } = this
    for (let i = 0; i < length; i++) bytes[pos++] = text.charCodeAt(i)
    this.pos = pos
  }

  /** Puts the bracket in the place of the last comma, or behind the opening bracket when there is none. */
  close(bracket: number): void {
    if (this.bytes[this.pos - 1] === comma) this.pos--
    this.byte(bracket)
  }

  /** Any safe integer. */
  int(value: number): void {
    if (value < 0 || value > 999_999_999) {
      this.ascii(String(value))
      return
    }
    this.ensure(10)
    let digits = 1
    for (let limit = 10; value >= limit; limit *= 10) digits++
    let at = this.pos + digits
    this.pos = at
    const { bytes } = this
    let rest = value
    do {
      const tenth = (rest / 10) | 0
      bytes[--at] = 48 + rest - tenth * 10
      rest = tenth
    } while (rest > 0)
  }

  /** In quotes, as ProtoJSON writes 64-bit integers. */
  int64(lo: number, hi: number): void {
    this.byte(quote)
    if (hi === lo >> 31) this.int(lo)
    else if (hi >= -0x20_0000 && hi < 0x20_0000) this.int(hi * 0x1_0000_0000 + (lo >>> 0))
    else this.ascii(String((BigInt(hi) << 32n) | BigInt(lo >>> 0)))
    this.byte(quote)
  }

  uint64(lo: number, hi: number): void {
    this.byte(quote)
    if (hi === 0) this.int(lo >>> 0)
    else if (hi > 0 && hi < 0x20_0000) this.int(hi * 0x1_0000_0000 + (lo >>> 0))
    else this.ascii(String((BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)))
    this.byte(quote)
  }

  bool(value: boolean): void {
    this.ascii(value ? 'true' : 'false')
  }

  double(value: number): void {
    if (Number.isInteger(value) && Math.abs(value) < 1e9 && !Object.is(value, -0)) this.int(value)
    else if (Number.isFinite(value)) this.ascii(Object.is(value, -0) ? '-0' : String(value))
    else this.ascii(`"${value}"`)
  }

  /** The shortest decimal that is this float32 again: 0.1, not 0.10000000149011612. */
  float(value: number): void {
    if (!Number.isFinite(value) || (Number.isInteger(value) && Math.abs(value) < exactFloats)) {
      this.double(value)
      return
    }
    let shown = value
    for (let digits = 6; digits < 10; digits++) {
      shown = Number(value.toPrecision(digits))
      if (Math.fround(shown) === value) break
    }
    this.double(shown)
  }

  /** The bytes up to `end` as a string, checked to be UTF-8 on the way; where that is `lenient`, bad ones become U+FFFD. */
  string(from: Bytes, end: number, lenient = false): void {
    const source = from.bytes
    let i = from.pos
    this.ensure(end - i + 2)
    const { bytes } = this
    let { pos } = this
    bytes[pos++] = quote
    for (; i < end; i++) {
      const byte = source[i] as number
      if (byte < 32 || byte > 126 || byte === quote || byte === backslash) {
        this.pos = pos
        this.#rest(source.subarray(i, end), lenient)
        from.pos = end
        return
      }
      bytes[pos++] = byte
    }
    bytes[pos++] = quote
    this.pos = pos
    from.pos = end
  }

  /** The bytes up to `end` in base64 with padding, in quotes. */
  base64(from: Bytes, end: number): void {
    const source = from.bytes
    let i = from.pos
    this.ensure(Math.ceil((end - i) / 3) * 4 + 2)
    const { bytes } = this
    let { pos } = this
    bytes[pos++] = quote
    for (; i + 2 < end; i += 3) {
      const three =
        ((source[i] as number) << 16) | ((source[i + 1] as number) << 8) | (source[i + 2] as number)
      bytes[pos++] = base64Digits[three >> 18] as number
      bytes[pos++] = base64Digits[(three >> 12) & 63] as number
      bytes[pos++] = base64Digits[(three >> 6) & 63] as number
      bytes[pos++] = base64Digits[three & 63] as number
    }
    if (i < end) {
      const two = ((source[i] as number) << 8) | (i + 1 < end ? (source[i + 1] as number) : 0)
      bytes[pos++] = base64Digits[two >> 10] as number
      bytes[pos++] = base64Digits[(two >> 4) & 63] as number
      bytes[pos++] = i + 1 < end ? (base64Digits[(two & 15) << 2] as number) : padding
      bytes[pos++] = padding
    }
    bytes[pos++] = quote
    this.pos = pos
    from.pos = end
  }

  /** What of a string comes after its plain beginning, and the quote behind it. */
  #rest(source: Uint8Array, lenient: boolean): void {
    let text: string
    try {
      text = (lenient ? lenientUtf8 : strictUtf8).decode(source)
    } catch (cause) {
      throw new WireFault('A string is not valid UTF-8.', { cause })
    }
    const json = JSON.stringify(text).slice(1)
    this.ensure(json.length * 3)
    this.pos += this.bytes.write(json, this.pos)
  }
}

/** Bytes that are being read. */
export interface Bytes {
  readonly bytes: Uint8Array
  pos: number
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true })
const base64Digits = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const comma = 0x2c
const quote = 0x22
const backslash = 0x5c
const padding = 0x3d
/** Below this every integer is a float32, and so is its own shortest form. */
const exactFloats = 2 ** 24
const firstSize = 4_096
const keptSize = 1_048_576
