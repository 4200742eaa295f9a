import type { ValueName } from './text-template.ts'

/** What texts of composed answers may name besides the usual values. */
export type ComposedValue =
  | { readonly kind: 'body'; readonly way: readonly string[] }
  | { readonly kind: 'part'; readonly part: string; readonly way: readonly string[] }

/**
 * Reads `request.body`, `request.body.name` (a way into the JSON of the request) and `parts.user`, `parts.user.items.0.id` (into the answer of
 * a part); undefined for other names.
 */
export function composedValue({ kind, key }: ValueName): ComposedValue | undefined {
  const [first = '', ...way] = key.split('.')
  if (kind === 'parts') return { kind: 'part', part: first, way }
  return kind === 'request' && first === 'body' ? { kind: 'body', way } : undefined
}

/** Whether only composed answers have a value of the name. */
export function isComposed(name: ValueName): boolean {
  return composedValue(name) !== undefined
}
