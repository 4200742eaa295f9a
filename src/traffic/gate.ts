import { GatewayError } from '../core/error.ts'
import type { Call } from './call.ts'

/** How many calls of an upstream may be under way, and wait. */
export interface GateOptions {
  /** Calls under way at the most, at least 1. */
  readonly max: number
  /** Calls that wait at the most; 0: none does. */
  readonly queue: number
  /** How long one waits at the most, in milliseconds. */
  readonly queueTimeoutMs: number
}

/** What the gate has to know of a call; only one that waits is asked. */
export type GatedCall = Pick<Call, 'remainingMs' | 'onEnd'>

/**
 * Lets so many calls of an upstream through at a time; some more wait, and go on in the order in which they came. What it turns away
 * has reached no target. Every step takes the same time, however many wait.
 */
export class Gate {
  /** Calls that went through and have not left. */
  inFlight = 0
  queued = 0
  /** Calls turned away since the start, by reason. */
  readonly rejected = { queue_full: 0, queue_timeout: 0 }
  readonly #upstream: string
  readonly #options: GateOptions
  #first: Waiter | undefined
  #last: Waiter | undefined

  constructor(upstream: string, options: GateOptions) {
    this.#upstream = upstream
    this.#options = options
  }

  /**
   * Lets a call through: now, when it returns undefined, or when the promise resolves; {@link leave} then has to follow. Throws
   * OVERLOADED when the queue is full; rejects with it when the call has waited too long, and with what ended the call meanwhile.
   */
  enter(call: GatedCall): Promise<void> | undefined {
    const { max, queue } = this.#options
    if (this.inFlight < max) {
      this.inFlight++
      return undefined
    }
    if (this.queued >= queue) {
      this.rejected.queue_full++
      throw this.#overloaded(queue === 0 ? 'it has as many calls as it takes' : 'its queue is full')
    }
    return new Promise((resolve, reject) => this.#wait(call, { resolve, reject }))
  }

  /** Makes a call when it is its turn. Rejects where {@link enter} does, or throws. */
  async pass<T>(call: GatedCall, make: () => Promise<T>): Promise<T> {
    const turn = this.enter(call)
    if (turn !== undefined) await turn
    try {
      return await make()
    } finally {
      this.leave()
    }
  }

  /** A call that went through has ended: the one that has waited longest takes its place. */
  leave(): void {
    const next = this.#first
    if (next === undefined) this.inFlight--
    else {
      this.#remove(next)
      next.settle.resolve()
    }
  }

  #wait(call: GatedCall, settle: Waiter['settle']): void {
    const leftMs = call.remainingMs()
    const { queueTimeoutMs } = this.#options
    const limitMs = leftMs === 0 ? queueTimeoutMs : Math.min(leftMs, queueTimeoutMs)
    const waiter: Waiter = { settle, before: this.#last, after: undefined, waits: true }
    waiter.timer = setTimeout(() => {
      this.rejected.queue_timeout++
      this.#remove(waiter)
      settle.reject(this.#overloaded('the call has waited too long for its turn'))
    }, limitMs)
    if (this.#last === undefined) this.#first = waiter
    else this.#last.after = waiter
    this.#last = waiter
    this.queued++
    call.onEnd((error) => {
      if (!waiter.waits) return
      this.#remove(waiter)
      settle.reject(error)
    })
  }

  #remove(waiter: Waiter): void {
    const { before, after } = waiter
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    clearTimeout(waiter.timer)
    waiter.waits = false
    this.queued--
  }

  #overloaded(why: string): GatewayError {
    return new GatewayError('OVERLOADED', `Upstream "${this.#upstream}" is busy: ${why}.`, {
      reached: false,
      retryAfterMs: 1_000,
    })
  }
}

/** A call in the queue, which is a list linked both ways: whoever gives up leaves it from anywhere. */
interface Waiter {
  readonly settle: { resolve(): void; reject(error: GatewayError): void }
  before: Waiter | undefined
  after: Waiter | undefined
  timer?: NodeJS.Timeout
  /** Whether it is in the queue still. */
  waits: boolean
}
