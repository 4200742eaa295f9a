import type { GatewayError } from '../../../core/error.ts'
import type { Exchange } from '../../../core/exchange.ts'
import type { Logger } from '../../../core/log.ts'
import type { SubgraphSubscription } from '../subgraphs/subgraph.ts'
import type { EventQueue } from './event-queue.ts'
import { SharedSubscription } from './shared-subscription.ts'

/** The subscriptions that are open at subgraphs: clients that ask for the same share one. */
export class SharedSubscriptions {
  readonly #options: { readonly reconnects: number; readonly log: Logger }
  readonly #open = new Map<string, SharedSubscription>()

  constructor(options: { readonly reconnects: number; readonly log: Logger }) {
    this.#options = options
  }

  /** Hears of the events from now on. Rejects with a GatewayError when the subgraph does not take it. */
  async join(subscription: SubgraphSubscription, x: Exchange): Promise<EventQueue> {
    const { key } = subscription
    let shared = this.#open.get(key)
    if (shared === undefined) {
      const onOver = (): void => {
        if (this.#open.get(key) === shared) this.#open.delete(key)
      }
      shared = new SharedSubscription({ ...this.#options, subscription, x, onOver })
      this.#open.set(key, shared)
    }
    const queue = shared.join()
    const leave = (stopped?: GatewayError): void => queue.drop(stopped)
    x.whenGone(leave)
    await shared.opened
    return queue
  }
}
