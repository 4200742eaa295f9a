import type { CanaryConfig } from './config/canary-keys.ts'
import type { KeptReleases } from './kept-releases.ts'
import type { PluginHost } from './pipeline/registry.ts'
import { Canary } from './traffic/canary/canary.ts'
import { Release } from './traffic/canary/release.ts'
import type { Upstream } from './traffic/upstream.ts'

/** What a canary is built with. */
export interface CanaryParts {
  /** Whose calls it takes; see {@link Release.place}. */
  readonly place: string
  readonly stable: Upstream
  readonly upstream: Upstream
  readonly host: Pick<PluginHost, 'log' | 'now' | 'keep'>
  /** Who remembers where it stood; undefined: nobody. */
  readonly releases: KeptReleases | undefined
}

/** A canary; its release goes on where it was when neither its configuration nor the name of the stable side has changed. */
export function buildCanary(
  config: CanaryConfig,
  { place, stable, upstream, host, releases }: CanaryParts,
): Canary {
  const { log, now, keep } = host
  const { analysis, onFailure } = config
  const release = keep(`canary:${JSON.stringify([place, stable.name, config])}`, () => {
    const made = new Release(place, {
      steps: config.steps.map(({ weight, hold }) => ({ weight, holdMs: hold })),
      analysis: {
        minRequests: analysis.minRequests,
        maxErrorRate: analysis.maxErrorRate,
        maxP95Ratio: analysis.maxP95Ratio,
        p95ToleranceMs: analysis.p95Tolerance,
      },
      onFailure,
      log,
      now,
    })
    releases?.follow(made, [stable.name, config])
    return made
  })
  return new Canary(upstream, release, { match: config.match, stickyBy: config.stickyBy })
}
