import type { Algorithm } from './algorithm.ts'
import { CalendarMonth } from './calendar-month.ts'
import { FixedWindow } from './fixed-window.ts'
import { LeakyBucket } from './leaky-bucket.ts'
import { type AlgorithmName, dayMs, type LimitSize } from './options.ts'
import { SlidingLog } from './sliding-log.ts'
import { SlidingWindow } from './sliding-window.ts'
import { TokenBucket } from './token-bucket.ts'

/** How much somebody may do, with what the headers say of it: computed once, when configuration loads. */
export interface Quota {
  readonly limit: number
  readonly algorithm: Algorithm
  /** What counts in this gateway while Redis is gone: a share of it. */
  readonly local: Algorithm
  /** Item of `RateLimit-Policy`. */
  readonly policyItem: string
  /** `day` or `month` of the calendar, which is a quota to those who are refused; undefined for any other window. */
  readonly period: 'day' | 'month' | undefined
}

/** What all quotas of a limit have in common. */
export interface QuotaOptions {
  /** Of the limit, as the headers show it. */
  readonly name: string
  readonly algorithm: AlgorithmName
  /** Whether it counts what operations cost, and not requests. */
  readonly inCost?: boolean
  /** Above 0, at most 1. */
  readonly localShare?: number
}

/** @param size how much: that of all, or of a single caller. */
export function quotaOf(options: QuotaOptions, size: LimitSize): Quota {
  const { localShare = 1 } = options
  const algorithm = make(options.algorithm, size)
  const { limit, window, burst, queue } = size
  const part = (whole: number): number => Math.max(Math.floor(whole * localShare), 1)
  return {
    limit,
    algorithm,
    local:
      localShare === 1
        ? algorithm
        : make(options.algorithm, {
            limit: part(limit),
            window,
            burst: part(burst ?? limit),
            queue: Math.floor((queue ?? 0) * localShare),
          }),
    policyItem: policyItem(options, size),
    period: typeof window === 'string' ? window : undefined,
  }
}

/** The parameters of draft-ietf-httpapi-ratelimit-headers-10 section 3; months have no length, and units are requests unless it is said. */
function policyItem({ name, algorithm, inCost = false }: QuotaOptions, size: LimitSize): string {
  const { limit, window, burst = limit, queue } = size
  let item = `"${name}";q=${limit}`
  if (window === 'month') item += ';trivium-window="month"'
  else item += `;w=${window === 'day' ? dayMs / 1_000 : Math.ceil(window / 1_000)}`
  if (algorithm === 'tokenBucket' && burst !== limit) item += `;trivium-burst=${burst}`
  if (algorithm === 'leakyBucket') item += `;trivium-queue=${queue ?? 0}`
  if (inCost) item += ';trivium-unit="cost"'
  return item
}

function make(algorithm: AlgorithmName, { limit, window, burst = limit, queue = 0 }: LimitSize): Algorithm {
  if (window === 'month') return new CalendarMonth(limit)
  if (window === 'day') return new FixedWindow({ limit, windowMs: dayMs })
  return algorithms[algorithm]({ limit, windowMs: window, burst, queue })
}

type Make = (options: {
  readonly limit: number
  readonly windowMs: number
  readonly burst: number
  readonly queue: number
}) => Algorithm

const algorithms: Readonly<Record<AlgorithmName, Make>> = {
  tokenBucket: (options) => new TokenBucket(options),
  leakyBucket: (options) => new LeakyBucket(options),
  slidingWindow: (options) => new SlidingWindow(options),
  slidingLog: (options) => new SlidingLog(options),
  fixedWindow: (options) => new FixedWindow(options),
}
