import { HeaderTable, type TableEntry } from './header-table.ts'
import { decodeHuffman } from './huffman.ts'
import { ConnectionError, errorCodes } from './protocol.ts'

/** The headers of one block. */
export interface HeaderList {
  /** Flat: name, value; each byte the character of the same number. Cut short when `tooLarge`. */
  readonly fields: string[]
  /** Whether a name or value is one that HTTP/2 does not allow. */
  readonly malformed: boolean
  /** Whether there are more or larger headers than the limits allow. */
  readonly tooLarge: boolean
}

/** Limits of one header list. */
export interface HeaderLimits {
  /** By the count of SETTINGS_MAX_HEADER_LIST_SIZE: 32 bytes more for each header. */
  readonly maxListBytes: number
  readonly maxFields: number
}

/** Decodes the header blocks of a connection, in their order. Source: RFC 7541. */
export class HpackDecoder {
  readonly table: HeaderTable
  readonly #limits: HeaderLimits
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0

  constructor(limits: HeaderLimits, tableBytes = 4_096) {
    this.#limits = limits
    this.table = new HeaderTable(tableBytes)
  }

  /**
   * Decodes a whole block. Throws a ConnectionError with COMPRESSION_ERROR when it cannot be read; a list above the limits is read
   * to its end without being kept, because the table has to follow.
   */
  decode(bytes: Buffer, start = 0, end = bytes.length): HeaderList {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    const { maxListBytes, maxFields } = this.#limits
    const fields: string[] = []
    let malformed = false
    let tooLarge = false
    let left = maxListBytes
    let seenField = false
    while (this.#at < end) {
      const first = bytes[this.#at] as number
      if ((first & 0xe0) === 0x20) {
        if (seenField) throw broken('A table size update stands after a header.')
        this.table.resize(this.#integer(5))
        continue
      }
      seenField = true
      const entry = this.#field(first)
      left -= entry.name.length + entry.value.length + 32
      if (left < 0 || fields.length >= maxFields * 2) tooLarge = true
      else fields.push(entry.name, entry.value)
      if (!entry.valid) malformed = true
    }
    return { fields, malformed, tooLarge }
  }

  #field(first: number): TableEntry {
    if (first >= 0x80) return this.table.at(this.#integer(7))
    const indexed = first >= 0x40
    const index = this.#integer(indexed ? 6 : 4)
    const name = index === 0 ? this.#string() : this.table.at(index).name
    const value = this.#string()
    const valid = (index !== 0 || isName(name)) && isValue(value)
    const entry = { name, value, valid }
    if (indexed) this.table.add(entry)
    return entry
  }

  /** Source: RFC 7541 section 5.1. Nothing here needs more than 28 bits. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1
    let value = (this.#bytes[this.#at++] as number) & mask
    if (value < mask) return value
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#at >= this.#end) throw broken('A header block ends within a number.')
      const byte = this.#bytes[this.#at++] as number
      value += (byte & 127) << shift
      if (byte < 128) return value
    }
    throw broken('A number in a header block is too large.')
  }

  #string(): string {
    if (this.#at >= this.#end) throw broken('A header block ends before a string.')
    const huffman = (this.#bytes[this.#at] as number) >= 128
    const length = this.#integer(7)
    const start = this.#at
    if (length > this.#end - start) throw broken('A header block ends within a string.')
    this.#at = start + length
    return huffman
      ? decodeHuffman(this.#bytes, start, this.#at)
      : this.#bytes.toString('latin1', start, this.#at)
  }
}

/** Visible ASCII in lower case; a colon only in front. Source: RFC 9113 section 8.2.1. */
function isName(name: string): boolean {
  const { length } = name
  if (length === 0) return false
  for (let i = 0; i < length; i++) {
    const code = name.charCodeAt(i)
    if (code <= 0x20 || code >= 0x7f || (code >= 0x41 && code <= 0x5a)) return false
    if (code === 0x3a && (i > 0 || length === 1)) return false
  }
  return true
}

/** No NUL, CR or LF, and no blank at either end. Source: RFC 9113 section 8.2.1. */
function isValue(value: string): boolean {
  const { length } = value
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i)
    if (code === 0 || code === 10 || code === 13) return false
  }
  return length === 0 || !(isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(length - 1)))
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 9
}

function broken(message: string): ConnectionError {
  return new ConnectionError(errorCodes.compressionError, message)
}
