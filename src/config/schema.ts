import { z } from 'zod'
import { adminSchema } from './admin-keys.ts'
import { apiDocsKeys } from './api-docs-keys.ts'
import { consumerSchema } from './api-key-keys.ts'
import { authKeys } from './auth-keys.ts'
import { name, object } from './declare.ts'
import { graphqlSchema } from './graphql-schema.ts'
import { grpcSchema } from './grpc-schema.ts'
import { issuerSchema } from './issuer-keys.ts'
import { type PluginOptions, pluginList } from './plugin-list.ts'
import { routeSchema } from './route-schema.ts'
import { observabilityKeys, serverKeys, storeKeys } from './server-keys.ts'
import { upstreamSchema } from './upstream-schema.ts'

/**
 * The configuration of a gateway: type, check, default and documentation of every key in one declaration. Durations are written `5s` and read
 * as milliseconds, sizes are written `10mb` and read as bytes.
 *
 * @param plugins every plugin that the configuration may name, with the schema of its options.
 */
export function configSchema(plugins: readonly PluginOptions[]) {
  const uses = pluginList(plugins)
  return z.strictObject({
    $schema: z.string().optional().describe('For editors; ignored.'),
    server: object(serverKeys).describe('Where the gateway listens and what it accepts.'),
    stores: object(storeKeys).describe('Services that the gateway may lean on. None is required.'),
    observability: object(observabilityKeys).describe('Log and metrics.'),
    admin: adminSchema,
    apiDocs: apiDocsKeys,
    pluginModules: z
      .array(z.string())
      .default([])
      .describe('Modules with plugins of your own: paths relative to this file. Each exports `plugin`.'),
    plugins: uses.default([]).describe('Plugins for every route and every protocol, in run order.'),
    upstreams: z
      .record(name('an upstream'), upstreamSchema)
      .default({})
      .describe('Named groups of backends that answer alike.'),
    routes: z.array(routeSchema(uses)).default([]).describe('REST routes.'),
    graphql: graphqlSchema(uses).optional().describe('The federated GraphQL endpoint; absent: none.'),
    grpc: grpcSchema(uses)
      .optional()
      .describe('gRPC services reached by REST through google.api.http annotations; absent: none.'),
    auth: object({
      ...authKeys,
      issuer: issuerSchema(uses)
        .optional()
        .describe('Tokens of the gateway itself, for those who have no identity provider; absent: none.'),
    }).describe('How callers prove who they are.'),
    consumers: z.array(consumerSchema).default([]).describe('Callers with API keys.'),
  })
}

/** A complete configuration, defaults filled in. */
export type Config = z.output<ReturnType<typeof configSchema>>
export type RouteConfig = Config['routes'][number]
export type UpstreamConfig = Config['upstreams'][string]
export type GraphqlConfig = NonNullable<Config['graphql']>
export type SubgraphConfig = GraphqlConfig['subgraphs'][string]
