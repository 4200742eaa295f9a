import { parse } from 'yaml'
import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import { isRecord } from '../../core/is-record.ts'
import { compileOperation } from './openapi-operation.ts'
import { matchingPaths, type PathTemplate, pathTemplate } from './openapi-path.ts'
import { asDraft2020 } from './openapi-schema.ts'
import type { RequestRules } from './own-schemas.ts'
import { SchemaCompiler } from './schema-compiler.ts'

/** What a document is called in its own references. */
const documentId = 'openapi.json'
const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const

interface Path extends PathTemplate {
  /** By method in upper case. */
  readonly operations: ReadonlyMap<string, RequestRules>
}

/**
 * Compiles an OpenAPI document (3.0 or 3.1, JSON or YAML): the rules for a request, by its path and method. A request for a path or method that
 * the document has not is refused with ROUTE_NOT_FOUND or METHOD_NOT_ALLOWED. Throws an Error that names the place of what cannot work.
 */
export function compileOpenApi(text: string, basePath: string): (x: Exchange) => RequestRules {
  const document = readDocument(text)
  const json = new SchemaCompiler({ lenient: true })
  const texts = new SchemaCompiler({ lenient: true, coerce: true })
  const tools = { document, documentId, json, texts }
  json.add(document, documentId)
  texts.add(document, documentId)
  const { paths } = document
  if (!isRecord(paths)) throw new Error('openapi: has no `paths`')
  const compiled = Object.entries(paths)
    .filter(([template]) => template.startsWith('/'))
    .map(([template, item]): Path => {
      const at = ['paths', template]
      const own = isRecord(item) ? item : {}
      const operations = new Map<string, RequestRules>()
      for (const method of methods) {
        if (!isRecord(own[method])) continue
        const place = { method, at, template: pathTemplate(basePath + template) }
        operations.set(method.toUpperCase(), compileOperation(own, place, tools))
      }
      return { ...pathTemplate(basePath + template), operations }
    })
  return (x) => rulesFor(x, compiled)
}

function rulesFor({ request }: Exchange, paths: readonly Path[]): RequestRules {
  const found = matchingPaths(request.path, paths)
  for (const { operations } of found) {
    const rules =
      operations.get(request.method) ?? (request.method === 'HEAD' ? operations.get('GET') : undefined)
    if (rules !== undefined) return rules
  }
  if (found.length === 0)
    throw new GatewayError('ROUTE_NOT_FOUND', 'The API description of this route has no such path.')
  const allow = [...new Set(found.flatMap(({ operations }) => [...operations.keys()]))].join(', ')
  throw new GatewayError('METHOD_NOT_ALLOWED', `This path takes ${allow}.`, { headers: ['Allow', allow] })
}

function readDocument(text: string): Record<string, unknown> {
  const document: unknown = parse(text)
  if (!isRecord(document)) throw new Error('openapi: is no OpenAPI document; read one with file://')
  const { openapi } = document
  const version = /^3\.[01]\b/.exec(String(openapi))?.[0]
  if (version === undefined)
    throw new Error(`openapi: is of version ${String(openapi)}; 3.0 and 3.1 are read`)
  return version === '3.0' ? (asDraft2020(document) as Record<string, unknown>) : { ...document }
}
