import type { KeyTable } from '../../core/key-table.ts'
import { type Algorithm, countAlike, type State } from './algorithm.ts'
import type { Decision, Verdict } from './decision.ts'
import { verdictOf } from './verdict-of.ts'

/** One limit that a request has to pass, whose share of it counts, and how much of it. */
export interface Counted {
  readonly algorithm: Algorithm
  readonly key: string
  readonly table: KeyTable<State>
  /** Whole units. */
  readonly cost: number
  /** What the whole request costs when it comes again, where a part is paid already; default: `cost`. */
  readonly price?: number
}

/** Counts a request at all limits, or at none if one refuses it. */
export function takeInMemory(limits: readonly Counted[], nowMicros: number): Decision {
  const states: State[] = []
  const admits: boolean[] = []
  let admitted = true
  for (let i = 0; i < limits.length; i++) {
    const limit = limits[i] as Counted
    const state = stateOf(limit, nowMicros)
    states.push(state)
    const passes = limit.algorithm.admits(state, nowMicros, limit.cost)
    if (!passes) limit.algorithm.seek?.(state, limit.price ?? limit.cost)
    admits.push(passes)
    admitted &&= passes
  }
  const standings: Verdict[] = []
  for (let i = 0; i < limits.length; i++) {
    const limit = limits[i] as Counted
    const { algorithm, key, table, cost } = limit
    const told = states[i] as State
    if (admitted) {
      // Before it is counted: a key that was not there is the one that was never used.
      if (told.idleAt === 0) table.add(key, told, { maxKeys: algorithm.maxKeys, now: nowMicros })
      algorithm.add(told, nowMicros, cost)
    }
    standings.push(verdictOf(limit, { admits: admits[i] === true, admitted, told, nowMicros }))
  }
  return { admitted, nowMicros, standings }
}

/**
 * Frees the place of a request that left the queue of a bucket, if it was the last in it: the turns of those behind are promised already.
 *
 * @param turnAtMicros when it was to be its turn.
 */
export function giveBackInMemory({ key, table, cost }: Counted, turnAtMicros: number): void {
  const state = table.get(key)
  if (state?.by.turnMicros === undefined || state.at !== turnAtMicros + cost * state.by.script[2]) return
  state.at = turnAtMicros
  state.idleAt = state.at
  state.used = state.at
}

/** The state of a key; what another algorithm counted before a reload is taken over. */
function stateOf({ algorithm, key, table }: Counted, nowMicros: number): State {
  const state = table.get(key)
  if (state === undefined) return algorithm.from(0, nowMicros)
  const { by } = state
  if (by === algorithm) return state
  if (countAlike(by, algorithm)) {
    state.by = algorithm
    return state
  }
  const units = by.units(state, nowMicros)
  const taken = algorithm.from(units, nowMicros)
  if (units > 0) table.replace(key, taken)
  else table.forget(key)
  return taken
}
