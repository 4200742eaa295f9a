import { GatewayError } from '../core/error.ts'
import type { HttpExchange } from '../core/http-exchange.ts'
import type { Logger } from '../core/log.ts'
import type { LoadSample, LoadWatch } from './load-watch.ts'

export interface OverloadOptions {
  /** How long events may wait on average, in milliseconds; 0: for any time. */
  readonly eventLoopDelayMs: number
  /** How much of the heap may stay in use; 0: all. */
  readonly heapPercent: number
  readonly log: Logger
  /** Undefined: nothing is watched, and nothing refused. */
  readonly watch: LoadWatch | undefined
}

/** What the gateway may have too little of. */
export type Shortage = 'event_loop' | 'heap'

/**
 * Decides when requests are refused because the gateway has more than it can do. Without that, all of them wait for longer and longer, until
 * clients have given up on the answers that it still works on.
 *
 * When events wait too long a part of the new requests is let in, less while they wait for more than half of the limit, more while they
 * wait for less: the gateway works as much as it can, and answers in time. When the heap is full, nothing new is let in.
 */
export class Overload {
  /** Requests that were refused since the start. */
  readonly shed: Record<Shortage, number> = { event_loop: 0, heap: 0 }
  readonly #options: OverloadOptions
  readonly #stop: (() => void) | undefined
  readonly #delays = new Array<number>(samples).fill(0)
  #nextDelay = 0
  /** How much of the new requests is let in, between 0 and 1. */
  #share = 1
  /** What the share has let in beyond whole requests. */
  #credit = 0
  #fullSamples = 0
  #heapIsFull = false
  /** Whether {@link refusal} has to be asked. */
  #sheds = false

  constructor(options: OverloadOptions) {
    this.#options = options
    const isOn = options.eventLoopDelayMs > 0 || options.heapPercent > 0
    this.#stop = isOn ? options.watch?.((sample) => this.#take(sample)) : undefined
  }

  /** What is short now, for `/readyz`. */
  get shortages(): Shortage[] {
    return [
      ...(this.#share < 1 ? ['event_loop' as const] : []),
      ...(this.#heapIsFull ? ['heap' as const] : []),
    ]
  }

  /** Why a new request is refused, which is then counted; undefined: it is let in. */
  refusal(): GatewayError | undefined {
    if (!this.#sheds) return undefined
    if (this.#heapIsFull) return this.#refused('heap')
    this.#credit += this.#share
    if (this.#credit < 1) return this.#refused('event_loop')
    this.#credit--
    return undefined
  }

  close(): void {
    this.#stop?.()
  }

  #take({ delayMs, heapPercent }: LoadSample): void {
    if (this.#options.eventLoopDelayMs > 0) this.#takeDelay(delayMs)
    if (this.#options.heapPercent > 0) this.#takeHeap(heapPercent)
    this.#sheds = this.#share < 1 || this.#heapIsFull
  }

  #takeDelay(delayMs: number): void {
    const limit = this.#options.eventLoopDelayMs
    // One or two long pauses (a collection of garbage, a reload) are no load: none counts for so much that two would do.
    this.#delays[this.#nextDelay] = Math.min(delayMs, limit * 2.5)
    this.#nextDelay = (this.#nextDelay + 1) % samples
    const mean = this.#delays.reduce((sum, one) => sum + one) / samples
    if (this.#share < 1) this.#adjust(delayMs)
    else if (mean > limit) {
      this.#share = 0.5
      this.#begin('event_loop', { 'event_loop.delay_ms': Math.round(mean) })
    }
  }

  #adjust(delayMs: number): void {
    const goal = this.#options.eventLoopDelayMs / 2
    const share = this.#share * Math.min(1.25, Math.max(0.25, goal / delayMs))
    this.#share = Math.min(1, Math.max(leastShare, share))
    if (this.#share === 1) this.#end('event_loop')
  }

  #takeHeap(percent: number): void {
    const { heapPercent } = this.#options
    this.#fullSamples = percent > heapPercent ? this.#fullSamples + 1 : 0
    if (!this.#heapIsFull && this.#fullSamples >= heapSamples) {
      this.#heapIsFull = true
      this.#begin('heap', { 'heap.used_percent': Math.round(percent) })
    } else if (this.#heapIsFull && percent < heapPercent - 5) {
      this.#heapIsFull = false
      this.#end('heap')
    }
  }

  #begin(reason: Shortage, what: object): void {
    this.#options.log.warn({ reason, ...what }, 'overloaded: new requests are refused')
  }

  #end(reason: Shortage): void {
    this.#options.log.warn({ reason, refused: this.shed[reason] }, 'no longer overloaded')
  }

  #refused(reason: Shortage): GatewayError {
    this.shed[reason]++
    return new GatewayError('OVERLOADED', 'The gateway has more requests than it can serve.', {
      reached: false,
      retryAfterMs: 1_000,
    })
  }
}

/** Refuses a request before anything is done for it. */
export function shed(x: HttpExchange, refusal: GatewayError): void {
  // Whoever answers before the body is there has to end the connection, and clients that connect anew are load, too: small ones are with their head.
  if (x.hasBody) process.nextTick(() => x.fail(refusal))
  else x.fail(refusal)
}

/** Delays that the mean is of: at least 300 ms. */
const samples = 6
/** A collection of garbage is due before that. */
const heapSamples = 10
/** A little goes in always, or nobody would learn that the load is over. */
const leastShare = 0.001
