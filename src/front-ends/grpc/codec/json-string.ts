import { JsonFault } from './json-fault.ts'
import type { JsonReader } from './json-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** Reads a string and leaves its content, without escapes, in `source` from `from` to `to`. */
export function readText(j: JsonReader): void {
  const start = j.pos
  if (passString(j)) {
    const bytes = Buffer.allocUnsafeSlow(j.pos - start)
    j.pos = start + 1
    j.to = copyText(j, start, { bytes, view: new DataView(bytes.buffer) }, 0)
    j.source = bytes
    j.from = 0
  } else {
    j.source = j.bytes
    j.from = start + 1
    j.to = j.pos - 1
  }
}

/** Copies a string with its length before it; returns that length. */
export function string(j: JsonReader, w: WireWriter): number {
  const source = j.bytes
  const start = j.pos + 1
  if (source[j.pos] !== quote) throw j.expected('a string')
  // Most strings are short and plain: copied byte by byte, which costs nothing to begin with.
  w.ensure(j.short + 1)
  const target = w.bytes
  const shift = w.pos + 1 - start
  const limit = start + j.short
  let i = start
  for (; i < limit; i++) {
    const byte = source[i]
    if (byte === quote) {
      const length = i - start
      target[w.pos] = length
      w.pos += length + 1
      j.pos = i + 1
      return length
    }
    if (byte === undefined || byte < 0x20 || byte === backslash) break
    target[i + shift] = byte
  }
  j.pos = i
  return restOfString(j, w, start - 1)
}

/** Passes over a string; only its escapes are looked at. */
export function skipString(j: JsonReader): void {
  passString(j)
}

/** The key of a map of bools. */
export function boolKey(j: JsonReader): boolean {
  const at = j.pos
  readText(j)
  const word = j.source.toString('latin1', j.from, j.to)
  if (word !== 'true' && word !== 'false') throw j.wrong(at, 'must have the keys true and false only')
  return word === 'true'
}

/** Goes on with the string that began at `start`, which is copied as far as `j` has come. */
function restOfString(j: JsonReader, w: WireWriter, start: number): number {
  const content = w.fork()
  w.pos += j.pos - start - 1
  // Without its escapes a string is never longer than with them: no string of this text needs more.
  w.ensure(j.bytes.length - j.pos)
  w.pos = copyText(j, start, w, w.pos)
  const length = w.pos - content
  w.join(content)
  return length
}

/** Passes over a string; whether there are escapes in it. */
function passString(j: JsonReader): boolean {
  const { bytes } = j
  if (bytes[j.pos] !== quote) throw j.expected('a string')
  let escaped = false
  let i = j.pos + 1
  for (;;) {
    i = plainEnd(j, i)
    const byte = bytes[i]
    if (byte === quote) {
      j.pos = i + 1
      return escaped
    }
    if (byte !== backslash) throw brokenOff(j, i)
    escaped = true
    if (simpleEscapes[bytes[i + 1] ?? 0] !== 0) i += 2
    else if (unicodeEscape(bytes, i) >= 0) i += 6
    else throw unknownEscape(j, i)
  }
}

/** Where, from `from` on, the first byte is that cannot stand in a string as it is. */
function plainEnd(j: JsonReader, from: number): number {
  const { bytes } = j
  let i = from
  const near = Math.min(from + j.short, bytes.length)
  while (i < near && isPlain(bytes[i] as number)) i++
  if (i < near) return i
  const { view } = j
  const last = bytes.length - 4
  while (i <= last && arePlain(view.getInt32(i, true))) i += 4
  while (i < bytes.length && isPlain(bytes[i] as number)) i++
  return i
}

/** Copies the string that began at `start`, from `pos` on, without its escapes; returns where the copy ends. */
function copyText(j: JsonReader, start: number, target: Target, at: number): number {
  const { bytes, view } = j
  const { bytes: copy, view: copyView } = target
  const last = bytes.length - 4
  let i = j.pos
  let to = at
  for (;;) {
    for (; i <= last; i += 4, to += 4) {
      const four = view.getInt32(i, true)
      if (!arePlain(four)) break
      copyView.setInt32(to, four, true)
    }
    let byte = bytes[i]
    for (; byte !== undefined && isPlain(byte); byte = bytes[++i]) copy[to++] = byte
    if (byte === quote) {
      j.pos = i + 1
      return to
    }
    if (byte !== backslash) throw brokenOff(j, i)
    const simple = simpleEscapes[bytes[i + 1] ?? 0] as number
    if (simple !== 0) {
      copy[to++] = simple
      i += 2
      continue
    }
    let code = unicodeEscape(bytes, i)
    if (code < 0) throw unknownEscape(j, i)
    i += 6
    if (code >= 0xd800 && code < 0xe000) {
      const next = unicodeEscape(bytes, i)
      if (code >= 0xdc00 || next < 0xdc00 || next > 0xdfff) throw halfPair(j, start)
      code = 0x1_0000 + ((code - 0xd800) << 10) + (next - 0xdc00)
      i += 6
    }
    to = putUtf8(copy, to, code)
  }
}

/** Where a copy goes: bytes, and a view of the same. */
interface Target {
  readonly bytes: Buffer
  readonly view: DataView
}

function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte !== quote && byte !== backslash
}

/**
 * The same of four bytes at once ("Bit Twiddling Hacks", Sean Eron Anderson, haszero and hasless). With bit 1 turned over, quotes and
 * control characters are all that is below 0x21; with 0x5c turned over, a backslash is 0. Taking 0x21 or 1 from such a byte, and from no
 * other below 0x80, sets its highest bit; what it borrows comes from above the first such byte and changes nothing.
 */
function arePlain(four: number): boolean {
  const low = (four ^ 0x02020202) - 0x21212121
  const zero = (four ^ 0x5c5c5c5c) - 0x01010101
  return ((low | zero) & ~four & 0x80808080) === 0
}

function brokenOff(j: JsonReader, at: number): JsonFault {
  j.pos = at
  return j.syntax('a string goes over the end of its line')
}

function unknownEscape(j: JsonReader, at: number): JsonFault {
  j.pos = at
  return j.syntax('there is no such escape')
}

/** A fault of the text itself comes first, if there is one further on. */
function halfPair(j: JsonReader, start: number): JsonFault {
  j.pos = start
  passString(j)
  return new JsonFault('value', start, 'must be valid Unicode: it has half of a surrogate pair')
}

/** The code unit of the escape at `at`, -1 when there is none of this kind. */
function unicodeEscape(bytes: Buffer, at: number): number {
  if (bytes[at] !== backslash || bytes[at + 1] !== 0x75) return -1
  let code = 0
  for (let i = at + 2; i < at + 6; i++) code = (code << 4) | (hexDigits[bytes[i] ?? 0] as number)
  return code
}

function putUtf8(target: Buffer, at: number, code: number): number {
  let to = at
  if (code < 0x80) target[to++] = code
  else {
    if (code < 0x800) target[to++] = 0xc0 | (code >> 6)
    else {
      if (code < 0x1_0000) target[to++] = 0xe0 | (code >> 12)
      else {
        target[to++] = 0xf0 | (code >> 18)
        target[to++] = 0x80 | ((code >> 12) & 0x3f)
      }
      target[to++] = 0x80 | ((code >> 6) & 0x3f)
    }
    target[to++] = 0x80 | (code & 0x3f)
  }
  return to
}

const quote = 0x22
const backslash = 0x5c
/** What the letter behind a backslash means, 0 for none that has a meaning. */
const simpleEscapes = new Uint8Array(256)
for (const [letter, meant] of Object.entries({
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}))
  simpleEscapes[letter.charCodeAt(0)] = meant.charCodeAt(0)
/** -1 for what is none, which stays less than 0 whatever digits come behind it. */
const hexDigits = new Int8Array(256).fill(-1)
Buffer.from('0123456789abcdef').forEach((byte, value) => {
  hexDigits[byte] = value
})
Buffer.from('ABCDEF').forEach((byte, index) => {
  hexDigits[byte] = 10 + index
})
