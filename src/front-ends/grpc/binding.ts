import type { DescField, DescMessage } from '@bufbuild/protobuf'
import { messageOf } from '../../core/message-of.ts'
import { parseTemplate, type Template } from '../../routing/template.ts'
import type { RpcMethod } from './descriptors.ts'
import { type FieldPath, findField } from './field-path.ts'
import { type TextReader, textReader } from './field-text.ts'
import type { HttpBinding } from './http-rule.ts'

/** One HTTP binding with all that can be looked up before a request comes. */
export interface Binding {
  readonly method: RpcMethod
  readonly verb: string
  readonly template: Template
  /** One for each variable of the template, in its order. */
  readonly variables: readonly TextField[]
  /** Where the body goes: into the whole message (`*`), into one field, or nowhere. */
  readonly body: '*' | DescField | undefined
  /** The field of the answer that is sent; undefined for the whole. */
  readonly responseBody: DescField | undefined
  /** What query parameters may set: by parameter name, every field that is not bound elsewhere. Filled as names are asked for. */
  queryField(parameter: string): TextField | QueryRefusal
}

/** A field that a path or a query can set. */
export interface TextField {
  readonly path: FieldPath
  readonly read: TextReader
}

/** Why a query parameter sets nothing. */
export type QueryRefusal = 'unknown' | 'bound' | 'unreadable'

/** Checks a binding against the messages of its method. Throws an Error that names the method and the field. */
export function compileBinding(method: RpcMethod, rule: HttpBinding): Binding {
  const { input, output } = method.desc
  const template = parsed(method, rule.template)
  const variables = template.variables.map(({ path }) => pathField(method, path.join('.')))
  const bodyField =
    rule.body === '' || rule.body === '*'
      ? undefined
      : namedField(method, input, `body "${rule.body}"`, rule.body)
  const clash = variables.find(
    ({ path }) => (path.parents[0] ?? path.leaf) === bodyField && path.parents.length === 0,
  )
  if (clash !== undefined) throw new Error(`${method.origin}: "${clash.path.name}" is bound by path and body`)
  const responseBody =
    rule.responseBody === ''
      ? undefined
      : namedField(method, output, `response_body "${rule.responseBody}"`, rule.responseBody)
  const body = rule.body === '*' ? '*' : bodyField
  const bound = new Set(variables.map(({ path }) => path.name))
  const known = new Map<string, TextField | QueryRefusal>()
  return {
    method,
    verb: rule.verb,
    template,
    variables,
    body,
    responseBody,
    queryField(parameter) {
      const remembered = known.get(parameter)
      if (remembered !== undefined) return remembered
      const found = queryField(input, parameter, { body, bound })
      // Names of recursive messages have no end; those of plain ones fit.
      if (typeof found === 'object' && known.size < 1_000) known.set(parameter, found)
      return found
    },
  }
}

function queryField(
  input: DescMessage,
  parameter: string,
  elsewhere: { readonly body: Binding['body']; readonly bound: ReadonlySet<string> },
): TextField | QueryRefusal {
  const path = findField(input, parameter)
  if (path === undefined) return 'unknown'
  if (elsewhere.body === '*' || elsewhere.bound.has(path.name)) return 'bound'
  if (elsewhere.body !== undefined && (path.parents[0] ?? path.leaf) === elsewhere.body) return 'bound'
  const read = textReader(path.leaf)
  return read === undefined ? 'unreadable' : { path, read }
}

function parsed(method: RpcMethod, text: string): Template {
  try {
    return parseTemplate(text)
  } catch (cause) {
    throw new Error(`${method.origin}: ${messageOf(cause)}`, { cause })
  }
}

function pathField(method: RpcMethod, name: string): TextField {
  const path = findField(method.desc.input, name)
  if (path === undefined)
    throw new Error(
      `${method.origin}: the path names "${name}", which ${method.desc.input.typeName} does not have`,
    )
  const read = path.leaf.fieldKind === 'list' ? undefined : textReader(path.leaf)
  if (read === undefined)
    throw new Error(`${method.origin}: "${name}" cannot be set by a path: it is repeated or a message`)
  return { path, read }
}

function namedField(method: RpcMethod, message: DescMessage, role: string, name: string): DescField {
  const field = message.fields.find((one) => one.name === name)
  if (field === undefined) throw new Error(`${method.origin}: ${role} is no field of ${message.typeName}`)
  return field
}
