import type { DescField, DescMessage } from '@bufbuild/protobuf'
import type { OpenApiPath } from '../../../routing/open-api-path.ts'
import type { Template } from '../../../routing/template.ts'
import type { Binding } from '../binding.ts'
import { fieldBehaviors } from '../field-behavior.ts'
import type { ProtoComments } from '../proto-comments.ts'
import type { Schema } from './scalar-schema.ts'
import { described, isRequired, type Schemas } from './schemas.ts'
import { wrappedSchema } from './well-known.ts'

/** What the parameters of an operation are described with. */
export interface ParametersOptions {
  readonly schemas: Schemas
  readonly comments: ProtoComments
}

/** The variable segments of a path. One that is all of a field has the field's schema; the pieces of a longer one are text. */
export function pathParameters(
  { variables, template }: Binding,
  path: OpenApiPath,
  { schemas, comments }: ParametersOptions,
): Schema[] {
  const texts = variableTexts(template, path)
  return path.parameters.map(({ name, variable, whole, open }) => {
    const field = variable === undefined ? undefined : variables[variable]?.path
    const manner = open
      ? 'Any number of segments, none included; slashes between them are sent as they are.'
      : ''
    const about =
      field === undefined
        ? ''
        : whole
          ? [comments.get(commentKey(field.leaf)), name === field.name ? '' : `Sets \`${field.name}\`.`]
          : [`Part of \`${field.name}\`: \`${texts[variable ?? 0]}\`.`]
    return {
      name,
      in: 'path',
      required: true,
      ...described([...about, manner].filter((text) => text !== undefined && text !== '').join(' ')),
      schema: whole && !open && field !== undefined ? textSchema(field.leaf, schemas) : { type: 'string' },
    }
  })
}

/**
 * The fields that a query can set, by their names in JSON. A message is not followed into itself, and of messages that contain each
 * other at will only the first are followed: what a query may set has no end then, a document must have one.
 */
export function queryParameters(binding: Binding, options: ParametersOptions): Schema[] {
  if (binding.body === '*') return []
  return within(binding.method.desc.input, {
    binding,
    options,
    parents: [],
    way: new Set(),
    left: { messages: maxMessages },
  })
}

const maxMessages = 100

interface Walk {
  readonly binding: Binding
  readonly options: ParametersOptions
  readonly parents: readonly DescField[]
  /** The messages around the one that is looked into. */
  readonly way: ReadonlySet<DescMessage>
  /** How many messages may still be looked into. */
  readonly left: { messages: number }
}

function within(message: DescMessage, { binding, options, parents, way, left }: Walk): Schema[] {
  if (way.has(message) || left.messages-- <= 0) return []
  const { schemas, comments } = options
  return message.fields.flatMap((field): Schema[] => {
    // Only answers have it.
    if (fieldBehaviors(field).has('OUTPUT_ONLY')) return []
    const fields = [...parents, field]
    const found = binding.queryField(fields.map((one) => one.name).join('.'))
    if (typeof found === 'object') {
      const isList = field.fieldKind === 'list'
      const item = textSchema(field, schemas)
      return [
        {
          name: fields.map(schemas.nameOf).join('.'),
          in: 'query',
          ...described(comments.get(commentKey(field))),
          ...(fields.every(isRequired) && { required: true }),
          ...(field.deprecated && { deprecated: true }),
          schema: isList ? { type: 'array', items: item } : item,
          ...(isList && { style: 'form', explode: true }),
        },
      ]
    }
    const { message: inner } = field
    if (found === 'bound' || field.fieldKind !== 'message' || inner === undefined) return []
    // Struct, Value and Any are written as JSON, which no parameter is.
    if (inner.typeName.startsWith('google.protobuf.')) return []
    return within(inner, { binding, options, parents: fields, way: new Set(way).add(message), left })
  })
}

/** A value as text: wrappers are the values within them, because there is no null. */
function textSchema(field: DescField, schemas: Schemas): Schema {
  return (field.message && wrappedSchema(field.message)) ?? schemas.item(field)
}

function commentKey(field: DescField): string {
  return `${field.parent.typeName}.${field.name}`
}

/** What each variable of the template looks like in the path. */
function variableTexts({ variables, verb }: Template, { text }: OpenApiPath): string[] {
  const segments = text.slice(1, verb === '' ? undefined : -verb.length - 1).split('/')
  return variables.map(({ start, end }) => segments.slice(start, end).join('/'))
}
