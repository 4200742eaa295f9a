import { WireFault } from './json-fault.ts'
import { double } from './json-number.ts'
import type { JsonReader } from './json-reader.ts'
import { string } from './json-string.ts'
import type { JsonWriter } from './json-writer.ts'
import { SeenKeys } from './seen-keys.ts'
import { type WireReader, wrongType } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

// google/protobuf/struct.proto. A Value is a oneof of null_value = 1, number_value = 2, string_value = 3, bool_value = 4,
// struct_value = 5, list_value = 6; a Struct is map<string, Value> fields = 1; a ListValue is repeated Value values = 1.

/** Reads any JSON as a Value. */
export function readValue(j: JsonReader, w: WireWriter): void {
  switch (j.bytes[j.pos]) {
    case 0x22:
      w.byte(0x1a)
      string(j, w)
      return
    case 0x7b:
      nested(j, w, { tag: 0x2a, read: readStruct })
      return
    case 0x5b:
      nested(j, w, { tag: 0x32, read: readListValue })
      return
    case 0x74:
    case 0x66:
      w.byte(0x20)
      w.byte(j.bool() ? 1 : 0)
      return
    case 0x6e:
      j.null()
      w.byte(0x08)
      w.byte(0)
      return
    default:
      w.byte(0x11)
      w.double(double(j))
  }
}

export function readStruct(j: JsonReader, w: WireWriter): void {
  const seen = new SeenKeys()
  for (let more = j.firstMember(); more; more = j.nextMember()) {
    const keyAt = j.pos
    w.byte(0x0a)
    const entry = w.fork()
    w.byte(0x0a)
    string(j, w)
    const keyEnd = w.pos
    j.colon()
    nested(j, w, { tag: 0x12, read: readValue })
    const moved = w.join(entry)
    if (seen.add(w.bytes, entry + moved, keyEnd + moved)) throw j.wrong(keyAt, 'has a key twice')
  }
}

export function readListValue(j: JsonReader, w: WireWriter): void {
  for (let more = j.firstItem(); more; more = j.nextItem()) nested(j, w, { tag: 0x0a, read: readValue })
}

export function printValue(r: WireReader, o: JsonWriter, end: number): void {
  r.enter()
  const start = o.pos
  for (let tag = r.tag(end); tag !== 0; tag = r.tag(end)) {
    if (tag >>> 3 > 6) {
      r.skip(tag, end)
      continue
    }
    if (o.pos !== start) r.odd = true
    o.pos = start
    printKind(r, o, { tag, end })
  }
  if (o.pos === start) throw new WireFault('A google.protobuf.Value holds no value.')
  r.depth--
}

export function printStruct(r: WireReader, o: JsonWriter, end: number): void {
  r.enter()
  const seen = new SeenKeys()
  o.byte(0x7b)
  for (let tag = r.tag(end); tag !== 0; tag = r.tag(end)) {
    if (tag !== 0x0a) {
      skipOther(r, tag, end)
      continue
    }
    const stop = r.length(end)
    r.entry(stop, 0x0a, 0x12)
    const { keyAt, valueAt } = r
    const keyStart = o.pos
    r.pos = keyAt < 0 ? stop : keyAt
    o.string(r, keyAt < 0 ? stop : r.length(stop))
    if (seen.add(o.bytes, keyStart, o.pos)) r.odd = true
    o.byte(0x3a)
    r.pos = valueAt < 0 ? stop : valueAt
    printValue(r, o, valueAt < 0 ? stop : r.length(stop))
    o.byte(0x2c)
    r.pos = stop
  }
  o.close(0x7d)
  r.depth--
}

export function printListValue(r: WireReader, o: JsonWriter, end: number): void {
  r.enter()
  o.byte(0x5b)
  for (let tag = r.tag(end); tag !== 0; tag = r.tag(end)) {
    if (tag !== 0x0a) {
      skipOther(r, tag, end)
      continue
    }
    printValue(r, o, r.length(end))
    o.byte(0x2c)
  }
  o.close(0x5d)
  r.depth--
}

function nested(
  j: JsonReader,
  w: WireWriter,
  { tag, read }: { readonly tag: number; readonly read: (j: JsonReader, w: WireWriter) => void },
): void {
  w.byte(tag)
  const start = w.fork()
  read(j, w)
  w.join(start)
}

function printKind(r: WireReader, o: JsonWriter, { tag, end }: { tag: number; end: number }): void {
  switch (tag) {
    case 0x08:
      r.varint()
      o.ascii('null')
      return
    case 0x11: {
      const value = r.double()
      if (!Number.isFinite(value)) throw new WireFault('A google.protobuf.Value is NaN or infinite.')
      o.double(value)
      return
    }
    case 0x1a:
      o.string(r, r.length(end))
      return
    case 0x20:
      o.bool(r.bool())
      return
    case 0x2a:
      printStruct(r, o, r.length(end))
      return
    case 0x32:
      printListValue(r, o, r.length(end))
      return
    default:
      throw wrongType(tag)
  }
}

function skipOther(r: WireReader, tag: number, end: number): void {
  if (tag >>> 3 === 1) throw wrongType(tag)
  r.skip(tag, end)
}
