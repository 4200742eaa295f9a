import type { FetchObserver } from '../observer.ts'
import type { OperationContext } from '../operation.ts'
import type { Subgraph, SubgraphData, SubgraphFetch } from './subgraph.ts'

/** Who is told of the fetches of a service. */
export interface ServiceListeners {
  readonly observe: FetchObserver | undefined
  /** Told when a mutation is over, whatever came of it. */
  mutated(): void
}

/** A service as a subgraph, seen as the others are. */
export class SeenService implements Subgraph {
  readonly name: string
  readonly #service: Subgraph
  readonly #listeners: ServiceListeners

  constructor(service: Subgraph, listeners: ServiceListeners) {
    this.name = service.name
    this.#service = service
    this.#listeners = listeners
  }

  get anonymous(): boolean {
    return this.#service.anonymous === true
  }

  async fetch(fetch: SubgraphFetch, context: OperationContext): Promise<SubgraphData> {
    const { observe, mutated } = this.#listeners
    const seen = { startedAt: performance.now(), answerBytes: 0, shared: false }
    try {
      const data = await this.#service.fetch(fetch, context)
      observe?.(data.errors.length === 0 ? 'ok' : 'error', seen)
      return data
    } catch (thrown) {
      observe?.('failed', seen)
      throw thrown
    } finally {
      if (fetch.type === 'mutation') mutated()
    }
  }
}
