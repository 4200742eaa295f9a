import type { Balanced } from './balancer.ts'

export function totalWeight(candidates: readonly Balanced[]): number {
  let total = 0
  for (let i = 0; i < candidates.length; i++) total += (candidates[i] as Balanced).effectiveWeight
  return total
}

/** The candidate in whose stretch `point` lies when their weights are laid end to end, the one at `without` (-1: none) left out. */
export function indexAt(candidates: readonly Balanced[], point: number, without: number): number {
  let rest = point
  let last = 0
  for (let i = 0; i < candidates.length; i++) {
    if (i === without) continue
    rest -= (candidates[i] as Balanced).effectiveWeight
    if (rest < 0) return i
    last = i
  }
  // Rounding took the point past the end.
  return last
}
