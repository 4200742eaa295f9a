import { isSendableName, sendableValue } from '../sendable-metadata.ts'
import type { Outbox } from './outbox.ts'
import { defaultFrameBytes, frameFlags, frameHeadBytes, frameTypes, writeFrameHead } from './protocol.ts'

/** What the headers of one call are made from. */
export interface HeadOptions {
  readonly path: string
  readonly metadata: readonly string[]
  /** What is left of the deadline; Infinity: none. */
  readonly leftMs: number
  readonly streamId: number
  /** Whether it is the first of its connection. */
  readonly first: boolean
  /** The peer's limit for the whole list. */
  readonly maxListBytes: number
}

/** Writes the HEADERS of calls to one authority. Without a dynamic table, so that one block suits every connection. */
export class RequestHeads {
  readonly #before: Buffer
  readonly #after: Buffer
  readonly #afterListBytes: number
  /** What is the same in every call of a path, by path. */
  readonly #blocks = new Map<string, Buffer>()
  /** The name as a literal, by name; undefined for one that gRPC cannot carry. */
  readonly #names = new Map<string, Buffer | undefined>()

  constructor(authority: string, scheme: 'http' | 'https') {
    // Indexes of RFC 7541 appendix A: `:method POST`, `:scheme`, and the name `:authority`.
    this.#before = Buffer.concat([
      Buffer.from([0x83, scheme === 'https' ? 0x87 : 0x86]),
      literal(1, authority),
    ])
    this.#after = Buffer.concat([
      literal('te', 'trailers'),
      literal(31, 'application/grpc'),
      literal(58, 'grpc-node-trivium/0.1'),
      literal('grpc-accept-encoding', 'gzip,identity'),
    ])
    this.#afterListBytes = 400 + authority.length
  }

  /** Writes HEADERS, and CONTINUATION if need be. False, and nothing is written, when the peer takes no list of that size. */
  write(outbox: Outbox, options: HeadOptions): boolean {
    const { path, metadata, leftMs, streamId, maxListBytes, first } = options
    const fixed = this.#blockOf(path)
    // A character is nine at the most, three bytes of UTF-8 percent-encoded.
    let most = fixed.length + 64
    for (let i = 0; i < metadata.length; i++) most += (metadata[i] as string).length * 9 + 12
    outbox.claim(frameHeadBytes + most)
    const { slab, end: start } = outbox
    const block = start + frameHeadBytes
    let at = block
    // RFC 7541 section 6.3: a table of no bytes, once, so that a peer that shrinks it need not be told.
    if (first) slab[at++] = 0x20
    slab.set(fixed, at)
    at += fixed.length
    let listBytes = this.#afterListBytes + path.length
    if (leftMs !== Number.POSITIVE_INFINITY) {
      slab.set(timeoutName, at)
      at = writeString(slab, at + timeoutName.length, timeoutText(leftMs))
    }
    for (let i = 0; i + 1 < metadata.length; i += 2) {
      const name = metadata[i] as string
      const literalName = this.#nameOf(name)
      if (literalName === undefined) continue
      const value = carried(name, metadata[i + 1] as string)
      slab.set(literalName, at)
      at = writeString(slab, at + literalName.length, value)
      listBytes += name.length + value.length + 32
    }
    if (listBytes > maxListBytes) return false
    const length = at - block
    if (length > defaultFrameBytes) this.#writeSplit(outbox, Buffer.from(slab.subarray(block, at)), streamId)
    else {
      writeFrameHead(slab, start, {
        length,
        type: frameTypes.headers,
        flags: frameFlags.endHeaders,
        streamId,
      })
      outbox.end = at
    }
    return true
  }

  /** Every peer takes frames of the default size. */
  #writeSplit(outbox: Outbox, block: Buffer, streamId: number): void {
    for (let at = 0; at < block.length; at += defaultFrameBytes) {
      const part = block.subarray(at, at + defaultFrameBytes)
      const last = at + defaultFrameBytes >= block.length
      outbox.claim(frameHeadBytes)
      writeFrameHead(outbox.slab, outbox.end, {
        length: part.length,
        type: at === 0 ? frameTypes.headers : frameTypes.continuation,
        flags: last ? frameFlags.endHeaders : 0,
        streamId,
      })
      outbox.end += frameHeadBytes
      outbox.append(part)
    }
  }

  #blockOf(path: string): Buffer {
    const known = this.#blocks.get(path)
    if (known !== undefined) return known
    const block = Buffer.concat([this.#before, literal(4, path), this.#after])
    if (this.#blocks.size >= mostKept) this.#blocks.clear()
    this.#blocks.set(path, block)
    return block
  }

  #nameOf(name: string): Buffer | undefined {
    const known = this.#names.get(name)
    if (known !== undefined || this.#names.has(name)) return known
    const lower = name.toLowerCase()
    const encoded = isSendableName(lower) ? Buffer.concat([Buffer.from([0]), stringBytes(lower)]) : undefined
    if (this.#names.size >= mostKept) this.#names.clear()
    this.#names.set(name, encoded)
    return encoded
  }
}

/** A value as gRPC carries it: binary in base64, all else in printable ASCII, the rest percent-encoded. */
function carried(name: string, value: string): string {
  if (name.endsWith('-bin')) return Buffer.from(value, 'base64').toString('base64')
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code < 0x20 || code > 0x7e) return sendableValue(value).trim()
  }
  return isBlank(value, 0) || isBlank(value, value.length - 1) ? value.trim() : value
}

function isBlank(value: string, at: number): boolean {
  return value.charCodeAt(at) === 0x20
}

/** Up to eight digits and a unit. Source: gRPC doc/PROTOCOL-HTTP2.md, "Timeout". */
function timeoutText(leftMs: number): string {
  const ms = Math.max(1, Math.ceil(leftMs))
  return ms < 1e8 ? `${ms}m` : `${Math.min(99_999_999, Math.ceil(ms / 1_000))}S`
}

/** A header without indexing, its name by index or spelled out. Source: RFC 7541 section 6.2.2. */
function literal(name: number | string, value: string): Buffer {
  const named =
    typeof name === 'string'
      ? Buffer.concat([Buffer.from([0]), stringBytes(name)])
      : Buffer.from(name < 15 ? [name] : [15, name - 15])
  return Buffer.concat([named, stringBytes(value)])
}

function stringBytes(text: string): Buffer {
  const bytes = Buffer.alloc(text.length + 6)
  return bytes.subarray(0, writeString(bytes, 0, text))
}

/** Writes a string of ASCII without Huffman coding; answers where it ends. Source: RFC 7541 section 5.2. */
function writeString(into: Buffer, from: number, text: string): number {
  const { length } = text
  let at = from
  if (length < 127) into[at++] = length
  else {
    into[at++] = 127
    let rest = length - 127
    for (; rest >= 128; rest >>>= 7) into[at++] = (rest & 127) | 128
    into[at++] = rest
  }
  if (length > 24) return at + into.write(text, at, length, 'latin1')
  for (let i = 0; i < length; i++) into[at++] = text.charCodeAt(i)
  return at
}

const timeoutName = Buffer.concat([Buffer.from([0]), stringBytes('grpc-timeout')])

/** Paths and names come from configuration or, passed through, from clients: no more than so many are kept. */
const mostKept = 1_000
