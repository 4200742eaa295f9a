import type { GatewayError } from '../../../core/error.ts'
import type { Execution, OperationResult } from '../operation.ts'
import type { SubgraphData, SubgraphSubscription } from '../subgraphs/subgraph.ts'
import { ChildExchange } from './child-exchange.ts'
import type { EventQueue } from './event-queue.ts'

/** What {@link OperationEvents} needs. */
export interface EventsOptions {
  /** What is left of the operation. */
  readonly execution: Execution
  readonly subscription: SubgraphSubscription
  readonly queue: EventQueue
  /** Runs what is left of the plan for one event. */
  run(execution: Execution, event: SubgraphData): Promise<OperationResult>
  /** Called before each event; rejects with a GatewayError that ends them. */
  charge(): void | Promise<void>
  onOver(events: OperationEvents): void
}

/** The results of one client's subscription, in the order of the events and one at a time: whoever is slow to ask makes the rest wait. */
export class OperationEvents {
  readonly #options: EventsOptions
  #x: ChildExchange | undefined

  constructor(options: EventsOptions) {
    this.#options = options
  }

  /** The next one; undefined when the subscription is complete. Rejects with a GatewayError when it fails. */
  async next(): Promise<OperationResult | undefined> {
    const { execution, subscription, queue, run, charge, onOver } = this.#options
    try {
      const event = await queue.next()
      if (event === undefined) {
        onOver(this)
        return undefined
      }
      await charge()
      const x = new ChildExchange(execution.context.x)
      this.#x = x
      return await run(
        { ...execution, context: { ...execution.context, x, faults: [] } },
        subscription.read(event.take(), x),
      )
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Nobody asks for more, or nobody may: a `next` that waits rejects with that, or else is told of the end. */
  close(error?: GatewayError): void {
    this.#x?.markGone()
    this.#options.queue.drop(error)
    this.#options.onOver(this)
  }
}
