import { exclusiveBounds } from '../../core/exclusive-bounds.ts'
import { isRecord } from '../../core/is-record.ts'

/**
 * An OpenAPI 3.0 document with its schemas as JSON Schema has them since: `nullable` is a type of its own, exclusive bounds are numbers (OpenAPI
 * 3.0.3 section 4.7.24, JSON Schema draft Wright 00 section 5.3).
 */
export function asDraft2020(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asDraft2020)
  if (!isRecord(value)) return value
  const made: Record<string, unknown> = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      // What stands for itself: data, not schemas.
      key === 'enum' || key === 'default' || key === 'example' || key === 'examples'
        ? inner
        : asDraft2020(inner),
    ]),
  )
  if (made.nullable === true && typeof made.type === 'string') {
    made.type = [made.type, 'null']
    if (Array.isArray(made.enum) && !made.enum.includes(null)) made.enum = [...made.enum, null]
  }
  if (typeof made.nullable === 'boolean') delete made.nullable
  return exclusiveBounds(made)
}
