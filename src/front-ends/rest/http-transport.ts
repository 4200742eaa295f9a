import type { Dispatcher } from 'undici'
import { GatewayError } from '../../core/error.ts'
import { passesToClient } from '../../core/headers.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Transport } from '../../traffic/call.ts'
import type { Endpoint } from '../../traffic/endpoint.ts'
import { httpFailure } from '../../traffic/http-failure.ts'
import { tooLarge } from '../body.ts'
import type { ProxyCall } from './proxy-call.ts'

/** Streams a REST call to an endpoint and its answer to the client, with back-pressure both ways; nothing is held. */
export const httpTransport: Transport<ProxyCall, void> = {
  send(call: ProxyCall, endpoint: Endpoint): Promise<void> {
    return new Promise((resolve, reject) => {
      const relay = new Relay(call, resolve, reject)
      endpoint.pool.dispatch(
        {
          path: call.path,
          method: call.method as Dispatcher.HttpMethod,
          headers: call.headers,
          body: call.body,
          headersTimeout: call.remainingMs(),
          bodyTimeout: call.upstream.options.bodyIdleTimeoutMs,
        },
        relay,
      )
    })
  },
}

/** One attempt: undici tells it of the answer, piece by piece. */
class Relay implements Dispatcher.DispatchHandler {
  readonly #call: ProxyCall
  readonly #x: HttpExchange
  readonly #resolve: () => void
  readonly #reject: (error: GatewayError) => void
  #controller: Dispatcher.DispatchController | undefined
  #refusal: GatewayError | undefined
  #waitsForDrain = false
  #informational = 0

  constructor(call: ProxyCall, resolve: () => void, reject: (error: GatewayError) => void) {
    this.#call = call
    this.#x = call.exchange
    this.#resolve = resolve
    this.#reject = reject
    if (call.body !== null) this.#limitBody(call.route.maxBodyBytes)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#refusal !== undefined) controller.abort(this.#refusal)
    else this.#x.whenGone(() => this.#abort(clientGone()))
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) {
      // Interim answers mean nothing to the client of a gateway; an endless run of them is an attack (RFC 9110 section 15.2).
      if (++this.#informational > 20) this.#abort(this.#badAnswer('sent too many interim answers'))
      return
    }
    this.#call.headArrived()
    try {
      this.#x.writeHead(status, replyHeaders(controller.rawHeaders as Buffer[]))
    } catch (cause) {
      this.#abort(this.#badAnswer('sent a head that cannot be passed on', cause))
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#x.write(chunk) || this.#waitsForDrain) return
    this.#waitsForDrain = true
    controller.pause()
    this.#x.res.once('drain', () => {
      this.#waitsForDrain = false
      controller.resume()
    })
  }

  onResponseEnd(): void {
    this.#x.res.end()
    this.#resolve()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(this.#refusal ?? httpFailure(error, this.#call.upstreamName))
  }

  /** Counts the body as it passes: a chunked one has no declared length to refuse it by. */
  #limitBody(maxBytes: number): void {
    const x = this.#x
    x.req.on('data', (chunk: Buffer) => {
      x.requestBytes += chunk.length
      if (x.requestBytes > maxBytes) this.#abort(tooLarge(maxBytes))
    })
    // Only undici pulls: without this a listener for `data` would make the stream flow before the connection is there.
    x.req.pause()
  }

  #abort(error: GatewayError): void {
    this.#refusal ??= error
    this.#controller?.abort(error)
  }

  #badAnswer(what: string, cause?: unknown): GatewayError {
    return new GatewayError('UPSTREAM_BAD_ANSWER', `Upstream "${this.#call.upstreamName}" ${what}.`, { cause })
  }
}

function clientGone(): GatewayError {
  return new GatewayError('CLIENT_GONE', 'The client closed the connection.')
}

/** The upstream's headers that pass, in their order and spelling, then `Via`; flat. */
function replyHeaders(raw: readonly Buffer[]): string[] {
  const headers: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as Buffer).toString("latin1")
    if (passesToClient(name)) headers.push(name, (raw[i + 1] as Buffer).toString("latin1"))
  }
  headers.push('Via', '1.1 trivium')
  return headers
}
