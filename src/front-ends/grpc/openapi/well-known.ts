import type { DescMessage } from '@bufbuild/protobuf'
import { type Schema, scalarSchema } from './scalar-schema.ts'

/** The schema of a type with a JSON form of its own; undefined for all others. Source: the ProtoJSON specification. */
export function wellKnownSchema(desc: DescMessage): Schema | undefined {
  return fixed[desc.typeName] ?? wrapperSchema(desc)
}

/** Of a wrapper (`google.protobuf.Int64Value` and its like) the schema of the value within; undefined for all others. */
export function wrappedSchema(desc: DescMessage): Schema | undefined {
  const [value] = desc.fields
  if (value?.scalar === undefined || !/^google\.protobuf\.\w+Value$/.test(desc.typeName)) return undefined
  return desc.fields.length === 1 ? scalarSchema(value.scalar) : undefined
}

function wrapperSchema(desc: DescMessage): Schema | undefined {
  const value = wrappedSchema(desc)
  if (value === undefined) return undefined
  const { type, oneOf } = value
  const description = 'A value that can be absent: null.'
  return Array.isArray(oneOf)
    ? { oneOf: [...oneOf, { type: 'null' }], description }
    : { ...value, type: [type, 'null'], description }
}

const fixed: Readonly<Record<string, Schema>> = {
  'google.protobuf.Timestamp': {
    type: 'string',
    format: 'date-time',
    description: 'A moment as RFC 3339 writes it, with up to nine fractional digits.',
  },
  'google.protobuf.Duration': {
    type: 'string',
    pattern: '^-?[0-9]+(\\.[0-9]{1,9})?s$',
    description: 'Seconds with up to nine fractional digits, then "s": 1.5s.',
  },
  'google.protobuf.FieldMask': {
    type: 'string',
    description: 'Paths of fields in lowerCamelCase, separated by commas: title,author.name.',
  },
  'google.protobuf.Struct': {
    type: 'object',
    additionalProperties: true,
    description: 'Any JSON object.',
  },
  'google.protobuf.Value': { description: 'Any JSON value.' },
  'google.protobuf.ListValue': { type: 'array', items: {}, description: 'Any JSON array.' },
  'google.protobuf.Empty': { type: 'object', description: 'An object without fields.' },
  'google.protobuf.Any': {
    type: 'object',
    properties: {
      '@type': { type: 'string', description: 'Which message it is: type.googleapis.com/name.' },
    },
    additionalProperties: true,
    description: 'A message of any type, its fields beside "@type".',
  },
}
