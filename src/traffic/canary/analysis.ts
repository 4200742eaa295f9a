import type { Figures } from './figures.ts'

/** When a canary is not well. */
export interface AnalysisOptions {
  /** Calls that a side must have had in a step before anything is concluded from them. */
  readonly minRequests: number
  /** Share of the calls that may fail, 0 to 1. */
  readonly maxErrorRate: number
  /** How many times the p95 of the stable side that of the canary may be. */
  readonly maxP95Ratio: number
  /** A difference of the two p95 that never counts, in milliseconds. */
  readonly p95ToleranceMs: number
}

/**
 * The limit that a canary breaks, with the figures, for log and status; undefined when it breaks none. Times are compared only when there is
 * a stable side to compare with.
 */
export function brokenLimit(
  canary: Figures,
  stable: Figures | undefined,
  { maxErrorRate, maxP95Ratio, p95ToleranceMs }: Omit<AnalysisOptions, 'minRequests'>,
): string | undefined {
  const { errorRate } = canary
  if (errorRate > maxErrorRate)
    return `${percent(errorRate)} of its calls failed, above ${percent(maxErrorRate)}`
  const ours = canary.p95Ms
  const theirs = stable?.p95Ms
  if (ours === undefined || theirs === undefined) return undefined
  if (ours <= theirs * maxP95Ratio || ours - theirs <= p95ToleranceMs) return undefined
  return `its p95 is ${ms(ours)}, above ${maxP95Ratio} times the ${ms(theirs)} of the stable side`
}

function percent(share: number): string {
  return `${Math.round(share * 10_000) / 100} %`
}

function ms(value: number): string {
  return `${Math.round(value * 10) / 10} ms`
}
