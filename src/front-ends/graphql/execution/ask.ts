import type { GatewayError } from '../../../core/error.ts'
import type { SubgraphData } from '../subgraphs/subgraph.ts'
import type { PlannedFetch } from './planned-fetch.ts'

/** The variables of a request for that alone, as JSON. */
export function variablesOf(ask: Ask): readonly string[] {
  const own = ask.own('')
  return own.length === 0 ? ask.shared : [...ask.shared, ...own]
}

/** What one run asks of a subgraph by one fetch of its plan. */
export interface Ask {
  readonly fetch: PlannedFetch
  /** Variables of the client that it uses, as JSON: `"id":"1"`. */
  readonly shared: readonly string[]
  /** Variables that only it has, their names with the suffix. */
  own(suffix: string): string[]
  /** Brings the answer into the data, and its errors to where they belong. Throws a GatewayError when it is none to what was asked. */
  accept(answer: SubgraphData): void
  /** Notes that there is no answer. */
  fail(error: GatewayError): void
}
