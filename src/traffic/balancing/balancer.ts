import { ConsistentHash } from './consistent-hash.ts'
import { LeastConnections } from './least-connections.ts'
import { load } from './load.ts'
import { expectedWait, type PeakEwma } from './peak-ewma.ts'
import { PowerOfTwoChoices } from './power-of-two-choices.ts'
import { RoundRobin } from './round-robin.ts'
import { WeightedRandom } from './weighted-random.ts'

/** What a balancer sees of a target. Read several times per pick: plain fields or cheap getters. */
export interface Balanced {
  /** Stable name over reloads and restarts: its URL. */
  readonly url: string
  /** Weight right now: the configured one, less while it starts slowly. Above 0. */
  readonly effectiveWeight: number
  /** Attempts that are on it now. */
  readonly active: number
  /** Time to the head of an answer, as measured. */
  readonly latency: PeakEwma
}

/** Chooses among targets that may be chosen; knows nothing of health. Its picks allocate nothing. */
export interface Balancer {
  /**
   * One of `candidates`, which are not empty. The same array object is passed as long as the set does not change: what a policy
   * works out about a set is kept by it. `hash`: 32 bits, of what the upstream hashes on; 0 for policies that do not.
   * `now`: `performance.now()`.
   */
  pick<T extends Balanced>(candidates: readonly T[], hash: number, now: number): T
  /** What it would pick next, and picks the same as without having been asked; absent: it depends on chance or load. */
  peek?<T extends Balanced>(candidates: readonly T[], hash: number): T
}

/**
 * `roundRobin`: in turn, by weight. `random`: by weight. `leastConnections`: the least attempts per weight. `consistentHash`: the
 * same target for the same key. `p2c`: of two random ones the one with fewer attempts per weight. `peakEwma`: of
 * two random ones the one that is likely to answer first.
 */
export type BalancingPolicy =
  | 'roundRobin'
  | 'random'
  | 'leastConnections'
  | 'consistentHash'
  | 'p2c'
  | 'peakEwma'

/** A balancer of its own for one upstream. `random` gives numbers from 0 to below 1. */
export function createBalancer(policy: BalancingPolicy, random: () => number = Math.random): Balancer {
  switch (policy) {
    case 'roundRobin':
      return new RoundRobin()
    case 'random':
      return new WeightedRandom(random)
    case 'leastConnections':
      return new LeastConnections()
    case 'consistentHash':
      return new ConsistentHash()
    case 'p2c':
      return new PowerOfTwoChoices(random, load)
    case 'peakEwma':
      return new PowerOfTwoChoices(random, expectedWait)
  }
}
