import { z } from 'zod'
import { duration } from '../../core/units.ts'

/** What a rate limit is configured with; durations in milliseconds once read. */
export const rateLimitOptions = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'may have letters, digits, "_", "." and "-", at most 64')
      .default('default')
      .describe(
        'Name of the limit in RateLimit headers and metrics; two limits of one route need two names.',
      ),
    limit: z.int().min(1).describe('Requests per window.'),
    window: duration().describe(
      'The time in which the limit is earned anew, evenly: 100 per 1m is one each 600ms.',
    ),
    burst: z.int().min(1).optional().describe('Requests at once after a pause; the limit by default.'),
    by: z
      .enum(['consumer', 'user', 'ip', 'route'])
      .default('consumer')
      .describe('Whose requests are counted together; ip (IPv6: its /64) where there is no identity.'),
    overrides: z
      .record(
        z.string(),
        z.strictObject({
          limit: z.int().min(1).describe('Requests per window.'),
          window: duration().describe('As above.'),
          burst: z.int().min(1).optional().describe('As above.'),
        }),
      )
      .default({})
      .describe(
        'Other limits for single consumers or users, by id (of any issuer); for `by` consumer and user.',
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
  .superRefine(({ limit, window, overrides }, context) => {
    const check = (path: string[], perWindow: number, windowMs: number): void => {
      if (windowMs >= 1 && perWindow <= windowMs * 1_000) return
      const text = windowMs < 1 ? 'must be at least 1ms' : 'allows at most 1,000 requests per millisecond'
      context.addIssue({ code: 'custom', path: [...path, 'window'], message: text })
    }
    check([], limit, window)
    for (const [id, other] of Object.entries(overrides)) check(['overrides', id], other.limit, other.window)
  })

/** The options of a rate limit, checked and complete. */
export type RateLimitOptions = z.output<typeof rateLimitOptions>
