import type { KnownOperation } from '../operation.ts'
import type { Plan } from './plan.ts'

/** A supergraph that is ready to be planned for. */
export interface Planner {
  /** SDL of what clients may ask for. */
  readonly apiSdl: string
  /** How an operation is to be run. Rejects with a GatewayError when it cannot be planned, or not within bounds. Not cached. */
  plan(operation: KnownOperation): Promise<Plan>
  close(): void
}

/** Loads a supergraph into Apollo's planner. Rejects with an Error when it does not load. */
export async function loadPlanner(supergraphSdl: string): Promise<Planner> {
  const [{ QueryPlanner }, { operationFromDocument, printSchema, Supergraph }] = await Promise.all([
    import('@apollo/query-planner'),
    import('@apollo/federation-internals'),
  ])
  const supergraph = Supergraph.build(supergraphSdl)
  const api = supergraph.apiSchema()
  const planner = new QueryPlanner(supergraph)
  return {
    apiSdl: printSchema(api),
    plan: async ({ document, name }) => {
      const operation = operationFromDocument(api, document, name === '' ? {} : { operationName: name })
      return { node: planner.buildQueryPlan(operation).node, document: undefined, responseKeys: {} }
    },
    close: () => {},
  }
}
