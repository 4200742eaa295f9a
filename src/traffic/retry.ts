import type { GatewayError } from '../core/error.ts'
import type { Attempt } from './attempt.ts'
import type { Call } from './call.ts'
import type { Endpoint } from './endpoint.ts'
import { dropsForFallback } from './fallback.ts'
import type { Outcome } from './outcome.ts'
import { type BudgetOptions, RetryBudget } from './retry-budget.ts'

/** When and how often calls of an upstream are tried again; durations in milliseconds. */
export interface RetryOptions {
  /** Tries at the most, the first included. */
  readonly attempts: number
  /** Statuses of HTTP after which another target is asked, where doing it twice is doing it once; 503 is gRPC's UNAVAILABLE, too. */
  readonly statuses: readonly number[]
  readonly backoff: { readonly baseMs: number; readonly maxMs: number }
  readonly budget: BudgetOptions
  /** How long an attempt may take to the head of its answer when another target can be asked; 0: no limit of its own. */
  readonly perTryMs: number
  /** The longest wait for an upstream that asks for it (`Retry-After`); 0: none. */
  readonly maxRetryAfterMs: number
  /** A second target is asked when the first has not answered for so long; 0: never. */
  readonly hedgeAfterMs: number
  /** Whether a request with `Idempotency-Key` may be sent twice, whatever its method is. */
  readonly idempotencyKey: boolean
  /** Whether all requests and calls may be sent twice; mutations never are. */
  readonly nonIdempotent: boolean
  /** A request body is kept for another attempt up to so many bytes; 0: never. */
  readonly maxBodyBytes: number
}

/** What became of the calls of an upstream since it was made. */
export interface RetryCounts {
  /** Second and further attempts that are over, by how they ended, hedges not among them. */
  readonly retries: Record<Outcome, number>
  /** Attempts that the budget did not allow. */
  budgetExhausted: number
  hedges: number
  /** Attempts on connections that the upstream had just closed. */
  stale: number
}

/** Decides about second tries; one for each upstream. */
export class Retry {
  readonly counts: RetryCounts = {
    retries: { ok: 0, failed: 0, neutral: 0 },
    budgetExhausted: 0,
    hedges: 0,
    stale: 0,
  }
  readonly #options: RetryOptions
  readonly #statuses: ReadonlySet<number>
  readonly #budget: RetryBudget

  constructor(options: RetryOptions) {
    this.#options = options
    this.#statuses = new Set(options.statuses)
    this.#budget = new RetryBudget(options.budget)
  }

  get hedgeAfterMs(): number {
    return this.#options.hedgeAfterMs
  }

  /** A call begins. */
  began(): void {
    this.#budget.count(performance.now())
  }

  /**
   * Whether a call that failed is tried again, which is then paid from the budget: when that is safe ({@link maySendAgain}) and tries are
   * left.
   */
  takes(call: Call, error: GatewayError): boolean {
    if (call.paid) {
      call.paid = false
      return true
    }
    return !call.leaves && maySendAgain(call, error) && this.#isLeft(call) && this.#pays()
  }

  /** Whether it is sent once more because the connection was stale; that is no attempt. */
  repeats(call: Call, error: GatewayError): boolean {
    if (!error.stale || (!call.idempotent && error.reached) || call.stale >= mostStale) return false
    if (!call.replayable || call.exchange.committed || call.ended !== undefined) return false
    call.stale++
    this.counts.stale++
    return true
  }

  /**
   * Whether an answer of this status is dropped, so that another target is asked, which is paid, too, or the fallback of the upstream.
   * The transport then rejects. `askedMs`: how long the upstream asks to wait. Where there is no other target it is asked again after that.
   */
  drops({ call, endpoint }: Attempt, status: number, askedMs: number | undefined): boolean {
    if (!this.#statuses.has(status) || !call.idempotent || call.exchange.committed) return false
    // Its answer may be better.
    if (call.hedged) return true
    call.paid = this.#isLeft(call) && this.#mayAskAnother(call, endpoint, askedMs) && this.#pays()
    call.leaves = !call.paid && dropsForFallback(call)
    return call.paid || call.leaves
  }

  /** Limit of an attempt in milliseconds: none (0) where nobody else could be asked afterwards. */
  attemptLimitMs({ call, endpoint }: Attempt): number {
    const { perTryMs } = this.#options
    if (perTryMs === 0 || call.streamed || !call.idempotent) return 0
    const anotherMay = this.#isLeft(call) && call.upstream.hasAnother(endpoint)
    return anotherMay || dropsForFallback(call) ? perTryMs : 0
  }

  /** Whether a second target may be asked while the first is at it. */
  hedges(call: Call): boolean {
    return this.#options.hedgeAfterMs > 0 && call.hedgeable && !call.upstream.isSticky
  }

  /** Whether there is a use in a second target now. */
  mayHedge(call: Call): boolean {
    return !call.answered && this.#isLeft(call)
  }

  /** A second target is about to be asked; false: the budget is used up. */
  hedged(): boolean {
    if (!this.#pays()) return false
    this.counts.hedges++
    return true
  }

  /** Milliseconds before the next attempt: at random up to a limit that doubles, so that those who fail together do not come back together. */
  delayMs(attempts: number): number {
    const { baseMs, maxMs } = this.#options.backoff
    return Math.random() * Math.min(maxMs, baseMs * 2 ** (attempts - 1))
  }

  #mayAskAnother(call: Call, than: Endpoint, askedMs: number | undefined): boolean {
    if (call.upstream.hasAnother(than)) return true
    if (askedMs === undefined || askedMs > this.#options.maxRetryAfterMs) return false
    if (performance.now() + askedMs >= call.deadlineAt) return false
    call.waitMs = askedMs
    return true
  }

  #pays(): boolean {
    if (this.#budget.spend(performance.now())) return true
    this.counts.budgetExhausted++
    return false
  }

  #isLeft(call: Call): boolean {
    return call.attempts.length - call.stale < this.#options.attempts && isOpen(call)
  }
}

/**
 * Whether a call that failed may be sent once more. Safe is that when the endpoint was at fault, the bytes can be sent again, and either
 * doing it twice is doing it once or the endpoint never saw it. A POST whose connection was refused may go elsewhere; one answered 503
 * may not.
 */
export function maySendAgain(call: Call, error: GatewayError): boolean {
  const late = error.reason === 'CONNECT_TIMEOUT' || error.reason === 'UPSTREAM_TIMEOUT'
  if (error.code !== 'unavailable' && !late) return false
  return (call.idempotent || !error.reached) && isOpen(call)
}

/** Whether its bytes are still there, and somebody waits for an answer. */
function isOpen({ replayable, exchange, ended, deadlineAt }: Call): boolean {
  return replayable && !exchange.committed && ended === undefined && performance.now() < deadlineAt
}

const mostStale = 2
