import type { Exchange } from '../../../../core/exchange.ts'
import { Call } from '../../../../traffic/call.ts'
import type { Destination } from '../../../../traffic/destination.ts'

/** What hears of the events of a call. */
export interface CallEvents {
  /** The subgraph has taken the subscription. */
  opened(flow: EventFlow): void
  /** One result of an execution, as JSON text and read. */
  event(event: SubgraphEvent): void
}

/** How the events of a call are held up: nothing is read of the connection meanwhile. */
export interface EventFlow {
  pause(): void
  resume(): void
}

/** One event as it came. Many may hear of it, and each gets data of its own. */
export class SubgraphEvent {
  /** What it counts as where events wait. */
  readonly bytes: number
  readonly #text: string
  readonly #within: string | undefined
  #value: unknown

  /** `text`: JSON; `within`: the member of it that is the event, absent: all of it; `value`: the event. */
  constructor(text: string, { within, value }: { readonly within?: string; readonly value: unknown }) {
    this.bytes = text.length
    this.#text = text
    this.#within = within
    this.#value = value
  }

  /** The event as a value that nobody else has. */
  take(): unknown {
    const value = this.#value
    this.#value = undefined
    if (value !== undefined) return value
    const read: unknown = JSON.parse(this.#text)
    return this.#within === undefined ? read : (read as Readonly<Record<string, unknown>>)[this.#within]
  }
}

/** One subscription at a subgraph, for as long as its connection lasts. */
export class SubscriptionCall extends Call {
  readonly method = 'POST'
  readonly path: string
  /** The GraphQL request as JSON text. */
  readonly body: string
  readonly events: CallEvents

  constructor(exchange: Exchange, destination: Destination, options: SubscriptionCallOptions) {
    const { headers, path, body, events } = options
    super(exchange, destination, { headers, idempotent: true, replayable: true, streamed: true })
    this.path = path
    this.body = body
    this.events = events
  }
}

/** What a {@link SubscriptionCall} is made from. */
export interface SubscriptionCallOptions {
  /** Of the endpoint. */
  readonly path: string
  readonly body: string
  /** Flat; owned by the call from here on. */
  readonly headers: string[]
  readonly events: CallEvents
}

/** A larger event ends the subscription, as a larger answer fails. */
export const maxEventBytes = 4 * 1_048_576
