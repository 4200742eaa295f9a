import type { Composition, SubgraphSdl } from './planning/messages.ts'
import { planningThreads } from './planning/planning-threads.ts'

export type { Composition, CompositionHint, SubgraphSdl } from './planning/messages.ts'

/** Composes subgraphs, in a thread of its own. Rejects with an Error whose message has one line for each mistake: file, line, column, subgraph, text. */
export async function composeSupergraph(subgraphs: readonly SubgraphSdl[]): Promise<Composition> {
  return planningThreads().compose(subgraphs)
}
