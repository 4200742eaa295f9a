import type { Balanced, Balancer } from './balancer.ts'
import { hashText, mixBits } from './hash.ts'

/**
 * Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights after Schindelhauer and Schomaker 2005): a key goes to the
 * target with the greatest `-weight / ln(u)`, `u` from 0 to 1 being a hash of both. No target's score depends on another's, so
 * that a target that goes takes only its own keys along, gets the same ones back, and a changed weight moves the difference.
 * Nothing is remembered: gateways with the same targets agree, also after a restart and in whatever order they list them.
 */
export class ConsistentHash implements Balancer {
  #candidates: readonly Balanced[] = []
  #seeds = new Int32Array(0)
  #factors = new Int32Array(0)

  pick<T extends Balanced>(candidates: readonly T[], hash: number): T {
    if (candidates !== this.#candidates) this.#change(candidates)
    let best = 0
    let bestWeight = 0
    let bestBits = -1
    /** Below 0 once it is worked out. */
    let bestLog = 0
    for (let i = 0; i < candidates.length; i++) {
      const weight = (candidates[i] as T).effectiveWeight
      const bits = mixBits(Math.imul(hash ^ (this.#seeds[i] as number), this.#factors[i] as number)) >>> 0
      // Between equal weights the greater u has the greater score, without logarithms.
      if (weight === bestWeight) {
        if (bits <= bestBits) continue
        bestLog = 0
      } else if (bestWeight !== 0) {
        if (bestLog === 0) bestLog = logOf(bestBits)
        const log = logOf(bits)
        if (log * bestWeight <= bestLog * weight) continue
        bestLog = log
      }
      best = i
      bestWeight = weight
      bestBits = bits
    }
    return candidates[best] as T
  }

  peek<T extends Balanced>(candidates: readonly T[], hash: number): T {
    return this.pick(candidates, hash)
  }

  /** Two hashes of each URL: were there one only, two targets that share it would tie for every key. */
  #change(candidates: readonly Balanced[]): void {
    this.#candidates = candidates
    this.#seeds = Int32Array.from(candidates, ({ url }) => hashText(url))
    this.#factors = Int32Array.from(candidates, ({ url }) => hashText(url, 1) | 1)
  }
}

/** ln(u), u between 0 and 1, both excluded. */
function logOf(bits: number): number {
  return Math.log((bits + 0.5) / 4_294_967_296)
}
