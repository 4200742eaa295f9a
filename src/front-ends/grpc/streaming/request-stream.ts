import { clientGone, GatewayError, toGatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { type BindOptions, bindsRaw, elementBinder } from '../bind-request.ts'
import type { Binding } from '../binding.ts'
import type { RpcStream } from '../channel.ts'
import type { RpcSource } from '../rpc-transport.ts'
import { ArraySplitter } from './array-splitter.ts'
import { elementError } from './element-error.ts'
import type { ElementSplitter } from './element-splitter.ts'
import { LineSplitter } from './line-splitter.ts'
import { SliceSplitter } from './slice-splitter.ts'

/**
 * The body of a request as a stream of messages: NDJSON, or the elements of a JSON array. Reads no faster than the backend does. Path
 * and query go into every message; without a body they are the only one. Throws UNSUPPORTED_MEDIA_TYPE.
 */
export function openRequestStream(x: HttpExchange, binding: Binding, options: BindOptions): RpcSource {
  const bind = elementBinder(x, binding, options)
  if (binding.body === undefined) return new OneMessage(bind(Buffer.alloc(0)))
  return new RequestStream(x, bind, chooseSplitter(x, bindsRaw(binding), options.messageBytes))
}

/** What a request says that has no place for a stream. */
class OneMessage implements RpcSource {
  readonly failure = undefined
  readonly #message: Uint8Array

  constructor(message: Uint8Array) {
    this.#message = message
  }

  begin(stream: RpcStream): void {
    stream.sendMessage(this.#message)
    stream.halfClose()
  }

  drain(): void {}
  over(): void {}
}

/** Messages that a splitter cuts out of the body, each bound as it comes. */
export class RequestStream implements RpcSource {
  failure: GatewayError | undefined
  readonly #x: HttpExchange
  readonly #bind: (element: Buffer) => Uint8Array | Promise<Uint8Array>
  readonly #splitter: ElementSplitter
  #sent = 0
  #over = false
  #goOn: (() => void) | undefined

  constructor(
    x: HttpExchange,
    bind: (element: Buffer) => Uint8Array | Promise<Uint8Array>,
    splitter: ElementSplitter,
  ) {
    this.#x = x
    this.#bind = bind
    this.#splitter = splitter
  }

  begin(stream: RpcStream): void {
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
    this.#goOn?.()
  }

  over(): void {
    this.#over = true
    this.#goOn?.()
  }

  async #pump(stream: RpcStream): Promise<void> {
    // Left half-way, the request must not take its connection with it.
    const pieces: AsyncIterable<Buffer> = this.#x.req.iterator({ destroyOnReturn: false })
    for await (const piece of pieces) {
      this.#x.requestBytes += piece.length
      // The backend answered before the end: the rest is read and dropped.
      if (this.#over) continue
      for (const element of this.#splitter.push(piece)) {
        const bound = this.#bind(element)
        const message = bound instanceof Promise ? await bound : bound
        if (this.#over) break
        if (!this.#send(stream, message)) await new Promise<void>((goOn) => (this.#goOn = goOn))
        if (this.#over) break
      }
    }
    if (this.#over) return
    const last = this.#splitter.finish()
    if (last !== undefined) this.#send(stream, await this.#bind(last))
    stream.halfClose()
  }

  #send(stream: RpcStream, message: Uint8Array): boolean {
    const roomLeft = stream.sendMessage(message)
    this.#sent++
    return roomLeft
  }

  #explain(thrown: unknown): GatewayError {
    if (!(thrown instanceof GatewayError) && this.#x.req.destroyed) {
      return clientGone(thrown)
    }
    return elementError(toGatewayError(thrown), this.#sent)
  }
}

function chooseSplitter(x: HttpExchange, raw: boolean, maxBytes: number): ElementSplitter {
  if (raw) return new SliceSplitter(maxBytes)
  const type = x.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (type === 'application/x-ndjson') return new LineSplitter(maxBytes)
  if (type === '' || type === 'application/json') return new ArraySplitter(maxBytes)
  throw new GatewayError(
    'UNSUPPORTED_MEDIA_TYPE',
    'The body must be application/x-ndjson, or application/json with an array.',
  )
}
