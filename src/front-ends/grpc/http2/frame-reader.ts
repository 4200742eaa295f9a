import { ConnectionError, errorCodes, frameHeadBytes } from './protocol.ts'

/** One frame; the object is used again for the next. */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  /** The payload is from `start` to `end`; it belongs to who takes the frame and is not written to again. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

/** Takes frames. A ConnectionError that it throws comes out of {@link FrameReader.push}. */
export interface FrameSink {
  frame(frame: Frame): void
}

/** Cuts what comes from a socket into frames; holds back one incomplete frame at the most. */
export class FrameReader implements Frame {
  type = 0
  flags = 0
  streamId = 0
  bytes: Buffer = nothing
  start = 0
  end = 0
  readonly #maxFrameBytes: number
  readonly #sink: FrameSink
  /** The head of a frame whose payload is not complete, or what there is of it. */
  readonly #head: Buffer = Buffer.alloc(frameHeadBytes)
  #headBytes = 0
  #payload: Buffer = nothing
  #payloadBytes = 0

  constructor(maxFrameBytes: number, sink: FrameSink) {
    this.#maxFrameBytes = maxFrameBytes
    this.#sink = sink
  }

  /** Whether the last chunk ended between two frames. */
  get whole(): boolean {
    return this.#headBytes === 0
  }

  /** Takes a chunk. Throws FRAME_SIZE_ERROR for a frame above the limit, before its payload came. */
  push(chunk: Buffer): void {
    let at = this.#headBytes === 0 ? 0 : this.#continue(chunk)
    const { length } = chunk
    while (length - at >= frameHeadBytes) {
      const payload = this.#readHead(chunk, at)
      const end = at + frameHeadBytes + payload
      if (end > length) break
      this.bytes = chunk
      this.start = at + frameHeadBytes
      this.end = end
      at = end
      this.#sink.frame(this)
    }
    if (at < length) this.#keep(chunk, at)
  }

  /** Completes what was kept; answers where in the chunk the next frame begins. */
  #continue(chunk: Buffer): number {
    let at = 0
    if (this.#headBytes < frameHeadBytes) {
      at = chunk.copy(this.#head, this.#headBytes, 0, frameHeadBytes - this.#headBytes)
      this.#headBytes += at
      if (this.#headBytes < frameHeadBytes) return at
      this.#payload = Buffer.allocUnsafeSlow(this.#readHead(this.#head, 0))
      this.#payloadBytes = 0
    }
    const copied = chunk.copy(this.#payload, this.#payloadBytes, at)
    this.#payloadBytes += copied
    at += copied
    if (this.#payloadBytes < this.#payload.length) return at
    this.#readHead(this.#head, 0)
    this.#headBytes = 0
    this.bytes = this.#payload
    this.start = 0
    this.end = this.#payload.length
    this.#payload = nothing
    this.#sink.frame(this)
    return at
  }

  #keep(chunk: Buffer, at: number): void {
    this.#headBytes = chunk.copy(this.#head, 0, at)
    if (this.#headBytes < frameHeadBytes) return
    this.#payload = Buffer.allocUnsafeSlow(this.#readHead(this.#head, 0))
    this.#payloadBytes = chunk.copy(this.#payload, 0, at + frameHeadBytes)
  }

  #readHead(from: Buffer, at: number): number {
    const length = ((from[at] as number) << 16) | ((from[at + 1] as number) << 8) | (from[at + 2] as number)
    if (length > this.#maxFrameBytes) {
      throw new ConnectionError(errorCodes.frameSizeError, `A frame of ${length} bytes is above the limit.`)
    }
    this.type = from[at + 3] as number
    this.flags = from[at + 4] as number
    this.streamId =
      (((from[at + 5] as number) & 127) << 24) |
      ((from[at + 6] as number) << 16) |
      ((from[at + 7] as number) << 8) |
      (from[at + 8] as number)
    return length
  }
}

const nothing = Buffer.alloc(0)
