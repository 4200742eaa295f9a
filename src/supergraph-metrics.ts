import { Counter, Gauge, type Registry } from 'prom-client'
import type { SupergraphState } from './admin/supergraph-state.ts'

/** How the supergraph is and how often it changed; nothing where there is no GraphQL. */
export function supergraphMetrics(
  registry: Registry,
  supergraph: () => Promise<SupergraphState | undefined>,
): void {
  const registers = [registry]
  new Gauge({
    name: 'gateway_graphql_supergraph_up',
    help: 'Whether the newest supergraph is running: 1; 0: there is none yet, a newer one is refused, or a source of it cannot be asked.',
    registers,
    async collect() {
      const now = await supergraph()
      if (now === undefined) this.remove()
      else this.set(now.loaded && now.trouble === undefined ? 1 : 0)
    },
  })
  new Counter({
    name: 'gateway_graphql_supergraph_changes_total',
    help: 'Supergraphs that took over or were refused while a configuration ran.',
    labelNames: ['result'],
    registers,
    async collect() {
      this.reset()
      for (const [result, count] of Object.entries((await supergraph())?.changes ?? {}))
        this.inc({ result }, count)
    },
  })
}
