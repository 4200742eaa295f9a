import { GatewayError } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import type { LoadSample, LoadWatch } from './load-watch.ts'
import { Shedding } from './shedding.ts'

export interface OverloadOptions {
  /** How long requests may wait for the event loop, in milliseconds; 0: for any time. */
  readonly eventLoopDelayMs: number
  /** How much of the heap may stay in use; 0: all. */
  readonly heapPercent: number
  readonly log: Logger
  /** Undefined: nothing is watched, and nothing refused. */
  readonly watch: LoadWatch | undefined
}

/** Knows when the gateway has more than it can do: when requests have to wait for their turn, and when they have to be refused. */
export class Overload {
  readonly eventLoop: Shedding
  readonly heap: Shedding
  readonly #options: OverloadOptions
  readonly #stop: (() => void) | undefined
  /** `performance.now()` after which the event loop is too slow to begin requests as they come. */
  #slowAt = Number.POSITIVE_INFINITY
  #fullSamples = 0
  #heapIsFull = false

  constructor(options: OverloadOptions) {
    const { eventLoopDelayMs, heapPercent, log, watch } = options
    this.#options = options
    this.eventLoop = new Shedding('event_loop', log)
    this.heap = new Shedding('heap', log)
    const isOn = eventLoopDelayMs > 0 || heapPercent > 0
    this.#stop = isOn ? watch?.((sample) => this.#take(sample)) : undefined
  }

  /** Whether requests that come now (`performance.now()`) have to wait for their turn: this one of the event loop lasts, or the last did. */
  isSlow(now: number): boolean {
    return now > this.#slowAt
  }

  /** So much of one turn of the event loop counts as a wait: a few long pauses (collections of garbage, a reload) are no overload. */
  get pauseMs(): number {
    return this.#options.eventLoopDelayMs / 4
  }

  /** Why a request that has waited for so long for its turn is refused, which is then counted; undefined: it is not. */
  refusal(waitedMs: number): GatewayError | undefined {
    if (this.#heapIsFull) return refused(this.heap)
    const { eventLoopDelayMs: limit } = this.#options
    return limit > 0 && waitedMs > limit ? refused(this.eventLoop) : undefined
  }

  close(): void {
    this.#stop?.()
  }

  #take({ delayMs, nextAt, heapPercent }: LoadSample): void {
    const limits = this.#options
    if (limits.eventLoopDelayMs > 0) {
      this.#slowAt = delayMs > longTurnMs ? Number.NEGATIVE_INFINITY : nextAt + longTurnMs
    }
    if (limits.heapPercent > 0) {
      this.#fullSamples = heapPercent > limits.heapPercent ? this.#fullSamples + 1 : 0
      if (this.#fullSamples >= fullSamples) this.#heapIsFull = true
      else if (heapPercent < limits.heapPercent - 5) this.#heapIsFull = false
    }
    this.eventLoop.tick()
    this.heap.tick()
  }
}

function refused(shedding: Shedding): GatewayError {
  shedding.count()
  return new GatewayError('OVERLOADED', 'The gateway has more requests than it can serve.', {
    reached: false,
    retryAfterMs: 1_000,
  })
}

/** A turn of the event loop that lasts for longer begins no more requests. */
const longTurnMs = 20
/** Samples of a heap that is full; before that a collection of garbage was due. */
const fullSamples = 25
