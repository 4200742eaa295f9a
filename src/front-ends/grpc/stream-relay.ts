import { GatewayError, toGatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { RpcStream } from './channel.ts'
import { replyMetadata } from './metadata.ts'
import type { MetadataRules } from './metadata-rules.ts'
import type { Rendering } from './render-reply.ts'
import { addTrailers } from './reply-trailers.ts'
import type { RpcRoute } from './rpc-route.ts'
import type { RpcStatus } from './rpc-status.ts'
import type { RpcCall } from './rpc-transport.ts'
import { chooseFraming, type Framing, rawFraming } from './streams.ts'

/** Writes the messages of a stream into one HTTP answer, each as it comes and no faster than the client reads. */
export class StreamRelay {
  /** Why the relay itself gave up on the stream. */
  failure: GatewayError | undefined
  readonly #x: HttpExchange
  readonly #rendering: Rendering
  readonly #metadata: MetadataRules
  readonly #framing: Framing
  #written = 0
  #paused = false

  constructor(x: HttpExchange, { rendering, metadata }: Pick<RpcRoute, 'rendering' | 'metadata'>) {
    this.#x = x
    this.#rendering = rendering
    this.#metadata = metadata
    this.#framing = rendering.raw ? rawFraming : chooseFraming(x.header('accept'))
  }

  /** Takes a message; cancels the stream when it cannot be rendered, and after the head when that is all the client wants. */
  message(bytes: Uint8Array, { call, stream }: { readonly call: RpcCall; readonly stream: RpcStream }): void {
    const x = this.#x
    if (x.gone || this.failure !== undefined || x.res.writableEnded) return
    try {
      const { contentType, body } = this.#rendering.render(bytes)
      const { first, next, after } = this.#framing
      if (this.#written === 0) this.#begin(call, contentType)
      if (x.request.method === 'HEAD') {
        x.res.end()
        stream.cancel()
        return
      }
      const lead = this.#written++ === 0 ? first : next
      const roomLeft = x.write(typeof body === 'string' ? `${lead}${body}${after}` : Buffer.from(body))
      if (!roomLeft && !this.#paused) this.#pause(stream)
    } catch (thrown) {
      this.failure = toGatewayError(thrown)
      stream.cancel()
    }
  }

  /** The stream is complete; `trailers` is flat. */
  end(call: RpcCall, trailers: readonly string[]): void {
    const { request, res } = this.#x
    const { none, end, contentType } = this.#framing
    if (this.#written === 0) this.#begin(call, contentType || 'application/octet-stream')
    const rest = this.#written === 0 ? none : end
    if (rest !== '' && request.method !== 'HEAD') this.#x.write(rest)
    addTrailers(this.#x, trailers)
    res.end()
  }

  /** The error as the last element. Raw bytes have no place for one: they are visibly cut off. */
  failLate(status: RpcStatus, trailers: readonly string[]): void {
    const { res, gone } = this.#x
    if (gone) return
    if (this.#rendering.raw) {
      this.#x.fail(new GatewayError('UPSTREAM_RESET', status.message))
      return
    }
    const { beforeError, afterError } = this.#framing
    this.#x.write(`${beforeError}${JSON.stringify(status)}${afterError}`)
    addTrailers(this.#x, trailers)
    res.end()
  }

  #begin(call: RpcCall, contentType: string): void {
    const headers = replyMetadata(call.metadata, this.#metadata)
    headers.push('Content-Type', this.#framing.contentType || contentType, ...this.#framing.headers)
    this.#x.writeHead(200, headers)
  }

  #pause(stream: RpcStream): void {
    this.#paused = true
    stream.pause()
    this.#x.res.once('drain', () => {
      this.#paused = false
      stream.resume()
    })
  }
}
