import type { IncomingHttpHeaders } from 'node:http'
import type { ClientHttp2Stream } from 'node:http2'
import { type Dispatcher, errors } from 'undici'
import { GatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Attempt } from '../../traffic/attempt.ts'
import type { Transport } from '../../traffic/call.ts'
import { httpFailure } from '../../traffic/http-failure.ts'
import { onNextStream, wasCut } from '../../traffic/http2-streams.ts'
import { retryAfterMs } from '../../traffic/retry-after.ts'
import { ClientBody } from './client-body.ts'
import { copyRequest } from './copy-request.ts'
import { passingHeaders } from './passing-headers.ts'
import type { ProxyCall } from './proxy-call.ts'

/** Streams a REST call to an endpoint and its answer to the client, with back-pressure both ways; nothing is held. */
export const httpTransport: Transport<ProxyCall, void> = {
  send(attempt: Attempt<ProxyCall>): Promise<void> {
    const { call, endpoint } = attempt
    return new Promise((resolve, reject) => {
      const relay = new Relay(attempt, resolve, reject)
      attempt.onCancel(relay.abort)
      if (endpoint.active > endpoint.connections.maxConnections) relay.startWithin(call.remainingMs())
      const request = {
        path: call.path,
        method: call.method as Dispatcher.HttpMethod,
        headers: endpoint.connections.http2 === true ? inLowerCase(call.headers) : call.headers,
        body: call.exchange.hasBody ? new ClientBody(call) : null,
        headersTimeout: call.remainingMs(),
        bodyTimeout: call.upstream.options.bodyIdleTimeoutMs,
      }
      endpoint.http.poolFor(call).dispatch(request, relay)
    })
  },
  mirror: copyRequest,
}

/** Names as HTTP/2 has them (RFC 9113 section 8.2); spelled in two ways they would be two headers to the HTTP client. */
function inLowerCase(headers: readonly string[]): string[] {
  return headers.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text))
}

/** One attempt: undici tells it of the answer, piece by piece. */
export class Relay implements Dispatcher.DispatchHandler {
  readonly #attempt: Attempt<ProxyCall>
  readonly #call: ProxyCall
  readonly #x: HttpExchange
  readonly #resolve: () => void
  readonly #reject: (error: GatewayError) => void
  #controller: Dispatcher.DispatchController | undefined
  #refusal: GatewayError | undefined
  #startTimer: NodeJS.Timeout | undefined
  #begun = false
  #waitsForDrain = false
  /** Bytes of the answer's body, where the upstream says so. */
  #length = -1
  #informational = 0
  /** Of HTTP/2. */
  #stream: ClientHttp2Stream | undefined

  constructor(attempt: Attempt<ProxyCall>, resolve: () => void, reject: (error: GatewayError) => void) {
    this.#attempt = attempt
    this.#call = attempt.call
    this.#x = attempt.call.exchange
    this.#resolve = resolve
    this.#reject = reject
  }

  /** For an attempt that waits for a free connection: the HTTP client has no time limit for that. 0: no limit. */
  startWithin(limitMs: number): void {
    if (limitMs === 0) return
    this.#startTimer = setTimeout(() => this.abort(this.#tooLate('had no free connection in time')), limitMs)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    clearTimeout(this.#startTimer)
    this.#controller = controller
    if (this.#refusal !== undefined) controller.abort(this.#refusal)
    else if (this.#attempt.endpoint.connections.http2 === true)
      onNextStream((stream) => (this.#stream = stream))
  }

  onResponseStarted(): void {
    this.#begun = true
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) {
      // Interim answers mean nothing to the client of a gateway; an endless run of them is an attack (RFC 9110 section 15.2).
      if (++this.#informational > 20) this.abort(this.#badAnswer('sent too many interim answers'))
      // Each of them starts the HTTP client's clock anew.
      else if (performance.now() >= this.#call.deadlineAt) this.abort(this.#tooLate('did not answer in time'))
      return
    }
    this.#attempt.status = status
    if (status >= 500 && this.#isDropped(status, headers['retry-after'])) return
    if (!this.#attempt.answered()) return
    // What the client still sends is for nobody else.
    this.#call.replayable = false
    const { 'content-length': length, 'content-type': type } = headers
    if (length !== undefined) this.#length = Number(length)
    else if (type?.startsWith('text/event-stream') === true) this.#x.lasting = true
    this.#call.copy?.original?.begin(status)
    try {
      this.#x.writeHead(status, passingHeaders(controller.rawHeaders ?? []))
      // Node keeps the head back for the first piece of the body, which may be long in coming (server-sent events).
      process.nextTick(flushHead, this.#x)
    } catch (cause) {
      this.abort(this.#badAnswer('sent a head that cannot be passed on', cause))
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#call.copy?.original?.update(chunk)
    // Most answers come in one piece: head and body then leave in one write.
    if (chunk.length === this.#length && chunk.length <= oneWriteBytes) {
      this.#x.finish(chunk)
      return
    }
    if (this.#x.write(chunk) || this.#waitsForDrain) return
    this.#waitsForDrain = true
    controller.pause()
    this.#x.res.once('drain', () => {
      this.#waitsForDrain = false
      controller.resume()
    })
  }

  onResponseEnd(): void {
    if (wasCut(this.#stream)) {
      this.#reject(httpFailure(new errors.SocketError('the stream was cancelled'), this.#attempt, 'answered'))
      return
    }
    if (!this.#x.res.writableEnded) this.#x.res.end()
    const compared = this.#call.copy?.original
    if (compared !== undefined) compared.complete = true
    this.#resolve()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#startTimer)
    const progress = this.#begun ? 'answered' : this.#controller === undefined ? 'waiting' : 'sent'
    const failure = error instanceof GatewayError ? error : httpFailure(error, this.#attempt, progress)
    this.#reject(this.#refusal ?? failure)
  }

  readonly abort = (error: GatewayError): void => {
    clearTimeout(this.#startTimer)
    this.#refusal ??= error
    if (this.#controller !== undefined) this.#controller.abort(error)
    // It waits for a connection, and the HTTP client has no word for leaving.
    else this.#reject(this.#refusal)
  }

  #isDropped(status: number, retryAfter: string | undefined): boolean {
    const dropped = this.#attempt.faulty(`status ${status}`, status, retryAfterMs(retryAfter))
    if (dropped !== undefined) this.abort(dropped)
    return dropped !== undefined
  }

  #tooLate(what: string): GatewayError {
    return new GatewayError('UPSTREAM_TIMEOUT', `Upstream "${this.#call.upstreamName}" ${what}.`)
  }

  #badAnswer(what: string, cause?: unknown): GatewayError {
    return new GatewayError('UPSTREAM_BAD_ANSWER', `Upstream "${this.#call.upstreamName}" ${what}.`, {
      cause,
    })
  }
}

/** Up to here copying a body costs less than a second piece to write. */
const oneWriteBytes = 16_384

function flushHead({ res, responseBytes }: HttpExchange): void {
  if (responseBytes === 0 && !res.writableEnded) res.flushHeaders()
}
