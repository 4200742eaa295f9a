import { WireFault } from './json-fault.ts'
import type { JsonReader } from './json-reader.ts'
import { readText } from './json-string.ts'
import type { JsonWriter } from './json-writer.ts'
import { fraction, readParts, secondsOf, writeParts } from './seconds-and-nanos.ts'
import type { WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** Reads a Timestamp: RFC 3339 with up to nine digits of fraction, from year 1 to 9999, and a day that there is. */
export function readTimestamp(j: JsonReader, w: WireWriter): void {
  const at = j.pos
  if (j.bytes[at] !== 0x22) throw j.expected('a time in RFC 3339')
  readText(j)
  const { source, from, to } = j
  const fail = (why: string): Error => j.wrong(at, `must be a time in RFC 3339${why}`)
  const shape = to - from >= 20 && source[from + 4] === dash && source[from + 7] === dash
  if (!shape || source[from + 10] !== 0x54 || source[from + 13] !== colon || source[from + 16] !== colon)
    throw fail('')
  const year = number(source, from, 4)
  const month = number(source, from + 5, 2)
  const day = number(source, from + 8, 2)
  const hour = number(source, from + 11, 2)
  const minute = number(source, from + 14, 2)
  const second = number(source, from + 17, 2)
  let i = from + 19
  let nanos = 0
  if (source[i] === point) {
    const start = ++i
    while (i < to && isDigit(source[i] as number)) i++
    if (i === start || i - start > 9) throw fail(' with one to nine digits of fraction')
    nanos = number(source, start, i - start) * 10 ** (9 - (i - start))
  }
  let offset = 0
  if (source[i] === 0x5a && i + 1 === to) offset = 0
  else if ((source[i] === plus || source[i] === dash) && i + 6 === to && source[i + 3] === colon) {
    const hours = number(source, i + 1, 2)
    const minutes = number(source, i + 4, 2)
    if (!(hours < 24 && minutes < 60)) throw fail('')
    offset = (hours * 60 + minutes) * (source[i] === plus ? 60 : -60)
  } else throw fail(' with Z or an offset at its end')
  const exists = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
  if (!exists || !(hour < 24 && minute < 60 && second < 60) || Number.isNaN(year))
    throw fail(' that there is')
  const seconds = daysFromCivil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
  if (seconds < firstSecond || seconds > lastSecond) throw fail(' from year 1 to 9999')
  writeParts(w, seconds, nanos)
}

export function printTimestamp(r: WireReader, o: JsonWriter, end: number): void {
  const nanos = readParts(r, end)
  const seconds = secondsOf(r)
  if (!(seconds >= firstSecond && seconds <= lastSecond) || nanos < 0 || nanos > 999_999_999)
    throw new WireFault('A Timestamp is out of range.')
  const days = Math.floor(seconds / 86_400)
  const rest = seconds - days * 86_400
  // Gregorian calendar from days, after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  o.ensure(34)
  o.byte(0x22)
  pair(o, Math.floor(year / 100))
  pair(o, year % 100)
  o.byte(dash)
  pair(o, month)
  o.byte(dash)
  pair(o, dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1)
  o.byte(0x54)
  pair(o, Math.floor(rest / 3_600))
  o.byte(colon)
  pair(o, Math.floor(rest / 60) % 60)
  o.byte(colon)
  pair(o, rest % 60)
  fraction(o, nanos)
  o.byte(0x5a)
  o.byte(0x22)
}

function pair(o: JsonWriter, value: number): void {
  const tens = Math.floor(value / 10)
  o.byte(zero + tens)
  o.byte(zero + value - tens * 10)
}

/** NaN when they are not all digits. */
function number(source: Uint8Array, at: number, count: number): number {
  let value = 0
  for (let i = at; i < at + count; i++) {
    const byte = source[i] as number
    if (!isDigit(byte)) return Number.NaN
    value = value * 10 + byte - zero
  }
  return value
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= 0x39
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days since 1970-01-01; Howard Hinnant's days_from_civil, for years from 0 on. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

const zero = 0x30
const plus = 0x2b
const dash = 0x2d
const point = 0x2e
const colon = 0x3a
const firstSecond = -62_135_596_800
const lastSecond = 253_402_300_799
