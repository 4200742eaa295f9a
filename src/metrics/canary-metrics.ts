import { Counter, Gauge, type Registry } from 'prom-client'
import { phases, type Release } from '../traffic/canary/release.ts'

/** Registers the metrics of all releases, read when they are asked for; the label `route` is the place of a release. */
export function registerCanaryMetrics(registry: Registry, releases: () => Iterable<Release>): void {
  const registers = [registry]
  new Gauge({
    name: 'gateway_canary_weight',
    help: 'Percent of the users on the side of the new version.',
    labelNames: ['route'],
    registers,
    collect() {
      this.reset()
      for (const { place, weight } of releases()) this.set({ route: place }, weight)
    },
  })
  new Gauge({
    name: 'gateway_canary_phase',
    help: 'What a release does: 1 for the phase that it is in, 0 for the others.',
    labelNames: ['route', 'phase'],
    registers,
    collect() {
      this.reset()
      for (const release of releases())
        for (const phase of phases) this.set({ route: release.place, phase }, release.phase === phase ? 1 : 0)
    },
  })
  new Counter({
    name: 'gateway_canary_requests_total',
    help: 'Calls of places that have a new version beside them.',
    labelNames: ['route', 'track', 'outcome'],
    registers,
    collect() {
      this.reset()
      for (const { place, counts } of releases())
        for (const track of ['stable', 'canary'] as const)
          for (const [outcome, count] of Object.entries(counts[track]))
            this.inc({ route: place, track, outcome }, count)
    },
  })
}
