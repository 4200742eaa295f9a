import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startThreeBackends, type ThreeBackends } from './chaos-backend.ts'
import { plainReport } from './report.ts'
import { type Pace, runScenario } from './run-scenario.ts'
import { scenarios } from './scenarios.ts'
import { verdictsOf } from './verdict.ts'

// The scenarios of `npm run chaos`, in short. What is counted decides; what a clock says on a busy machine does not.

const pace: Pace = {
  warmUpMs: 300,
  phaseMs: 1_200,
  perSecond: 90,
  probeIntervalMs: 400,
  recoveryLimitMs: 15_000,
}

describe('three backends under load', { concurrency: 1 }, () => {
  const resources = new AsyncDisposableStack()
  let backends: ThreeBackends
  before(async () => {
    backends = await startThreeBackends(resources)
  })
  after(() => resources.disposeAsync())

  for (const scenario of scenarios) {
    test(`${scenario.name}: ${scenario.about}`, async () => {
      const result = await runScenario(scenario, backends, pace)
      const missed = verdictsOf(result).filter(({ aim, met }) => !aim.timed && !met)
      assert.deepEqual(
        missed.map(({ aim, reached }) => `${aim.says}: ${reached}`),
        [],
        plainReport(result),
      )
    })
  }
})
