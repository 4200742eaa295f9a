import { parse } from 'yaml'
import { isRecord } from '../core/is-record.ts'
import type { Policy } from '../core/route.ts'
import type { Json } from './json.ts'

/** What the `validate` plugin of a place holds requests to. */
export interface Validated {
  readonly parameters: readonly Json[]
  /** Undefined: bodies are not checked. */
  readonly body: Json | undefined
}

/** The schemas that requests are checked by, as a description has them. Schemas with references are left out: what they refer to is elsewhere. */
export function validated({ plugins }: Policy, method: string): Validated {
  const use = plugins.find(({ name }) => name === 'validate')
  if (use === undefined) return { parameters: [], body: undefined }
  const { body, bodyRequired, query, headers, path } = use.options as Options
  const schema = schemaOf(body)
  return {
    parameters: [
      ...parametersOf('query', query),
      ...parametersOf('header', headers),
      ...parametersOf('path', path),
    ],
    body:
      schema === undefined || method === 'get'
        ? undefined
        : { required: bodyRequired === true, content: { 'application/json': { schema } } },
  }
}

interface Options {
  readonly body?: unknown
  readonly bodyRequired?: boolean
  readonly query?: unknown
  readonly headers?: unknown
  readonly path?: unknown
}

function parametersOf(where: string, written: unknown): Json[] {
  const schema = schemaOf(written)
  if (!isRecord(schema) || !isRecord(schema.properties)) return []
  const required = Array.isArray(schema.required) ? schema.required : []
  return Object.entries(schema.properties).map(([name, of]) => ({
    name,
    in: where,
    ...((where === 'path' || required.includes(name)) && { required: true }),
    schema: of,
  }))
}

/** A schema is written as YAML or read from a file as text. */
function schemaOf(written: unknown): unknown {
  const schema = typeof written === 'string' ? parsed(written) : written
  if (schema === undefined || /"(\$ref|\$dynamicRef|\$id|\$anchor)":/.test(JSON.stringify(schema)))
    return undefined
  return schema
}

function parsed(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}
