import { setTimeout as delay } from 'node:timers/promises'
import type { ChaosBackend, ThreeBackends } from './chaos-backend.ts'
import { type Knobs, startChaosGateway } from './chaos-gateway.ts'
import { Load } from './load.ts'
import { listed, type Scenario, type ScenarioResult } from './scenario.ts'
import { Stage } from './stage.ts'

/** How long a scenario takes, and how much is asked. */
export interface Pace {
  readonly warmUpMs: number
  readonly beforeMs: number
  /** How long a fault stays. */
  readonly faultMs: number
  readonly afterMs: number
  readonly perSecond: number
  /** A backend that was not used again after so long will not be. */
  readonly recoveryLimitMs: number
  readonly knobs: Knobs
}

/** Starts a gateway in front of the backends, asks it steadily while the scenario happens, and ends it. */
export async function runScenario(
  scenario: Scenario,
  backends: ThreeBackends,
  pace: Pace,
): Promise<ScenarioResult> {
  await using resources = new AsyncDisposableStack()
  const provider = (await scenario.provide?.(backends, resources)) ?? listed
  const { perSecond, faultMs, recoveryLimitMs, knobs } = pace
  const gateway = resources.use(
    await startChaosGateway({
      backends,
      targets: provider.targets,
      keys: scenario.keys,
      knobs,
    }),
  )
  const load = resources.use(new Load(gateway.url, { perSecond, prefix: scenario.name }))
  const stage = new Stage(backends, { load, gateway, faultMs, recoveryLimitMs })

  await delay(pace.warmUpMs)
  const before = Date.now()
  await delay(pace.beforeMs)
  const during = Date.now()
  await scenario.run(stage, provider)
  const after = Date.now()
  await delay(pace.afterMs)
  await load.stop()

  return {
    scenario,
    sent: load.sent,
    phases: { before, during, after },
    arrivals: await arrivalsAt(backends),
    changes: await gateway.changes(),
    recoveries: stage.recoveries,
    knobs,
  }
}

async function arrivalsAt(backends: readonly ChaosBackend[]): Promise<Map<string, string[]>> {
  const names = new Map<string, string[]>()
  for (const backend of backends) {
    for (const { id } of await backend.arrivals()) {
      const known = names.get(id)
      if (known === undefined) names.set(id, [backend.name])
      else known.push(backend.name)
    }
  }
  return names
}
