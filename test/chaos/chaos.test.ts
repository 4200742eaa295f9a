import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startThreeBackends, type ThreeBackends } from './chaos-backend.ts'
import { plainReport } from './report.ts'
import { type Pace, runScenario } from './run-scenario.ts'
import { scenarios } from './scenarios.ts'
import { verdictsOf } from './verdict.ts'

// The scenarios of `npm run chaos`, in short. What is counted decides; what a clock says on a busy machine does not.

const pace: Pace = {
  warmUpMs: 0,
  beforeMs: 200,
  faultMs: 1_000,
  afterMs: 500,
  perSecond: 90,
  recoveryLimitMs: 20_000,
  // A gateway that gets no turn for a second must not take that for a fault of its targets.
  knobs: {
    probeIntervalMs: 300,
    probeTimeoutMs: 1_500,
    perTryMs: 2_000,
    requestMs: 20_000,
    triesPerSecond: 100,
  },
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
