import { WireFault } from './json-fault.ts'
import type { JsonReader } from './json-reader.ts'
import { readText } from './json-string.ts'
import type { JsonWriter } from './json-writer.ts'
import { fraction, readParts, secondsOf, writeParts } from './seconds-and-nanos.ts'
import type { WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** Reads a Duration: seconds with up to nine digits of fraction and an `s`, ±315,576,000,000 at most (duration.proto). */
export function readDuration(j: JsonReader, w: WireWriter): void {
  const at = j.pos
  if (j.bytes[at] !== 0x22) throw j.expected('a duration such as "1.5s"')
  readText(j)
  const match = /^(-?)(\d{1,20})(?:\.(\d{1,9}))?s$/.exec(j.source.toString('latin1', j.from, j.to))
  if (match === null) throw j.wrong(at, 'must be a duration such as "1.5s"')
  const [, sign, whole, fraction = ''] = match
  const seconds = Number(whole)
  if (seconds > maxDurationSeconds) throw j.wrong(at, 'is out of range for a Duration')
  const nanos = Number(fraction.padEnd(9, '0'))
  writeParts(w, sign === '-' ? 0 - seconds : seconds, sign === '-' ? 0 - nanos : nanos)
}

export function printDuration(r: WireReader, o: JsonWriter, end: number): void {
  const nanos = readParts(r, end)
  const seconds = secondsOf(r)
  const mixed = (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0)
  if (mixed || !(Math.abs(seconds) <= maxDurationSeconds) || Math.abs(nanos) > 999_999_999)
    throw new WireFault('A Duration is out of range.')
  o.byte(0x22)
  if (seconds < 0 || nanos < 0) o.byte(dash)
  o.int(Math.abs(seconds))
  fraction(o, Math.abs(nanos))
  o.byte(0x73)
  o.byte(0x22)
}

const dash = 0x2d
const maxDurationSeconds = 315_576_000_000
