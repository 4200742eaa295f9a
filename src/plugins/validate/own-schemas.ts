import { parse } from 'yaml'
import type { Violation } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import { isRecord } from '../../core/is-record.ts'
import { messageOf } from '../../core/message-of.ts'
import type { Place } from '../../core/text-template.ts'
import type { ValidateOptions } from './options.ts'
import { headerParameters, queryParameters } from './parameters.ts'
import { type JsonSchema, type SchemaCheck, SchemaCompiler } from './schema-compiler.ts'

/** What a request is held against. */
export interface RequestRules {
  /** What is wrong with the head; empty: nothing. */
  head(x: Exchange): readonly Violation[]
  /** What the body must be like; undefined: anything. */
  readonly body?: BodyRules | undefined
}

export interface BodyRules {
  readonly required: boolean
  /** What the body may be: `image/png`, `image/*`; empty: JSON. */
  readonly types: readonly string[]
  /** For bodies that are JSON; those of other types are not looked into. Undefined: nor are these. */
  readonly check: SchemaCheck | undefined
}

/** Compiles the schemas that were written for one place. Throws an Error that begins with the key of what cannot work. */
export function compileOwnSchemas(options: ValidateOptions, place: Place): RequestRules {
  const json = new SchemaCompiler()
  const texts = new SchemaCompiler({ coerce: true })
  const compiled = (
    key: 'body' | 'query' | 'headers' | 'path',
    by: SchemaCompiler,
  ): SchemaCheck | undefined => {
    const written = options[key]
    if (written === undefined) return undefined
    try {
      return by.compile(schemaOf(written), places[key])
    } catch (error) {
      throw new Error(`${key}: ${messageOf(error)}`)
    }
  }
  const query = compiled('query', texts)
  const headers = compiled('headers', texts)
  const path = compiled('path', texts)
  const variables = pathVariables(options, place)
  const body = compiled('body', json)
  return {
    head(x) {
      const found: Violation[] = []
      if (path !== undefined) found.push(...path(variables(x)))
      if (query !== undefined) found.push(...query(queryParameters(x.request.query)))
      if (headers !== undefined) found.push(...headers(headerParameters(x)))
      return found
    },
    ...(body === undefined
      ? undefined
      : { body: { required: options.bodyRequired, types: [], check: body } }),
  }
}

/** A schema that came from a file is text, JSON or YAML. */
function schemaOf(written: NonNullable<ValidateOptions['body']>): JsonSchema {
  const schema: unknown = typeof written === 'string' ? parse(written) : written
  if (typeof schema !== 'boolean' && !isRecord(schema)) throw new Error('is no JSON Schema')
  return schema
}

/** Those that the schema names. */
function pathVariables({ path }: ValidateOptions, place: Place): (x: Exchange) => Record<string, unknown> {
  if (path === undefined) return () => ({})
  const schema = schemaOf(path)
  const { properties = {} } = typeof schema === 'boolean' ? {} : schema
  const read = Object.keys(isRecord(properties) ? properties : {}).map((name) => {
    const variable = place.variable(name)
    if (variable === undefined) throw new Error(`path: the path of this route has no variable "${name}"`)
    return [name, variable] as const
  })
  return (x) => Object.fromEntries(read.map(([name, variable]) => [name, variable.decoded(x)]))
}

const places = { body: '#', query: 'query', headers: 'headers', path: 'path' } as const
