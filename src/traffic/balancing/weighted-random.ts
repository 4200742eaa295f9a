import type { Balanced, Balancer } from './balancer.ts'
import { indexAt, totalWeight } from './weighted-draw.ts'

/** Each pick by itself, with the weights as chances. Many gateways need no agreement to share evenly. */
export class WeightedRandom implements Balancer {
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  pick<T extends Balanced>(candidates: readonly T[]): T {
    return candidates[indexAt(candidates, this.#random() * totalWeight(candidates), -1)] as T
  }
}
