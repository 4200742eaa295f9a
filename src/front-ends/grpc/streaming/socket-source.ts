import type { RawData, WebSocket } from 'ws'
import { GatewayError, toGatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import type { RpcStream } from '../channel.ts'
import type { RpcSource } from '../rpc-transport.ts'
import { elementError } from './element-error.ts'

/** What a {@link SocketSource} makes messages from. */
export interface SocketSourceOptions {
  readonly bind: (json: Buffer) => Uint8Array
  /** Whether the request is one message, which needs no end. */
  readonly single: boolean
  /** Whether there is nothing to say beyond path and query. */
  readonly bodiless: boolean
  /** Whether messages are bytes of any kind instead of JSON. */
  readonly raw: boolean
}

/**
 * The messages of a WebSocket as those of a call, read no faster than the backend does. An empty message ends them: a WebSocket has no
 * other way to say that one side is done.
 */
export class SocketSource implements RpcSource {
  failure: GatewayError | undefined
  readonly #x: HttpExchange
  readonly #options: SocketSourceOptions
  readonly #bodiless: Uint8Array | undefined
  #socket: WebSocket | undefined
  #sent = 0
  #done = false

  /** Throws like {@link elementBinder} where path and query are all. */
  constructor(x: HttpExchange, options: SocketSourceOptions) {
    this.#x = x
    this.#options = options
    this.#bodiless = options.bodiless ? options.bind(Buffer.alloc(0)) : undefined
  }

  /** The messages come from here. */
  attach(socket: WebSocket): void {
    this.#socket = socket
  }

  begin(stream: RpcStream): void {
    const socket = this.#socket
    if (this.#bodiless !== undefined) {
      stream.sendMessage(this.#bodiless)
      this.#end(stream)
    }
    socket?.on('message', (data, isBinary) => {
      if (!this.#done) this.#take(stream, data, isBinary)
    })
    socket?.on('error', (cause) => {
      const tooLarge = 'code' in cause && cause.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
      this.#fail(
        stream,
        tooLarge
          ? new GatewayError('BODY_TOO_LARGE', 'The message is too large.', { cause })
          : new GatewayError('MALFORMED_REQUEST', 'What came is no WebSocket frame.', { cause }),
      )
    })
    socket?.resume()
  }

  drain(): void {
    this.#socket?.resume()
  }

  over(): void {
    this.#done = true
    this.#socket?.resume()
  }

  #take(stream: RpcStream, data: RawData, isBinary: boolean): void {
    const bytes = data as Buffer
    this.#x.requestBytes += bytes.length
    try {
      if (bytes.length === 0 && !isBinary) {
        this.#end(stream)
        return
      }
      if (isBinary && !this.#options.raw)
        throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'The message must be text.')
      if (!stream.sendMessage(this.#options.bind(bytes))) this.#socket?.pause()
      this.#sent++
      if (this.#options.single) this.#end(stream)
    } catch (thrown) {
      this.#fail(stream, elementError(toGatewayError(thrown), this.#sent))
    }
  }

  #end(stream: RpcStream): void {
    this.#done = true
    stream.halfClose()
  }

  #fail(stream: RpcStream, error: GatewayError): void {
    this.#done = true
    this.failure ??= error
    stream.cancel()
  }
}
