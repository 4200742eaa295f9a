import { GatewayError, toGatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Call, CallOptions, Transport } from '../call.ts'
import type { Destination } from '../destination.ts'
import { dispatchCopy } from '../dispatch.ts'
import { AnswerDigest } from './answer-digest.ts'
import type { Mirror } from './mirror.ts'

/**
 * The copy of one call, from the moment that the call is chosen until its answer was dropped. It is sent once the whole request is known,
 * which is after the original began, and nothing of the original waits for it.
 */
export class Copy {
  /** What the original is answered; undefined: answers are not compared. */
  readonly original: AnswerDigest | undefined
  /** What the copy is answered; likewise. */
  readonly answer: AnswerDigest | undefined
  readonly #mirror: Mirror
  readonly #exchange: Exchange
  readonly #upstreamName: string
  #begun = false
  #answered = false
  #originalOver = false

  constructor(mirror: Mirror, { exchange, upstreamName }: Call) {
    this.#mirror = mirror
    this.#exchange = exchange
    this.#upstreamName = upstreamName
    if (!mirror.options.compare) return
    this.original = new AnswerDigest()
    this.answer = new AnswerDigest()
  }

  get destination(): Destination {
    return this.#mirror.destination
  }

  get maxBodyBytes(): number {
    return this.#mirror.options.maxBodyBytes
  }

  /** What the call that carries it is made with: the headers of the original with the mark, no second try, and its own time. */
  callOptions(original: Call): CallOptions {
    const headers = [...original.headers, 'x-gateway-mirror', 'true']
    return { headers, idempotent: false, replayable: false, timeoutMs: this.#mirror.options.timeoutMs }
  }

  /** The request is whole: what `make` returns is sent, after what is done now. The transport tells {@link answer}. */
  ready<C extends Call>(make: () => C, transport: Transport<C, unknown>): void {
    if (this.#begun) return
    this.#begun = true
    setImmediate(() => void this.#send(make, transport))
  }

  /** It is not to be sent. */
  skip(): void {
    if (this.#begun) return
    this.#begun = true
    this.#mirror.count('skipped')
    this.#mirror.free()
  }

  /** Told by `dispatch` when the original is over: a request that is not whole by now never will be. */
  over(): void {
    this.skip()
    this.#originalOver = true
    if (this.#answered && this.original !== undefined) this.#conclude()
  }

  /** Never rejects: nobody waits for it. */
  async #send<C extends Call>(make: () => C, transport: Transport<C, unknown>): Promise<void> {
    let call: C | undefined
    let timer: NodeJS.Timeout | undefined
    try {
      call = make()
      this.#mirror.began(call)
      timer = setTimeout(expire, this.#mirror.options.timeoutMs, call)
      await dispatchCopy(call, transport)
      this.#answered = true
    } catch (thrown) {
      this.#fail(toGatewayError(thrown))
    }
    clearTimeout(timer)
    if (call !== undefined) this.#mirror.finished(call)
    this.#mirror.free()
    if (this.#answered && (this.original === undefined || this.#originalOver)) this.#conclude()
  }

  #fail(error: GatewayError): void {
    this.#mirror.count('failed')
    if (error.reason === 'DRAINING') return
    const { reason, message } = error
    const said = (): object => ({
      ...this.#fields(),
      'gateway.error.reason': reason,
      'gateway.error.message': message,
    })
    this.#mirror.log.warn(said, 'a mirrored request failed')
  }

  /** Both are over: the answers are compared, where the original has one to its end. */
  #conclude(): void {
    const { original, answer } = this
    if (original?.complete !== true || answer?.complete !== true) {
      this.#mirror.count('sent')
      return
    }
    const difference = original.differenceTo(answer)
    this.#mirror.count(difference === undefined ? 'same' : 'different')
    if (difference === undefined) return
    const said = (): object => ({
      ...this.#fields(),
      difference,
      status: original.status,
      'mirror.status': answer.status,
      bytes: original.bytes,
      'mirror.bytes': answer.bytes,
    })
    this.#mirror.log.warn(said, 'a mirrored request was answered differently')
  }

  /** No query, no body, no header: those may hold secrets. */
  #fields(): object {
    const { request, id, trace } = this.#exchange
    return {
      'gateway.route': this.#mirror.options.place,
      'gateway.upstream': this.#upstreamName,
      'mirror.upstream': this.#mirror.options.upstream.name,
      'http.request.method': request.method,
      'url.path': request.path,
      request_id: id,
      trace_id: trace.traceId,
    }
  }
}

function expire(call: Call): void {
  const message = `Upstream "${call.upstreamName}" did not answer a mirrored request in time.`
  call.end(new GatewayError('UPSTREAM_TIMEOUT', message))
}
