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

/** What the figures say: it may go on, it must not go on yet, or a limit is broken; `why` for the last two. */
export type Verdict =
  | { readonly says: 'well' }
  | { readonly says: 'unclear' | 'broken'; readonly why: string }

/**
 * Judges a canary by its latest calls. Its p95 is above the limit when more than 5 % of its calls are, but that happens by chance, too:
 * where times vary much, the p95 of a hundred calls says little, and it is looked at again and again. So the limit is broken only when
 * so many calls are above it as chance alone would bring once in a thousand times. Without a stable side to compare with, errors alone
 * decide.
 */
export function judge(
  canary: Figures,
  stable: Figures | undefined,
  { maxErrorRate, maxP95Ratio, p95ToleranceMs }: Omit<AnalysisOptions, 'minRequests'>,
): Verdict {
  const { errorRate } = canary
  if (errorRate > maxErrorRate)
    return {
      says: 'broken',
      why: `${percent(errorRate)} of its calls failed, above ${percent(maxErrorRate)}`,
    }
  const theirs = stable?.p95Ms
  const times = canary.times
  const ours = times.quantile(0.95)
  if (ours === undefined || theirs === undefined) return { says: 'well' }
  const limitMs = Math.max(theirs * maxP95Ratio, theirs + p95ToleranceMs)
  if (ours <= limitMs) return { says: 'well' }
  const why = `its p95 is ${ms(ours)}, above ${maxP95Ratio} times the ${ms(theirs)} of the stable side`
  const { count } = times
  // Standard deviations of a binomial distribution.
  const byChance = 0.05 * count + 3 * Math.sqrt(0.05 * 0.95 * count)
  return { says: times.countAbove(limitMs) > byChance ? 'broken' : 'unclear', why }
}

function percent(share: number): string {
  return `${Math.round(share * 10_000) / 100} %`
}

function ms(value: number): string {
  return `${Math.round(value * 10) / 10} ms`
}
