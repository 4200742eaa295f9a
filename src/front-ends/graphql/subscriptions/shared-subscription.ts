import { GatewayError, toGatewayError } from '../../../core/error.ts'
import type { Exchange } from '../../../core/exchange.ts'
import type { Logger } from '../../../core/log.ts'
import type { Reason } from '../../../core/reason.ts'
import type { SubgraphSubscription } from '../subgraphs/subgraph.ts'
import { ChildExchange } from './child-exchange.ts'
import { EventQueue } from './event-queue.ts'
import type { EventFlow, SubgraphEvent } from './subgraph/subscription-call.ts'

/** What a {@link SharedSubscription} is made from. */
export interface SharedOptions {
  readonly subscription: SubgraphSubscription
  /** Of the client that came first. */
  readonly x: Exchange
  /** How often a subscription that broke off is asked for again, one time after the other; 0: never. */
  readonly reconnects: number
  readonly log: Logger
  /** Nobody listens any more, or there is nothing to hear. */
  onOver(): void
}

/**
 * One subscription at a subgraph, for all clients that ask for the same. It lasts while one of them listens. When its connection breaks it is asked
 * for again, and what happened meanwhile is lost.
 */
export class SharedSubscription {
  readonly #options: SharedOptions
  readonly #queues = new Set<EventQueue>()
  readonly #opened = Promise.withResolvers<void>()
  #flow: EventFlow | undefined
  #paused = false
  #hasOpened = false
  #over = false
  #openSince = 0
  #x: ChildExchange | undefined
  #wake: (() => void) | undefined

  constructor(options: SharedOptions) {
    this.#options = options
    // Whoever joins hears of it.
    this.#opened.promise.catch(() => {})
    void this.#run()
  }

  /** Resolves when the subgraph has taken it; rejects with the GatewayError that it did not. */
  get opened(): Promise<void> {
    return this.#opened.promise
  }

  /** Hears of all events from now on. */
  join(): EventQueue {
    const queue = new EventQueue({
      onTaken: () => this.#mayResume(),
      onClosed: () => this.#leave(queue),
    })
    this.#queues.add(queue)
    return queue
  }

  /** For that reason, all hear the end. */
  end(error?: GatewayError): void {
    if (this.#over) return
    this.#over = true
    this.#options.onOver()
    if (error === undefined) this.#opened.resolve()
    else this.#opened.reject(error)
    for (const queue of [...this.#queues]) queue.end(error)
    this.#wake?.()
    this.#x?.markGone()
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#over; ) {
      try {
        await this.#once()
        this.end()
      } catch (thrown) {
        const error = toGatewayError(thrown)
        if (this.#over) return
        const wasUp = this.#flow !== undefined
        this.#flow = undefined
        this.#paused = false
        if (wasUp && performance.now() - this.#openSince >= steadyMs) failures = 0
        if (!this.#hasOpened || !passing.has(error.reason) || failures >= this.#options.reconnects) {
          this.end(error)
          return
        }
        this.#options.log.warn({ reason: error.reason, failures }, 'A subscription at a subgraph broke off.')
        await this.#pause(failures++)
      }
    }
  }

  /** For as long as one connection lasts. */
  #once(): Promise<void> {
    this.#x = new ChildExchange(this.#options.x)
    return this.#options.subscription.run(this.#x, {
      opened: (flow) => {
        this.#flow = flow
        this.#hasOpened = true
        this.#openSince = performance.now()
        this.#opened.resolve()
      },
      event: (event) => this.#spread(event),
    })
  }

  #pause(failures: number): Promise<void> {
    const longestMs = Math.min(firstPauseMs * 2 ** failures, maxPauseMs)
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, longestMs * (0.5 + Math.random() / 2))
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** The slowest must not hold up the others, nor fill the memory: reading stops when all are behind, and who is far behind the first is let go. */
  #spread(event: SubgraphEvent): void {
    let least = Number.POSITIVE_INFINITY
    for (const queue of this.#queues) {
      queue.push(event)
      least = Math.min(least, queue.fill)
    }
    if (least >= pauseFill) {
      if (!this.#paused) this.#flow?.pause()
      this.#paused = true
      return
    }
    for (const queue of this.#queues) if (queue.fill >= 1) queue.drop(tooSlow())
  }

  #mayResume(): void {
    if (!this.#paused) return
    for (const queue of this.#queues) {
      if (queue.fill > resumeFill) continue
      this.#paused = false
      this.#flow?.resume()
      return
    }
  }

  #leave(queue: EventQueue): void {
    this.#queues.delete(queue)
    if (this.#queues.size === 0) this.end()
    else this.#mayResume()
  }
}

function tooSlow(): GatewayError {
  return new GatewayError('CLIENT_TOO_SLOW', 'The client took the events more slowly than they came.')
}

/** Of {@link EventQueue.fill}. */
const pauseFill = 0.25
const resumeFill = 0.05

const firstPauseMs = 500
const maxPauseMs = 15_000
/** A connection that lasted so long was a good one. */
const steadyMs = 10_000

/** What may be gone with the next try. */
const passing: ReadonlySet<Reason> = new Set<Reason>([
  'UPSTREAM_RESET',
  'UPSTREAM_REFUSED',
  'UPSTREAM_DNS',
  'UPSTREAM_TLS',
  'UPSTREAM_TIMEOUT',
  'CONNECT_TIMEOUT',
  'NO_HEALTHY_TARGET',
  'CIRCUIT_OPEN',
  'UNAVAILABLE',
])
