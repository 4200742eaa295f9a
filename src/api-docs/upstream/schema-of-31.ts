import { exclusiveBounds } from '../../core/exclusive-bounds.ts'
import type { Json } from '../json.ts'

/** Throws an Error where a keyword is nothing that it can be. */
export function checkSchema(schema: Json, place: string): void {
  const texts = (value: unknown): boolean =>
    Array.isArray(value) && value.every((one) => typeof one === 'string')
  const { type, required, enum: values } = schema
  if (type !== undefined && typeof type !== 'string' && !texts(type))
    throw new Error(`${place}.type: is no text`)
  if (required !== undefined && !texts(required)) throw new Error(`${place}.required: is no list of texts`)
  if (values !== undefined && !Array.isArray(values)) throw new Error(`${place}.enum: is no list`)
  for (const key of ['title', 'description', 'format', 'pattern'])
    if (schema[key] !== undefined && typeof schema[key] !== 'string')
      throw new Error(`${place}.${key}: is no text`)
}

/** A schema of OpenAPI 3.0 (not those within it) as JSON Schema has it since: OpenAPI 3.0.3 section 4.7.24. */
export function asSchemaOf31(schema: Json): Json {
  const { nullable, ...made } = exclusiveBounds(schema)
  if (nullable !== true) return made
  if (typeof made.type === 'string') {
    if (Array.isArray(made.enum) && !made.enum.includes(null)) made.enum = [...made.enum, null]
    return { ...made, type: [made.type, 'null'] }
  }
  const composed = ['allOf', 'anyOf', 'oneOf'].some((key) => made[key] !== undefined)
  return composed ? { anyOf: [made, { type: 'null' }] } : made
}
