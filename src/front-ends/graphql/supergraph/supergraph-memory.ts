import type { KnownText } from '../../../core/polled-text.ts'
import type { UsedDocument } from '../documents.ts'
import type { Engines } from './engines.ts'

/** What outlives a reload of the configuration: a subgraph that is down then is not forgotten. */
export class SupergraphMemory {
  /** What the sources told that the last supergraph which ran was made of. */
  known: ReadonlyMap<string, KnownText> = new Map()
  /** The last supergraph that ran. */
  supergraphSdl: string | undefined
  /** Supergraphs that took over while the gateway ran, and those that were refused. */
  applied = 0
  refused = 0
  /** Of all configurations that still answer something. */
  readonly engines = new Set<Engines>()

  /** The documents that were read most often, most used first. */
  mostUsed(max: number): UsedDocument[] {
    const uses = new Map<string, number>()
    for (const engines of this.engines)
      for (const document of engines.mostUsed(max))
        uses.set(document.text, (uses.get(document.text) ?? 0) + document.uses)
    return [...uses]
      .map(([text, count]) => ({ text, uses: count }))
      .sort((a, b) => b.uses - a.uses)
      .slice(0, max)
  }
}
