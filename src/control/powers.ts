import { GatewayError } from '../core/error.ts'
import { isRecord } from '../core/is-record.ts'
import type { Change } from './change.ts'
import { nameOfItem } from './item-name.ts'

/** What somebody may do, by the scopes of their token. */
export interface Powers {
  /** Who is believed to be who: `consumers` and `auth`. */
  readonly keys: boolean
  /** Who may use the admin API; values of the environment and of files, which are secrets of the machine. */
  readonly all: boolean
}

/** Throws SCOPE_MISSING for a change that takes more than the right to write. */
export function requirePowers(
  { keys, all }: Powers,
  {
    changes,
    before,
    after,
  }: { readonly changes: readonly Change[]; readonly before: unknown; readonly after: unknown },
): void {
  if (!keys && changes.some(({ kind, id }) => kind === 'consumers' || (kind === 'settings' && id === 'auth')))
    throw new GatewayError('SCOPE_MISSING', 'Changing consumers or auth takes the scope "keys", too.')
  if (all) return
  if (changes.some(({ kind, id }) => kind === 'settings' && id === 'admin'))
    throw new GatewayError('SCOPE_MISSING', 'Changing who may use the admin API takes every scope.')
  const known = new Set(references(before))
  const brought = references(after).find((reference) => !known.has(reference))
  if (brought === undefined) return
  const [place] = brought.split(': ', 1)
  throw new GatewayError('SCOPE_MISSING', 'Values of the environment and of files take every scope.', {
    violations: [{ field: place ?? '', detail: 'refers to one that was not there before' }],
  })
}

/** `/routes/id users/respond/body: ${NAME}` */
function references(value: unknown, place = ''): readonly string[] {
  if (typeof value === 'string')
    return value.includes('${') || value.startsWith('file://') ? [`${place}: ${value}`] : []
  if (Array.isArray(value)) return value.flatMap((item) => references(item, `${place}/${nameOfItem(item)}`))
  if (!isRecord(value)) return []
  return Object.entries(value).flatMap(([key, member]) => references(member, `${place}/${key}`))
}
