import type { Balanced, Balancer } from './balancer.ts'

/**
 * Smooth weighted round robin, as nginx does it: each pick raises the credit of every candidate by its weight and takes the total
 * from the chosen one, so that weights 5, 1, 1 give a-a-b-a-c-a-a and never five in a row.
 *
 * Credit divided by the total weight is how many picks a target is behind its share. That survives a change of the set or of a
 * weight, where raw credits would be a burst: 50 ahead in a total of 100 is half a pick, in a total of 2 it would be 25. Who
 * leaves keeps its place while away, and who is new starts level with the others.
 */
export class RoundRobin implements Balancer {
  #candidates: readonly Balanced[] = []
  #credits = new Float64Array(0)
  #weights = new Float64Array(0)
  /** What the credits are measured against. */
  #total = 1
  /** How many picks those that were candidates once are behind, as of when the set changed. */
  readonly #behind = new WeakMap<Balanced, number>()

  pick<T extends Balanced>(candidates: readonly T[]): T {
    if (candidates !== this.#candidates) this.#change(candidates)
    const credits = this.#credits
    const weights = this.#weights
    let total = 0
    for (let i = 0; i < candidates.length; i++) {
      const weight = (candidates[i] as T).effectiveWeight
      weights[i] = weight
      total += weight
    }
    if (total !== this.#total) this.#rescale(total)
    let best = 0
    let most = Number.NEGATIVE_INFINITY
    for (let i = 0; i < candidates.length; i++) {
      const credit = (credits[i] as number) + (weights[i] as number)
      credits[i] = credit
      if (credit > most) {
        most = credit
        best = i
      }
    }
    credits[best] = most - total
    return candidates[best] as T
  }

  peek<T extends Balanced>(candidates: readonly T[]): T {
    if (candidates !== this.#candidates) this.#change(candidates)
    const [credits, total] = [this.#credits.slice(), this.#total]
    const next = this.pick(candidates)
    this.#credits = credits
    this.#total = total
    return next
  }

  #rescale(total: number): void {
    const factor = total / this.#total
    for (let i = 0; i < this.#credits.length; i++) this.#credits[i] = (this.#credits[i] as number) * factor
    this.#total = total
  }

  #change(candidates: readonly Balanced[]): void {
    this.#candidates.forEach((target, i) => {
      this.#behind.set(target, (this.#credits[i] as number) / this.#total)
    })
    const known = candidates.flatMap((target) => this.#behind.get(target) ?? [])
    const level = known.reduce((sum, behind) => sum + behind, 0) / Math.max(1, known.length)
    this.#candidates = candidates
    this.#weights = new Float64Array(candidates.length)
    this.#credits = Float64Array.from(candidates, (target) =>
      Math.max(-1, Math.min(1, (this.#behind.get(target) ?? level) - level)),
    )
    this.#total = 1
  }
}
