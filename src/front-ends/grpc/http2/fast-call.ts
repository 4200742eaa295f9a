import type { RpcEnd, RpcReceiver, RpcRequest, RpcStream } from '../channel.ts'
import { AnswerData, type AnswerOwner } from './answer-data.ts'
import {
  type CallFailure,
  cancelled,
  deadlinePassed,
  noGrpc,
  notOneMessage,
  receiverFailed,
  resetFailure,
  tooLarge,
} from './call-failure.ts'
import type { CallHome } from './call-home.ts'
import type { HeaderList } from './hpack-decoder.ts'
import { judgeHeaders, noStatus } from './judge-headers.ts'
import { MessageError } from './message-reader.ts'
import { errorCodes, maxInt31 } from './protocol.ts'
import { SendQueue } from './send-queue.ts'

/** One call of the gateway's own HTTP/2 client, from `start` to `end`. */
export class FastCall implements RpcStream, AnswerOwner {
  readonly request: RpcRequest
  /** `performance.now()` when it has to be over; Infinity: never. */
  readonly deadlineAt: number
  /** Of the stream; 0 while it waits for one. */
  id = 0
  sendWindow = 0
  receiveWindow = 0
  /** How often something had come on its connection when it was put there. */
  heardBefore = 0
  /** Bytes that were consumed and not yet given back to the peer. */
  owed = 0
  /** Request bytes that wait; undefined while there were none. */
  queue: SendQueue | undefined
  /** Whether END_STREAM was sent. */
  sent = false
  readonly #receiver: RpcReceiver
  readonly #maxMessageBytes: number
  readonly #data: AnswerData
  readonly #timer: NodeJS.Timeout | undefined
  #home: CallHome | undefined
  #answered = false
  #interims = 0
  #messages = 0
  #over = false
  #wantsDrain = false
  /** How the call ended, while messages are held. */
  #lastWord: RpcEnd | undefined

  constructor(request: RpcRequest, receiver: RpcReceiver, maxMessageBytes: number) {
    this.request = request
    this.#receiver = receiver
    this.#maxMessageBytes = maxMessageBytes
    this.#data = new AnswerData(this, maxMessageBytes)
    const { timeoutMs, message } = request
    this.deadlineAt = timeoutMs > 0 ? performance.now() + timeoutMs : Number.POSITIVE_INFINITY
    if (timeoutMs > 0) this.#timer = setTimeout(expire, Math.min(Math.ceil(timeoutMs), maxInt31), this)
    if (message !== undefined && message.length > maxMessageBytes) this.#refuseMessage(message.length)
  }

  get over(): boolean {
    return this.#over
  }

  /** Tells where it is from now on; undefined: the peer has nothing more to say or to hear. */
  moveTo(home: CallHome | undefined): void {
    this.#home = home
  }

  pause(): void {
    this.#data.pause()
  }

  resume(): void {
    this.#data.resume()
  }

  cancel(): void {
    this.failLater(cancelled)
  }

  sendMessage(bytes: Uint8Array): boolean {
    if (this.#over || this.queue?.ended === true) return true
    if (bytes.length > this.#maxMessageBytes) {
      this.#refuseMessage(bytes.length)
      return true
    }
    this.queue ??= new SendQueue()
    this.queue.add(bytes)
    this.#home?.wantsToSend(this)
    this.#wantsDrain = this.queue.bytes >= queueBytes
    return !this.#wantsDrain
  }

  halfClose(): void {
    this.queue ??= new SendQueue()
    this.queue.ended = true
    this.#home?.wantsToSend(this)
  }

  /** A part of the queue was written. */
  wrote(): void {
    if (!this.#wantsDrain || this.queue === undefined || this.queue.bytes > queueBytes / 2) return
    this.#wantsDrain = false
    process.nextTick(tellDrain, this, this.#receiver)
  }

  /** Takes a header block. */
  headers(list: HeaderList, endStream: boolean): void {
    if (this.#over || this.#lastWord !== undefined) return
    const verdict = judgeHeaders(list, { isFirst: !this.#answered, endStream })
    if (verdict.kind === 'failed') this.fail(verdict.why, verdict.errorCode)
    else if (verdict.kind === 'end') this.#settle(verdict)
    else if (verdict.kind === 'interim') {
      if (++this.#interims > mostInterim) this.fail(noGrpc('No answer comes.'), errorCodes.enhanceYourCalm)
    } else {
      this.#answered = true
      this.#data.encoding = verdict.encoding
      try {
        this.#receiver.head(verdict.metadata)
      } catch (thrown) {
        this.fail(receiverFailed(thrown), errorCodes.cancel)
      }
    }
  }

  /** Takes DATA. */
  data(bytes: Buffer, start: number, end: number): void {
    if (this.#over || start === end) return
    if (!this.#answered) {
      this.fail(noGrpc('The answer has data before headers.'), errorCodes.protocolError)
      return
    }
    this.#data.add(bytes, start, end)
  }

  /** The stream ended without trailers. */
  endOfStream(): void {
    if (this.#lastWord === undefined) this.fail(noStatus, errorCodes.noError)
  }

  /** The peer sent RST_STREAM. */
  wasReset(errorCode: number): void {
    this.fail(resetFailure(errorCode, this.#answered), errorCodes.noError)
  }

  /** Ends the call at once; the error code is for the peer, if it is not done with the call. */
  fail(failure: CallFailure, errorCode: number): void {
    if (this.#over) return
    this.#receiver.end(this.#leave(failure, errorCode))
  }

  /** The same a little later, when nobody who is calling just now is surprised by it. */
  failLater(failure: CallFailure): void {
    if (this.#over) return
    process.nextTick(tellEnd, this.#receiver, this.#leave(failure, errorCodes.cancel))
  }

  #leave(
    { failure, code, message, reached = this.id !== 0, stale = false }: CallFailure,
    errorCode: number,
  ): RpcEnd {
    this.#close()
    const home = this.#home
    this.#home = undefined
    home?.leave(this, errorCode)
    return { code, message, trailers: [], fromBackend: false, failure, reached, stale }
  }

  #close(): void {
    this.#over = true
    this.#data.clear()
    clearTimeout(this.#timer)
  }

  #refuseMessage(bytes: number): void {
    this.failLater({ ...tooLarge(bytes, this.#maxMessageBytes), failure: 'requestTooLarge' })
  }

  #settle({ code, message, trailers }: Pick<RpcEnd, 'code' | 'message' | 'trailers'>): void {
    const how = { fromBackend: true, failure: undefined, reached: true, stale: false } as const
    this.#lastWord = { code, message, trailers, ...how }
    if (this.#data.caughtUp) this.#tellLastWord(this.#lastWord)
  }

  #tellLastWord(end: RpcEnd): void {
    if (end.code === 0 && !this.#data.whole) {
      this.fail(noGrpc('The answer ended within a message.'), errorCodes.noError)
    } else if (end.code === 0 && !this.request.serverStreaming && this.#messages === 0) {
      this.fail(notOneMessage, errorCodes.noError)
    } else {
      this.#close()
      this.#receiver.end(end)
    }
  }

  takeMessage(bytes: Buffer): void {
    if (++this.#messages > 1 && !this.request.serverStreaming) throw new MessageError(notOneMessage)
    this.#receiver.message(bytes)
  }

  consumed(bytes: number): void {
    this.#home?.consumed(this, bytes)
  }

  failReading(thrown: unknown): void {
    this.fail(thrown instanceof MessageError ? thrown.why : receiverFailed(thrown), errorCodes.cancel)
  }

  caughtUp(): void {
    if (this.#lastWord !== undefined) this.#tellLastWord(this.#lastWord)
  }
}

function expire(call: FastCall): void {
  call.fail(deadlinePassed, errorCodes.cancel)
}

function tellEnd(receiver: RpcReceiver, end: RpcEnd): void {
  receiver.end(end)
}

function tellDrain(call: FastCall, receiver: RpcReceiver): void {
  if (!call.over) receiver.drain?.()
}

/** From here on a client stream is asked to wait. */
const queueBytes = 65_536
const mostInterim = 100
