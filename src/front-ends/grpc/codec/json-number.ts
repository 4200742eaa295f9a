import type { JsonReader } from './json-reader.ts'
import { readText } from './json-string.ts'

/** Reads an int32 as ProtoJSON allows it: as a number or in quotes, with a fraction or an exponent when it is whole all the same. */
export function int32(j: JsonReader): number {
  const at = j.pos
  const value = integer(j)
  if (typeof value !== 'number' || value > 0x7fff_ffff || value < -0x8000_0000)
    throw j.wrong(at, 'is out of range for an int32')
  return value
}

export function uint32(j: JsonReader): number {
  const at = j.pos
  const value = integer(j)
  if (typeof value !== 'number' || value > 0xffff_ffff || value < 0)
    throw j.wrong(at, 'is out of range for a uint32')
  return value
}

/** Into `lo` and `hi`, exact over the whole range. */
export function int64(j: JsonReader): void {
  const at = j.pos
  const value = integer(j)
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value)
    throw j.wrong(at, 'is out of range for an int64')
  setHalves(j, value)
}

export function uint64(j: JsonReader): void {
  const at = j.pos
  const value = integer(j)
  if (value < 0 || (typeof value === 'bigint' && BigInt.asUintN(64, value) !== value))
    throw j.wrong(at, 'is out of range for a uint64')
  setHalves(j, value)
}

/** Reads a double: a number, in quotes or not, or "NaN", "Infinity", "-Infinity". */
export function double(j: JsonReader): number {
  const at = j.pos
  if (!scanNumber(j) && !scanQuoted(j, 'a number')) {
    const word = j.source.toString('latin1', j.from, j.to)
    if (word === 'NaN' || word === 'Infinity' || word === '-Infinity') return Number(word)
    throw j.wrong(at, 'must be a number')
  }
  const value = decimal(j)
  if (!Number.isFinite(value)) throw j.wrong(at, 'is out of range for a double')
  return value
}

export function float(j: JsonReader): number {
  const at = j.pos
  const value = double(j)
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
    throw j.wrong(at, 'is out of range for a float')
  return value
}

/** Passes over a number and takes it apart; false when there is none. Throws for what only begins like one. */
export function scanNumber(j: JsonReader): boolean {
  const { bytes, pos } = j
  const first = bytes[pos] as number
  if (first !== minus && !(first >= zero && first <= nine)) return false
  const end = scan(j, bytes, bytes.length)
  if (end < 0) throw j.syntax('a number is not complete')
  j.pos = end
  return true
}

/** A number in quotes, by the same grammar and nothing around it; false for another string. */
function scanQuoted(j: JsonReader, what: string): boolean {
  if (j.bytes[j.pos] !== quote) throw j.expected(what)
  readText(j)
  const { pos, source, from, to } = j
  j.pos = from
  const end = scan(j, source, to)
  j.pos = pos
  if (end === to) return true
  j.source = source
  j.from = from
  j.to = to
  return false
}

function integer(j: JsonReader): number | bigint {
  const at = j.pos
  if (!scanNumber(j) && !scanQuoted(j, 'an integer')) throw j.wrong(at, 'must be an integer')
  if (j.exponent === 0 && j.digits <= exactDigits) return j.negative ? 0 - j.mantissa : j.mantissa
  const value = wholeNumber(j)
  if (value === undefined) throw j.wrong(at, 'must be an integer, without a fraction')
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

/** From `j.pos` on; the end of the number, -1 when it is none. The number's parts are left in `j`. */
function scan(j: JsonReader, source: Buffer, end: number): number {
  let i = j.pos
  const negative = source[i] === minus
  if (negative) i++
  const first = i
  let mantissa = 0
  let byte = i < end ? (source[i] as number) : 0
  while (byte >= zero && byte <= nine) {
    mantissa = mantissa * 10 + byte - zero
    byte = ++i < end ? (source[i] as number) : 0
  }
  let digits = i - first
  if (digits === 0 || (digits > 1 && source[first] === zero)) return -1
  let exponent = 0
  if (byte === point) {
    const fraction = ++i
    byte = i < end ? (source[i] as number) : 0
    while (byte >= zero && byte <= nine) {
      mantissa = mantissa * 10 + byte - zero
      byte = ++i < end ? (source[i] as number) : 0
    }
    if (i === fraction) return -1
    digits += i - fraction
    exponent = fraction - i
  }
  if (byte === 0x65 || byte === 0x45) {
    byte = ++i < end ? (source[i] as number) : 0
    const below = byte === minus
    if (below || byte === plus) byte = ++i < end ? (source[i] as number) : 0
    const start = i
    let power = 0
    while (byte >= zero && byte <= nine) {
      if (power < 1e9) power = power * 10 + byte - zero
      byte = ++i < end ? (source[i] as number) : 0
    }
    if (i === start) return -1
    exponent += below ? -power : power
  }
  j.negative = negative
  j.mantissa = mantissa
  j.digits = digits
  j.exponent = exponent
  j.source = source
  j.from = first
  j.to = i
  return i
}

/** Up to 15 digits and powers of ten up to 22 are exact as doubles, and so one operation on them is rounded right (Clinger 1990). */
function decimal(j: JsonReader): number {
  const { mantissa, exponent, digits, negative, source, from, to } = j
  let value: number
  if (digits > exactDigits || exponent < -22 || exponent > 22)
    value = Number(source.toString('latin1', from, to))
  else if (exponent < 0) value = mantissa / (powersOfTen[-exponent] as number)
  else value = mantissa * (powersOfTen[exponent] as number)
  return negative ? -value : value
}

/** Exact, however it is written; undefined when there is a fraction. Far more digits than 64 bits have are not computed. */
function wholeNumber(j: JsonReader): bigint | undefined {
  const text = j.source.toString('latin1', j.from, j.to)
  if (text.length === j.digits && text.length < 21) return j.negative ? -BigInt(text) : BigInt(text)
  const all = (text.split(/e/i, 1)[0] ?? '').replace('.', '')
  let first = 0
  while (all[first] === '0') first++
  let last = all.length
  while (last > first && all[last - 1] === '0') last--
  if (last === first) return 0n
  const zeros = j.exponent + all.length - last
  if (zeros < 0) return undefined
  const digits = all.slice(first, last)
  const value = digits.length + zeros > 40 ? 10n ** 40n : BigInt(digits) * 10n ** BigInt(zeros)
  return j.negative ? -value : value
}

function setHalves(j: JsonReader, value: number | bigint): void {
  if (typeof value === 'number') {
    j.lo = value | 0
    j.hi = Math.floor(value / 0x1_0000_0000) | 0
  } else {
    j.lo = Number(BigInt.asIntN(32, value))
    j.hi = Number(BigInt.asIntN(32, value >> 32n))
  }
}

const exactDigits = 15
const powersOfTen = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))
const quote = 0x22
const plus = 0x2b
const minus = 0x2d
const point = 0x2e
const zero = 0x30
const nine = 0x39
