import { noGrpc } from './call-failure.ts'
import { inflate } from './inflate.ts'
import { MessageError, MessageReader, type MessageSink } from './message-reader.ts'

/** Whose answer it is. */
export interface AnswerOwner {
  /** Nothing more is wanted. */
  readonly over: boolean
  /** May throw. */
  takeMessage(bytes: Buffer): void
  /** So many bytes have been read, and give their room to others. */
  consumed(bytes: number): void
  /** What was read is no message, or `takeMessage` threw. */
  failReading(thrown: unknown): void
  /** Nothing is held any more. */
  caughtUp(): void
}

/** The DATA of one answer: read into messages as they are wanted, held until then. */
export class AnswerData implements MessageSink {
  readonly #owner: AnswerOwner
  readonly #maxMessageBytes: number
  readonly #reader: MessageReader
  /** `grpc-encoding` of the answer. */
  encoding = ''
  #paused = false
  #reading = false
  /** Whether a message is being decompressed; those behind it wait. */
  #inflating = false
  /** What came while nobody wanted it; bounded by the window of the stream. */
  #held: Buffer[] = []

  constructor(owner: AnswerOwner, maxMessageBytes: number) {
    this.#owner = owner
    this.#maxMessageBytes = maxMessageBytes
    this.#reader = new MessageReader(this, maxMessageBytes)
  }

  get stopped(): boolean {
    return this.#paused || this.#inflating || this.#owner.over
  }

  /** Whether all that came has been read. */
  get caughtUp(): boolean {
    return this.#held.length === 0 && !this.#inflating
  }

  /** Whether all that was read was whole messages. */
  get whole(): boolean {
    return this.#reader.whole
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (!this.#reading) this.#readHeld()
  }

  /** Takes the payload of a DATA frame. */
  add(bytes: Buffer, start: number, end: number): void {
    const at = this.#held.length > 0 ? start : this.#read(bytes, start, end)
    if (at === end || this.#owner.over) return
    this.#held.push(bytes.subarray(at, end))
    if (this.#held.length > mostHeld) this.#held = [Buffer.concat(this.#held)]
  }

  clear(): void {
    this.#held = []
  }

  takeMessage(bytes: Buffer, packed: boolean): void {
    if (packed) this.#inflate(bytes)
    else this.#owner.takeMessage(bytes)
  }

  #inflate(bytes: Buffer): void {
    if (this.encoding !== 'gzip') {
      throw new MessageError(noGrpc(`The answer is encoded as "${this.encoding}", which was not offered.`))
    }
    this.#inflating = true
    inflate(bytes, this.#maxMessageBytes, (failure, message) => {
      this.#inflating = false
      if (this.#owner.over) return
      try {
        if (failure !== undefined) throw new MessageError(failure)
        this.#owner.takeMessage(message)
      } catch (thrown) {
        this.#owner.failReading(thrown)
      }
      this.#readHeld()
    })
  }

  /** Reads until the end or until there is enough; answers where. */
  #read(bytes: Buffer, start: number, end: number): number {
    this.#reading = true
    let at = end
    try {
      at = this.#reader.read(bytes, start, end)
    } catch (thrown) {
      this.#owner.failReading(thrown)
    }
    this.#reading = false
    if (at > start) this.#owner.consumed(at - start)
    return at
  }

  #readHeld(): void {
    while (this.#held.length > 0 && !this.stopped) {
      const first = this.#held[0] as Buffer
      const at = this.#read(first, 0, first.length)
      if (at === first.length) this.#held.shift()
      else this.#held[0] = first.subarray(at)
    }
    if (this.caughtUp && !this.#owner.over) this.#owner.caughtUp()
  }
}

const mostHeld = 64
