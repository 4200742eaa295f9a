import type { DescEnum, DescField, DescMessage, DescOneof } from '@bufbuild/protobuf'
import { FeatureSet_FieldPresence as Presence } from '@bufbuild/protobuf/wkt'
import { fieldBehaviors } from '../field-behavior.ts'
import type { ProtoComments } from '../proto-comments.ts'
import type { JsonStyle } from '../render-reply.ts'
import { mapKeySchema, type Schema, scalarSchema } from './scalar-schema.ts'
import { wellKnownSchema } from './well-known.ts'

/** The schemas of a document in one JSON style; each message and enum that is asked for becomes a component. */
export interface Schemas {
  readonly style: Pick<JsonStyle, 'protoNames' | 'enumsAsNumbers'>
  /** A reference to the message's component. */
  message(desc: DescMessage): Schema
  /** The message as a body beside a path that sets the given fields of it: they may be absent, required or not. */
  body(desc: DescMessage, setByPath: ReadonlySet<DescField>): Schema
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
    body: (desc, setByPath) =>
      [...setByPath].some(isRequired)
        ? messageSchema(desc, { schemas, comments, setByPath })
        : schemas.message(desc),
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

/** Whether a request must set the field. */
export function isRequired(field: DescField): boolean {
  return field.presence === Presence.LEGACY_REQUIRED || fieldBehaviors(field).has('REQUIRED')
}

interface Within {
  readonly schemas: Schemas
  readonly comments: ProtoComments
  readonly setByPath?: ReadonlySet<DescField>
}

function messageSchema(desc: DescMessage, { schemas, comments, setByPath }: Within): Schema {
  const properties = Object.fromEntries(
    desc.fields.map((field) => [
      schemas.nameOf(field),
      { ...schemas.field(field), ...annotations(field, comments) },
    ]),
  )
  const required = desc.fields.filter((field) => isRequired(field) && setByPath?.has(field) !== true)
  const choices = desc.oneofs.filter(({ fields }) => fields.length > 1)
  const rules = choices.map((oneof) => oneofSchema(oneof, schemas))
  return {
    type: 'object',
    ...described(
      [comments.get(desc.typeName) ?? '', ...choices.map((one) => choiceText(one, { schemas, comments }))]
        .join('\n\n')
        .trim(),
    ),
    ...(desc.deprecated && { deprecated: true }),
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

function choiceText(oneof: DescOneof, { schemas, comments }: Within): string {
  const { name, fields, parent } = oneof
  const members = fields.map((field) => `\`${schemas.nameOf(field)}\``).join(', ')
  const comment = comments.get(`${parent.typeName}.${name}`)
  return `At most one of (${name}): ${members}.${comment === undefined ? '' : ` ${comment}`}`
}

/** What is said of a field beside its type. JSON Schema has no word for what an identifier is or for what never changes. */
function annotations(field: DescField, comments: ProtoComments): Schema {
  const behaviors = fieldBehaviors(field)
  const notes = [
    comments.get(`${field.parent.typeName}.${field.name}`) ?? '',
    behaviors.has('IDENTIFIER') ? 'Identifies the resource.' : '',
    behaviors.has('IMMUTABLE') ? 'Cannot be changed once it is set.' : '',
  ]
  return {
    ...described(notes.filter((note) => note !== '').join(' ')),
    ...(field.deprecated && { deprecated: true }),
    ...(behaviors.has('OUTPUT_ONLY') && { readOnly: true }),
    ...(behaviors.has('INPUT_ONLY') && { writeOnly: true }),
  }
}

function enumSchema(desc: DescEnum, comments: ProtoComments, { enumsAsNumbers }: Schemas['style']): Schema {
  if (desc.typeName === 'google.protobuf.NullValue') return { type: 'null' }
  const lines = desc.values.flatMap(({ name, number, deprecated }) => {
    const comment = comments.get(`${desc.typeName}.${name}`)?.replace(/\s+/g, ' ')
    if (comment === undefined && !enumsAsNumbers && !deprecated) return []
    const title = `- \`${name}\`${enumsAsNumbers ? ` (${number})` : ''}${deprecated ? ' (deprecated)' : ''}`
    return `${title}${comment === undefined ? '' : `: ${comment}`}`
  })
  const text = [comments.get(desc.typeName) ?? '', lines.join('\n')].join('\n\n').trim()
  const about = { ...described(text), ...(desc.deprecated && { deprecated: true }) }
  return enumsAsNumbers
    ? { type: 'integer', format: 'int32', ...about, enum: [...new Set(desc.values.map((one) => one.number))] }
    : { type: 'string', ...about, enum: desc.values.map((one) => one.name) }
}
