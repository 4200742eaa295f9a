import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { GatewayError } from '../core/error.ts'
import type { Attempt } from './attempt.ts'
import { Call } from './call.ts'
import { httpFailure } from './http-failure.ts'
import type { Copy } from './mirror/copy.ts'
import { HttpCopy, httpCopyTransport } from './mirror/http-copy.ts'
import { retryAfterMs } from './retry-after.ts'

/** A call over HTTP whose answer is held in memory and read as a whole. */
export abstract class BufferedCall<Reply> extends Call {
  abstract override readonly method: Dispatcher.HttpMethod
  /** Path and query. */
  abstract readonly path: string
  /** A stream is read once: the call must say that it is not replayable. */
  abstract readonly body: Buffer | Readable | null
  /** A larger answer is refused with UPSTREAM_TOO_LARGE. */
  abstract readonly maxAnswerBytes: number

  /** Reads an answer. What it throws says that the target answered nonsense, and another one may be asked. */
  abstract read(answer: BufferedAnswer): Reply
}

/** An answer as it came. */
export interface BufferedAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Sends a call to an endpoint and collects its answer. */
export const bufferedTransport = {
  send<Reply>(attempt: Attempt<BufferedCall<Reply>>): Promise<Reply> {
    return new Promise((resolve, reject) => new Collector(attempt, resolve, reject).start())
  },
  mirror<Reply>(call: BufferedCall<Reply>, copy: Copy): void {
    const { method, path, body } = call
    if (body instanceof Readable || (body !== null && body.length > copy.maxBodyBytes)) copy.skip()
    else copy.ready(() => new HttpCopy(call, copy, { method, path, body }), httpCopyTransport)
  },
}

/** One attempt: undici's handler, a clock, and what breaks it off; whichever ends it first settles the promise. */
class Collector<Reply> implements Dispatcher.DispatchHandler {
  readonly #attempt: Attempt<BufferedCall<Reply>>
  readonly #resolve: (answer: Reply) => void
  readonly #reject: (error: GatewayError) => void
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #informational = 0
  #status = 0
  #headers: IncomingHttpHeaders = {}
  #controller: Dispatcher.DispatchController | undefined
  #timer: NodeJS.Timeout | undefined
  #begun = false
  #done = false

  constructor(
    attempt: Attempt<BufferedCall<Reply>>,
    resolve: (answer: Reply) => void,
    reject: (error: GatewayError) => void,
  ) {
    this.#attempt = attempt
    this.#resolve = resolve
    this.#reject = reject
  }

  start(): void {
    const { call, endpoint } = this.#attempt
    const { path, method, headers, body, upstream } = call
    // A clock of our own: undici's are off by up to 500 ms and do not run while a request waits for a connection.
    const remainingMs = call.remainingMs()
    if (remainingMs > 0) this.#timer = setTimeout(() => this.#timedOut(), remainingMs)
    this.#attempt.onCancel((error) => this.#fail(error))
    if (this.#done) return
    const { bodyIdleTimeoutMs } = upstream.options
    // Where our own is over before, undici needs none.
    const bodyTimeout = remainingMs > 0 && remainingMs <= bodyIdleTimeoutMs ? 0 : bodyIdleTimeoutMs
    const request = { path, method, headers, body, headersTimeout: 0, bodyTimeout } as const
    endpoint.http.poolFor(call).dispatch(request, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#done) controller.abort(new Error('The call is over.'))
  }

  onResponseStarted(): void {
    this.#begun = true
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) {
      // An endless run of interim answers is an attack (RFC 9110 section 15.2).
      if (++this.#informational > 20) this.#fail(this.#unreadable('too many interim answers'))
      return
    }
    this.#attempt.status = status
    if (!this.#isKept(status, headers['retry-after'])) return
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    const { maxAnswerBytes, upstreamName } = this.#attempt.call
    if (this.#bytes > maxAnswerBytes) {
      const message = `The answer of upstream "${upstreamName}" has more than ${maxAnswerBytes} bytes.`
      this.#fail(new GatewayError('UPSTREAM_TOO_LARGE', message))
    } else if (!this.#done) {
      this.#chunks.push(chunk)
    }
  }

  onResponseEnd(): void {
    if (this.#done) return
    try {
      const [first] = this.#chunks
      const isWhole = first !== undefined && this.#chunks.length === 1
      const body = isWhole ? first : Buffer.concat(this.#chunks, this.#bytes)
      this.#attempt.call.copy?.original?.whole(this.#status, body)
      const reply = this.#attempt.call.read({ status: this.#status, headers: this.#headers, body })
      if (!this.#settle()) return
      this.#resolve(reply)
    } catch (cause) {
      this.#fail(this.#unreadable(cause))
    }
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    const progress = this.#begun ? 'answered' : this.#controller === undefined ? 'waiting' : 'sent'
    this.#fail(httpFailure(error, this.#attempt, progress))
  }

  /** False: the answer is dropped, or another attempt was faster. */
  #isKept(status: number, retryAfter: string | undefined): boolean {
    if (status < 500) return this.#attempt.answered()
    const dropped = this.#attempt.faulty(`status ${status}`, status, retryAfterMs(retryAfter))
    if (dropped !== undefined) this.#fail(dropped)
    return dropped === undefined && this.#attempt.answered()
  }

  #timedOut(): void {
    const message = `Upstream "${this.#attempt.call.upstreamName}" did not answer in time.`
    this.#fail(new GatewayError('UPSTREAM_TIMEOUT', message, { reached: this.#controller !== undefined }))
  }

  #unreadable(cause: unknown): GatewayError {
    // Its own refusal: it is well, and says so of the request.
    if (this.#status >= 400 && this.#status < 500) {
      const refused = `Upstream "${this.#attempt.call.upstreamName}" answered with status ${this.#status}.`
      return new GatewayError('SUBGRAPH_ERROR', refused, { cause })
    }
    const message = `Upstream "${this.#attempt.call.upstreamName}" answered with something unreadable.`
    return new GatewayError('UPSTREAM_BAD_ANSWER', message, { cause })
  }

  #fail(error: GatewayError): void {
    if (!this.#settle()) return
    this.#controller?.abort(error)
    this.#reject(error)
  }

  #settle(): boolean {
    if (this.#done) return false
    this.#done = true
    clearTimeout(this.#timer)
    return true
  }
}
