import type { Frame } from './frame-reader.ts'
import { ConnectionError, errorCodes, frameFlags } from './protocol.ts'

/** Puts HEADERS and their CONTINUATION frames together. Source: RFC 9113 section 6.2 and 6.10. */
export class HeaderBlocks {
  /** The stream whose block is not complete; 0: none. No other frame may come then. */
  streamId = 0
  /** Whether the complete block ends its stream. */
  endStream = false
  /** The complete block, from `start` to `end`. */
  bytes: Buffer = nothing
  start = 0
  end = 0
  readonly #maxBlockBytes: number
  #parts: Buffer[] = []
  #partBytes = 0

  constructor(maxBlockBytes: number) {
    this.#maxBlockBytes = maxBlockBytes
  }

  /** Takes HEADERS; answers whether the block is complete. */
  begin(frame: Frame): boolean {
    const { flags } = frame
    let { start, end } = unpadded(frame)
    if ((flags & frameFlags.priority) !== 0) start += 5
    if (start > end) throw new ConnectionError(errorCodes.frameSizeError, 'HEADERS is too short.')
    this.endStream = (flags & frameFlags.endStream) !== 0
    if ((flags & frameFlags.endHeaders) !== 0) {
      this.bytes = frame.bytes
      this.start = start
      this.end = end
      return true
    }
    this.streamId = frame.streamId
    this.#add(frame.bytes.subarray(start, end))
    return false
  }

  /** Takes CONTINUATION; answers whether the block is complete. Throws ENHANCE_YOUR_CALM when it never is. */
  continue({ streamId, flags, bytes, start, end }: Frame): boolean {
    if (this.streamId === 0 || streamId !== this.streamId) {
      throw new ConnectionError(errorCodes.protocolError, 'CONTINUATION stands where it must not.')
    }
    this.#add(bytes.subarray(start, end))
    if ((flags & frameFlags.endHeaders) === 0) return false
    this.streamId = 0
    this.bytes = Buffer.concat(this.#parts)
    this.start = 0
    this.end = this.bytes.length
    this.#parts = []
    this.#partBytes = 0
    return true
  }

  #add(part: Buffer): void {
    this.#parts.push(part)
    this.#partBytes += part.length
    if (this.#parts.length > maxParts || this.#partBytes > this.#maxBlockBytes) {
      throw new ConnectionError(errorCodes.enhanceYourCalm, 'A header block does not end.')
    }
  }
}

/** The payload of DATA or HEADERS without padding. Throws PROTOCOL_ERROR when there is more padding than payload. */
export function unpadded({ flags, bytes, start, end }: Frame): {
  readonly start: number
  readonly end: number
} {
  if ((flags & frameFlags.padded) === 0) return { start, end }
  const padding = bytes[start] as number
  if (end === start || start + 1 + padding > end) {
    throw new ConnectionError(errorCodes.protocolError, 'A frame has more padding than payload.')
  }
  return { start: start + 1, end: end - padding }
}

const nothing = Buffer.alloc(0)
const maxParts = 64
