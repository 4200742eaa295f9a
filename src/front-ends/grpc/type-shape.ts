import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescService,
  ScalarType,
} from '@bufbuild/protobuf'

/**
 * What a declaration means on the wire and in JSON, a line for each part of it, in a fixed order; the same for descriptors from any
 * compiler. Comments, options and reserved names are no part of it.
 */
export function shapeOf(desc: DescMessage | DescEnum | DescService): string {
  return linesOf(desc).sort().join('\n')
}

function linesOf(desc: DescMessage | DescEnum | DescService): string[] {
  if (desc.kind === 'enum') {
    return [
      desc.open ? 'open enum' : 'closed enum',
      ...desc.values.map((one) => `${one.name} = ${one.number}`),
    ]
  }
  if (desc.kind === 'message') return ['message', ...desc.fields.map(fieldLine)]
  return [
    'service',
    ...desc.methods.map(
      ({ name, methodKind, input, output }) => `${methodKind} ${name}(${input.typeName}): ${output.typeName}`,
    ),
  ]
}

function fieldLine(field: DescField): string {
  const oneof = field.oneof === undefined ? '' : ` in oneof ${field.oneof.name}`
  return `${typeOf(field)} ${field.name} = ${field.number} ("${field.jsonName}"), presence ${field.presence}${oneof}`
}

function typeOf(field: DescField): string {
  const inner = valueType(field)
  if (field.fieldKind === 'map') return `map<${ScalarType[field.mapKey].toLowerCase()}, ${inner}>`
  return field.fieldKind === 'list' ? `repeated ${inner}` : inner
}

function valueType(field: DescField): string {
  if (field.message !== undefined) return field.message.typeName
  if (field.enum !== undefined) return field.enum.typeName
  return field.scalar === undefined ? 'group' : ScalarType[field.scalar].toLowerCase()
}
