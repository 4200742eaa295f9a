import type { JsonWriter } from './json-writer.ts'
import { type WireReader, wrongType } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** Fields 1 and 2 of both types: int64 seconds into `lo` and `hi`, int32 nanos as result. */
export function readParts(r: WireReader, end: number): number {
  let lo = 0
  let hi = 0
  let nanos = 0
  for (let tag = r.tag(end); tag !== 0; tag = r.tag(end)) {
    if (tag === 8) {
      r.varint()
      lo = r.lo
      hi = r.hi
    } else if (tag === 16) {
      r.varint()
      nanos = r.lo | 0
    } else if (tag >>> 3 < 3) throw wrongType(tag)
    else r.skip(tag, end)
  }
  r.lo = lo
  r.hi = hi
  return nanos
}

/** Exact as far as the ranges go. */
export function secondsOf(r: WireReader): number {
  return (r.hi | 0) * 0x1_0000_0000 + (r.lo >>> 0)
}

/** Both fields, unless they are 0. */
export function writeParts(w: WireWriter, seconds: number, nanos: number): void {
  if (seconds !== 0) {
    w.byte(8)
    w.varint64(seconds | 0, Math.floor(seconds / 0x1_0000_0000) | 0)
  }
  if (nanos !== 0) {
    w.byte(16)
    w.int32(nanos)
  }
}

/** None, three, six or nine digits, as ProtoJSON has it. */
export function fraction(o: JsonWriter, nanos: number): void {
  if (nanos === 0) return
  const digits = nanos % 1_000_000 === 0 ? 3 : nanos % 1_000 === 0 ? 6 : 9
  o.ascii(`.${String(nanos + 1_000_000_000).slice(1, 1 + digits)}`)
}
