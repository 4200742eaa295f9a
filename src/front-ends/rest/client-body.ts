import { Readable } from 'node:stream'
import { GatewayError } from '../../core/error.ts'
import { tooLarge } from '../body.ts'
import type { ProxyCall } from './proxy-call.ts'

/**
 * The client's body for one attempt. Nothing of it is read, and a client that waits for `100 Continue` is not told to send, before the
 * connection to the upstream is there; until then another attempt may have it. What happens to it does not touch the client's connection:
 * the HTTP client destroys it at an early answer or a failure, and the rest of the body is dropped.
 */
export class ClientBody extends Readable {
  readonly #call: ProxyCall
  #begun = false

  constructor(call: ProxyCall) {
    super()
    this.#call = call
  }

  override _read(): void {
    const x = this.#call.exchange
    if (!this.#begun) {
      this.#begun = true
      this.#call.replayable = false
      x.acceptBody()
      x.req
        .on('data', this.#onData)
        .once('end', this.#onEnd)
        .once('error', this.#onGone)
        .once('close', this.#onGone)
    }
    x.req.resume()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const { req } = this.#call.exchange
    if (this.#begun && !req.destroyed) {
      req.off('data', this.#onData).off('end', this.#onEnd)
      req.resume()
    }
    done(error)
  }

  readonly #onData = (chunk: Buffer): void => {
    const { exchange: x, route } = this.#call
    x.requestBytes += chunk.length
    // A chunked body has no declared length to refuse it by.
    if (x.requestBytes > route.maxBodyBytes) this.destroy(tooLarge(route.maxBodyBytes))
    else if (!this.push(chunk)) x.req.pause()
  }

  readonly #onEnd = (): void => {
    this.push(null)
  }

  readonly #onGone = (cause?: Error): void => {
    if (!this.#call.exchange.req.readableEnded) {
      this.destroy(new GatewayError('CLIENT_GONE', 'The client closed the connection.', { cause }))
    }
  }
}
