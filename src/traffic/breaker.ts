import type { Outcome } from './outcome.ts'
import { RollingCounts } from './rolling-counts.ts'

/** When a circuit opens and how it closes again; durations in milliseconds. */
export interface BreakerOptions {
  /** Share of the calls of the window that failed, up to 1, at which it opens; 0: it does not count. */
  readonly failureRatio: number
  /** Calls in the window below which the share says nothing. */
  readonly minRequests: number
  readonly windowMs: number
  /** Failures in a row at which it opens; 0: they do not count. */
  readonly consecutiveFailures: number
  /** Until the head of an answer; one that took longer counts as failed. 0: no limit. */
  readonly slowCallMs: number
  /** How long nothing is let through. */
  readonly openForMs: number
  /** Half open: how many calls may be under way at a time, and how many must do well for it to close. */
  readonly halfOpenMax: number
}

/** `closed`: all calls pass. `open`: none. `half_open`: some, to see whether the others may follow. */
export type BreakerState = 'closed' | 'half_open' | 'open'

/** How a call or attempt ended that was let through. */
export interface Verdict {
  readonly outcome: Outcome
  /** Until the head of the answer. */
  readonly latencyMs: number
  /** What went wrong, for the log. */
  readonly why: string
  /** `performance.now()` */
  readonly now: number
}

/** Told when the state changes, and why. */
export type OnChange = (state: BreakerState, reason: string) => void

/**
 * A circuit breaker. Whoever is let through by {@link enter} says by {@link settle} how it went, exactly once, with the pass that it got:
 * what began before the last change of state says nothing of the time since. It has no timer; all times are `performance.now()`.
 */
export class Breaker {
  /** How often it went into each state. */
  readonly changes: Record<BreakerState, number> = { closed: 0, half_open: 0, open: 0 }
  readonly #options: BreakerOptions
  readonly #onChange: OnChange
  readonly #counts: RollingCounts
  #state: BreakerState = 'closed'
  /** Counts the changes of state; what a pass is. */
  #period = 1
  #inARow = 0
  /** While it is open: when it lets calls through again. While it is half open: when trials that are still under way are given up. */
  #waitsUntil = 0
  /** While it is half open: calls under way, and those that did well. */
  #trials = 0
  #good = 0

  constructor(options: BreakerOptions, onChange: OnChange) {
    this.#options = options
    this.#onChange = onChange
    this.#counts = new RollingCounts(options.windowMs)
  }

  /** As users see it: an open circuit whose time is over waits for the next call, half open. */
  state(now: number): BreakerState {
    return this.#state === 'open' && now >= this.#waitsUntil ? 'half_open' : this.#state
  }

  /** Whether {@link enter} would let a call through. */
  admits(now: number): boolean {
    return this.#state === 'closed' || this.#hasPlace || now >= this.#waitsUntil
  }

  /** Milliseconds after which it makes sense to ask again, for one that was not let through. */
  retryAfterMs(now: number): number {
    return this.#state === 'open' ? Math.max(0, this.#waitsUntil - now) : betweenTrialsMs
  }

  /** Lets a call through, which must {@link settle} with the pass that is returned; 0: it is refused. */
  enter(now: number): number {
    if (this.#state === 'closed') return this.#period
    if (!this.#hasPlace) {
      if (now < this.#waitsUntil) return 0
      this.#tryOut()
    }
    this.#trials++
    this.#waitsUntil = now + this.#options.openForMs
    return this.#period
  }

  /** Takes in how a call went. A pass of 0 or of an earlier period counts for nothing. */
  settle(pass: number, verdict: Verdict): void {
    if (pass !== this.#period) return
    const { slowCallMs } = this.#options
    const slow = slowCallMs > 0 && verdict.latencyMs > slowCallMs && verdict.outcome !== 'neutral'
    if (verdict.outcome === 'failed' || slow) this.#failed(verdict)
    else if (verdict.outcome === 'ok') this.#succeeded(verdict.now)
    else if (this.#state === 'half_open') this.#trials--
  }

  /**
   * The head of an answer is there whose rest may be long in coming: that decides a trial. Returns the pass that is left to be settled,
   * 0 when nothing is.
   */
  settleTrial(pass: number, verdict: Verdict): number {
    if (this.#state !== 'half_open' || pass !== this.#period) return pass
    this.settle(pass, verdict)
    return 0
  }

  get #hasPlace(): boolean {
    return this.#state === 'half_open' && this.#trials < this.#options.halfOpenMax
  }

  #succeeded(now: number): void {
    this.#inARow = 0
    if (this.#state === 'closed') {
      this.#counts.add(false, now)
      return
    }
    this.#trials--
    if (++this.#good < this.#options.halfOpenMax) return
    this.#counts.clear()
    this.#change('closed', this.#good === 1 ? 'a trial did well' : `${this.#good} trials did well`)
  }

  #failed({ outcome, latencyMs, why, now }: Verdict): void {
    const { failureRatio, minRequests, windowMs, consecutiveFailures } = this.#options
    const last = outcome === 'failed' ? why : `slow: ${Math.round(latencyMs)} ms`
    if (this.#state === 'half_open') {
      this.#open(now, `a trial failed: ${last}`)
      return
    }
    this.#counts.add(true, now)
    const { total, failures } = this.#counts
    if (++this.#inARow === consecutiveFailures)
      this.#open(now, `${consecutiveFailures} failures in a row, the last: ${last}`)
    else if (failureRatio > 0 && total >= minRequests && failures >= failureRatio * total)
      this.#open(now, `${failures} of ${total} calls in ${windowMs} ms failed, the last: ${last}`)
  }

  #open(now: number, reason: string): void {
    this.#waitsUntil = now + this.#options.openForMs
    this.#change('open', reason)
  }

  /** Trials that hang for as long as a circuit is open do not keep it half open: others count in their place. */
  #tryOut(): void {
    const over =
      this.#state === 'open' ? `${this.#options.openForMs} ms are over` : 'the trials did not come back'
    this.#trials = 0
    this.#good = 0
    this.#change('half_open', over)
  }

  #change(state: BreakerState, reason: string): void {
    this.#state = state
    this.#period++
    this.#inARow = 0
    this.changes[state]++
    this.#onChange(state, reason)
  }
}

/** Trials are under way: nobody knows when the next place is free. */
const betweenTrialsMs = 1_000
