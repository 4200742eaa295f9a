import type { GatewayError } from '../core/error.ts'
import type { CallRecord, Exchange, UpstreamCall } from '../core/exchange.ts'
import type { Endpoint } from './endpoint.ts'
import type { Upstream } from './upstream.ts'

/** One call of an exchange to an upstream, before it is known which endpoint takes it. Transports extend it by what they send. */
export abstract class Call implements UpstreamCall, CallRecord {
  readonly exchange: Exchange
  readonly upstream: Upstream
  readonly headers: string[]
  /** Whether doing it twice is the same as once (RFC 9110 section 9.2.2; GraphQL queries, not mutations). */
  readonly idempotent: boolean
  /** Whether the same bytes can be sent again; a transport that streams the client's body clears it when it begins to read. */
  replayable: boolean
  /** `performance.now()` after which the call has failed; Infinity when there is no limit. */
  readonly deadlineAt: number
  readonly startedAt = performance.now()
  target = ''
  attempts = 0
  durationMs = 0
  /** `performance.now()` when the last attempt began. */
  attemptAt = this.startedAt
  /** Set by transports when the answer of an attempt is one of a target that is not well: its status. */
  fault: string | undefined
  /** Whether the next attempt is decided, because the answer of this one was dropped for it. */
  paid = false
  error: GatewayError | undefined

  constructor(exchange: Exchange, upstream: Upstream, options: CallOptions) {
    this.exchange = exchange
    this.upstream = upstream
    this.headers = options.headers
    this.idempotent = options.idempotent
    this.replayable = options.replayable
    const limitMs = options.timeoutMs ?? upstream.options.requestTimeoutMs
    this.deadlineAt = limitMs === 0 ? Number.POSITIVE_INFINITY : this.startedAt + limitMs
  }

  get upstreamName(): string {
    return this.upstream.name
  }

  /** Milliseconds left, at least 1; 0 when there is no limit. */
  remainingMs(): number {
    if (this.deadlineAt === Number.POSITIVE_INFINITY) return 0
    return Math.max(1, Math.ceil(this.deadlineAt - performance.now()))
  }

  /** Told by `dispatch`. */
  beginAttempt(target: string): void {
    this.attempts++
    this.target = target
    this.fault = undefined
    // The answer before this one was dropped.
    this.durationMs = 0
    this.attemptAt = performance.now()
  }

  /** Transports call it when the head of the answer is there: it stops the clock of {@link durationMs}. */
  headArrived(): void {
    if (this.durationMs === 0) this.durationMs = performance.now() - this.startedAt
  }
}

/** What every kind of call is made from. */
export interface CallOptions {
  /** Headers for the upstream, flat; owned by the call from here on. */
  readonly headers: string[]
  readonly idempotent: boolean
  readonly replayable: boolean
  /** Limit in milliseconds for this call instead of the upstream's `requestTimeoutMs`; 0: none. */
  readonly timeoutMs?: number
}

/** How one attempt goes over the wire. */
export interface Transport<C extends Call, Reply> {
  /**
   * Sends the call to the endpoint. Settles when the attempt is over: for a streamed answer when its last byte was relayed.
   * Rejects with a GatewayError whose `reached` is false only when the endpoint cannot have seen the request.
   */
  send(call: C, endpoint: Endpoint): Promise<Reply>
}
