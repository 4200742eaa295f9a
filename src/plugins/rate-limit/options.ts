import { z } from 'zod'
import { duration } from '../../core/units.ts'
import { partitionPattern } from '../partition.ts'

const perWindow = z.int().min(1)
const algorithmNames = ['tokenBucket', 'slidingWindow', 'slidingLog', 'fixedWindow'] as const
/** How requests are counted. */
export type AlgorithmName = (typeof algorithmNames)[number]

const limitName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'may have letters, digits, "_", "." and "-", at most 64')
const by = z
  .string()
  .regex(partitionPattern, 'expected consumer, user, ip, route, header:<name> or claim:<name>')
const overrides = z.record(
  z.string(),
  z.strictObject({
    limit: perWindow.describe('Requests per window.'),
    window: duration().describe('As above.'),
    burst: perWindow.optional().describe('As above.'),
  }),
)

/** What a rate limit is configured with; durations in milliseconds once read. */
export const rateLimitOptions = z
  .strictObject({
    name: limitName
      .optional()
      .describe(
        'Name of the limit in RateLimit headers and metrics, `default` where none is given; limits of one route need different names.',
      ),
    limit: perWindow.optional().describe('Requests per window; required without `limits`.'),
    window: duration()
      .optional()
      .describe(
        'The time that the limit is for; required without `limits`. A token bucket earns it anew evenly: 100 per 1m is one each 600ms.',
      ),
    burst: perWindow
      .optional()
      .describe('Requests at once after a pause, for tokenBucket; the limit by default.'),
    algorithm: z
      .enum(algorithmNames)
      .default('tokenBucket')
      .describe(
        'How requests are counted: tokenBucket (evenly, with a burst), slidingWindow (two counters), slidingLog (exact, keeps the time of each request) or fixedWindow (from full minute to full minute, days in UTC).',
      ),
    by: by
      .default('consumer')
      .describe(
        'Whose requests are counted together: consumer, user, ip (IPv6: its /64), route, header:<name> or claim:<name>; ip where there is no identity or no such value.',
      ),
    overrides: overrides
      .optional()
      .describe(
        'Other limits for single consumers or users, by id (of any issuer); for `by` consumer and user.',
      ),
    limits: z
      .array(
        z.strictObject({
          name: limitName.describe('As above.'),
          limit: perWindow.describe('Requests per window.'),
          window: duration().describe('As above.'),
          burst: perWindow.optional().describe('As above.'),
          algorithm: z
            .enum(algorithmNames)
            .optional()
            .describe('As above; by default the one beside `limits`.'),
          by: by.optional().describe('As above; by default the one beside `limits`.'),
          overrides: overrides.optional().describe('As above.'),
        }),
      )
      .min(1)
      .max(8)
      .optional()
      .describe(
        'Several limits in place of one: a request has to pass all of them, and one that is refused costs nothing of any.',
      ),
    store: z
      .enum(['auto', 'memory', 'redis'])
      .default('auto')
      .describe(
        'Where counts are: redis is shared by all gateways; auto is redis when stores.redis is there.',
      ),
    onStoreError: z
      .enum(['allow', 'deny', 'local'])
      .default('local')
      .describe('While Redis fails: let all pass, refuse all with 503, or count in each gateway for itself.'),
    storeTimeout: duration().prefault('100ms').describe('How long a request waits for Redis at the most.'),
  })
  .superRefine((options, context) => {
    const refuse = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path, message })
    }
    const { limits } = options
    if (limits === undefined) {
      for (const key of ['limit', 'window'] as const) {
        if (options[key] === undefined)
          refuse([key], 'is missing: a rate limit has `limit` and `window`, or `limits`')
      }
    } else {
      for (const key of ['name', 'limit', 'window', 'burst', 'overrides'] as const) {
        if (options[key] !== undefined) refuse([key], 'stands beside `limits`, where each limit has its own')
      }
    }
    for (const [i, limit] of limitsOf(options).entries()) {
      const path = limits === undefined ? [] : ['limits', i]
      check(limit.algorithm, limit, (key, message) => refuse([...path, key], message))
      for (const [id, other] of Object.entries(limit.overrides ?? {})) {
        check(limit.algorithm, other, (key, message) => refuse([...path, 'overrides', id, key], message))
      }
    }
  })

/** The options of a rate limit, checked and complete. */
export type RateLimitOptions = z.output<typeof rateLimitOptions>

/** One limit of a plugin, whichever way it was written. */
export interface LimitOptions {
  readonly name: string
  readonly limit: number
  /** Milliseconds. */
  readonly window: number
  readonly burst?: number | undefined
  readonly algorithm: AlgorithmName
  readonly by: string
  readonly overrides?: RateLimitOptions['overrides']
}

/** The limits that a request has to pass. A missing limit or window is refused by the schema, and read as 1 until then. */
export function limitsOf(options: RateLimitOptions): readonly LimitOptions[] {
  const { limits, name = 'default', limit = 1, window = 1, burst, algorithm, by, overrides } = options
  if (limits === undefined) return [{ name, limit, window, burst, algorithm, by, overrides }]
  return limits.map((one) => ({ ...one, algorithm: one.algorithm ?? algorithm, by: one.by ?? by }))
}

/** The most requests whose times are kept for one key. */
const maxLogged = 10_000

function check(
  algorithm: AlgorithmName,
  { limit, window, burst }: { limit: number; window: number; burst?: number | undefined },
  refuse: (key: string, message: string) => void,
): void {
  if (window < 1) refuse('window', 'must be at least 1ms')
  else if (limit > window * 1_000) refuse('window', 'allows at most 1,000 requests per millisecond')
  if (algorithm !== 'tokenBucket' && burst !== undefined)
    refuse('burst', `is for tokenBucket; ${algorithm} has none`)
  if (algorithm === 'slidingLog' && limit > maxLogged) {
    refuse(
      'limit',
      'may be at most 10,000 for slidingLog, which keeps the time of each request; slidingWindow has no such bound',
    )
  }
}
