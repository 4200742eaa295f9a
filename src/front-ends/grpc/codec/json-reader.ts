import type { DescField } from '@bufbuild/protobuf'
import { JsonFault } from './json-fault.ts'
import { readText } from './json-string.ts'
import { hashOf, type NameTable } from './name-table.ts'

/** Deeper JSON is refused. */
export const maxJsonDepth = 100

/** Reads JSON (RFC 8259) from UTF-8 bytes. Between two calls it stands at a token, blanks behind it. */
export class JsonReader {
  bytes: Buffer = nothing
  pos = 0
  depth = 0
  ignoreUnknown = false
  /** The depth at which `@type` is no field of the message but says which one it is. */
  anyDepth = -1
  /** Where the last member begins. */
  keyAt = 0
  /** The last 64-bit integer, by halves. */
  lo = 0
  hi = 0
  /** The content of the last {@link text}: bytes of this text, or others when it had escapes. */
  source: Buffer = nothing
  from = 0
  to = 0
  /** The last number: its sign, its digits as a double (exact up to 15 of them), their count, and the power of ten. */
  negative = false
  mantissa = 0
  digits = 0
  exponent = 0
  /** So much of a string is read byte by byte, in bytes: its length fits one byte. */
  short = 127
  #view: DataView | undefined

  start(bytes: Buffer, ignoreUnknown: boolean): void {
    this.bytes = bytes
    this.#view = undefined
    // In a small text a view costs more than it saves.
    this.short = bytes.length < 1_024 ? 127 : 16
    this.ignoreUnknown = ignoreUnknown
    this.pos = 0
    this.depth = 0
    this.anyDepth = -1
    this.blanks()
  }

  /** The bytes, to be taken four at a time. Made when it is first asked for: most texts are read without it. */
  get view(): DataView {
    this.#view ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length)
    return this.#view
  }

  /** Refuses what comes after the value. */
  finish(): void {
    this.blanks()
    if (this.pos < this.bytes.length) throw this.syntax('there is something behind the end')
  }

  /** Opens an object: the number of its first field, -1 when it is empty, -2 for a name that `names` has not. */
  firstKey(names: NameTable): number {
    return this.firstMember() ? this.#key(names) : -1
  }

  nextKey(names: NameTable): number {
    return this.nextMember() ? this.#key(names) : -1
  }

  /** Opens an object; true when it has a member, at whose name it then stands. */
  firstMember(): boolean {
    if (this.bytes[this.pos] !== openBrace) throw this.expected('an object')
    this.#open()
    if (this.bytes[this.pos] === closeBrace) return this.#close()
    return this.#member()
  }

  nextMember(): boolean {
    this.blanks()
    const byte = this.bytes[this.pos]
    if (byte === closeBrace) return this.#close()
    if (byte !== comma) throw this.syntax('a comma or } is missing')
    this.pos++
    this.blanks()
    return this.#member()
  }

  /** Behind a name that the caller has read. */
  colon(): void {
    this.blanks()
    if (this.bytes[this.pos] !== colon) throw this.syntax('a colon is missing')
    this.pos++
    this.blanks()
  }

  /** Opens a list; true when it has an item. */
  firstItem(): boolean {
    if (this.bytes[this.pos] !== openBracket) throw this.expected('a list')
    this.#open()
    return this.bytes[this.pos] === closeBracket ? this.#close() : true
  }

  nextItem(): boolean {
    this.blanks()
    const byte = this.bytes[this.pos]
    if (byte === closeBracket) return this.#close()
    if (byte !== comma) throw this.syntax('a comma or ] is missing')
    this.pos++
    this.blanks()
    return true
  }

  /** Takes a null when there is one. */
  null(): boolean {
    if (this.bytes[this.pos] !== 0x6e) return false
    this.literal('null')
    return true
  }

  notNull(): void {
    if (this.bytes[this.pos] === 0x6e) throw this.expected('something other than null')
  }

  bool(): boolean {
    const byte = this.bytes[this.pos]
    if (byte !== 0x74 && byte !== 0x66) throw this.expected('true or false')
    this.literal(byte === 0x74 ? 'true' : 'false')
    return byte === 0x74
  }

  literal(word: string): void {
    for (let i = 0; i < word.length; i++)
      if (this.bytes[this.pos + i] !== word.charCodeAt(i)) throw this.syntax('there is no such value')
    this.pos += word.length
  }

  blanks(): void {
    const { bytes } = this
    let { pos } = this
    let byte = bytes[pos]
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++pos]
    this.pos = pos
  }

  /** A fault of the text itself, where it stands. */
  syntax(detail: string): JsonFault {
    return new JsonFault('syntax', this.pos, this.pos < this.bytes.length ? detail : 'it ends too early')
  }

  /** A fault of the value that begins here or, when it does not look like one, of the text. */
  expected(what: string): JsonFault {
    const byte = this.bytes[this.pos]
    if (byte === undefined || !valueStarts.includes(byte)) return this.syntax('there is no such value')
    return new JsonFault('value', this.pos, `must be ${what}`)
  }

  /** A fault of the value that began at `at`. */
  wrong(at: number, detail: string): JsonFault {
    return new JsonFault('value', at, detail)
  }

  duplicate(): JsonFault {
    return new JsonFault('value', this.pos, 'is given more than once')
  }

  secondOfOneof(): JsonFault {
    return new JsonFault('value', this.pos, 'belongs to a oneof of which another member is given')
  }

  /** A fault of the message that began at `at`. */
  missing(at: number, field: DescField): JsonFault {
    return new JsonFault('value', at, `must have "${field.jsonName}", which is required`)
  }

  #open(): void {
    if (++this.depth > maxJsonDepth)
      throw new JsonFault('syntax', this.pos, `it is nested deeper than ${maxJsonDepth} levels`)
    this.pos++
    this.blanks()
  }

  #close(): false {
    this.depth--
    this.pos++
    return false
  }

  #member(): true {
    if (this.bytes[this.pos] !== quote) throw this.syntax('a name in quotes is missing')
    this.keyAt = this.pos
    return true
  }

  #key(names: NameTable): number {
    const { bytes } = this
    const from = this.pos + 1
    let to = from
    let hash = 0
    for (;;) {
      const byte = bytes[to]
      if (byte === quote) break
      // Rare: what is escaped or wrong is found out by the one who skips an unknown field, or by the slow way.
      if (byte === undefined || byte < 0x20 || byte === 0x5c) return this.#escapedKey(names)
      hash = (Math.imul(hash, 31) + byte) | 0
      to++
    }
    const found = names.find(bytes, from, to, hash)
    this.from = from
    this.to = to
    this.source = bytes
    this.pos = to + 1
    this.colon()
    return found
  }

  #escapedKey(names: NameTable): number {
    readText(this)
    const { source, from, to } = this
    const found = names.find(source, from, to, hashOf(source, from, to))
    this.colon()
    return found
  }
}

const nothing = Buffer.alloc(0)
const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
/** What JSON values begin with. */
const valueStarts = Buffer.from('{["-0123456789tfn')
