import { Readable } from 'node:stream'
import { clientGone } from '../../core/error.ts'
import { tooLarge } from '../../core/request-body.ts'
import type { ProxyCall } from './proxy-call.ts'

/**
 * The client's body for one attempt. Nothing of it is read, and a client that waits for `100 Continue` is not told to send, before the
 * connection to the upstream is there; until then another attempt may have it, and later too where what was read is kept. What happens to it
 * does not touch the client's connection: the HTTP client destroys it at an early answer or a failure, and the rest of the body waits for
 * another attempt or is dropped.
 */
export class ClientBody extends Readable {
  readonly #call: ProxyCall
  #begun = false

  constructor(call: ProxyCall) {
    super()
    this.#call = call
  }

  override _read(): void {
    if (!this.#begun) this.#begin()
    if (this.#isOver) return
    this.#call.sentAt = Number.POSITIVE_INFINITY
    this.#call.exchange.req.resume()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const { exchange, replayable } = this.#call
    const { req } = exchange
    if (this.#begun && !req.destroyed) {
      req
        .off('data', this.#onData)
        .off('end', this.#onEnd)
        .off('error', this.#onGone)
        .off('close', this.#onGone)
      if (replayable) req.pause()
      else req.resume()
    }
    done(error)
  }

  get #isOver(): boolean {
    return this.#call.kept?.complete === true
  }

  #begin(): void {
    const { exchange: x, kept } = this.#call
    this.#begun = true
    if (kept === undefined) this.#call.replayable = false
    else for (const chunk of kept.chunks) this.push(chunk)
    if (this.#isOver) {
      // Of a body that somebody has read before, the copy was told nothing yet.
      if (x.whole !== undefined) this.#call.copied?.take(x.whole)
      this.#call.copied?.end()
      this.push(null)
      return
    }
    x.acceptBody()
    x.req
      .on('data', this.#onData)
      .once('end', this.#onEnd)
      .once('error', this.#onGone)
      .once('close', this.#onGone)
  }

  readonly #onData = (chunk: Buffer): void => {
    const { exchange: x, route, kept } = this.#call
    x.requestBytes += chunk.length
    // A chunked body has no declared length to refuse it by.
    if (x.requestBytes > route.maxBodyBytes) {
      this.destroy(tooLarge(route.maxBodyBytes))
      return
    }
    this.#call.copied?.take(chunk)
    if (kept !== undefined && !kept.take(chunk)) {
      this.#call.kept = undefined
      this.#call.replayable = false
    }
    if (this.push(chunk)) return
    // It is the upstream that has to go on now.
    this.#call.sentAt = performance.now()
    x.req.pause()
  }

  readonly #onEnd = (): void => {
    this.#call.sentAt = performance.now()
    if (this.#call.kept !== undefined) this.#call.kept.complete = true
    this.#call.copied?.end()
    this.push(null)
  }

  readonly #onGone = (cause?: Error): void => {
    if (!this.#call.exchange.req.readableEnded) {
      this.destroy(clientGone(cause))
    }
  }
}
