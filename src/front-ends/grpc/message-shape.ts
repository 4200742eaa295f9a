import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import type { FieldShape, MessageShape } from '../../core/message-shape.ts'
import { fieldsByName } from './field-path.ts'

/** What a message looks like as ProtoJSON. */
export function messageShape(desc: DescMessage): MessageShape {
  return {
    name: desc.typeName,
    fieldNames: desc.fields.map(({ jsonName }) => jsonName),
    field(name) {
      const field = fieldsByName(desc).get(name)
      return field && fieldShape(field)
    },
  }
}

function fieldShape(field: DescField): FieldShape {
  const isList = field.fieldKind === 'list'
  const type = field.enum?.typeName ?? field.message?.typeName ?? scalarName(field)
  const kind = kindOf(field)
  return {
    type: `${isList ? 'repeated ' : ''}${field.fieldKind === 'map' ? 'a map' : type}`,
    kind,
    isList,
    message: kind === 'message' && field.message !== undefined ? messageShape(field.message) : undefined,
    values:
      field.enum?.values.toSorted((a, b) => rank(a.number) - rank(b.number)).map(({ name }) => name) ?? [],
  }
}

function kindOf(field: DescField): FieldShape['kind'] {
  if (field.fieldKind === 'map') return 'any'
  if (field.enum !== undefined) return field.enum.typeName === 'google.protobuf.NullValue' ? 'any' : 'enum'
  if (field.message !== undefined) return wellKnown[field.message.typeName] ?? 'message'
  return field.scalar === undefined ? 'any' : (scalars[field.scalar] ?? 'integer')
}

function scalarName({ scalar }: DescField): string {
  return scalar === undefined ? 'unknown' : ScalarType[scalar].toLowerCase()
}

function rank(number: number): number {
  return number === 0 ? 0 : 1
}

/** All others are whole numbers of 32 bits. */
const scalars: Partial<Readonly<Record<ScalarType, FieldShape['kind']>>> = {
  [ScalarType.STRING]: 'text',
  [ScalarType.BYTES]: 'bytes',
  [ScalarType.BOOL]: 'boolean',
  [ScalarType.DOUBLE]: 'number',
  [ScalarType.FLOAT]: 'number',
  [ScalarType.INT64]: 'long',
  [ScalarType.UINT64]: 'long',
  [ScalarType.FIXED64]: 'long',
  [ScalarType.SFIXED64]: 'long',
  [ScalarType.SINT64]: 'long',
}

/** Messages with JSON of their own kind (protobuf.dev, "ProtoJSON Format"). */
const wellKnown: Readonly<Record<string, FieldShape['kind'] | undefined>> = {
  'google.protobuf.Any': 'any',
  'google.protobuf.Struct': 'any',
  'google.protobuf.Value': 'any',
  'google.protobuf.ListValue': 'any',
  'google.protobuf.Timestamp': 'time',
  'google.protobuf.Duration': 'time',
  'google.protobuf.FieldMask': 'time',
  'google.protobuf.StringValue': 'text',
  'google.protobuf.BytesValue': 'bytes',
  'google.protobuf.BoolValue': 'boolean',
  'google.protobuf.DoubleValue': 'number',
  'google.protobuf.FloatValue': 'number',
  'google.protobuf.Int32Value': 'integer',
  'google.protobuf.UInt32Value': 'integer',
  'google.protobuf.Int64Value': 'long',
  'google.protobuf.UInt64Value': 'long',
}
