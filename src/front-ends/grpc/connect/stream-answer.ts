import { type GatewayError, toGatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import type { RpcStream } from '../channel.ts'
import { frame } from '../native/message-frame.ts'
import type { ConnectError } from './connect-error.ts'
import type { ConnectFormat } from './connect-format.ts'
import { compressFromBytes, gzip, takesGzip } from './gzip.ts'

/**
 * An answer in envelopes: messages, each as it comes and no faster than the client reads, then the end of the stream. HTTP 200 whatever
 * the end says (Connect, "Streaming-Response").
 */
export class StreamAnswer {
  /** Why the answer itself gave up on the stream. */
  failure: GatewayError | undefined
  readonly #x: HttpExchange
  readonly #format: ConnectFormat
  readonly #compresses: boolean
  #begun = false
  #paused = false
  /** Messages that are being compressed, in their order. */
  #queue: Promise<void> = Promise.resolve()
  #queued = 0

  constructor(x: HttpExchange, format: ConnectFormat) {
    this.#x = x
    this.#format = format
    this.#compresses = takesGzip(x.header('connect-accept-encoding'))
  }

  /** Writes the head, once; `headers` is flat and grows. */
  begin(headers: string[]): void {
    if (this.#begun) return
    this.#begun = true
    headers.push('Content-Type', this.#format.contentType)
    if (this.#compresses) headers.push('Connect-Content-Encoding', 'gzip')
    this.#x.writeHead(200, headers)
  }

  /** Writes a message behind the head; the stream that it is of is held up while there is no room. */
  message(message: string | Uint8Array, stream?: RpcStream): void {
    const payload = typeof message === 'string' ? Buffer.from(message) : message
    if (!this.#compresses) {
      this.#write(frame(0, payload), stream)
      return
    }
    this.#queued++
    stream?.pause()
    this.#queue = this.#queue
      .then(() => this.#compress(payload))
      .then((bytes) => {
        this.#write(bytes, stream)
        if (--this.#queued === 0 && !this.#paused) stream?.resume()
      })
      .catch((thrown: unknown) => this.giveUp(thrown, stream))
  }

  /** Notes why no message can be written any more, and cancels the stream. */
  giveUp(thrown: unknown, stream?: RpcStream): void {
    this.failure ??= toGatewayError(thrown)
    stream?.cancel()
  }

  /** Once all messages are written. */
  flushed(): Promise<void> {
    return this.#queue
  }

  /** The end of the stream, with the error if there is one, and trailing metadata, flat. */
  end(error: ConnectError | undefined, trailers: readonly string[]): void {
    const { gone, res } = this.#x
    if (gone || res.writableEnded) return
    const end = {
      ...(error === undefined ? {} : { error }),
      ...(trailers.length === 0 ? {} : { metadata: grouped(trailers) }),
    }
    this.#x.write(frame(endFlag, Buffer.from(JSON.stringify(end))))
    res.end()
  }

  async #compress(payload: Uint8Array): Promise<Buffer> {
    return payload.length < compressFromBytes ? frame(0, payload) : frame(1, await gzip(payload))
  }

  #write(bytes: Buffer, stream: RpcStream | undefined): void {
    const x = this.#x
    if (x.gone || x.res.writableEnded || this.failure !== undefined) return
    if (x.write(bytes) || stream === undefined || this.#paused) return
    this.#paused = true
    stream.pause()
    x.res.once('drain', () => {
      this.#paused = false
      if (this.#queued === 0) stream.resume()
    })
  }
}

/** Connect, "Enveloped-Message": the second bit of a frame's flags marks the end of the stream. */
const endFlag = 2

function grouped(pairs: readonly string[]): Record<string, string[]> {
  const byName = new Map<string, string[]>()
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const name = pairs[i] as string
    byName.set(name, [...(byName.get(name) ?? []), pairs[i + 1] as string])
  }
  return Object.fromEntries(byName)
}
