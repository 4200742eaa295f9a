import type { Channel, RpcEnd, RpcStream } from '../channel.ts'
import {
  decodeAnswer,
  encodeQuestion,
  type ReflectionAnswer,
  type ReflectionQuestion,
} from './reflection-messages.ts'

/** The backend ended the conversation, or there was none. */
export class ReflectionEnded extends Error {
  override readonly name = 'ReflectionEnded'
  readonly end: RpcEnd

  constructor(end: RpcEnd) {
    super(end.message === '' ? `ended with status ${end.code}` : end.message)
    this.end = end
  }
}

/** One call of server reflection: questions and their answers by turns. */
export class ReflectionStream {
  readonly #stream: RpcStream
  #waiting: PromiseWithResolvers<ReflectionAnswer> | undefined
  #ended: RpcEnd | undefined
  #finished = false

  /** @param options.timeoutMs for the whole call. */
  constructor(channel: Channel, options: { readonly path: string; readonly timeoutMs: number }) {
    this.#stream = channel.start(
      { ...options, message: undefined, metadata: [], serverStreaming: true },
      {
        head: () => {},
        message: (bytes) => this.#answered(bytes),
        end: (end) => {
          this.#ended = end
          this.#take()?.reject(new ReflectionEnded(end))
        },
      },
    )
  }

  /** Called again only when the answer is there. Rejects with {@link ReflectionEnded}, or when the answer is no message of reflection. */
  ask(question: ReflectionQuestion): Promise<ReflectionAnswer> {
    if (this.#ended !== undefined) return Promise.reject(new ReflectionEnded(this.#ended))
    this.#waiting = Promise.withResolvers()
    this.#stream.sendMessage(encodeQuestion(question))
    return this.#waiting.promise
  }

  /** No more questions; the backend ends the call in its own time. */
  finish(): void {
    this.#finished = true
    this.#stream.halfClose()
  }

  /** Breaks the call off, unless it has ended or is about to. */
  cancel(): void {
    if (this.#ended === undefined && !this.#finished) this.#stream.cancel()
  }

  #answered(bytes: Uint8Array): void {
    const waiting = this.#take()
    if (waiting === undefined) return
    try {
      waiting.resolve(decodeAnswer(bytes))
    } catch (cause) {
      waiting.reject(new Error('the answer is no message of server reflection', { cause }))
    }
  }

  #take(): PromiseWithResolvers<ReflectionAnswer> | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }
}
