import type { Balanced, Balancer } from './balancer.ts'
import { load } from './load.ts'

/**
 * The candidate with the fewest attempts per weight, the one to come counted in: among idle ones the heaviest. Of equals the
 * next after the last one picked, so that an upstream with little to do does not send it all to its first target.
 */
export class LeastConnections implements Balancer {
  #last = -1

  pick<T extends Balanced>(candidates: readonly T[]): T {
    let least = Number.POSITIVE_INFINITY
    let best = 0
    let i = this.#last
    for (let seen = 0; seen < candidates.length; seen++) {
      i = i + 1 < candidates.length ? i + 1 : 0
      const own = load(candidates[i] as T)
      if (own < least) {
        least = own
        best = i
      }
    }
    this.#last = best
    return candidates[best] as T
  }
}
