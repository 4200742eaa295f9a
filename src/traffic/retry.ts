import type { GatewayError } from '../core/error.ts'
import type { Call } from './call.ts'

/** When and how often calls of an upstream are tried again; durations in milliseconds. */
export interface RetryOptions {
  /** Tries at the most, the first included. */
  readonly attempts: number
  /** Statuses of HTTP after which another target is asked, where doing it twice is doing it once; 503 is gRPC's UNAVAILABLE, too. */
  readonly statuses: readonly number[]
  readonly backoff: { readonly baseMs: number; readonly maxMs: number }
  readonly budget: BudgetOptions
}

/** What second tries may add to the load of an upstream that is in trouble already. */
export interface BudgetOptions {
  /** Of the calls of the last ten seconds. */
  readonly percent: number
  /** Allowed whatever the load is. */
  readonly minPerSecond: number
}

/** Decides about second tries; one for each upstream. */
export class Retry {
  readonly #options: RetryOptions
  readonly #statuses: ReadonlySet<number>
  readonly #budget: RetryBudget

  constructor(options: RetryOptions) {
    this.#options = options
    this.#statuses = new Set(options.statuses)
    this.#budget = new RetryBudget(options.budget)
  }

  /** A call begins. */
  began(): void {
    this.#budget.count(performance.now())
  }

  /**
   * Whether a call that failed is tried again, which is then paid from the budget. Safe is it when the endpoint was at fault, the bytes
   * can be sent again, and either doing it twice is doing it once or the endpoint never saw it. A POST whose connection was refused
   * may go elsewhere; one answered 503 may not.
   */
  takes(call: Call, error: GatewayError): boolean {
    if (call.paid) {
      call.paid = false
      return true
    }
    if (error.code !== 'unavailable' && error.reason !== 'CONNECT_TIMEOUT') return false
    if (!call.idempotent && error.reached) return false
    return this.#isLeft(call) && this.#budget.spend(performance.now())
  }

  /** Whether an answer of this status is dropped, so that another target is asked; that is paid, too. The transport then rejects. */
  drops(call: Call, status: number): boolean {
    if (!this.#statuses.has(status) || !call.idempotent || !this.#isLeft(call)) return false
    if (!call.upstream.hasAnother(call.target)) return false
    call.paid = this.#budget.spend(performance.now())
    return call.paid
  }

  /** Milliseconds before the next attempt: at random up to a limit that doubles, so that those who fail together do not come back together. */
  delayMs(attempts: number): number {
    const { baseMs, maxMs } = this.#options.backoff
    return Math.random() * Math.min(maxMs, baseMs * 2 ** (attempts - 1))
  }

  #isLeft(call: Call): boolean {
    if (call.attempts >= this.#options.attempts || !call.replayable) return false
    return !call.exchange.committed && !call.exchange.gone && performance.now() < call.deadlineAt
  }
}

/** Counts calls and second tries of the last ten seconds, second by second. */
export class RetryBudget {
  readonly #options: BudgetOptions
  readonly #calls = new Array<number>(windowSeconds).fill(0)
  readonly #spent = new Array<number>(windowSeconds).fill(0)
  #second = 0

  constructor(options: BudgetOptions) {
    this.#options = options
  }

  /** `now`: `performance.now()`. */
  count(now: number): void {
    const at = this.#at(now)
    this.#calls[at] = (this.#calls[at] as number) + 1
  }

  /** Whether one more second try is allowed, which is then counted. */
  spend(now: number): boolean {
    const at = this.#at(now)
    const { percent, minPerSecond } = this.#options
    const allowed = (sum(this.#calls) * percent) / 100
    const spent = sum(this.#spent)
    if (spent >= allowed && (this.#spent[at] as number) >= minPerSecond) return false
    this.#spent[at] = (this.#spent[at] as number) + 1
    return true
  }

  #at(now: number): number {
    const second = Math.floor(now / 1_000)
    if (second === this.#second) return second % windowSeconds
    for (let past = Math.max(this.#second + 1, second - windowSeconds + 1); past <= second; past++) {
      this.#calls[past % windowSeconds] = 0
      this.#spent[past % windowSeconds] = 0
    }
    this.#second = second
    return second % windowSeconds
  }
}

function sum(counts: readonly number[]): number {
  let total = 0
  for (const count of counts) total += count
  return total
}

const windowSeconds = 10
