import type { GatewayError } from '../../../core/error.ts'
import type { SubgraphEvent } from './subgraph/subscription-call.ts'

/** What waits for one client. One consumer asks for one event at a time. */
export class EventQueue {
  readonly #onTaken: () => void
  readonly #onClosed: (queue: EventQueue) => void
  #events: SubgraphEvent[] = []
  /** Of {@link #events}, what was taken already. */
  #at = 0
  #bytes = 0
  #waiting: PromiseWithResolvers<SubgraphEvent | undefined> | undefined
  #ended = false
  #error: GatewayError | undefined

  constructor({ onTaken, onClosed }: { onTaken(): void; onClosed(queue: EventQueue): void }) {
    this.#onTaken = onTaken
    this.#onClosed = onClosed
  }

  /** How full it is: 1 is as much as should wait. */
  get fill(): number {
    return Math.max((this.#events.length - this.#at) / maxWaiting, this.#bytes / maxWaitingBytes)
  }

  /** The next event; undefined at the end. Rejects with the GatewayError that it ended with, once all that came before is taken. */
  next(): Promise<SubgraphEvent | undefined> {
    const event = this.#events[this.#at]
    if (event === undefined) {
      if (this.#error !== undefined) return Promise.reject(this.#error)
      if (this.#ended) return Promise.resolve(undefined)
      this.#waiting = Promise.withResolvers()
      return this.#waiting.promise
    }
    this.#at++
    this.#bytes -= event.bytes
    if (this.#at > maxWaiting || this.#at === this.#events.length) {
      this.#events = this.#events.slice(this.#at)
      this.#at = 0
    }
    this.#onTaken()
    return Promise.resolve(event)
  }

  push(event: SubgraphEvent): void {
    if (this.#ended) return
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined) {
      waiting.resolve(event)
      return
    }
    this.#events.push(event)
    this.#bytes += event.bytes
  }

  /** Nothing comes any more, and for that reason; without one because all is said. */
  end(error?: GatewayError): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    const waiting = this.#waiting
    this.#waiting = undefined
    if (error === undefined) waiting?.resolve(undefined)
    else waiting?.reject(error)
    this.#onClosed(this)
  }

  /** The client is not served any more, for that reason: what waits is dropped. */
  drop(error?: GatewayError): void {
    this.#events = []
    this.#at = 0
    this.#bytes = 0
    if (this.#ended) this.#error = error
    this.end(error)
  }
}

/** Room for a burst. Who has this much waiting is behind. */
const maxWaiting = 1_024
const maxWaitingBytes = 1_048_576
