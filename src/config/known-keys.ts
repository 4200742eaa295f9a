import { configJsonSchema } from './json-schema.ts'
import type { PluginOptions } from './plugin-list.ts'

/** The keys that an object at this path of the configuration may have; empty when any may stand there. */
export function knownKeys(plugins: readonly PluginOptions[], path: readonly PropertyKey[]): string[] {
  const root = configJsonSchema(plugins) as SchemaNode
  let nodes: readonly SchemaNode[] = [root]
  for (const part of path) {
    nodes = nodes.flatMap((node) => below(node, part)).flatMap((node) => variants(node, root))
  }
  return nodes.flatMap((node) => Object.keys(node.properties ?? {}))
}

function below(node: SchemaNode, part: PropertyKey): SchemaNode[] {
  const next =
    typeof part === 'number' ? node.items : (node.properties?.[String(part)] ?? node.additionalProperties)
  return typeof next === 'object' ? [next] : []
}

function variants(node: SchemaNode, root: SchemaNode): readonly SchemaNode[] {
  if (node.$ref !== undefined) return root.$defs?.plugin?.anyOf ?? []
  return node.anyOf ?? node.oneOf ?? [node]
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly additionalProperties?: SchemaNode | boolean
  readonly anyOf?: readonly SchemaNode[]
  readonly oneOf?: readonly SchemaNode[]
  readonly $ref?: string
  readonly $defs?: { readonly plugin?: SchemaNode }
}
