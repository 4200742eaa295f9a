import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config/schema.ts'
import { type Change, itemKinds } from './change.ts'
import { itemsOf, settingsOf } from './item-place.ts'
import { masked } from './masked.ts'

/** A configuration in both ways. */
export interface DiffSide {
  /** As it is written. */
  readonly data: unknown
  /** With every default filled in; undefined where it does not pass the checks: then spellings are compared. */
  readonly config: Config | undefined
}

/** What differs between two configurations in effect: defaults that are written out, comments and the order of keys are no difference. */
export function diffConfigs(before: DiffSide, after: DiffSide): readonly Change[] {
  const isComplete = before.config !== undefined && after.config !== undefined
  const compared = ({ data, config }: DiffSide): unknown => (isComplete ? config : data)
  const changes: Change[] = []
  for (const kind of itemKinds) {
    const old = byId(itemsOf(before.data, kind))
    const now = byId(itemsOf(after.data, kind))
    const oldMeant = byId(itemsOf(meant(compared(before)), kind))
    const nowMeant = byId(itemsOf(meant(compared(after)), kind))
    for (const id of new Set([...old.keys(), ...now.keys()])) {
      if (old.has(id) && now.has(id) && isDeepStrictEqual(oldMeant.get(id), nowMeant.get(id))) continue
      changes.push(
        change(kind, id, { from: old.get(id), to: now.get(id), had: old.has(id), has: now.has(id) }),
      )
    }
  }
  changes.push(...orderOfPlugins(before.data, after.data))
  const old = settingsOf(before.data)
  const now = settingsOf(after.data)
  const oldMeant = settingsOf(compared(before))
  const nowMeant = settingsOf(compared(after))
  for (const id of new Set([...old.keys(), ...now.keys()])) {
    if (isDeepStrictEqual(oldMeant.get(id), nowMeant.get(id))) continue
    changes.push(
      change('settings', id, { from: old.get(id), to: now.get(id), had: old.has(id), has: now.has(id) }),
    )
  }
  return changes
}

/** `routes/users updated`: what people read of a change in a list. */
export function summaryOf(changes: readonly Change[]): readonly string[] {
  return changes.map(({ kind, id, op }) => `${kind}/${id} ${op}d`)
}

interface Sides {
  readonly from: unknown
  readonly to: unknown
  readonly had: boolean
  readonly has: boolean
}

function change(kind: Change['kind'], id: string, { from, to, had, has }: Sides): Change {
  const before = masked(from, [id])
  const after = masked(to, [id])
  if (!had) return { kind, id, op: 'create', after }
  if (!has) return { kind, id, op: 'delete', before }
  return { kind, id, op: 'update', before, after }
}

function byId(
  items: readonly { readonly id: string; readonly value: unknown }[],
): ReadonlyMap<string, unknown> {
  return new Map(items.map(({ id, value }) => [id, value]))
}

/** A checked configuration has its plugins as `{name, options}`; here they stand as they are written. */
function meant(config: unknown): unknown {
  const { plugins = [] } = config as { plugins?: readonly unknown[] }
  if (!plugins.every(isUse)) return config
  return { ...(config as object), plugins: plugins.map(({ name, options }) => ({ [name]: options })) }
}

function isUse(plugin: unknown): plugin is { readonly name: string; readonly options: unknown } {
  const { name, options } = plugin as { name?: unknown; options?: unknown }
  return typeof name === 'string' && typeof options === 'object'
}

/** The same plugins in another order do something else. */
function orderOfPlugins(before: unknown, after: unknown): readonly Change[] {
  const [old, now] = [before, after].map((data) => itemsOf(data, 'plugins').map(({ id }) => id))
  if (old === undefined || now === undefined || isDeepStrictEqual(old, now)) return []
  if (!isDeepStrictEqual(old.toSorted(), now.toSorted())) return []
  return [{ kind: 'settings', id: 'plugins', op: 'update', before: old, after: now }]
}
