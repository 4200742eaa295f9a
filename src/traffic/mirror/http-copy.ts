import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { GatewayError } from '../../core/error.ts'
import type { Attempt } from '../attempt.ts'
import { Call, type Transport } from '../call.ts'
import { httpFailure } from '../http-failure.ts'
import { type AnswerDigest, maxComparedBytes } from './answer-digest.ts'
import type { Copy } from './copy.ts'

/** An HTTP request with its body in memory; of its answer nothing is kept. */
export interface CopiedRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly body: Buffer | null
}

/** The copy of a call over HTTP. */
export class HttpCopy extends Call {
  readonly method: string
  readonly request: CopiedRequest
  readonly answer: AnswerDigest | undefined

  constructor(original: Call, copy: Copy, request: CopiedRequest) {
    super(original.exchange, copy.destination, copy.callOptions(original))
    this.method = request.method
    this.request = request
    this.answer = copy.answer
  }
}

/** Sends a copy, and drops what is answered. Time limits are the copy's. */
export const httpCopyTransport: Transport<HttpCopy, void> = {
  send(attempt: Attempt<HttpCopy>): Promise<void> {
    const { call, endpoint } = attempt
    const { method, path, body } = call.request
    return new Promise((resolve, reject) => {
      const drain = new Drain(attempt, resolve, reject)
      attempt.onCancel(drain.abort)
      endpoint.pool.dispatch(
        {
          path,
          method: method as Dispatcher.HttpMethod,
          headers: call.headers,
          body,
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        drain,
      )
    })
  },
}

/** What follows is of no use: the answer is a stream of events, or longer than what is compared. */
const enough = new Error('The rest of the answer is dropped.')

class Drain implements Dispatcher.DispatchHandler {
  readonly #attempt: Attempt<HttpCopy>
  readonly #resolve: () => void
  readonly #reject: (error: GatewayError) => void
  #controller: Dispatcher.DispatchController | undefined
  #over = false
  #bytes = 0
  #informational = 0

  constructor(attempt: Attempt<HttpCopy>, resolve: () => void, reject: (error: GatewayError) => void) {
    this.#attempt = attempt
    this.#resolve = resolve
    this.#reject = reject
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(enough)
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (this.#over) return
    if (status < 200) {
      // An endless run of them would keep the gateway busy (RFC 9110 section 15.2).
      if (++this.#informational > 20) this.abort(this.#badAnswer())
      return
    }
    if (status >= 500) this.#attempt.fault = `status ${status}`
    this.#attempt.answered()
    this.#attempt.call.answer?.begin(status)
    if (headers['content-type']?.startsWith('text/event-stream') === true) this.#stop(controller)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { answer } = this.#attempt.call
    answer?.update(chunk)
    this.#bytes += chunk.length
    if (this.#bytes <= maxComparedBytes) return
    if (answer !== undefined) answer.complete = true
    this.#stop(controller)
  }

  onResponseEnd(): void {
    const { answer } = this.#attempt.call
    if (answer !== undefined && !this.#over) answer.complete = true
    this.#over = true
    this.#resolve()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#over = true
    const progress =
      this.#controller === undefined ? 'waiting' : this.#attempt.isAnswered ? 'answered' : 'sent'
    this.#reject(error instanceof GatewayError ? error : httpFailure(error, this.#attempt, progress))
  }

  readonly abort = (error: GatewayError): void => {
    this.#over = true
    // Without a controller it waits for a connection, and the HTTP client has no word for leaving.
    this.#controller?.abort(error)
    this.#reject(error)
  }

  #badAnswer(): GatewayError {
    const message = `Upstream "${this.#attempt.call.upstreamName}" sent too many interim answers.`
    return new GatewayError('UPSTREAM_BAD_ANSWER', message)
  }

  /** It counts as answered. */
  #stop(controller: Dispatcher.DispatchController): void {
    this.#over = true
    this.#resolve()
    controller.abort(enough)
  }
}
