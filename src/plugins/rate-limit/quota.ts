import { type Bucket, bucketOf } from './gcra.ts'

/** How much somebody may do, with what the headers say of it: computed once, when configuration loads. */
export interface Quota {
  readonly limit: number
  readonly bucket: Bucket
  /** Value of `RateLimit-Policy`. */
  readonly policyHeader: string
}

/** Limits of a policy: the one for all, and those of single callers. */
export interface QuotaOptions {
  readonly limit: number
  /** Milliseconds. */
  readonly window: number
  /** Default: the limit. */
  readonly burst?: number | undefined
}

/** @param name of the limit, as the headers show it. */
export function quotaOf(name: string, { limit, window: windowMs, burst = limit }: QuotaOptions): Quota {
  const burstParameter = burst === limit ? '' : `;trivium-burst=${burst}`
  return {
    limit,
    bucket: bucketOf({ limit, windowMs, burst }),
    policyHeader: `"${name}";q=${limit};w=${Math.ceil(windowMs / 1_000)}${burstParameter}`,
  }
}
