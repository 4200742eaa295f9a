import { z } from 'zod'
import { type PluginOptions, pluginItemSchema } from './plugin-list.ts'
import { configSchema } from './schema.ts'

/** The JSON schema (draft 2020-12) of `gateway.yaml`, as editors use it and `schemas/gateway.schema.json` holds it. */
export function configJsonSchema(plugins: readonly PluginOptions[]): object {
  const toSchema = (schema: z.ZodType): object => {
    const { $schema: _, ...rest } = z.toJSONSchema(schema, { ...options, override }) as Record<
      string,
      unknown
    >
    return rest
  }
  const document = toSchema(configSchema(plugins)) as Record<string, unknown>
  const item = pluginItemSchema(plugins, toSchema)
  replacePluginItems(document)
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Trivium gateway configuration',
    ...document,
    $defs: { plugin: item },
  }
}

/** Where only some values are valid, editors must also take `${NAME}`: what it holds is not known to them. */
function override({ jsonSchema: node }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (node.pattern !== undefined) node.pattern = `(?:${node.pattern})|${variable}`
  const { description, default: usual, enum: words, type, ...rest } = node
  if (words === undefined && type !== 'integer' && type !== 'number' && type !== 'boolean') return
  for (const key of Object.keys(node)) delete node[key]
  if (description !== undefined) node.description = description
  if (usual !== undefined) node.default = usual
  const exact = { ...rest, ...(type !== undefined && { type }), ...(words !== undefined && { enum: words }) }
  node.anyOf = [exact, { type: 'string', pattern: variable }]
}

const variable = '\\$\\{'

const options = { io: 'input', unrepresentable: 'any', reused: 'inline' } as const

/** Every list under the key `plugins` holds plugins: its loose item becomes a reference to the exact one. */
function replacePluginItems(node: unknown): void {
  if (typeof node !== 'object' || node === null) return
  for (const [key, child] of Object.entries(node as Record<string, Record<string, unknown>>)) {
    if (key === 'plugins' && child?.type === 'array') child.items = { $ref: '#/$defs/plugin' }
    else replacePluginItems(child)
  }
}
