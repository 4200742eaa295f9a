import { z } from 'zod'
import type { ControlPlane, VersionInfo } from '../control/control-plane.ts'
import { GatewayError } from '../core/error.ts'
import { type AdminRoute, adminRoute } from './admin-route.ts'
import { versionNumber } from './config-routes.ts'
import { changeShape } from './dry-answer.ts'
import { pageAnswer, pageOf, pageOfSchema, pageQuery } from './page.ts'
import { writeOptions, writtenAnswer, writtenShape } from './written-answer.ts'

const time = z.iso.datetime()

const versionShape = z.strictObject({
  version: z.int(),
  author: z.string().describe('The name of an admin token, `local`, or `file`.'),
  createdAt: time,
  message: z.string(),
  origin: z.enum(['file', 'api', 'rollback']),
  summary: z.array(z.string()).describe('What it changed of the version before: `routes/users updated`.'),
})

const nodeShape = z.strictObject({
  id: z.string(),
  name: z.string(),
  startedAt: time,
  seenAt: time,
  version: z.int().describe('What it runs.'),
  wanted: z.int().describe('The newest that it knows of.'),
  problem: z.string().nullable().describe('Why it does not run the newest; null: it does.'),
})

/** `/config/versions` and `/config/nodes`: what ran before, how it comes back, and which node runs what. */
export function versionRoutes(control: ControlPlane): AdminRoute[] {
  return [
    adminRoute({
      method: 'GET',
      path: '/config/versions',
      scope: 'read',
      summary: 'Versions of the configuration, the newest first',
      query: z.strictObject({ limit: pageQuery.limit, cursor: versionNumber.optional() }),
      answer: pageOfSchema(versionShape),
      async serve({ query: { limit, cursor } }) {
        const { items, total } = await control.versions({ limit: limit + 1, before: cursor })
        const page = items.slice(0, limit)
        const next = items.length > limit ? String(page.at(-1)?.version) : null
        return pageAnswer({ items: page.map(shownVersion), next, total })
      },
    }),
    adminRoute({
      method: 'GET',
      path: '/config/versions/{version}',
      scope: 'read',
      summary: 'A version, with what it changed and its text',
      answer: versionShape.extend({
        changes: z.array(changeShape),
        text: z.string().describe('YAML, secrets masked.'),
      }),
      async serve({ params }) {
        const version = await control.get(numberOf(params.version))
        const { changes, text } = version
        return { body: { ...shownVersion(version), changes, text } }
      },
    }),
    adminRoute({
      method: 'POST',
      path: '/config/versions/{version}:rollback',
      scope: 'write',
      summary: 'Run an old version again, as a new one',
      answer: writtenShape,
      async serve(call) {
        return writtenAnswer(await control.rollback(numberOf(call.params.version), writeOptions(call)))
      },
    }),
    adminRoute({
      method: 'GET',
      path: '/config/nodes',
      scope: 'read',
      summary: 'Which node runs which version',
      query: z.strictObject(pageQuery),
      answer: pageOfSchema(nodeShape),
      async serve({ query }) {
        const page = pageOf(await control.nodes(), query)
        const items = page.items.map(({ startedAt, seenAt, ...node }) => ({
          ...node,
          startedAt: written(startedAt),
          seenAt: written(seenAt),
        }))
        return pageAnswer({ ...page, items })
      },
    }),
  ]
}

function shownVersion({ version, author, createdAt, message, origin, summary }: VersionInfo): object {
  return { version, author, createdAt: written(createdAt), message, origin, summary }
}

function written(at: number): string {
  return new Date(at).toISOString()
}

/** What is no number names no version. */
function numberOf(text = ''): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new GatewayError('NOT_FOUND', 'There is no such version: they are counted from 1.')
}
