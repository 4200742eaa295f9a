import type { CallRecord } from '../core/call-record.ts'
import { GatewayError } from '../core/error.ts'
import type { Exchange, UpstreamCall } from '../core/exchange.ts'
import { outgoingTraceparent } from '../core/trace-context.ts'
import type { Attempt } from './attempt.ts'
import type { Destination } from './destination.ts'
import type { Copy } from './mirror/copy.ts'
import type { Upstream } from './upstream.ts'

/** One call of an exchange to an upstream, before it is known which endpoint takes it. Transports extend it by what they send. */
export abstract class Call implements UpstreamCall, CallRecord {
  /** What is asked for: a method of HTTP, or of gRPC. */
  abstract readonly method: string
  readonly exchange: Exchange
  readonly destination: Destination
  /** Chosen by the destination. */
  upstream: Upstream
  /** What the circuit of the upstream gave it; 0: nothing is to be settled. */
  pass = 0
  readonly headers: string[]
  /** Whether doing it twice is the same as once (RFC 9110 section 9.2.2; GraphQL queries, not mutations). */
  idempotent: boolean
  /** Whether two attempts may be under way at a time: it changes nothing, and the transport tells the answers apart. */
  readonly hedgeable: boolean
  /** Whether it may last: no limit is set to an attempt, nor to the whole. */
  readonly streamed: boolean
  /** Whether the head of an answer says how the call went; else its end does. */
  readonly headDecides: boolean
  /** Whether the same bytes can be sent again; a transport that streams the client's body clears it when it keeps them no longer. */
  replayable: boolean
  /** `performance.now()` after which the call has failed; Infinity when there is no limit. */
  readonly deadlineAt: number
  /** `performance.now()` when its upstream was first asked. */
  startedAt = performance.now()
  /** `performance.now()` when the client had sent what its upstream takes of its body; Infinity while that waits for the client; 0: it never did. */
  sentAt = 0
  target = ''
  traceparent = ''
  attempts: Attempt[] = []
  durationMs = 0
  error: GatewayError | undefined
  canary: boolean | undefined
  /** What the last attempt that counts told of a target that is not well; told by `dispatch`. */
  fault: string | undefined
  /** Why there is no use in another attempt: the client has left, or the time for everything is over. */
  ended: GatewayError | undefined
  /** Whether the next attempt is decided, because the answer of this one was dropped for it. */
  paid = false
  /** Whether the upstream is not asked again, because its answer was dropped for that of the fallback. */
  leaves = false
  /** Whether its mirror was asked, which is once, before anything of its body is read. */
  offered = false
  /** What is mirrored of it; undefined: nothing. */
  copy: Copy | undefined
  /** How long the upstream asked to wait before the next attempt, in milliseconds. */
  waitMs: number | undefined
  /** Attempts that were lost on connections which the upstream had just closed, and count for nothing. */
  stale = 0
  /** The attempts that are under way: two at the most, when the call is hedged. */
  readonly #running: Attempt[] = []
  /** The attempt whose answer counts. */
  #winner: Attempt | undefined
  #onEnd: ((error: GatewayError) => void) | undefined
  /** Where the header with the time that is left stands in {@link headers}. */
  #timeAt = -1

  constructor(exchange: Exchange, destination: Destination, options: CallOptions) {
    this.exchange = exchange
    this.destination = destination
    this.upstream = destination.choose(exchange)
    this.headers = options.headers
    this.idempotent = options.idempotent
    this.replayable = options.replayable
    this.hedgeable = options.hedgeable ?? false
    this.streamed = options.streamed ?? false
    if (this.streamed) exchange.lasting = true
    this.headDecides = options.headDecides ?? this.streamed
    const limitMs = options.timeoutMs ?? this.upstream.options.requestTimeoutMs
    const { deadlineAt = Number.POSITIVE_INFINITY } = options
    this.deadlineAt = limitMs === 0 ? deadlineAt : Math.min(deadlineAt, this.startedAt + limitMs)
  }

  get place(): string {
    return this.destination.place
  }

  get upstreamName(): string {
    return this.upstream.name
  }

  /** Whether two attempts are under way. */
  get hedged(): boolean {
    return this.#running.length > 1
  }

  /** Whether the head of an answer is there that counts. */
  get answered(): boolean {
    return this.#winner !== undefined
  }

  /** Milliseconds left, at least 1; 0 when there is no limit. */
  remainingMs(): number {
    if (this.deadlineAt === Number.POSITIVE_INFINITY) return 0
    return Math.max(1, Math.ceil(this.deadlineAt - performance.now()))
  }

  /** Told by `dispatch`. */
  beginAttempt(attempt: Attempt): void {
    if (this.attempts.length > 0) this.#renewTrace()
    attempt.traceparent = this.traceparent
    this.attempts.push(attempt)
    this.target = attempt.endpoint.url
    this.#running.push(attempt)
    const { timeHeader } = this.upstream.options
    if (timeHeader !== undefined && this.deadlineAt !== Number.POSITIVE_INFINITY) this.#passTimeOn(timeHeader)
  }

  /** Told by `dispatch`. */
  endAttempt(attempt: Attempt): void {
    this.#running.splice(this.#running.indexOf(attempt), 1)
    if (this.#winner === attempt) this.#winner = undefined
  }

  /** Told by an attempt when the head of its answer is there. False: another one was first. */
  answeredBy(attempt: Attempt): boolean {
    if (this.#winner !== undefined) return this.#winner === attempt
    this.#winner = attempt
    this.target = attempt.endpoint.url
    this.durationMs = performance.now() - this.startedAt
    for (const other of this.#running) if (other !== attempt) other.lose()
    return true
  }

  /** Goes on to the fallback of its upstream with the time that is left. What has been keeps its place in the records. */
  turnTo(next: Upstream, error: GatewayError): void {
    const { calls, attributes } = this.exchange
    const { place, upstreamName, method, startedAt, target, attempts } = this
    const durationMs = performance.now() - startedAt
    const record = { place, upstreamName, method, startedAt, target, attempts, durationMs, error }
    calls.splice(calls.indexOf(this), 0, record)
    attributes['gateway.fallback'] = `${upstreamName}: ${error.reason}`
    this.upstream.fallbacks++
    this.upstream = next
    this.startedAt += durationMs
    this.target = ''
    if (this.attempts.length > 0) this.#renewTrace()
    this.attempts = []
    this.stale = 0
    this.durationMs = 0
    this.fault = undefined
    this.leaves = false
    this.waitMs = undefined
    if (this.#timeAt !== -1) this.headers.splice(this.#timeAt - 1, 2)
    this.#timeAt = -1
    this.turned()
  }

  /** Its upstream is another one than that which plugins were told of. */
  turned(): void {
    const { onTurn } = this.exchange.hooks
    for (let i = 0; i < onTurn.length; i++) onTurn[i]?.(this.exchange, this)
  }

  /** Breaks off what is under way; there is no further attempt. */
  end(error: GatewayError): void {
    this.ended ??= error
    this.#onEnd?.(this.ended)
    for (const attempt of [...this.#running]) attempt.cancel(error)
  }

  /** Whoever keeps the call waiting is told when there is no use in it any more; at once when there is none. One at a time. */
  onEnd(listener: (error: GatewayError) => void): void {
    this.#onEnd = listener
    if (this.ended !== undefined) listener(this.ended)
  }

  /** The time for everything is over. */
  expire(): void {
    for (const attempt of this.#running)
      if (!attempt.isAnswered && this.sentAt !== Number.POSITIVE_INFINITY)
        attempt.fault ??= 'the time for the whole call'
    this.end(new GatewayError('DEADLINE_EXCEEDED', `The time for upstream "${this.upstreamName}" ran out.`))
  }

  /** Each attempt is a span of its own, so that it can be told which of them a backend served. */
  #renewTrace(): void {
    const at = this.traceparent === '' ? -1 : this.headers.indexOf(this.traceparent)
    if (at === -1) return
    this.traceparent = outgoingTraceparent(this.exchange.trace)
    this.headers[at] = this.traceparent
  }

  #passTimeOn(name: string): void {
    const value = String(this.remainingMs())
    if (this.#timeAt === -1) this.#timeAt = this.headers.push(name, value) - 1
    else this.headers[this.#timeAt] = value
  }
}

/** What every kind of call is made from. */
export interface CallOptions {
  /** Headers for the upstream, flat; owned by the call from here on. */
  readonly headers: string[]
  readonly idempotent: boolean
  readonly replayable: boolean
  /** Default false. */
  readonly hedgeable?: boolean
  /** Default false. */
  readonly streamed?: boolean
  /** Whether the head of an answer says how the call went. Default: as `streamed`. */
  readonly headDecides?: boolean
  /** Limit in milliseconds for this call instead of the upstream's `requestTimeoutMs`; 0: none. */
  readonly timeoutMs?: number
  /** `performance.now()` after which it has failed in any case: that of a whole which it is a part of. */
  readonly deadlineAt?: number | undefined
}

/** How one attempt goes over the wire. */
export interface Transport<C extends Call, Reply> {
  /**
   * Sends the call to the endpoint of the attempt. Settles when the attempt is over: for a streamed answer when its last byte was relayed.
   * Rejects with a GatewayError whose `reached` is false only when the endpoint cannot have seen the request.
   */
  send(attempt: Attempt<C>): Promise<Reply>
  /**
   * Tells the copy of a call that is about to be sent when its request is whole ({@link Copy.ready}), or that it is not to be copied.
   * Absent: calls of this kind are not mirrored.
   */
  mirror?(call: C, copy: Copy): void
}
