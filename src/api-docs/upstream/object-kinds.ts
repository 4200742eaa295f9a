/** What may stand at a key: text, true or false, any data, one of a kind, a list or a map of such. */
export type Shape =
  | 'text'
  | 'boolean'
  | 'data'
  | Kind
  | { readonly list: Kind | 'text' }
  | { readonly map: Kind }

export type Kind =
  | 'parameter'
  | 'header'
  | 'requestBody'
  | 'response'
  | 'mediaType'
  | 'encoding'
  | 'example'
  | 'externalDocs'
  | 'schema'

/** How the objects of a kind are taken over. */
export interface ObjectKind {
  /** Where the components of the kind are; undefined: there are none, and no references to them. */
  readonly section?: string
  readonly required?: readonly string[]
  readonly keys: Readonly<Record<string, Shape>>
}

const content: Shape = { map: 'mediaType' }
const examples: Shape = { map: 'example' }
const parameterKeys = {
  description: 'text',
  required: 'boolean',
  deprecated: 'boolean',
  allowEmptyValue: 'boolean',
  style: 'text',
  explode: 'boolean',
  allowReserved: 'boolean',
  schema: 'schema',
  example: 'data',
  examples,
  content,
} as const
const schemas: Shape = { map: 'schema' }
const schemaList: Shape = { list: 'schema' }

/**
 * The objects of OpenAPI 3.1.1 section 4.8 as they are taken over from the document of an upstream. What is missing here is left out: servers
 * and security, which are the gateway's; links and callbacks, which tell of operations that may not be routed.
 */
export const objectKinds: Readonly<Record<Kind, ObjectKind>> = {
  parameter: {
    section: 'parameters',
    required: ['name', 'in'],
    keys: { name: 'text', in: 'text', ...parameterKeys },
  },
  header: { section: 'headers', keys: parameterKeys },
  requestBody: {
    section: 'requestBodies',
    required: ['content'],
    keys: { description: 'text', content, required: 'boolean' },
  },
  response: {
    section: 'responses',
    required: ['description'],
    keys: { description: 'text', headers: { map: 'header' }, content },
  },
  mediaType: {
    keys: { schema: 'schema', example: 'data', examples, encoding: { map: 'encoding' } },
  },
  encoding: {
    keys: {
      contentType: 'text',
      headers: { map: 'header' },
      style: 'text',
      explode: 'boolean',
      allowReserved: 'boolean',
    },
  },
  example: {
    section: 'examples',
    keys: { summary: 'text', description: 'text', value: 'data' },
  },
  externalDocs: { required: ['url'], keys: { description: 'text', url: 'text' } },
  schema: {
    section: 'schemas',
    // Other keywords are data.
    keys: {
      $defs: schemas,
      properties: schemas,
      patternProperties: schemas,
      dependentSchemas: schemas,
      items: 'schema',
      prefixItems: schemaList,
      contains: 'schema',
      additionalProperties: 'schema',
      unevaluatedProperties: 'schema',
      unevaluatedItems: 'schema',
      propertyNames: 'schema',
      contentSchema: 'schema',
      allOf: schemaList,
      anyOf: schemaList,
      oneOf: schemaList,
      not: 'schema',
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: 'schema',
      if: 'schema',
      else: 'schema',
      externalDocs: 'externalDocs',
    },
  },
}
