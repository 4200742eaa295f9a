import { z } from 'zod'
import { size } from '../../core/units.ts'

const schema = z.union([z.boolean(), z.record(z.string(), z.unknown()), z.string()])

/** What `validate` is configured with. */
export const validateOptions = z
  .strictObject({
    body: schema
      .optional()
      .describe(
        'JSON Schema (draft 2020-12) of the body, written here or as file://; bodies must be JSON then.',
      ),
    bodyRequired: z
      .boolean()
      .default(true)
      .describe('Whether a request without a body is refused, where `body` is given.'),
    query: schema
      .optional()
      .describe(
        'JSON Schema of the query as an object: texts are read as the numbers, booleans and lists that it asks for.',
      ),
    headers: schema.optional().describe('The same for the headers, by their lower-case names.'),
    path: schema.optional().describe("The same for the variables of the route's path."),
    openapi: z
      .string()
      .optional()
      .describe(
        'Text of an OpenAPI document (3.0 or 3.1), as file://: requests must fit its operation of their path and method. Excludes the others.',
      ),
    basePath: z
      .string()
      .regex(/^(\/[^/]+)+$/, 'expected a path without a slash at its end: /v1')
      .optional()
      .describe('What stands before the paths of the OpenAPI document here; nothing by default.'),
    maxBytes: size()
      .prefault('1mb')
      .describe('Longest body that is read to be checked; a longer one is refused.'),
  })
  .superRefine((options, context) => {
    const own = (['body', 'query', 'headers', 'path'] as const).filter((key) => options[key] !== undefined)
    const refuse = (path: string[], message: string): void => {
      context.addIssue({ code: 'custom', path, message })
    }
    if (options.openapi === undefined) {
      if (own.length === 0) refuse([], 'checks nothing: give body, query, headers, path or openapi')
      if (options.basePath !== undefined) refuse(['basePath'], 'is for openapi')
    }
    for (const key of options.openapi === undefined ? [] : own)
      refuse([key], 'stands beside openapi, which says it')
    if (options.body === undefined && !options.bodyRequired) refuse(['bodyRequired'], 'is for `body`')
  })

export type ValidateOptions = z.output<typeof validateOptions>
