import type { GatewayError } from '../../../core/error.ts'
import type { SubgraphData } from '../subgraphs/subgraph.ts'
import type { PlannedFetch } from './planned-fetch.ts'

/** What one run asks of a subgraph by one fetch of its plan. */
export interface Ask {
  readonly fetch: PlannedFetch
  /** The variables as JSON: `"id":"1"`. */
  members(): string[]
  /** Brings the answer into the data, and its errors to where they belong. Throws a GatewayError when it is none to what was asked. */
  accept(answer: SubgraphData): void
  /** Notes that there is no answer. */
  fail(error: GatewayError): void
}
