import type { Composition, SubgraphSdl } from './planning/messages.ts'
import { planningProcesses } from './planning/planning-processes.ts'

export type { Composition, CompositionHint, SubgraphSdl } from './planning/messages.ts'

/** Composes subgraphs, in a process of its own. Rejects with an Error whose message has one line for each mistake: file, line, column, subgraph, text. */
export async function composeSupergraph(subgraphs: readonly SubgraphSdl[]): Promise<Composition> {
  return planningProcesses().compose(subgraphs)
}
