import type { Violation } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import { isRecord } from '../../core/is-record.ts'
import { essence, isJsonType } from '../../core/media-type.ts'
import { type PathTemplate, pathValues } from './openapi-path.ts'
import type { BodyRules, RequestRules } from './own-schemas.ts'
import { queryParameters } from './parameters.ts'
import type { SchemaCheck, SchemaCompiler } from './schema-compiler.ts'

/** What operations are compiled with. */
export interface OpenApiTools {
  readonly document: Readonly<Record<string, unknown>>
  readonly documentId: string
  readonly json: SchemaCompiler
  readonly texts: SchemaCompiler
}

interface OperationPlace {
  readonly method: string
  /** Of the path item, in the document. */
  readonly at: readonly string[]
  readonly template: PathTemplate
}

interface Parameter {
  readonly name: string
  readonly in: 'query' | 'header' | 'path'
  readonly required: boolean
  /** What lies between the items of a list that is written as one value. */
  readonly separator: string | undefined
  readonly check: SchemaCheck
}

/** The rules of one operation. Throws an Error that names the place in the document. */
export function compileOperation(
  item: Readonly<Record<string, unknown>>,
  place: OperationPlace,
  tools: OpenApiTools,
): RequestRules {
  const { method, at, template } = place
  const operation = item[method] as Readonly<Record<string, unknown>>
  const parameters = new Map<string, Parameter>()
  for (const [owner, path] of [
    [item, at],
    [operation, [...at, method]],
  ] as const) {
    const listed = Array.isArray(owner.parameters) ? owner.parameters : []
    for (const [i, written] of listed.entries()) {
      const found = resolve(written, [...path, 'parameters', String(i)], tools)
      const parameter = parameterOf(found.value, found.at, tools)
      if (parameter !== undefined) parameters.set(`${parameter.in} ${parameter.name}`, parameter)
    }
  }
  const body = bodyRules(operation, [...at, method, 'requestBody'], tools)
  const all = [...parameters.values()]
  return {
    head: (x) => headViolations(x, all, template),
    ...(body === undefined ? undefined : { body }),
  }
}

function headViolations(x: Exchange, parameters: readonly Parameter[], template: PathTemplate): Violation[] {
  const query = queryParameters(x.request.query)
  const path = pathValues(template, x.request.path) ?? {}
  return parameters.flatMap((parameter) => {
    const { name, separator, check, required } = parameter
    const sent =
      parameter.in === 'query'
        ? query[name]
        : parameter.in === 'header'
          ? x.header(name.toLowerCase())
          : decoded(path[name])
    if (sent === undefined)
      return required ? [{ field: `${parameter.in}.${name}`, detail: 'is required' }] : []
    const value = separator !== undefined && typeof sent === 'string' ? sent.split(separator) : sent
    return check({ value }).map(({ field, detail }) => ({ field: `${parameter.in}.${name}${field}`, detail }))
  })
}

/** Undefined for what is not checked: cookies, parameters with a content of their own, objects. */
function parameterOf(
  written: Readonly<Record<string, unknown>>,
  at: readonly string[],
  tools: OpenApiTools,
): Parameter | undefined {
  const { name, in: where, style } = written
  if (typeof name !== 'string') throw new Error(`openapi: ${at.join('.')} has no name`)
  if (where !== 'query' && where !== 'header' && where !== 'path') return undefined
  // OpenAPI 3.1.1 section 4.8.12.2: other parameters say what these headers are.
  if (where === 'header' && /^(accept|content-type|authorization)$/i.test(name)) return undefined
  if (!isRecord(written.schema)) return undefined
  const { type } = resolve(written.schema, [...at, 'schema'], tools).value
  if (type === 'object' || style === 'deepObject') return undefined
  const exploded = written.explode ?? (style === undefined || style === 'form')
  const inOneValue = where !== 'query' || exploded === false
  const separators: Readonly<Record<string, string>> = { pipeDelimited: '|', spaceDelimited: ' ' }
  const $ref = `${tools.documentId}#${pointer([...at, 'schema'])}`
  const check = tools.texts.compile(
    { type: 'object', properties: { value: { $ref } }, required: ['value'] },
    '',
  )
  return {
    name,
    in: where,
    required: written.required === true || where === 'path',
    separator: inOneValue && type === 'array' ? (separators[String(style)] ?? ',') : undefined,
    check: (value) => check(value).map((found) => ({ ...found, field: found.field.replace(/^\/value/, '') })),
  }
}

function bodyRules(
  { requestBody }: Readonly<Record<string, unknown>>,
  at: readonly string[],
  tools: OpenApiTools,
): BodyRules | undefined {
  if (requestBody === undefined) return undefined
  const found = resolve(requestBody, at, tools)
  const { content, required } = found.value
  const types = isRecord(content) ? Object.entries(content) : []
  const rules = { required: required === true, types: types.map(([type]) => type) }
  const [type, json] = types.find(([type]) => isJsonType(essence(type))) ?? []
  if (type === undefined || !isRecord(json) || json.schema === undefined)
    return { ...rules, check: undefined }
  const $ref = `${tools.documentId}#${pointer([...found.at, 'content', type, 'schema'])}`
  return { ...rules, check: tools.json.compile({ $ref }, '#') }
}

/** What stands there, or what it refers to in the same document, and where that is. */
function resolve(
  written: unknown,
  at: readonly string[],
  { document }: OpenApiTools,
): { readonly value: Readonly<Record<string, unknown>>; readonly at: readonly string[] } {
  if (!isRecord(written)) throw new Error(`openapi: ${at.join('.')} is no object`)
  const { $ref } = written
  if ($ref === undefined) return { value: written, at }
  if (typeof $ref !== 'string' || !$ref.startsWith('#/'))
    throw new Error(
      `openapi: ${at.join('.')}: "${String($ref)}" leads out of the document; bundle it into one file`,
    )
  const way = $ref
    .slice(2)
    .split('/')
    .map((key) => decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~'))
  let value: unknown = document
  for (const key of way) value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined
  if (!isRecord(value) || value.$ref !== undefined)
    throw new Error(`openapi: ${at.join('.')}: there is nothing at "${$ref}"`)
  return { value, at: way }
}

/** As a URI fragment (RFC 6901 section 6). */
function pointer(keys: readonly string[]): string {
  return keys.map((key) => `/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
