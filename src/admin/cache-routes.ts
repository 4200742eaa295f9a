import { z } from 'zod'
import { type AdminRoute, adminRoute } from './admin-route.ts'
import { dryAnswer } from './dry-answer.ts'

/** `/cache:purge`. @param forgetTokens returns how many were forgotten. */
export function cacheRoutes(forgetTokens: () => number): AdminRoute[] {
  return [
    adminRoute({
      method: 'POST',
      path: '/cache:purge',
      scope: 'write',
      summary: 'Forget what can go out of date',
      description:
        'On this node: what was found out about tokens (JSON Web Tokens that were verified, answers of introspection), so that each is looked at again. Query plans, parsed documents and the like follow from the configuration alone: they cannot be stale, and go with it.',
      body: z.strictObject({
        caches: z
          .array(z.enum(['tokens']))
          .min(1)
          .default(['tokens']),
      }),
      answer: z.strictObject({
        purged: z.strictObject({ tokens: z.int().describe('Entries that were forgotten.') }),
      }),
      serve({ dryRun }) {
        if (dryRun) return dryAnswer([])
        return { body: { purged: { tokens: forgetTokens() } } }
      },
    }),
  ]
}
