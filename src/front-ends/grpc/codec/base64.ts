import type { JsonReader } from './json-reader.ts'
import { readText } from './json-string.ts'
import type { WireWriter } from './wire-writer.ts'

/**
 * Reads a string of base64 or base64url, with or without padding (RFC 4648; ProtoJSON takes both), and writes its bytes with their
 * length before them; returns that length.
 */
export function base64(j: JsonReader, w: WireWriter): number {
  const at = j.pos
  if (j.bytes[at] !== 0x22) throw j.expected('a string of base64')
  readText(j)
  const { source, from } = j
  let { to } = j
  if ((to - from) % 4 === 0 && to > from && source[to - 1] === padding) {
    to--
    if (source[to - 1] === padding) to--
  }
  const rest = (to - from) % 4
  if (rest === 1) throw j.wrong(at, 'must be base64: its length is not right')
  const length = Math.floor(((to - from) * 3) / 4)
  w.ensure(length + 5)
  w.uint32(length)
  const target = w.bytes
  let { pos } = w
  let bad = 0
  let i = from
  for (; i + 3 < to; i += 4) {
    const a = values[source[i] as number] as number
    const b = values[source[i + 1] as number] as number
    const c = values[source[i + 2] as number] as number
    const d = values[source[i + 3] as number] as number
    bad |= a | b | c | d
    target[pos++] = (a << 2) | (b >> 4)
    target[pos++] = (b << 4) | (c >> 2)
    target[pos++] = (c << 6) | d
  }
  if (rest > 0) {
    const a = values[source[i] as number] as number
    const b = values[source[i + 1] as number] as number
    const c = rest === 3 ? (values[source[i + 2] as number] as number) : 0
    bad |= a | b | c
    target[pos++] = (a << 2) | (b >> 4)
    if (rest === 3) target[pos++] = (b << 4) | (c >> 2)
  }
  if (bad > 63) throw j.wrong(at, 'must be base64')
  w.pos = pos
  return length
}

const padding = 0x3d
/** 64 for what is no digit. */
const values = new Uint8Array(256).fill(64)
Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/').forEach((byte, value) => {
  values[byte] = value
})
values[0x2d] = 62
values[0x5f] = 63
