import { Counter, Gauge, type Registry } from 'prom-client'
import type { DiscoveryStatus, UpstreamStatus } from '../admin/health.ts'

/** Registers what is known of targets and of how they are found, read when metrics are asked for: a target that is gone takes its series along. */
export function registerTargetMetrics(
  registry: Registry,
  upstreams: () => Promise<readonly UpstreamStatus[]>,
): void {
  const registers = [registry]
  new Counter({
    name: 'gateway_upstream_health_changes_total',
    help: 'How often a target came in (healthy) or went out (unhealthy), and whether probes or its calls said so.',
    labelNames: ['upstream', 'target', 'to', 'cause'],
    registers,
    async collect() {
      this.reset()
      for (const { name, targets } of await upstreams()) {
        for (const { url, changes = {} } of targets) {
          for (const [cause, { healthy, unhealthy }] of Object.entries(changes)) {
            const labels = { upstream: name, target: url, cause }
            this.inc({ ...labels, to: 'healthy' }, healthy)
            this.inc({ ...labels, to: 'unhealthy' }, unhealthy)
          }
        }
      }
    },
  })
  const labelNames = ['upstream'] as const
  new Counter({
    name: 'gateway_discovery_failures_total',
    help: 'How often discovery came into trouble.',
    labelNames,
    registers,
    async collect() {
      this.reset()
      eachDiscovery(await upstreams(), (upstream, { failures }) => this.inc({ upstream }, failures))
    },
  })
  const gauge = (
    name: string,
    help: string,
    read: (found: DiscoveryStatus, targets: number) => number,
  ): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        this.reset()
        eachDiscovery(await upstreams(), (upstream, found, targets) =>
          this.set({ upstream }, read(found, targets)),
        )
      },
    })
  }
  gauge('gateway_discovery_up', 'Whether discovery works (1) or is in trouble (0).', ({ trouble }) =>
    trouble === undefined ? 1 : 0,
  )
  gauge(
    'gateway_discovery_last_success_timestamp_seconds',
    'When discovery found targets last, Unix time; 0: never.',
    ({ foundAt = 0 }) => foundAt / 1_000,
  )
  gauge('gateway_discovery_targets', 'Targets that discovery found.', (_, targets) => targets)
}

function eachDiscovery(
  upstreams: readonly UpstreamStatus[],
  tell: (upstream: string, discovery: DiscoveryStatus, targets: number) => void,
): void {
  for (const { name, discovery, targets } of upstreams)
    if (discovery !== undefined) tell(name, discovery, targets.length)
}
