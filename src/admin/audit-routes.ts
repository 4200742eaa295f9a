import { z } from 'zod'
import { time } from '../core/units.ts'
import { type AdminRoute, adminRoute } from './admin-route.ts'
import type { AuditLog, KeptEntry } from './audit-log.ts'
import { versionNumber } from './config-routes.ts'
import { changeShape } from './dry-answer.ts'
import { pageAnswer, pageOfSchema, pageQuery } from './page.ts'

const outcome = z.enum(['done', 'dryRun', 'refused', 'failed'])

const entryShape = z
  .strictObject({
    id: z.int(),
    at: z.iso.datetime(),
    actor: z.string().describe('The name of the token; `local` without one.'),
    address: z.string(),
    action: z.string().describe('The operationId: `keys.rotate`.'),
    method: z.string(),
    path: z.string().describe('Below the admin API.'),
    outcome: outcome.describe('refused: with a 4xx; failed: it could not be done.'),
    status: z.int(),
    version: z.int().nullable().describe('Of the configuration, after it; null: it did not touch it.'),
    message: z.string().nullable().describe('Why, in the words of who did it.'),
    reason: z.string().nullable().describe('Why it was refused.'),
    changes: z.array(changeShape),
    requestId: z.string(),
  })
  .meta({ id: 'AuditEntry' })

/** `/audit`: who wrote what, when, and what came of it. */
export function auditRoutes(audit: AuditLog): AdminRoute[] {
  return [
    adminRoute({
      method: 'GET',
      path: '/audit',
      scope: 'read',
      summary: 'Who changed what, the newest first',
      query: z.strictObject({
        limit: pageQuery.limit,
        cursor: versionNumber.optional(),
        'filter[actor]': z.string().optional(),
        'filter[action]': z.string().optional().describe('`keys.rotate`, or what it begins with: `keys`.'),
        'filter[outcome]': outcome.optional(),
        'filter[path]': z.string().optional().describe('`/routes/users`.'),
        'filter[requestId]': z.string().optional(),
        'filter[since]': time().optional(),
        'filter[until]': time().optional(),
      }),
      answer: pageOfSchema(entryShape),
      async serve({ query }) {
        const { limit, cursor } = query
        const filter = {
          actor: query['filter[actor]'],
          action: query['filter[action]'],
          outcome: query['filter[outcome]'],
          path: query['filter[path]'],
          requestId: query['filter[requestId]'],
          since: query['filter[since]'],
          until: query['filter[until]'],
        }
        const { items, total } = await audit.page(filter, { limit: limit + 1, before: cursor })
        const page = items.slice(0, limit)
        const next = items.length > limit ? String(page.at(-1)?.id) : null
        return pageAnswer({ items: page.map(shown), next, total })
      },
    }),
  ]
}

function shown({ at, changes, request_id: requestId, ...entry }: KeptEntry): object {
  return { ...entry, at: new Date(at).toISOString(), changes: JSON.parse(changes), requestId }
}
