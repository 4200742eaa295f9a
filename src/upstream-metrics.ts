import { Counter, type Registry } from 'prom-client'
import { registerCanaryMetrics } from './canary-metrics.ts'
import { registerGateMetrics } from './gate-metrics.ts'
import type { Release } from './traffic/canary/release.ts'
import type { RetryCounts } from './traffic/retry.ts'
import type { Upstream } from './traffic/upstream.ts'

/** What is counted about. */
interface Traffic {
  readonly upstreams: readonly Upstream[]
  readonly canaries: ReadonlyMap<string, Release>
}

/** Registers what upstreams and releases count themselves; read when metrics are asked for, so that a call costs nothing more. */
export function registerTrafficMetrics(registry: Registry, current: () => Traffic): void {
  const upstreams = (): readonly Upstream[] => current().upstreams
  registerCanaryMetrics(registry, () => current().canaries.values())
  registerGateMetrics(registry, upstreams)
  new Counter({
    name: 'gateway_retries_total',
    help: 'Attempts after the first, by how they ended, hedges not among them.',
    labelNames: ['upstream', 'outcome'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { name, retry } of upstreams())
        for (const [outcome, count] of Object.entries(retry.counts.retries))
          this.inc({ upstream: name, outcome }, count)
    },
  })
  const counts: readonly (readonly [Exclude<keyof RetryCounts, 'retries'>, string, string])[] = [
    ['hedges', 'gateway_hedges_total', 'Second targets that were asked while the first was silent.'],
    [
      'budgetExhausted',
      'gateway_retry_budget_exhausted_total',
      'Attempts that the retry budget did not allow.',
    ],
    [
      'stale',
      'gateway_stale_connections_total',
      'Attempts repeated because the connection had just been closed.',
    ],
  ]
  for (const [key, name, help] of counts) {
    new Counter({
      name,
      help,
      labelNames: ['upstream'],
      registers: [registry],
      collect() {
        this.reset()
        for (const upstream of upstreams()) this.inc({ upstream: upstream.name }, upstream.retry.counts[key])
      },
    })
  }
}
