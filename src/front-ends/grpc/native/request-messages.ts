import { clientGone, GatewayError, toGatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import type { RpcStream } from '../channel.ts'
import { MessageError, MessageReader, type MessageSink } from '../http2/message-reader.ts'
import type { RpcSource } from '../rpc-transport.ts'
import { inflateRequest } from './inflate-request.ts'

/**
 * The messages of a request stream of gRPC, handed on as they came and no faster than the backend takes them. One that is compressed
 * is unpacked first, while those behind it wait.
 */
export class RequestMessages implements RpcSource, MessageSink {
  failure: GatewayError | undefined
  /** Whether the reader is to wait: the backend has enough, or a message is being unpacked. */
  stopped = false
  readonly #x: HttpExchange
  readonly #maxBytes: number
  readonly #reader: MessageReader
  #stream: RpcStream | undefined
  #packed: Buffer | undefined
  #over = false
  #goOn: (() => void) | undefined

  /** `maxBytes` is for one message, packed or not. */
  constructor(x: HttpExchange, maxBytes: number) {
    this.#x = x
    this.#maxBytes = maxBytes
    this.#reader = new MessageReader(this, maxBytes)
  }

  begin(stream: RpcStream): void {
    this.#stream = stream
    this.#x.acceptBody()
    this.#pump(stream).catch((thrown: unknown) => {
      // What is left of the body is dropped: a client that still sends shall read why it was refused.
      this.#x.req.resume()
      if (this.#over) return
      this.failure = this.#explain(thrown)
      stream.cancel()
    })
  }

  drain(): void {
    this.stopped = false
    this.#goOn?.()
  }

  over(): void {
    this.#over = true
    this.#goOn?.()
  }

  /** Called by the reader. */
  takeMessage(bytes: Buffer, packed: boolean): void {
    if (packed) {
      this.#packed = bytes
      this.stopped = true
    } else if (this.#stream?.sendMessage(bytes) === false) this.stopped = true
  }

  async #pump(stream: RpcStream): Promise<void> {
    // Left half-way, the request must not take its connection with it.
    const pieces: AsyncIterable<Buffer> = this.#x.req.iterator({ destroyOnReturn: false })
    for await (const piece of pieces) {
      this.#x.requestBytes += piece.length
      let at = 0
      // Once the backend has answered the rest is read and dropped.
      while (at < piece.length && !this.#over) {
        at = this.#reader.read(piece, at, piece.length)
        if (this.stopped) await this.#wait()
      }
    }
    if (this.#over) return
    if (!this.#reader.whole) throw new GatewayError('INVALID_BODY', 'The request ended within a message.')
    stream.halfClose()
  }

  async #wait(): Promise<void> {
    const packed = this.#packed
    if (packed !== undefined) {
      this.#packed = undefined
      const message = await inflateRequest(packed, this.#x.header('grpc-encoding'), this.#maxBytes)
      this.stopped = false
      this.takeMessage(message, false)
    }
    if (this.stopped && !this.#over) await new Promise<void>((goOn) => (this.#goOn = goOn))
  }

  #explain(thrown: unknown): GatewayError {
    if (thrown instanceof MessageError) {
      const { failure, message } = thrown.why
      return new GatewayError(failure === 'tooLarge' ? 'BODY_TOO_LARGE' : 'INVALID_BODY', message)
    }
    if (thrown instanceof GatewayError || !this.#x.req.destroyed) return toGatewayError(thrown)
    return clientGone(thrown)
  }
}
