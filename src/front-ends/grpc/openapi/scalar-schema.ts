import { ScalarType } from '@bufbuild/protobuf'

/** A schema in the words of JSON Schema 2020-12, as OpenAPI 3.1 uses it. */
export type Schema = Readonly<Record<string, unknown>>

/** How ProtoJSON writes a scalar: 64-bit integers as strings, bytes in base64, numbers with NaN and the infinities as words. */
export function scalarSchema(type: ScalarType): Schema {
  switch (type) {
    case ScalarType.STRING:
      return { type: 'string' }
    case ScalarType.BOOL:
      return { type: 'boolean' }
    case ScalarType.BYTES:
      return { type: 'string', contentEncoding: 'base64' }
    case ScalarType.DOUBLE:
      return { oneOf: [{ type: 'number', format: 'double' }, notFinite] }
    case ScalarType.FLOAT:
      return { oneOf: [{ type: 'number', format: 'float' }, notFinite] }
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return { type: 'string', format: 'int64' }
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return { type: 'string', format: 'uint64' }
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: 'integer', format: 'uint32', minimum: 0, maximum: 4_294_967_295 }
    default:
      return { type: 'integer', format: 'int32' }
  }
}

/** What the keys of a map look like, which JSON always writes as strings; undefined where they may be any. */
export function mapKeySchema(type: ScalarType): Schema | undefined {
  if (type === ScalarType.STRING) return undefined
  if (type === ScalarType.BOOL) return { enum: ['true', 'false'] }
  return { pattern: '^-?[0-9]+$' }
}

const notFinite: Schema = { type: 'string', enum: ['NaN', 'Infinity', '-Infinity'] }
