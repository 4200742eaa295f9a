import { Counter, Gauge, type Registry } from 'prom-client'
import type { SupergraphState } from '../admin/supergraph-state.ts'

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
  new Counter({
    name: 'gateway_graphql_plan_cache_requests_total',
    help: 'Operations whose plan was remembered (hit) or had to be made (miss), since the supergraph took over.',
    labelNames: ['result'],
    registers,
    async collect() {
      this.reset()
      const planning = (await supergraph())?.planning
      if (planning === undefined) return
      this.inc({ result: 'hit' }, planning.hits)
      this.inc({ result: 'miss' }, planning.misses)
    },
  })
  const gauge = (name: string, help: string, key: 'waiting' | 'cachedPlans' | 'cachedBytes'): void => {
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        const planning = (await supergraph())?.planning
        if (planning === undefined) this.remove()
        else this.set(planning[key])
      },
    })
  }
  gauge('gateway_graphql_planning_waiting', 'Operations that wait to be planned, or are.', 'waiting')
  gauge('gateway_graphql_plan_cache_plans', 'Plans that are remembered.', 'cachedPlans')
  gauge('gateway_graphql_plan_cache_bytes', 'Their size as text.', 'cachedBytes')
}
