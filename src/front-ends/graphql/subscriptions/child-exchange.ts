import { Exchange, type Slot } from '../../../core/exchange.ts'
import type { TraceContext } from '../../../core/trace-context.ts'

/**
 * A part of an exchange that lasts: one event of a subscription, or its call to a subgraph. It is who its parent is, and what it gathers (calls,
 * listeners) goes away with it, so that nothing grows with the number of events. No hooks run for it but those of its calls.
 */
export class ChildExchange extends Exchange {
  override readonly committed = false
  override readonly hasBody = false
  readonly #parent: Exchange

  constructor(parent: Exchange) {
    super(parent.request, parent.route, parent.hooks)
    this.#parent = parent
    this.principal = parent.principal
  }

  override get id(): string {
    return this.#parent.id
  }

  override get trace(): TraceContext {
    return this.#parent.trace
  }

  override get<T>(slot: Slot<T>): T | undefined {
    return super.get(slot) ?? this.#parent.get(slot)
  }

  override answer(): void {}

  override async body(): Promise<Buffer> {
    return Buffer.alloc(0)
  }
}
