import { z } from 'zod'

/** A JSON Schema (draft 2020-12), as OpenAPI 3.1 has them. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** The schemas of an OpenAPI document: what has an id stands among the components, once. */
export class OpenApiSchemas {
  readonly #components = new Map<string, JsonSchema>()

  /** @param given components by name, which schemas name by `component` in their meta data. */
  constructor(given: Readonly<Record<string, JsonSchema>>) {
    for (const [name, schema] of Object.entries(given)) this.#components.set(name, schema)
  }

  /** What is sent and has an id; referred to by that. */
  add(schema: z.ZodType): void {
    const whole = this.of(schema, 'input')
    if (whole.$ref === undefined) this.#components.set(String(schema.meta()?.id), whole)
  }

  /** `input`: what is sent, before defaults and transformations; `output`: what is answered. */
  of(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const {
      $schema: _,
      $defs = {},
      ...whole
    } = z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      override: ({ jsonSchema }) => refer(jsonSchema),
    }) as Record<string, unknown> & { $defs?: Record<string, JsonSchema> }
    for (const [name, definition] of Object.entries($defs))
      this.#components.set(name, moved(definition, name) as JsonSchema)
    return moved(whole) as JsonSchema
  }

  /** All that are referred to from the document, by name. */
  componentsOf(document: unknown): Readonly<Record<string, JsonSchema>> {
    const found = new Map<string, JsonSchema>()
    const look = (node: unknown): void => {
      for (const [, name = ''] of JSON.stringify(node).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
        const schema = this.#components.get(name)
        if (schema === undefined || found.has(name)) continue
        found.set(name, schema)
        look(schema)
      }
    }
    look(document)
    return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

/** A schema that another one stands for. */
export function reference(component: string): JsonSchema {
  return { $ref: `#/components/schemas/${component}` }
}

/** What names a component in its meta data is a reference to it. */
function refer(node: Record<string, unknown>): void {
  const { component } = node
  if (typeof component !== 'string') return
  for (const key of Object.keys(node)) delete node[key]
  Object.assign(node, reference(component))
}

/** References as they are within an OpenAPI document; a component needs no id. */
function moved(node: unknown, name?: string): unknown {
  if (Array.isArray(node)) return node.map((one) => moved(one))
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node).flatMap(([key, value]) => {
      if (key === '$ref' && typeof value === 'string')
        return [[key, value.replace('#/$defs/', '#/components/schemas/')]]
      if (key === 'id' && value === name) return []
      return [[key, moved(value)]]
    }),
  )
}
