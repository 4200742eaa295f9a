import { Counter, Gauge, type Registry } from 'prom-client'
import type { Upstream } from '../traffic/upstream.ts'

/** Registers what is known of calls that are under way, that wait and that were turned away; read when metrics are asked for. */
export function registerGateMetrics(registry: Registry, upstreams: () => readonly Upstream[]): void {
  const gauge = (name: string, help: string, read: (upstream: Upstream) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['upstream'],
      registers: [registry],
      collect() {
        this.reset()
        for (const upstream of upstreams()) this.set({ upstream: upstream.name }, read(upstream))
      },
    })
  }
  gauge('gateway_upstream_in_flight', 'Calls that have not ended.', (upstream) => upstream.inFlight)
  gauge('gateway_upstream_queued', 'Calls that wait for their turn.', ({ gate }) => gate?.queued ?? 0)
  new Counter({
    name: 'gateway_upstream_rejected_total',
    help: 'Calls that found the queue full, or waited in it for too long.',
    labelNames: ['upstream', 'reason'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { name, gate } of upstreams()) {
        for (const [reason, count] of Object.entries(gate?.rejected ?? {}))
          this.inc({ upstream: name, reason }, count)
      }
    },
  })
}
