import { isRecord } from '../../../../core/is-record.ts'
import type { ResolvedKind } from '../../../../core/resolved-value.ts'

/** A value that the texts of a resolver name. */
export interface NamedValue {
  readonly kind: ResolvedKind
  readonly way: readonly string[]
  /** Whether nothing stands in for it where it is missing. */
  readonly required: boolean
}

/** The values of resolvers that stand in the texts of a JSON value, each name once. */
export function namedValues(written: unknown): NamedValue[] {
  const found = new Map<string, NamedValue>()
  for (const text of textsIn(written)) {
    for (const [, kind = '', name = '', fallback] of text.matchAll(named)) {
      const key = `${kind}.${name}`
      const required = fallback === undefined || found.get(key)?.required === true
      found.set(key, { kind: kind as ResolvedKind, way: name.split('.'), required })
    }
  }
  return [...found.values()]
}

const named = /\$\{(args|this|batch)\.([^}:]+)(:-[^}]*)?\}/g

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return isRecord(value) ? Object.values(value).flatMap(textsIn) : []
}
