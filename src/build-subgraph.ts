import type { Build } from './build.ts'
import { buildGraphqlService } from './build-graphql-services.ts'
import { errorPolicy, requestHeaders, subgraphRules } from './build-subgraph-rules.ts'
import { subscriptionEndpoint } from './build-subscriptions.ts'
import { schemaOf } from './build-supergraph.ts'
import type { GraphqlConfig } from './config/schema.ts'
import type { SubgraphOptions } from './front-ends/graphql/graphql-options.ts'
import type { GrpcFrontEnd } from './front-ends/grpc/front-end.ts'

/** One subgraph of the configuration; `grpc` is whose methods it may call. */
export async function buildSubgraph(
  build: Build,
  from: {
    readonly name: string
    readonly graphql: GraphqlConfig
    readonly grpc: GrpcFrontEnd | undefined
  },
): Promise<SubgraphOptions> {
  const { name, graphql, grpc } = from
  const config = graphql.subgraphs[name] as GraphqlConfig['subgraphs'][string]
  const destination = config.upstream === undefined ? undefined : build.destination(`graphql/${name}`, config)
  const options = {
    name,
    destination,
    path: config.path,
    subscription: subscriptionEndpoint(config),
    ...subgraphRules(build, name),
    ...schemaOf(build, graphql, name),
  }
  if (config.resolvers === undefined) return options
  const headersFor = requestHeaders(build, name)
  const errors = errorPolicy(graphql, config)
  const service = { name, config, destination, headersFor, errors, grpc }
  return { ...options, service: await buildGraphqlService(build, service) }
}
