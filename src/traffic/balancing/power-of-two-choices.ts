import type { Balanced, Balancer } from './balancer.ts'
import { indexAt, totalWeight } from './weighted-draw.ts'

/**
 * Two different candidates at random, by weight, and of them the one with the lower cost; of equals the first drawn. The worst
 * load is far below that of a random choice (Mitzenmacher 2001), and unlike with the least of all, gateways that know nothing
 * of one another do not all run to the same target.
 */
export class PowerOfTwoChoices implements Balancer {
  readonly #random: () => number
  readonly #cost: (target: Balanced, now: number) => number

  constructor(random: () => number, cost: (target: Balanced, now: number) => number) {
    this.#random = random
    this.#cost = cost
  }

  pick<T extends Balanced>(candidates: readonly T[], _hash: number, now: number): T {
    const total = totalWeight(candidates)
    const first = indexAt(candidates, this.#random() * total, -1)
    const one = candidates[first] as T
    if (candidates.length === 1) return one
    const other = candidates[indexAt(candidates, this.#random() * (total - one.effectiveWeight), first)] as T
    return this.#cost(other, now) < this.#cost(one, now) ? other : one
  }
}
