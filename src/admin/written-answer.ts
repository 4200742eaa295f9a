import { z } from 'zod'
import type { ItemKind } from '../control/change.ts'
import type { ControlPlane, Item, WriteOptions, Written } from '../control/control-plane.ts'
import type { AdminAnswer, AdminCall } from './admin-route.ts'
import { changeShape } from './dry-answer.ts'

/** What every write of the configuration answers. */
export const writtenShape = z
  .strictObject({
    version: z.int().describe('Of the configuration that runs now; of a dry run, the one that would.'),
    changes: z.array(changeShape).describe('Against what ran before; empty: nothing has changed.'),
    warnings: z.array(z.string()),
    item: z.looseObject({ id: z.string() }).optional().describe('What was written, in full, secrets masked.'),
  })
  .meta({ id: 'Written' })

/** Who writes, why, and what they have seen. */
export function writeOptions({ by, message, ifMatch, dryRun }: AdminCall<unknown>): WriteOptions {
  return { by, message, ifMatch, dryRun }
}

/** The answer to a write of the whole, or of several things. */
export function writtenAnswer({ version, etag, changes, warnings }: Written): AdminAnswer {
  return { body: { version, changes, warnings }, etag, changes, version }
}

/** One thing as people see it: what it is called, and how it is written. */
export function shownItem(
  kind: ItemKind,
  { id, value }: Pick<Item, 'id' | 'value'>,
): { readonly id: string } {
  if (kind === 'plugins') return { id, options: value ?? {} } as { readonly id: string }
  return { id, ...(value as object) }
}

/** The answer to a write of one thing: 201 with its place when it was made. */
export function itemAnswer(
  control: ControlPlane,
  { kind, id }: { readonly kind: ItemKind; readonly id: string },
  written: Written,
  dryRun: boolean,
): AdminAnswer {
  const answer = writtenAnswer(written)
  const change = written.changes.find((one) => one.kind === kind && one.id === id)
  const running = control.items(kind).find((item) => item.id === id)
  const value = dryRun && change !== undefined ? change.after : running?.value
  if (value === undefined) return answer
  const body = { ...(answer.body as object), item: shownItem(kind, { id, value }) }
  const isNew = change?.op === 'create' && !dryRun
  return {
    ...answer,
    body,
    etag: dryRun ? undefined : running?.etag,
    status: isNew ? 201 : 200,
    ...(isNew && { location: `/${kind}/${encodeURIComponent(id)}` }),
  }
}
