import type { Balanced } from './balancer.ts'

/** Attempts per weight that a target would have with one more. */
export function load({ active, effectiveWeight }: Pick<Balanced, 'active' | 'effectiveWeight'>): number {
  return (active + 1) / effectiveWeight
}
