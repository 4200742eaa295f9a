import { GatewayError } from '../../../../core/error.ts'
import type { Attempt } from '../../../../traffic/attempt.ts'
import { type HttpProgress, httpFailure } from '../../../../traffic/http-failure.ts'
import type { EventFlow, SubgraphEvent, SubscriptionCall } from './subscription-call.ts'

/** One attempt at a subscription: its clock, its end, which comes once, and the words for it. */
export class CallEnd {
  readonly #attempt: Attempt<SubscriptionCall>
  readonly #resolve: () => void
  readonly #reject: (error: GatewayError) => void
  readonly #close: () => void
  #timer: NodeJS.Timeout | undefined
  #progress: HttpProgress = 'waiting'
  #over = false

  /** `close`: ends the connection; called once, whatever the end is. */
  constructor(
    attempt: Attempt<SubscriptionCall>,
    ends: { resolve(): void; reject(error: GatewayError): void; close(): void },
  ) {
    this.#attempt = attempt
    this.#resolve = ends.resolve
    this.#reject = ends.reject
    this.#close = ends.close
    const { call } = attempt
    const remainingMs = call.remainingMs()
    if (remainingMs > 0) {
      this.#timer = setTimeout(() => {
        const message = `Upstream "${call.upstreamName}" did not take the subscription in time.`
        this.fail(new GatewayError('UPSTREAM_TIMEOUT', message, { reached: this.#progress !== 'waiting' }))
      }, remainingMs)
    }
  }

  get over(): boolean {
    return this.#over
  }

  /** It is on a connection. */
  sent(): void {
    this.#progress = 'sent'
  }

  /** The subgraph has taken it: it is not tried elsewhere from now on. */
  opened(flow: EventFlow): void {
    if (this.#over || !this.#attempt.answered()) return
    clearTimeout(this.#timer)
    this.#progress = 'answered'
    const { call } = this.#attempt
    call.replayable = false
    call.events.opened(flow)
  }

  event(event: SubgraphEvent): void {
    if (!this.#over) this.#attempt.call.events.event(event)
  }

  /** The subgraph has said that there is nothing more. */
  complete(): void {
    if (this.#settle()) this.#resolve()
  }

  fail(error: GatewayError): void {
    if (this.#settle()) this.#reject(error)
  }

  /** The HTTP client or the socket failed. */
  failBy(error: Error): void {
    this.fail(httpFailure(error, this.#attempt, this.#progress))
  }

  /** It said something that is none of its protocol. */
  garbage(cause: unknown): void {
    const message = `Upstream "${this.#attempt.call.upstreamName}" answered a subscription with something unreadable.`
    this.fail(new GatewayError('UPSTREAM_BAD_ANSWER', message, { cause }))
  }

  /** The connection ended before the subscription. */
  cut(cause?: string): void {
    const { upstreamName } = this.#attempt.call
    const reset = this.#progress === 'answered' ? 'ended the subscription' : 'did not take the subscription'
    this.fail(new GatewayError('UPSTREAM_RESET', `Upstream "${upstreamName}" ${reset}.`, { cause }))
  }

  /** It was answered with another status than that which begins a stream. */
  refused(status: number): void {
    this.#attempt.status = status
    const { upstreamName } = this.#attempt.call
    const said = `Upstream "${upstreamName}" answered a subscription with status ${status}.`
    if (status < 500) {
      this.fail(new GatewayError('SUBGRAPH_ERROR', said))
      return
    }
    const dropped = this.#attempt.faulty(`status ${status}`, status, undefined)
    this.fail(dropped ?? new GatewayError('UPSTREAM_BAD_ANSWER', said))
  }

  #settle(): boolean {
    if (this.#over) return false
    this.#over = true
    clearTimeout(this.#timer)
    this.#close()
    return true
  }
}
