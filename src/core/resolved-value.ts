import type { ValueName } from './text-template.ts'

/** What texts of resolvers may name besides the usual values: arguments of the field, members of its object, members of all objects of one call. */
export type ResolvedKind = 'args' | 'this' | 'batch'

/** Whether only resolvers have a value of the name. */
export function isResolved({ kind }: ValueName): boolean {
  return kind === 'args' || kind === 'this' || kind === 'batch'
}
