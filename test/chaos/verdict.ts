import { answersAreTrue, nothingHangs, nothingTwice } from './aims.ts'
import type { Aim, ScenarioResult } from './scenario.ts'

/** Whether the gateway did what is wanted of it. */
export interface Verdict {
  readonly aim: Aim
  readonly reached: string
  readonly met: boolean
}

/** Of the scenario's own aims, then of those of all scenarios. */
export function verdictsOf(result: ScenarioResult): Verdict[] {
  const aims = [...result.scenario.aims, nothingTwice, answersAreTrue, nothingHangs]
  return aims.map((aim) => ({ aim, ...aim.judge(result) }))
}
