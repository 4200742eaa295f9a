import type { DescEnum, DescField, DescMessage, DescOneof } from '@bufbuild/protobuf'
import { FeatureSet_FieldPresence as Presence } from '@bufbuild/protobuf/wkt'
import type { ProtoComments } from '../proto-comments.ts'
import type { JsonStyle } from '../render-reply.ts'
import { mapKeySchema, type Schema, scalarSchema } from './scalar-schema.ts'
import { wellKnownSchema } from './well-known.ts'

/** The schemas of a document in one JSON style; each message and enum that is asked for becomes a component. */
export interface Schemas {
  readonly style: Pick<JsonStyle, 'protoNames' | 'enumsAsNumbers'>
  /** A reference to the message's component. */
  message(desc: DescMessage): Schema
  /** A value of the field: of a repeated one an array, of a map an object. */
  field(field: DescField): Schema
  /** One item of a repeated field, or the value of a singular one. */
  item(field: DescField): Schema
  /** How the field is called in JSON. */
  nameOf(field: DescField): string
}

export interface SchemasOptions {
  /** Grows by what is asked for. */
  readonly components: Map<string, Schema>
  readonly comments: ProtoComments
  readonly style: Schemas['style']
  /** Behind the names of components; `''` unless services of one document differ in their style. */
  readonly suffix: string
}

/** Schemas in ProtoJSON's words. */
export function createSchemas({ components, comments, style, suffix }: SchemasOptions): Schemas {
  const component = (typeName: string, make: () => Schema): Schema => {
    const name = `${typeName}${suffix}`
    if (!components.has(name)) {
      // First the place, then the content: messages contain themselves.
      components.set(name, {})
      components.set(name, make())
    }
    return { $ref: `#/components/schemas/${name}` }
  }
  const schemas: Schemas = {
    style,
    message: (desc) =>
      component(desc.typeName, () => wellKnownSchema(desc) ?? messageSchema(desc, { schemas, comments })),
    field(field) {
      if (field.fieldKind === 'list') return { type: 'array', items: schemas.item(field) }
      if (field.fieldKind !== 'map') return schemas.item(field)
      const propertyNames = mapKeySchema(field.mapKey)
      const additionalProperties = schemas.item(field)
      return { type: 'object', ...(propertyNames && { propertyNames }), additionalProperties }
    },
    item(field) {
      if (field.message !== undefined) return schemas.message(field.message)
      const { enum: values } = field
      if (values !== undefined) return component(values.typeName, () => enumSchema(values, comments, style))
      return field.scalar === undefined ? {} : scalarSchema(field.scalar)
    },
    nameOf: (field) => (style.protoNames ? field.name : field.jsonName),
  }
  return schemas
}

/** A description as a property, or nothing. */
export function described(text: string | undefined): { readonly description?: string } {
  return text === undefined || text === '' ? {} : { description: text }
}

interface Within {
  readonly schemas: Schemas
  readonly comments: ProtoComments
}

function messageSchema(desc: DescMessage, { schemas, comments }: Within): Schema {
  const properties = Object.fromEntries(
    desc.fields.map((field) => [
      schemas.nameOf(field),
      { ...schemas.field(field), ...described(comments.get(`${desc.typeName}.${field.name}`)) },
    ]),
  )
  const required = desc.fields.filter(({ presence }) => presence === Presence.LEGACY_REQUIRED)
  const choices = desc.oneofs.filter(({ fields }) => fields.length > 1)
  const rules = choices.map((oneof) => oneofSchema(oneof, schemas))
  return {
    type: 'object',
    ...described(
      [comments.get(desc.typeName) ?? '', ...choices.map((one) => choiceText(one, schemas))]
        .join('\n\n')
        .trim(),
    ),
    ...(desc.fields.length > 0 && { properties }),
    ...(required.length > 0 && { required: required.map(schemas.nameOf) }),
    ...(rules.length === 1 ? rules[0] : rules.length > 1 && { allOf: rules }),
  }
}

/** Exactly one of the members, or none of them. */
function oneofSchema({ fields }: DescOneof, { nameOf }: Schemas): Schema {
  const members = fields.map(nameOf).map((name) => ({ properties: { [name]: {} }, required: [name] }))
  return { oneOf: [...members, { not: { anyOf: members } }] }
}

function choiceText({ name, fields }: DescOneof, { nameOf }: Schemas): string {
  return `At most one of (${name}): ${fields.map((field) => `\`${nameOf(field)}\``).join(', ')}.`
}

function enumSchema(desc: DescEnum, comments: ProtoComments, { enumsAsNumbers }: Schemas['style']): Schema {
  if (desc.typeName === 'google.protobuf.NullValue') return { type: 'null' }
  const lines = desc.values.flatMap(({ name, number }) => {
    const comment = comments.get(`${desc.typeName}.${name}`)?.replace(/\s+/g, ' ')
    if (comment === undefined && !enumsAsNumbers) return []
    return `- \`${name}\`${enumsAsNumbers ? ` (${number})` : ''}${comment === undefined ? '' : `: ${comment}`}`
  })
  const text = [comments.get(desc.typeName) ?? '', lines.join('\n')].join('\n\n').trim()
  return enumsAsNumbers
    ? {
        type: 'integer',
        format: 'int32',
        ...described(text),
        enum: [...new Set(desc.values.map((one) => one.number))],
      }
    : { type: 'string', ...described(text), enum: desc.values.map((one) => one.name) }
}
