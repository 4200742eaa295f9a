import { configJsonSchema } from '../config/json-schema.ts'
import type { PluginOptions } from '../config/plugin-list.ts'
import { isRecord } from '../core/is-record.ts'
import { type JsonSchema, reference } from './openapi-schemas.ts'

/**
 * The schemas of the configuration as components of an OpenAPI document: `Configuration`, `Route`, `Upstream`, `Consumer`, `Subgraph`,
 * `GrpcService`, `PluginUse`; and as what is sent to make one: `NewRoute` and so on.
 */
export function configComponents(plugins: readonly PluginOptions[]): Readonly<Record<string, JsonSchema>> {
  const { $schema: _, $defs, ...whole } = moved(configJsonSchema(plugins)) as Record<string, JsonSchema>
  const at = (...path: string[]): JsonSchema =>
    path.reduce<unknown>((node, key) => (isRecord(node) ? node[key] : undefined), whole) as JsonSchema
  const route = at('properties', 'routes', 'items')
  const named = {
    Upstream: at('properties', 'upstreams', 'additionalProperties'),
    Subgraph: at('properties', 'graphql', 'properties', 'subgraphs', 'additionalProperties'),
    GrpcService: at('properties', 'grpc', 'properties', 'services', 'additionalProperties'),
    PluginOptions: pluginOptions,
  }
  const news = Object.entries(named).map(([name, schema]) => [`New${name}`, withId(schema)])
  return {
    Configuration: withReferences(whole),
    PluginUse: $defs?.plugin as JsonSchema,
    Route: route,
    Consumer: at('properties', 'consumers', 'items'),
    ...named,
    NewRoute: { anyOf: [reference('Route'), reference('FlatRoute')] },
    AnyInstance: { anyOf: [reference('NewInstance'), reference('FlatInstance')] },
    NewConsumer: reference('Consumer'),
    ...Object.fromEntries(news),
  }
}

/** The JSON Schema of the options of each plugin. */
export function optionSchemas(plugins: readonly PluginOptions[]): Readonly<Record<string, object>> {
  const { $defs } = configJsonSchema(plugins) as { $defs: { plugin: { anyOf: readonly JsonSchema[] } } }
  const uses = $defs.plugin.anyOf.flatMap(({ properties }) =>
    isRecord(properties) ? Object.entries(properties) : [],
  )
  return Object.fromEntries(uses) as Record<string, object>
}

const pluginOptions: JsonSchema = {
  type: 'object',
  properties: { options: { type: 'object', description: 'As GET /plugins:available has their schema.' } },
  additionalProperties: false,
}

/** The whole, in which the things that have a schema of their own are referred to. */
function withReferences(whole: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const copy = structuredClone(whole) as Record<
    string,
    Record<string, Record<string, Record<string, unknown>>>
  >
  const properties = copy.properties ?? {}
  if (properties.routes) properties.routes.items = reference('Route')
  if (properties.consumers) properties.consumers.items = reference('Consumer')
  if (properties.upstreams) properties.upstreams.additionalProperties = reference('Upstream')
  for (const [section, things, component] of inner) {
    const held = properties[section]?.properties?.[things] as Record<string, unknown> | undefined
    if (held !== undefined) held.additionalProperties = reference(component)
  }
  return copy
}

const inner = [
  ['graphql', 'subgraphs', 'Subgraph'],
  ['grpc', 'services', 'GrpcService'],
] as const

function withId(schema: JsonSchema): JsonSchema {
  const { properties = {}, required = [] } = schema as { properties?: object; required?: readonly string[] }
  return { ...schema, properties: { id: { type: 'string' }, ...properties }, required: ['id', ...required] }
}

function moved(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(moved)
  if (!isRecord(node)) return node
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) =>
      key === '$ref' && value === '#/$defs/plugin'
        ? ['$ref', '#/components/schemas/PluginUse']
        : [key, moved(value)],
    ),
  )
}
