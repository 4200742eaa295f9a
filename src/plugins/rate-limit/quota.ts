import type { Algorithm } from './algorithm.ts'
import { FixedWindow } from './fixed-window.ts'
import type { AlgorithmName } from './options.ts'
import { SlidingLog } from './sliding-log.ts'
import { SlidingWindow } from './sliding-window.ts'
import { TokenBucket } from './token-bucket.ts'

/** How much somebody may do, with what the headers say of it: computed once, when configuration loads. */
export interface Quota {
  readonly limit: number
  readonly algorithm: Algorithm
  /** Item of `RateLimit-Policy`. */
  readonly policyItem: string
}

/** What a quota is made of: that of all, or of a single caller. */
export interface QuotaOptions {
  readonly limit: number
  /** Milliseconds. */
  readonly window: number
  /** Of a token bucket; default: the limit. */
  readonly burst?: number | undefined
}

/** @param limit its name, as the headers show it, and how it counts. */
export function quotaOf(
  { name, algorithm }: { readonly name: string; readonly algorithm: AlgorithmName },
  { limit, window: windowMs, burst = limit }: QuotaOptions,
): Quota {
  const burstParameter = burst === limit ? '' : `;trivium-burst=${burst}`
  return {
    limit,
    algorithm: algorithms[algorithm]({ limit, windowMs, burst }),
    policyItem: `"${name}";q=${limit};w=${Math.ceil(windowMs / 1_000)}${burstParameter}`,
  }
}

type Make = (options: {
  readonly limit: number
  readonly windowMs: number
  readonly burst: number
}) => Algorithm

const algorithms: Readonly<Record<AlgorithmName, Make>> = {
  tokenBucket: (options) => new TokenBucket(options),
  slidingWindow: (options) => new SlidingWindow(options),
  slidingLog: (options) => new SlidingLog(options),
  fixedWindow: (options) => new FixedWindow(options),
}
