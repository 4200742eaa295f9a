import type { Balanced, Balancer } from '../../../src/traffic/balancing/balancer.ts'
import { PeakEwma } from '../../../src/traffic/balancing/peak-ewma.ts'

/** A target that a test may change at will. */
export interface Target extends Balanced {
  effectiveWeight: number
  active: number
}

/** One target per weight: `http://10.0.0.<n>:8080`. */
export function targets(...weights: readonly number[]): Target[] {
  return weights.map((effectiveWeight, n) => ({
    url: `http://10.0.${n >> 8}.${n & 255}:8080`,
    effectiveWeight,
    active: 0,
    latency: new PeakEwma(),
  }))
}

/** How often each candidate is chosen in so many picks; fails for a pick that is no candidate. */
export function countPicks(
  balancer: Balancer,
  candidates: readonly Target[],
  { picks, hash = () => 0 }: { picks: number; hash?: (pick: number) => number },
): number[] {
  const counts = new Map<Target, number>(candidates.map((target) => [target, 0]))
  for (let pick = 0; pick < picks; pick++) {
    const target = balancer.pick(candidates, hash(pick), pick)
    const before = counts.get(target)
    if (before === undefined) throw new Error(`pick ${pick} is no candidate: ${target?.url}`)
    counts.set(target, before + 1)
  }
  return [...counts.values()]
}

/**
 * Those of `counts` that are further from their share than five standard deviations of a binomial distribution (and one pick):
 * for a fair balancer 1 in 1.7 million.
 */
export function outsideBound(counts: readonly number[], shares: readonly number[]): string[] {
  const picks = counts.reduce((sum, count) => sum + count, 0)
  const total = shares.reduce((sum, share) => sum + share, 0)
  return counts.flatMap((count, i) => {
    const p = (shares[i] as number) / total
    const away = Math.abs(count - picks * p)
    const bound = 5 * Math.sqrt(picks * p * (1 - p)) + 1
    return away > bound ? [`#${i}: ${count} of ${picks}, expected ${picks * p} ± ${bound}`] : []
  })
}
