import type { AttemptRecord } from '../core/call-record.ts'
import { GatewayError } from '../core/error.ts'
import type { Call } from './call.ts'
import { settleTrials } from './circuit.ts'
import type { Endpoint } from './endpoint.ts'

/** One try of a call at one endpoint. `dispatch` makes it; a transport sends it and tells what comes of it. */
export class Attempt<C extends Call = Call> implements AttemptRecord {
  readonly call: C
  readonly endpoint: Endpoint
  /** `performance.now()` */
  readonly startedAt = performance.now()
  endedAt = 0
  /** Told by `dispatch`. */
  traceparent = ''
  /** Told by transports. */
  status: number | undefined
  /** Told by `dispatch`. */
  error: GatewayError | undefined
  /** What an answer says of a target that is not well: `status 503`, `grpc-status 14`. */
  fault: string | undefined
  /** Whether another attempt was faster. */
  lost = false
  /** What the circuit of the endpoint gave it; 0: nothing is to be settled. */
  pass = 0
  #cancelled: GatewayError | undefined
  #onCancel: ((error: GatewayError) => void) | undefined
  #answeredAt = 0
  #timer: NodeJS.Timeout | undefined

  constructor(call: C, endpoint: Endpoint) {
    this.call = call
    this.endpoint = endpoint
  }

  get target(): string {
    return this.endpoint.url
  }

  get durationMs(): number {
    return (this.#answeredAt || this.endedAt || performance.now()) - this.startedAt
  }

  /** Why it was broken off. */
  get cancelled(): GatewayError | undefined {
    return this.#cancelled
  }

  get isAnswered(): boolean {
    return this.#answeredAt !== 0
  }

  /** Milliseconds that the target let us wait, until the head of the answer, or until now. The time that a client takes for its body is not its. */
  get latencyMs(): number {
    const from = Math.max(this.startedAt, this.call.sentAt)
    return Math.max(0, (this.#answeredAt || performance.now()) - from)
  }

  /**
   * Transports call it when the head of an answer is there that is not dropped. False: another attempt was first, nothing of this one may
   * reach the client, and it is broken off already.
   */
  answered(): boolean {
    if (this.#answeredAt !== 0) return true
    if (!this.call.answeredBy(this)) return false
    this.#answeredAt = performance.now()
    clearTimeout(this.#timer)
    if (this.call.headDecides) settleTrials(this)
    return true
  }

  /**
   * Transports tell it of an answer of a target that is not well. `fault`: what it said; `status`: of HTTP, or what stands for it;
   * `askedMs`: how long it asks to wait. Returns what to reject with when the answer is dropped for another attempt; else it is passed on.
   */
  faulty(fault: string, status: number, askedMs: number | undefined): GatewayError | undefined {
    this.fault = fault
    const { upstream } = this.call
    if (!upstream.retry.drops(this, status, askedMs)) return undefined
    return new GatewayError('UNAVAILABLE', `Upstream "${upstream.name}" answered with ${fault}.`)
  }

  /** Has the attempt broken off when the target let us wait for `limitMs`, if the call can be sent elsewhere then. */
  limit(limitMs: number): void {
    this.#timer = setTimeout(expire, Math.ceil(limitMs - this.latencyMs), this, limitMs)
  }

  /** Transports say how they break off; the promise of `send` settles then. */
  onCancel(listener: (error: GatewayError) => void): void {
    this.#onCancel = listener
    if (this.#cancelled !== undefined) listener(this.#cancelled)
  }

  cancel(error: GatewayError): void {
    if (this.#cancelled !== undefined) return
    this.#cancelled = error
    this.#onCancel?.(error)
  }

  /** Another attempt was faster. */
  lose(): void {
    this.lost = true
    this.cancel(new GatewayError('UNAVAILABLE', 'Another attempt was faster.'))
  }

  /** Told by `dispatch` when it is over; `error`: how it failed. */
  over(error: GatewayError | undefined): void {
    this.endedAt = performance.now()
    this.error = error
    clearTimeout(this.#timer)
    this.#onCancel = undefined
    this.call.endAttempt(this)
  }
}

function expire(attempt: Attempt, limitMs: number): void {
  const { replayable, upstreamName } = attempt.call
  if (!replayable) return
  // Timers may be a little early.
  if (limitMs - attempt.latencyMs >= 1) attempt.limit(limitMs)
  else
    attempt.cancel(new GatewayError('UPSTREAM_TIMEOUT', `Upstream "${upstreamName}" did not answer in time.`))
}
