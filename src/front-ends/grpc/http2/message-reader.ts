import { type CallFailure, noGrpc, tooLarge } from './call-failure.ts'

/** Takes messages; says when it wants no more. */
export interface MessageSink {
  /** True: {@link MessageReader.read} returns before the next message. */
  readonly stopped: boolean
  /** `packed`: it is compressed, by the encoding that its side has announced. */
  takeMessage(bytes: Buffer, packed: boolean): void
}

/** What was read is no gRPC message, or a larger one than allowed. */
export class MessageError extends Error {
  readonly why: CallFailure

  constructor(why: CallFailure) {
    super(why.message)
    this.why = why
  }
}

/** Cuts DATA into messages: a byte of flags, four of length, the message. Source: gRPC doc/PROTOCOL-HTTP2.md. */
export class MessageReader {
  readonly #sink: MessageSink
  readonly #maxBytes: number
  /** Of the message that is being read, -1 while its prefix is. */
  #length = -1
  #compressed = false
  /** The prefix, then the message, as far as they came. */
  #kept: Buffer = nothing
  #keptBytes = 0

  constructor(sink: MessageSink, maxBytes: number) {
    this.#sink = sink
    this.#maxBytes = maxBytes
  }

  /** Whether all that came was whole messages. */
  get whole(): boolean {
    return this.#length === -1 && this.#keptBytes === 0
  }

  /**
   * Reads until the end, or until the sink has stopped; answers where. Throws a MessageError, for a message above the limit before
   * any of it is kept.
   */
  read(bytes: Buffer, from: number, end: number): number {
    let at = from
    while (at < end && !this.#sink.stopped) {
      if (this.#length === -1) {
        at = this.#prefix(bytes, at, end)
        continue
      }
      const missing = this.#length - this.#keptBytes
      if (this.#keptBytes === 0 && end - at >= missing) {
        this.#tell(bytes.subarray(at, at + missing))
        at += missing
        continue
      }
      const taken = Math.min(missing, end - at)
      this.#keep(bytes, at, taken)
      at += taken
      if (taken === missing) this.#tell(this.#kept.subarray(0, this.#keptBytes))
    }
    return at
  }

  #prefix(bytes: Buffer, at: number, end: number): number {
    if (this.#keptBytes === 0 && end - at >= prefixBytes) {
      this.#begin(bytes, at)
      if (this.#length === 0) this.#tell(nothing)
      return at + prefixBytes
    }
    const taken = Math.min(prefixBytes - this.#keptBytes, end - at)
    if (this.#keptBytes === 0) this.#kept = Buffer.alloc(prefixBytes)
    bytes.copy(this.#kept, this.#keptBytes, at, at + taken)
    this.#keptBytes += taken
    if (this.#keptBytes === prefixBytes) {
      this.#keptBytes = 0
      this.#begin(this.#kept, 0)
      if (this.#length === 0) this.#tell(nothing)
    }
    return at + taken
  }

  #begin(bytes: Buffer, at: number): void {
    const flag = bytes[at] as number
    if (flag > 1) throw new MessageError(noGrpc('What came is not framed as gRPC messages.'))
    const length = bytes.readUInt32BE(at + 1)
    if (length > this.#maxBytes) throw new MessageError(tooLarge(length, this.#maxBytes))
    this.#compressed = flag === 1
    this.#length = length
  }

  /** The buffer grows with what really comes, whatever the prefix promised. */
  #keep(bytes: Buffer, at: number, taken: number): void {
    const needed = this.#keptBytes + taken
    if (this.#keptBytes === 0 || this.#kept.length < needed) {
      const size = Math.min(this.#length, Math.max(needed, this.#kept.length * 2, leastBytes))
      const grown = Buffer.allocUnsafeSlow(size)
      this.#kept.copy(grown, 0, 0, this.#keptBytes)
      this.#kept = grown
    }
    bytes.copy(this.#kept, this.#keptBytes, at, at + taken)
    this.#keptBytes = needed
  }

  #tell(message: Buffer): void {
    const compressed = this.#compressed
    this.#length = -1
    this.#kept = nothing
    this.#keptBytes = 0
    this.#sink.takeMessage(message, compressed)
  }
}

const prefixBytes = 5
const leastBytes = 16_384
const nothing = Buffer.alloc(0)
