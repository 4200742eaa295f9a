import type { ReadinessCheck } from './health.ts'

/** What GraphQL clients are answered from. */
export interface SupergraphState {
  /** Whether there is one that answers. */
  readonly loaded: boolean
  /** What is not well; undefined: the newest is running. */
  readonly trouble: string | undefined
  /** Supergraphs that took over while the gateway ran, and those that were refused. */
  readonly changes: { readonly applied: number; readonly refused: number }
  /** Of the one that answers: operations whose plan was known, those that were planned, those that wait, and the plans that are remembered. */
  readonly planning?:
    | {
        readonly hits: number
        readonly misses: number
        readonly waiting: number
        readonly cachedPlans: number
        readonly cachedBytes: number
      }
    | undefined
}

/** What `/readyz` says of it: the gateway serves all else without. */
export function supergraphChecks(state: SupergraphState | undefined): ReadinessCheck[] {
  if (state === undefined) return []
  const { trouble } = state
  const detail = trouble ?? 'the newest supergraph is running'
  return [{ name: 'supergraph', ok: trouble === undefined, required: false, detail }]
}
