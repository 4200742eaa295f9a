import { type GatewayError, refusalHeaders } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { grpcNumbers } from '../../../core/reason-entry.ts'
import type { RpcStream } from '../channel.ts'
import { frame } from './message-frame.ts'
import { passedMetadata, percentEncoded } from './native-metadata.ts'
import { statusDetails } from './status-bytes.ts'
import type { WireFormat } from './wire-format.ts'

/** How a call ended, in the words of its trailers. */
export interface NativeEnd {
  readonly code: number
  readonly message: string
  /** Trailing metadata, flat. */
  readonly trailers: readonly string[]
}

/** The answer to one call as its client frames it: head, messages, trailers. HTTP 200 whatever the status (gRPC PROTOCOL-HTTP2). */
export class NativeAnswer {
  readonly #x: HttpExchange
  readonly #format: WireFormat
  #begun = false
  #paused = false

  constructor(x: HttpExchange, format: WireFormat) {
    this.#x = x
    this.#format = format
  }

  /** Writes the initial metadata ahead of the first message: there are calls whose clients wait for it. */
  head(metadata: readonly string[]): void {
    const { gone, res } = this.#x
    if (gone || res.writableEnded) return
    this.#begin(passedMetadata(metadata))
    res.flushHeaders()
  }

  /** Writes a message as it came; the stream that it is of is held up while the client reads slower. */
  message(bytes: Uint8Array, metadata: readonly string[], stream?: RpcStream): void {
    const x = this.#x
    if (x.gone || x.res.writableEnded) return
    if (!this.#begun) this.#begin(passedMetadata(metadata))
    const roomLeft = this.#write(frame(0, bytes))
    if (roomLeft || stream === undefined || this.#paused) return
    this.#paused = true
    stream.pause()
    x.res.once('drain', () => {
      this.#paused = false
      stream.resume()
    })
  }

  /** A message and the end behind it, in one piece. */
  whole(bytes: Uint8Array, end: NativeEnd, metadata: readonly string[]): void {
    this.#end(end, passedMetadata(metadata), frame(0, bytes))
  }

  /** The status and the trailing metadata; the answer is complete. `metadata` is the initial one, for an answer without messages. */
  end(end: NativeEnd, metadata: readonly string[]): void {
    this.#end(end, passedMetadata(metadata))
  }

  /** A refusal of the gateway itself, also behind messages. */
  refuse(error: GatewayError): void {
    const x = this.#x
    const details = ['grpc-status-details-bin', statusDetails(x, error)]
    this.#end(
      { code: grpcNumbers[error.code], message: error.message, trailers: details },
      refusalHeaders(error),
    )
  }

  #end({ code, message, trailers }: NativeEnd, headers: string[], last?: Buffer): void {
    const x = this.#x
    if (x.gone || x.res.writableEnded) return
    x.attributes['rpc.grpc.status_code'] = code
    this.#begin(headers)
    const all = ['grpc-status', String(code)]
    if (message !== '') all.push('grpc-message', percentEncoded(message))
    all.push(...passedMetadata(trailers))
    if (this.#format.kind !== 'grpc') {
      if (last !== undefined) this.#write(last)
      this.#write(frame(trailersFlag, headerBlock(all)))
      x.res.end()
      return
    }
    x.res.addTrailers(grouped(all))
    x.responseBytes += last?.length ?? 0
    x.res.end(last)
  }

  #begin(headers: string[]): void {
    if (this.#begun) return
    this.#begun = true
    headers.push('content-type', this.#format.contentType)
    this.#x.writeHead(200, headers)
  }

  #write(bytes: Buffer): boolean {
    return this.#x.write(this.#format.kind === 'webText' ? bytes.toString('base64') : bytes)
  }
}

/** gRPC PROTOCOL-WEB: the most significant bit of a frame's first byte marks trailers, written like headers of HTTP/1.1. */
const trailersFlag = 0x80

function headerBlock(pairs: readonly string[]): Buffer {
  let block = ''
  for (let i = 0; i + 1 < pairs.length; i += 2) block += `${pairs[i]}: ${pairs[i + 1]}\r\n`
  return Buffer.from(block, 'latin1')
}

function grouped(pairs: readonly string[]): Record<string, string[]> {
  const byName: Record<string, string[]> = {}
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const name = pairs[i] as string
    byName[name] ??= []
    byName[name].push(pairs[i + 1] as string)
  }
  return byName
}
