import { type DescField, type DescMessage, type JsonValue, ScalarType } from '@bufbuild/protobuf'
import { fieldsByName } from './field-path.ts'

/**
 * The JSON value of a text, for a message or (when `field` is given) for one field of it: integers beyond 2^53 that stand for a
 * 64-bit field become strings, which ProtoJSON takes as exactly the same. Throws a SyntaxError for what is not one JSON value.
 */
export function parseExactly(text: string, { message, field }: JsonPlace): JsonValue {
  if (!/\d{16}/.test(text)) return JSON.parse(text) as JsonValue
  const read = JSON.parse(text, keepUnsafe) as Unsafe
  return field === undefined ? inMessage(read, message) : inField(read, field)
}

/** What a JSON text is read for. */
export interface JsonPlace {
  readonly message: DescMessage
  readonly field: DescField | undefined
}

/** JSON in which integers beyond 2^53 are bigints. */
type Unsafe = JsonValue | bigint | Unsafe[] | { [key: string]: Unsafe }

function keepUnsafe(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source ?? ''
  return /^-?\d+$/.test(source) ? BigInt(source) : value
}

function inMessage(value: Unsafe, message: DescMessage | undefined): JsonValue {
  if (typeof value === 'bigint') {
    const wrapped = message?.typeName.startsWith('google.protobuf.') ? message.field.value : undefined
    return inScalar(value, wrapped)
  }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => inMessage(item, undefined))
  const fields = message === undefined ? undefined : fieldsByName(message)
  return inEach(value, (item, key) => inField(item, fields?.get(key)))
}

function inField(value: Unsafe, field: DescField | undefined): JsonValue {
  if (field?.fieldKind === 'list' && Array.isArray(value)) return value.map((item) => inItem(item, field))
  const isMap =
    field?.fieldKind === 'map' && typeof value === 'object' && value !== null && !Array.isArray(value)
  return isMap
    ? inEach(value as { [key: string]: Unsafe }, (item) => inItem(item, field))
    : inItem(value, field)
}

function inItem(value: Unsafe, field: DescField | undefined): JsonValue {
  const scalar = field?.message === undefined && typeof value === 'bigint'
  return scalar ? inScalar(value, field) : inMessage(value, field?.message)
}

function inScalar(value: bigint, field: DescField | undefined): string | number {
  return field?.scalar !== undefined && longs.has(field.scalar) ? String(value) : Number(value)
}

/** In place: a key such as `__proto__` is the object's own already and stays so. */
function inEach(
  object: { [key: string]: Unsafe },
  change: (item: Unsafe, key: string) => JsonValue,
): JsonValue {
  for (const key of Object.keys(object)) object[key] = change(object[key] as Unsafe, key)
  return object as { [key: string]: JsonValue }
}

const longs: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT64,
  ScalarType.SINT64,
  ScalarType.SFIXED64,
  ScalarType.UINT64,
  ScalarType.FIXED64,
])
