import { protoCamelCase, protoSnakeCase } from '@bufbuild/protobuf/reflect'
import { WireFault } from './json-fault.ts'
import type { JsonReader } from './json-reader.ts'
import { readText } from './json-string.ts'
import type { JsonWriter } from './json-writer.ts'
import { type WireReader, wrongType } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

/** Reads a FieldMask: paths in lowerCamelCase, with commas between them (field_mask.proto, "JSON Encoding of Field Masks"). */
export function readFieldMask(j: JsonReader, w: WireWriter): void {
  const at = j.pos
  if (j.bytes[at] !== 0x22) throw j.expected('paths with commas between them')
  readText(j)
  const text = j.source.toString('utf8', j.from, j.to)
  if (text === '') return
  for (const path of text.split(',')) {
    if (path.includes('_')) throw j.wrong(at, 'must have its paths in lowerCamelCase')
    const bytes = Buffer.from(protoSnakeCase(path))
    w.byte(0x0a)
    w.uint32(bytes.length)
    w.ensure(bytes.length)
    w.bytes.set(bytes, w.pos)
    w.pos += bytes.length
  }
}

export function printFieldMask(r: WireReader, o: JsonWriter, end: number): void {
  const paths: string[] = []
  for (let tag = r.tag(end); tag !== 0; tag = r.tag(end)) {
    if (tag === 0x0a) {
      const stop = r.length(end)
      paths.push(camelPath(r.bytes.subarray(r.pos, stop)))
      r.pos = stop
    } else if (tag >>> 3 === 1) throw wrongType(tag)
    else r.skip(tag, end)
  }
  const bytes = Buffer.from(paths.join(','))
  o.string({ bytes, pos: 0 }, bytes.length)
}

function camelPath(bytes: Uint8Array): string {
  try {
    const path = utf8.decode(bytes)
    const camel = protoCamelCase(path)
    if (protoSnakeCase(camel) === path) return camel
  } catch (cause) {
    throw new WireFault('A string is not valid UTF-8.', { cause })
  }
  throw new WireFault('A path of a FieldMask has no form in lowerCamelCase.')
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
