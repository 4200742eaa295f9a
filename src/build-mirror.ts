import type { MirrorConfig } from './config/mirror-keys.ts'
import type { PluginHost } from './pipeline/registry.ts'
import { counter } from './plugins/instruments.ts'
import { Mirror, type MirrorCounts } from './traffic/mirror/mirror.ts'
import type { Upstream } from './traffic/upstream.ts'

/** What a mirror is built with. */
export interface MirrorParts {
  /** Whose calls are copied; as {@link Mirror} has it. */
  readonly place: string
  readonly upstream: Upstream
  readonly host: Pick<PluginHost, 'log' | 'metrics'>
}

/** The mirror of a place; its counters outlive a reload. */
export function buildMirror(config: MirrorConfig, { place, upstream, host }: MirrorParts): Mirror {
  const family = counter(host.metrics, {
    name: 'gateway_mirror_requests_total',
    help: 'Calls chosen to be copied to another upstream, by what became of the copy.',
    labelNames: ['route', 'result'],
  })
  const counts: MirrorCounts = {
    sent: family.labels(place, 'sent'),
    same: family.labels(place, 'same'),
    different: family.labels(place, 'different'),
    failed: family.labels(place, 'failed'),
    skipped: family.labels(place, 'skipped'),
  }
  const { percent, maxBodyBytes, maxInFlight, timeout: timeoutMs, compare } = config
  const { log } = host
  return new Mirror({ place, upstream, percent, maxBodyBytes, maxInFlight, timeoutMs, compare, counts, log })
}
