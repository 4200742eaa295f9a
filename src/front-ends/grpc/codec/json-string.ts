import { JsonFault } from './json-fault.ts'
import type { JsonReader } from './json-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** Reads a string and leaves its content, without escapes, in `source` from `from` to `to`. */
export function readText(j: JsonReader): void {
  const start = j.pos
  const end = endOf(j)
  if (end >= 0) {
    j.source = j.bytes
    j.from = start + 1
    j.to = end
    return
  }
  const raw = -end - start - 1
  j.source = Buffer.allocUnsafe(raw)
  j.from = 0
  j.to = decodeEscapes(j, start, j.source, 0)
}

/** Copies a string with its length before it; returns that length. */
export function string(j: JsonReader, w: WireWriter): number {
  const source = j.bytes
  const start = j.pos + 1
  if (source[j.pos] !== quote) throw j.expected('a string')
  // Most strings are short and plain: copied while their end is looked for.
  w.ensure(short + 1)
  const target = w.bytes
  const shift = w.pos + 1 - start
  const limit = start + short
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
  return longString(j, w)
}

/** Passes over a string; only its escapes are looked at. */
export function skipString(j: JsonReader): void {
  endOf(j)
}

/** The key of a map of bools. */
export function boolKey(j: JsonReader): boolean {
  const at = j.pos
  readText(j)
  const word = j.source.toString('latin1', j.from, j.to)
  if (word !== 'true' && word !== 'false') throw j.wrong(at, 'must have the keys true and false only')
  return word === 'true'
}

function longString(j: JsonReader, w: WireWriter): number {
  const start = j.pos
  const end = endOf(j)
  if (end >= 0) {
    const length = end - start - 1
    w.ensure(length + 5)
    w.uint32(length)
    j.bytes.copy(w.bytes, w.pos, start + 1, end)
    w.pos += length
    return length
  }
  // Without its escapes a string is never longer than with them.
  w.ensure(-end - start + 5)
  const content = w.fork()
  w.pos = decodeEscapes(j, start, w.bytes, content)
  const length = w.pos - content
  w.join(content)
  return length
}

/** Passes over a string: where its last quote is, or the negative of that when there are escapes in it. */
function endOf(j: JsonReader): number {
  const { bytes } = j
  if (bytes[j.pos] !== quote) throw j.expected('a string')
  let escaped = false
  let i = j.pos + 1
  for (;;) {
    const byte = bytes[i]
    if (byte === quote) break
    if (byte === undefined || byte < 0x20) {
      j.pos = i
      throw j.syntax('a string goes over the end of its line')
    }
    if (byte === backslash) {
      escaped = true
      i = escapeEnd(j, i)
    } else i++
  }
  j.pos = i + 1
  return escaped ? -i : i
}

function escapeEnd(j: JsonReader, at: number): number {
  const letter = j.bytes[at + 1] ?? 0
  if (simpleEscapes.has(letter)) return at + 2
  if (letter === 0x75 && fourHex(j.bytes, at + 2) >= 0) return at + 6
  j.pos = at
  throw j.syntax('there is no such escape')
}

/** Writes the string that begins at `start`, which {@link endOf} has checked, without escapes; returns the end of it. */
function decodeEscapes(j: JsonReader, start: number, target: Buffer, at: number): number {
  const { bytes } = j
  let to = at
  for (let i = start + 1; ; ) {
    const byte = bytes[i] as number
    if (byte === quote) return to
    if (byte !== backslash) {
      target[to++] = byte
      i++
      continue
    }
    const letter = bytes[i + 1] as number
    const simple = simpleEscapes.get(letter)
    if (simple !== undefined) {
      target[to++] = simple
      i += 2
      continue
    }
    let code = fourHex(bytes, i + 2)
    i += 6
    if (code >= 0xd800 && code < 0xe000) {
      const next = bytes[i] === backslash && bytes[i + 1] === 0x75 ? fourHex(bytes, i + 2) : 0
      if (code >= 0xdc00 || next < 0xdc00 || next > 0xdfff)
        throw new JsonFault('value', start, 'must be valid Unicode: it has half of a surrogate pair')
      code = 0x1_0000 + ((code - 0xd800) << 10) + (next - 0xdc00)
      i += 6
    }
    to += target.write(String.fromCodePoint(code), to)
  }
}

function fourHex(bytes: Buffer, at: number): number {
  let code = 0
  for (let i = at; i < at + 4; i++) {
    const byte = (bytes[i] ?? 0) | 0x20
    // `|` has made small letters of large ones, but also digits of control characters.
    const digit = (bytes[i] ?? 0) < 0x30 ? -1 : byte < 0x3a ? byte - 0x30 : byte - 0x57
    if (digit < 0 || digit > 15 || (digit < 10 && byte > 0x39)) return -1
    code = code * 16 + digit
  }
  return code
}

const quote = 0x22
const backslash = 0x5c
/** The longest whose length fits one byte. */
const short = 127
const simpleEscapes: ReadonlyMap<number, number> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }).map(
    ([letter, meant]) => [letter.charCodeAt(0), meant.charCodeAt(0)] as const,
  ),
)
