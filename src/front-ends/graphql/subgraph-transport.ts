import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Attempt } from '../../traffic/attempt.ts'
import { Call, type Transport } from '../../traffic/call.ts'
import type { Destination } from '../../traffic/destination.ts'
import { httpFailure } from '../../traffic/http-failure.ts'
import { retryAfterMs } from '../../traffic/retry-after.ts'
import { readSubgraphAnswer, type SubgraphAnswer } from './subgraph-answer.ts'

/** One fetch of a query plan. */
export class SubgraphCall extends Call {
  /** Path of the subgraph's GraphQL endpoint. */
  readonly path: string
  /** The GraphQL request as JSON. */
  readonly body: Buffer

  constructor(exchange: Exchange, destination: Destination, options: SubgraphCallOptions) {
    const { headers, idempotent } = options
    super(exchange, destination, { headers, idempotent, replayable: true, hedgeable: idempotent })
    this.path = options.path
    this.body = options.body
  }
}

/** What a {@link SubgraphCall} is made from. */
export interface SubgraphCallOptions {
  readonly path: string
  readonly body: Buffer
  /** Flat; owned by the call from here on. */
  readonly headers: string[]
  /** True for queries, false for mutations. */
  readonly idempotent: boolean
}

/** Posts a fetch to an endpoint and collects its answer. */
export const subgraphTransport: Transport<SubgraphCall, SubgraphAnswer> = {
  send(attempt) {
    return new Promise((resolve, reject) => new Fetch(attempt, resolve, reject).start())
  },
}

/** An answer of a subgraph is held in memory; above this it is refused. */
const maxAnswerBytes = 16 * 1_048_576

/** One attempt: undici's handler, a clock, and what breaks it off; whichever ends it first settles the promise. */
class Fetch implements Dispatcher.DispatchHandler {
  readonly #attempt: Attempt<SubgraphCall>
  readonly #resolve: (answer: SubgraphAnswer) => void
  readonly #reject: (error: GatewayError) => void
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #informational = 0
  #status = 0
  #contentType = ''
  #controller: Dispatcher.DispatchController | undefined
  #timer: NodeJS.Timeout | undefined
  #done = false

  constructor(
    attempt: Attempt<SubgraphCall>,
    resolve: (answer: SubgraphAnswer) => void,
    reject: (error: GatewayError) => void,
  ) {
    this.#attempt = attempt
    this.#resolve = resolve
    this.#reject = reject
  }

  start(): void {
    const { call, endpoint } = this.#attempt
    const { path, headers, body, upstream } = call
    // A clock of our own: undici's are off by up to 500 ms and do not run while a request waits for a connection.
    const remainingMs = call.remainingMs()
    if (remainingMs > 0) this.#timer = setTimeout(() => this.#timedOut(), remainingMs)
    this.#attempt.onCancel((error) => this.#fail(error))
    if (this.#done) return
    const { bodyIdleTimeoutMs: bodyTimeout } = upstream.options
    endpoint.pool.dispatch({ path, method: 'POST', headers, body, headersTimeout: 0, bodyTimeout }, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#done) controller.abort(new Error('The call is over.'))
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) {
      // An endless run of interim answers is an attack (RFC 9110 section 15.2).
      if (++this.#informational > 20) this.#fail(this.#unreadable('too many interim answers'))
      return
    }
    if (!this.#isKept(status, headers['retry-after'])) return
    this.#status = status
    this.#contentType = headers['content-type'] ?? ''
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > maxAnswerBytes) {
      this.#fail(this.#unreadable(`more than ${maxAnswerBytes} bytes`))
    } else if (!this.#done) {
      this.#chunks.push(chunk)
    }
  }

  onResponseEnd(): void {
    if (this.#done) return
    try {
      const body = Buffer.concat(this.#chunks, this.#bytes)
      const answer = readSubgraphAnswer(this.#status, this.#contentType, body)
      if (!this.#settle()) return
      this.#resolve(answer)
    } catch (cause) {
      this.#fail(this.#unreadable(cause))
    }
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(httpFailure(error, this.#attempt.call.upstreamName))
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
