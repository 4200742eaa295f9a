import {
  type GraphQLInputType,
  type GraphQLSchema,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  typeFromAST,
  type VariableDefinitionNode,
} from 'graphql'
import type { Exchange } from '../../core/exchange.ts'
import { isRecord } from '../../core/is-record.ts'
import { compileJson, onlyValue } from '../../core/json-template.ts'
import { Mistake, within } from '../../core/mistake.ts'
import {
  compileText,
  isLiteral,
  type Place,
  renderText,
  type TextTemplate,
} from '../../core/text-template.ts'
import { unfitValue } from '../../core/unfit-value.ts'
import { literalProblem, readText } from './variable-text.ts'

/** The variables of a stored operation, as they are written in the configuration. */
export type WrittenVariables = Readonly<Record<string, unknown>>

/** Makes the variables for one exchange; a value that is not there makes none. Throws INVALID_ARGUMENT for texts that do not fit. */
export type FillVariables = (x: Exchange) => Record<string, unknown>

/** What {@link compileVariables} needs besides what is written. */
export interface VariableOptions {
  readonly schema: GraphQLSchema
  readonly definitions: readonly VariableDefinitionNode[]
  readonly place: Place
}

/**
 * Compiles the variables of an operation: texts are read as its definitions say (`42` as an Int, every `tag` of a query as a list); what
 * comes out of JSON keeps its type. Throws a Mistake for a variable that the operation has not, for one that it needs and does not get, and
 * for a value that can never fit.
 */
export function compileVariables(written: WrittenVariables, options: VariableOptions): FillVariables {
  const { schema, definitions, place } = options
  const declared = definitions.map(({ variable }) => variable.name.value)
  for (const name of Object.keys(written)) {
    if (declared.includes(name)) continue
    const has = declared.length === 0 ? 'none' : declared.map((one) => `$${one}`).join(', ')
    throw new Mistake([name], `the operation declares no $${name}; it has ${has}`)
  }
  const filled = definitions.flatMap((definition) => {
    const name = definition.variable.name.value
    const type = typeFromAST(schema, definition.type as never)
    if (!isInputType(type)) throw new Mistake([name], `$${name} is of no input type`)
    const isNeeded = isNonNullType(type) && definition.defaultValue === undefined
    if (!Object.hasOwn(written, name)) {
      if (isNeeded) throw new Mistake([], `the operation needs $${name}, which is of type ${type}`)
      return []
    }
    const value = within([name], () => compileInput(written[name], type, place))
    return [{ name, value, isNeeded, from: sourceOf(written[name], place) ?? name }]
  })
  return (x) => {
    const variables: Record<string, unknown> = {}
    for (const { name, value, isNeeded, from } of filled) {
      const found = value(x)
      if (found !== undefined) variables[name] = found
      else if (isNeeded) throw unfitValue(from, 'is missing')
    }
    return variables
  }
}

type Fill = (x: Exchange) => unknown

function compileInput(written: unknown, type: GraphQLInputType, place: Place): Fill {
  const inner = isNonNullType(type) ? (type.ofType as GraphQLInputType) : type
  if (typeof written === 'string') return compileInputText(compileText(written, place), inner)
  if (Array.isArray(written)) {
    if (!isListType(inner)) throw new Mistake([], `is a list, and the operation wants ${type}`)
    const items = written.map((item, index) => within([index], () => compileInput(item, inner.ofType, place)))
    return (x) => items.map((item) => item(x) ?? null)
  }
  if (isRecord(written)) return compileInputObject(written, inner, place)
  const problem = literalProblem(written, type)
  if (problem !== undefined) throw new Mistake([], problem)
  return () => written
}

function compileInputObject(
  written: Readonly<Record<string, unknown>>,
  type: GraphQLInputType,
  place: Place,
): Fill {
  if (isListType(type)) throw new Mistake([], `is an object, and the operation wants ${type}`)
  // A scalar of the schema's own, which may be any JSON.
  if (!isInputObjectType(type)) {
    const problem = literalProblem(written, type)
    if (problem !== undefined) throw new Mistake([], problem)
    return compileJson(written, place)
  }
  const fields = type.getFields()
  for (const field of Object.values(fields))
    if (isRequiredInputField(field) && !Object.hasOwn(written, field.name))
      throw new Mistake([], `has no "${field.name}", which ${type} needs`)
  const members = Object.entries(written).map(([key, value]) => {
    const field = fields[key]
    if (field === undefined) throw new Mistake([key], `${type} has no such field`)
    return [key, within([key], () => compileInput(value, field.type, place))] as const
  })
  return (x) => {
    const filled = members.map(([key, value]) => [key, value(x)] as const)
    return Object.fromEntries(filled.filter(([, value]) => value !== undefined))
  }
}

/** `type`: that of the value when it is there. */
function compileInputText(text: TextTemplate, type: GraphQLInputType): Fill {
  if (isLiteral(text)) {
    const read = readText(text.join(''), type)
    if ('problem' in read) throw new Mistake([], read.problem)
    return () => read.value
  }
  const only = onlyValue(text)
  const fits = (found: string): unknown => {
    const read = readText(found, type)
    if ('problem' in read) throw unfitValue(only?.name ?? 'A value', read.problem)
    return read.value
  }
  if (only === undefined) {
    requireReadable(type)
    return (x) => fits(renderText(text, x, (found = '') => found))
  }
  const { json, list, fallback } = only
  const missing = fallback === undefined ? () => undefined : () => fits(fallback)
  if (json !== undefined) {
    return (x) => {
      const found = json(x)
      return found === undefined ? missing() : found
    }
  }
  requireReadable(type)
  if (list !== undefined && isListType(type)) {
    const item = compileItem(type.ofType, only.name)
    return (x) => {
      const found = list(x)
      return found.length === 0 ? missing() : found.map(item)
    }
  }
  return (x) => {
    const found = only.read(x)
    return found === undefined ? missing() : fits(found)
  }
}

function compileItem(type: GraphQLInputType, name: string): (text: string) => unknown {
  const inner = isNonNullType(type) ? (type.ofType as GraphQLInputType) : type
  return (text) => {
    const read = readText(text, inner)
    if ('problem' in read) throw unfitValue(name, read.problem)
    return read.value
  }
}

/** No text can be an input object. */
function requireReadable(type: GraphQLInputType): void {
  let inner: GraphQLInputType = type
  while (isListType(inner) || isNonNullType(inner)) inner = inner.ofType as GraphQLInputType
  if (isInputObjectType(inner))
    throw new Mistake([], `no text is a ${type}: write an object, or a value of request.body`)
}

/** The one value that a variable is made from, for messages: `query.first`. */
function sourceOf(written: unknown, place: Place): string | undefined {
  return typeof written === 'string' ? onlyValue(compileText(written, place))?.name : undefined
}
