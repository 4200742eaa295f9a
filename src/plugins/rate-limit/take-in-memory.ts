import type { Algorithm, State } from './algorithm.ts'
import type { Decision, Verdict } from './decision.ts'
import type { KeyTable } from './key-table.ts'

/** One limit that a request has to pass, and whose share of it counts. */
export interface Counted {
  readonly algorithm: Algorithm
  readonly key: string
  readonly table: KeyTable
}

/** Counts a request at all limits, or at none if one refuses it. */
export function takeInMemory(limits: readonly Counted[], nowMicros: number): Decision {
  const states: State[] = []
  const admits: boolean[] = []
  let admitted = true
  for (const { algorithm, key, table } of limits) {
    const state = table.get(key) ?? algorithm.fresh()
    states.push(state)
    const passes = algorithm.admits(state, nowMicros)
    admits.push(passes)
    admitted &&= passes
  }
  const standings: Verdict[] = []
  for (const [i, { algorithm, key, table }] of limits.entries()) {
    const state = states[i] as State
    if (admitted) {
      // Before it is counted: a key that was not there is the one that was never used.
      if (state.idleAt === 0) table.add(key, state, { maxKeys: algorithm.maxKeys, nowMicros })
      algorithm.add(state, nowMicros)
    }
    const { remaining, waitMicros } = algorithm.standing(state, nowMicros)
    standings.push({ admits: admits[i] === true, remaining, waitMicros })
  }
  return { admitted, nowMicros, standings }
}
