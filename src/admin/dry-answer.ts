import { z } from 'zod'
import type { Change } from '../control/change.ts'
import type { AdminAnswer } from './admin-route.ts'

/** A thing that was changed, or would be. */
export const changeShape = z
  .strictObject({
    kind: z
      .string()
      .describe('routes, upstreams, consumers, plugins, subgraphs, grpcServices, settings, keys, ...'),
    id: z.string(),
    op: z.enum(['create', 'update', 'delete']),
    before: z.unknown().optional().describe('As it was, secrets masked; absent for what is created.'),
    after: z.unknown().optional().describe('As it is, secrets masked; absent for what is deleted.'),
  })
  .meta({ id: 'Change' })

/** What every dry run answers. */
export const dryShape = z
  .object({ changes: z.array(changeShape), warnings: z.array(z.string()) })
  .meta({ id: 'DryRun', description: 'What would be changed; nothing was.' })

/** What a write would do, which was not done. */
export function dryAnswer(changes: readonly Change[], warnings: readonly string[] = []): AdminAnswer {
  return { status: 200, body: { changes, warnings }, changes }
}

/** `before` undefined: it is made; `after` undefined: it is deleted. */
export function changeOf(
  kind: string,
  id: string,
  { before, after }: { readonly before?: unknown; readonly after?: unknown },
): Change {
  const op = before === undefined ? 'create' : after === undefined ? 'delete' : 'update'
  return {
    kind,
    id,
    op,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  }
}
