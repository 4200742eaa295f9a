import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { WireFault } from './json-fault.ts'
import type { JsonReader } from './json-reader.ts'
import { skipValue, unknownMember } from './json-skip.ts'
import { readText, skipString } from './json-string.ts'
import type { JsonWriter } from './json-writer.ts'
import { type MessageType, type MessageTypes, wholeMessage } from './message-type.ts'
import { WireReader, wrongType } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** Reads an Any: `@type` wherever it stands, and beside it the fields or, for a type with JSON of its own, `value`. */
export function readAny(j: JsonReader, w: WireWriter, types: MessageTypes): void {
  const start = j.pos
  const url = findType(j)
  if (url === undefined) {
    if (j.firstMember()) throw j.wrong(start, 'must have an "@type"')
    return
  }
  const type = types.named(url.slice(url.lastIndexOf('/') + 1))
  if (type === undefined) throw j.wrong(start, 'has an "@type" that is not known')
  const fullUrl = Buffer.from(url.includes('/') ? url : `type.googleapis.com/${url}`)
  w.byte(0x0a)
  w.uint32(fullUrl.length)
  w.raw(fullUrl)
  w.byte(0x12)
  const value = w.fork()
  if (type.custom) readCustom(j, w, type)
  else {
    const { anyDepth } = j
    j.anyDepth = j.depth + 1
    type.read(j, w, wholeMessage)
    j.anyDepth = anyDepth
  }
  if (w.pos > value) w.join(value)
  else w.pos = value - 2
}

/** Prints an Any; one without a type is an empty object. */
export function printAny(r: WireReader, o: JsonWriter, stop: number, types: MessageTypes): void {
  r.enter()
  let url: Uint8Array = new Uint8Array(0)
  let start = stop
  let end = stop
  for (let tag = r.tag(stop); tag !== 0; tag = r.tag(stop)) {
    if (tag === 0x0a || tag === 0x12) {
      const after = r.length(stop)
      if (tag === 0x0a) url = r.bytes.subarray(r.pos, after)
      else {
        start = r.pos
        end = after
      }
      r.pos = after
    } else if (tag >>> 3 < 3) throw wrongType(tag)
    else r.skip(tag, stop)
  }
  o.byte(0x7b)
  if (url.length > 0) {
    const name = Buffer.from(url).toString('latin1')
    const type = types.named(name.slice(name.lastIndexOf('/') + 1))
    if (type === undefined) throw new WireFault('An Any holds a message of unknown type.')
    o.ascii('"@type":')
    o.string({ bytes: url, pos: 0 }, url.length)
    o.byte(0x2c)
    r.pos = start
    printContent(r, o, end, type)
  }
  o.close(0x7d)
  r.pos = stop
  r.depth--
}

/** What is odd inside is put in order here: outside it is only bytes. */
function printContent(r: WireReader, o: JsonWriter, end: number, type: MessageType): void {
  const { odd, pos } = r
  const mark = o.pos
  r.odd = false
  printMembers(r, o, end, type)
  if (r.odd) {
    if (++r.repairs > maxRepairs) throw new WireFault('Too many messages inside Anys are out of order.')
    const { desc } = type
    const ordered = new WireReader()
    ordered.start(toBinary(desc, fromBinary(desc, r.bytes.subarray(pos, end))))
    ordered.depth = r.depth
    ordered.repairs = r.repairs
    o.pos = mark
    printMembers(ordered, o, ordered.bytes.length, type)
    r.repairs = ordered.repairs
  }
  r.odd = odd
}

function printMembers(r: WireReader, o: JsonWriter, end: number, type: MessageType): void {
  if (!type.custom) {
    r.enter()
    type.printFields(r, o, end)
    r.depth--
    return
  }
  o.ascii('"value":')
  type.print(r, o, end)
  o.byte(0x2c)
}

function readCustom(j: JsonReader, w: WireWriter, type: MessageType): void {
  const start = j.pos
  let found = false
  for (let more = j.firstMember(); more; more = j.nextMember()) {
    const name = memberName(j)
    if (name === '@type') skipString(j)
    else if (name !== 'value') unknownMember(j)
    else if (found) throw j.duplicate()
    else {
      found = true
      type.read(j, w, wholeMessage)
    }
  }
  if (!found) throw j.wrong(start, 'must have a "value"')
}

/** The `@type` of the object that begins here; stays where it is. */
function findType(j: JsonReader): string | undefined {
  const { pos, depth } = j
  let url: string | undefined
  for (let more = j.firstMember(); more; more = j.nextMember()) {
    if (memberName(j) !== '@type') {
      skipValue(j)
      continue
    }
    if (url !== undefined) throw j.duplicate()
    const at = j.pos
    readText(j)
    url = j.source.toString('utf8', j.from, j.to)
    if (url === '') throw j.wrong(at, 'must be the URL of a type')
  }
  j.pos = pos
  j.depth = depth
  return url
}

/** Of names longer than the two that count only a part. */
function memberName(j: JsonReader): string {
  readText(j)
  const name = j.source.toString('latin1', j.from, Math.min(j.to, j.from + 6))
  j.colon()
  return name
}

/** Messages inside Anys that are put in order for one answer, at most: each doubles the work of those around it. */
const maxRepairs = 100
