import { GatewayError } from '../core/error.ts'
import { isRecord } from '../core/is-record.ts'
import type { Change } from './change.ts'
import { nameOfItem } from './item-name.ts'
import { sendsSecretElsewhere } from './secret-destinations.ts'

/** What somebody may do, by the scopes of their token. */
export interface Powers {
  /** What they send may be built, which asks hosts that it names. */
  readonly write: boolean
  /** Who is believed to be who: `consumers` and `auth`. */
  readonly keys: boolean
  /** Who may use the admin API; values of the environment and of files, which are secrets of the machine. */
  readonly all: boolean
}

/** Throws SCOPE_MISSING for a change that takes more than the right to write. `admin`: where the admin API is. */
export function requirePowers(
  { keys, all }: Powers,
  changes: readonly Change[],
  admin: { readonly path: string; readonly listen: string },
): void {
  const settings = changes.flatMap(({ kind, id }) => (kind === 'settings' ? [id] : []))
  if (!keys && (settings.includes('auth') || changes.some(({ kind }) => kind === 'consumers')))
    throw new GatewayError('SCOPE_MISSING', 'Changing consumers or auth takes the scope "keys", too.')
  if (all) return
  if (settings.includes('admin'))
    throw new GatewayError('SCOPE_MISSING', 'Changing who may use the admin API takes every scope.')
  // Only by going back to an old version: code that was taken out may have been for a reason.
  const ofFile = settings.find((id) => id === 'pluginModules' || id === 'stores')
  if (ofFile !== undefined) throw new GatewayError('SCOPE_MISSING', `Changing ${ofFile} takes every scope.`)
  // Routes come first: its upstream would be sent the tokens of others.
  const taking = admin.listen === '' ? changes.find((change) => beginsToTake(change, admin.path)) : undefined
  if (taking !== undefined)
    throw new GatewayError(
      'SCOPE_MISSING',
      `The route "${taking.id}" would take requests to the admin API (${admin.path}): that takes every scope, or a port of its own for the admin API (admin.listen).`,
    )
}

function beginsToTake({ kind, before, after }: Change, place: string): boolean {
  const takes = (route: unknown): boolean =>
    isRecord(route) && typeof route.path === 'string' && mayTake(route.path, place)
  return kind === 'routes' && takes(after) && !takes(before)
}

/** Whether a template may match what is below a place; rather yes than no. */
function mayTake(template: string, place: string): boolean {
  const segments = template.split('/').slice(1)
  for (const [index, wanted] of place.split('/').slice(1).entries()) {
    const segment = segments[index]
    if (segment?.includes('**')) return true
    if (segment === undefined || (segment !== wanted && !/[*{%]/.test(segment))) return false
  }
  return true
}

/**
 * Throws SCOPE_MISSING where a document refers to a variable of the environment or a file in a place where the one before did not, or has a secret of it
 * sent to another URL. Called before any of it is read: what is said of a value that does not fit may quote it.
 */
export function requireSecretsStay(
  { all }: Powers,
  { before, after }: { readonly before: unknown; readonly after: unknown },
): void {
  if (all) return
  if (sendsSecretElsewhere(before, after))
    throw new GatewayError(
      'SCOPE_MISSING',
      'To have a secret that is there sent to another URL takes every scope: write a secret of its own for that.',
    )
  const brought = broughtReference(before, after)
  if (brought === undefined) return
  const [place] = brought.split(': ', 1)
  throw new GatewayError('SCOPE_MISSING', 'Values of the environment and of files take every scope.', {
    violations: [{ field: place ?? '', detail: 'refers to one that was not there before' }],
  })
}

function broughtReference(before: unknown, after: unknown): string | undefined {
  const known = new Set(references(before))
  return references(after).find((reference) => !known.has(reference))
}

/** `/routes/id users/respond/body: ${NAME}` */
function references(value: unknown, place = ''): readonly string[] {
  if (typeof value === 'string')
    return value.includes('${') || value.startsWith('file://') ? [`${place}: ${value}`] : []
  if (Array.isArray(value)) return value.flatMap((item) => references(item, `${place}/${nameOfItem(item)}`))
  if (!isRecord(value)) return []
  return Object.entries(value).flatMap(([key, member]) => references(member, `${place}/${key}`))
}
