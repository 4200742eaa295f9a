import { z } from 'zod'
import { duration } from '../../core/units.ts'
import { checkOptions } from './check-options.ts'
import { partitionPattern } from './partition.ts'

const units = z.int().min(1)
const algorithmNames = ['tokenBucket', 'leakyBucket', 'slidingWindow', 'slidingLog', 'fixedWindow'] as const
/** How requests are counted. */
export type AlgorithmName = (typeof algorithmNames)[number]

/** A day of the calendar, in UTC. */
export const dayMs = 86_400_000

const limitName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'may have letters, digits, "_", "." and "-", at most 64')
const byOne = z
  .string()
  .regex(
    partitionPattern,
    'expected consumer, user, key, ip, route, operation, header:<name> or claim:<name>',
  )
const by = z.union(
  [byOne, z.array(byOne).min(2).max(4)],
  'expected consumer, user, key, ip, route, operation, header:<name> or claim:<name>, or a list of 2 to 4',
)
const window = z.union(
  [z.enum(['day', 'month']), duration()],
  'expected a duration (250ms, 5s, 1m, 24h, 7d), day or month',
)
const cost = z.union(
  [units, z.literal('operation'), z.record(z.string(), units)],
  'expected a whole number, numbers by gRPC method or route id, or operation',
)
const overrides = z.record(
  z.string(),
  z.strictObject({
    limit: units.describe('Requests per window.'),
    window: window.describe('As above.'),
    burst: units.optional().describe('As above.'),
    queue: z.int().min(0).optional().describe('As above.'),
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
    limit: units.optional().describe('Requests per window; required without `limits`.'),
    window: window
      .optional()
      .describe(
        'The time that the limit is for; required without `limits`. A token bucket earns it anew evenly: 100 per 1m is one each 600ms. `day` and `month` are those of the calendar in UTC, a quota.',
      ),
    burst: units
      .optional()
      .describe('Requests at once after a pause, for tokenBucket; the limit by default.'),
    queue: z
      .int()
      .min(0)
      .optional()
      .describe(
        'Requests that may wait for their turn, for leakyBucket; 0 by default: what comes too early is refused.',
      ),
    algorithm: z
      .enum(algorithmNames)
      .optional()
      .describe(
        'How requests are counted: tokenBucket (the default; evenly, with a burst), leakyBucket (one by one, the others wait), slidingWindow (two counters), slidingLog (exact, keeps the time of each request) or fixedWindow (from full minute to full minute).',
      ),
    by: by
      .default('consumer')
      .describe(
        'Whose requests are counted together: consumer, user, key (API key), ip (IPv6: its /64), route, operation (GraphQL operation, gRPC method), header:<name> or claim:<name>; ip where there is no identity or no such value. A list counts each combination: [consumer, operation].',
      ),
    cost: cost
      .optional()
      .describe(
        'What a request counts as; 1 by default. A number; numbers by route id or gRPC method, `{Search: 10}`, 1 for the others; or `operation`: what the GraphQL operation costs.',
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
          limit: units.describe('Requests per window.'),
          window: window.describe('As above.'),
          burst: units.optional().describe('As above.'),
          queue: z.int().min(0).optional().describe('As above.'),
          algorithm: z
            .enum(algorithmNames)
            .optional()
            .describe('As above; by default the one beside `limits`.'),
          by: by.optional().describe('As above; by default the one beside `limits`.'),
          cost: cost.optional().describe('As above; by default the one beside `limits`.'),
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
    localShare: z
      .number()
      .positive()
      .max(1)
      .optional()
      .describe(
        'The share of each limit that a gateway gives by itself while Redis fails; all of it by default. With four gateways, 0.25 keeps the sum.',
      ),
    storeTimeout: duration().prefault('100ms').describe('How long a request waits for Redis at the most.'),
    lease: z
      .int()
      .min(2)
      .max(1_000)
      .optional()
      .describe(
        'Requests of one caller that a gateway takes from Redis at once, to spend them without asking again; none by default. In any window up to lease - 1 more per gateway may pass.',
      ),
  })
  .superRefine((options, context) =>
    checkOptions(options, limitsOf(options), (path, message) =>
      context.addIssue({ code: 'custom', path, message }),
    ),
  )

/** The options of a rate limit, checked and complete. */
export type RateLimitOptions = z.output<typeof rateLimitOptions>

/** How much a limit is. */
export interface LimitSize {
  readonly limit: number
  /** Milliseconds, or a period of the calendar in UTC. */
  readonly window: number | 'day' | 'month'
  /** Of a token bucket; default: the limit. */
  readonly burst?: number | undefined
  /** Of a leaky bucket; default 0. */
  readonly queue?: number | undefined
}

/** One limit of a plugin, whichever way it was written. */
export interface LimitOptions extends LimitSize {
  readonly name: string
  readonly algorithm: AlgorithmName
  readonly by: string | readonly string[]
  readonly cost: number | 'operation' | Readonly<Record<string, number>>
  readonly overrides?: RateLimitOptions['overrides']
}

/** The limits that a request has to pass. A missing limit or window is refused by the schema, and read as 1 until then. */
export function limitsOf(options: RateLimitOptions): readonly LimitOptions[] {
  const { limits, name = 'default', limit = 1, window = 1, burst, queue, by, overrides } = options
  const { algorithm = 'tokenBucket', cost = 1 } = options
  if (limits === undefined) return [{ name, limit, window, burst, queue, algorithm, by, cost, overrides }]
  return limits.map((one) => ({
    ...one,
    algorithm: one.algorithm ?? algorithm,
    by: one.by ?? by,
    cost: one.cost ?? cost,
  }))
}
