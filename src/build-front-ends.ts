import { relative, resolve } from 'node:path'
import type { Build } from './build.ts'
import { type AuthParts, buildAuthFrontEnd } from './build-auth-front-end.ts'
import { fieldAuthorization } from './build-field-authorization.ts'
import { graphqlRequests } from './build-graphql-requests.ts'
import { graphqlSeen } from './build-graphql-seen.ts'
import { type AnsweredRoute, answerKey, routeAnswer } from './build-route-answer.ts'
import { buildSubgraph } from './build-subgraph.ts'
import { subscriptionSettings } from './build-subscriptions.ts'
import { supergraphOptions } from './build-supergraph.ts'
import { wordHint } from './config/nearest-word.ts'
import { ConfigError } from './config/problem.ts'
import type { Config, RouteConfig } from './config/schema.ts'
import type { FrontEnd } from './core/front-end.ts'
import { messageOf } from './core/message-of.ts'
import type { Authorization, Policy, Row, ValueMatch } from './core/route.ts'
import { credentialHeaders } from './credential-headers.ts'
import type { GraphqlFrontEnd } from './front-ends/graphql/front-end.ts'
import type { GrpcFrontEnd } from './front-ends/grpc/front-end.ts'
import type { MethodOptions, ServiceOptions } from './front-ends/grpc/service-options.ts'
import { createRestFrontEnd, type RestRoute, RouteMistake } from './front-ends/rest/front-end.ts'
import { grpcMessages } from './grpc-messages.ts'
import { importedProtos } from './imported-protos.ts'
import type { Identity } from './plugins/identity/identity.ts'
import { watchedFiles } from './watched-files.ts'

/** The front-ends that a configuration asks for. GraphQL and gRPC are loaded only where they are. */
export async function buildFrontEnds(build: Build, parts: AuthParts): Promise<readonly FrontEnd[]> {
  const grpc = await grpcFrontEnd(build)
  const graphql = await graphqlFrontEnd(build, parts.deciders.identity, grpc)
  const frontEnds = [restFrontEnd(build, { graphql, grpc }), graphql, grpc, buildAuthFrontEnd(build, parts)]
  return frontEnds.filter((frontEnd) => frontEnd !== undefined)
}

/** `others`: whom its routes may call. */
function restFrontEnd(build: Build, others: Pick<AnsweredRoute, 'graphql' | 'grpc'>): FrontEnd {
  const { routes } = build.config
  const made = (): FrontEnd =>
    createRestFrontEnd(
      routes.map(
        (route, index): RestRoute => ({
          id: route.id,
          path: route.path,
          methods: route.methods,
          hosts: route.hosts,
          headers: matches(route.headers),
          query: matches(route.query),
          priority: route.priority,
          encodedSlash: route.encodedSlash,
          answer: routeAnswer(build, { route, index, ...others }),
          place: build.textPlace('rest', route.path),
          policy: policy(route.id, route),
          origin: `route "${route.id}"`,
        }),
      ),
    )
  let frontEnd: FrontEnd
  try {
    frontEnd = made()
  } catch (error) {
    if (!(error instanceof RouteMistake)) throw error
    const path = ['routes', error.index, answerKey(routes[error.index]), ...error.path]
    throw build.errorIn(path, error.message)
  }
  frontEnd.rows.forEach((row, index) => {
    build.place(row, ['routes', index, 'path'])
  })
  return frontEnd
}

/** `grpc`: whose methods subgraphs may call. */
async function graphqlFrontEnd(
  build: Build,
  identity: Identity,
  grpc: GrpcFrontEnd | undefined,
): Promise<GraphqlFrontEnd | undefined> {
  const { graphql } = build.config
  if (graphql === undefined) return undefined
  const { createGraphqlFrontEnd } = await import('./front-ends/graphql/front-end.ts')
  const source = await supergraphOptions(build, graphql)
  const subgraphs = await Promise.all(
    Object.keys(graphql.subgraphs).map((name) => buildSubgraph(build, { name, graphql, grpc })),
  )
  const { timeout, cache, heap, ...bounds } = graphql.planning
  const frontEnd = await made(build, 'graphql', async () =>
    createGraphqlFrontEnd({
      path: graphql.path,
      policy: policy('graphql', graphql),
      subgraphs,
      ...source,
      ...(await graphqlRequests(build, graphql)),
      explorer: graphql.explorer,
      limits: graphql.limits,
      subscriptions: subscriptionSettings(graphql.subscriptions, build.config),
      planning: { ...bounds, timeoutMs: timeout, cacheBytes: cache, heapMb: Math.ceil(heap / 1_048_576) },
      ...graphqlSeen(build, graphql),
      sharing: {
        ignoredHeaders: graphql.sharing.ignoreHeaders,
        sharesOperations: graphql.sharing.operations,
      },
      authorization: fieldAuthorization(build, graphql.authorization, identity),
      log: build.log,
    }),
  )
  for (const row of frontEnd.rows) build.place(row, ['graphql', 'path'])
  return frontEnd
}

async function grpcFrontEnd(build: Build): Promise<GrpcFrontEnd | undefined> {
  const { grpc, server, auth } = build.config
  if (grpc === undefined) return undefined
  const { createGrpcFrontEnd } = await import('./front-ends/grpc/front-end.ts')
  const includeDirs = grpc.includeDirs.map((dir) => resolve(build.folder, dir))
  const protoFiles = watchedFiles(build, grpc.protos, ['grpc', 'protos'])
  for (const file of importedProtos(protoFiles, includeDirs)) build.see(file)
  const descriptorPath = ['grpc', 'descriptorSets']
  const descriptorSets = watchedFiles(build, grpc.descriptorSets, descriptorPath).map((file) => ({
    name: relative(process.cwd(), file),
    bytes: build.readBytes(file, descriptorPath),
  }))
  const reflection = await build.reflections(grpc.reflection)
  const frontEnd = await made(build, 'grpc', () =>
    createGrpcFrontEnd({
      protoFiles,
      includeDirs,
      descriptorSets,
      reflection,
      ...(grpc.health ? { ready: build.ready } : undefined),
      services: Object.entries(grpc.services).map(([name, service]) => ({
        name,
        destination: build.destination(`grpc/${name}`, service),
        ...policiesOf(build, name, service),
        ...(service.timeout === undefined ? undefined : { timeoutMs: service.timeout }),
        ...(service.messageBytes === undefined ? undefined : { messageBytes: service.messageBytes }),
        ...(service.fallback === undefined ? undefined : { replies: service.fallback.respond }),
        json: service.json,
        unannotated: service.unannotated,
        metadata: service.metadata,
        hidden: service.docs.hidden,
      })),
      limits: { bodyBytes: server.limits.bodyBytes, messageBytes: grpc.messageBytes },
      channel: {
        kind: grpc.channel,
        keepaliveMs: grpc.keepalive.interval,
        keepaliveTimeoutMs: grpc.keepalive.timeout,
        maxConnections: grpc.connections,
      },
      apiKeyHeader: auth.apiKeys.header,
      credentials: credentialHeaders(build.config),
      info: grpc.info,
      countMessages: grpcMessages(build.host(undefined).metrics),
      socketPingMs: grpc.webSocketPing,
      log: build.log,
    }),
  )
  for (const row of frontEnd.rows) build.place(row, ['grpc', 'services', serviceOf(row), 'upstream'])
  for (const [name, { methods }] of Object.entries(grpc.services)) {
    const known = frontEnd.methodsOf(name) ?? Object.keys(methods)
    for (const method of Object.keys(methods)) {
      if (known.includes(method)) continue
      const message = `${name} has no method "${method}"${wordHint(method, known)}`
      throw build.error(['grpc', 'services', name, 'methods', method], message)
    }
  }
  return frontEnd
}

function serviceOf({ policy }: Row): string {
  return (policy.service ?? policy).id
}

type ServiceConfig = NonNullable<Config['grpc']>['services'][string]

/** The policy of a service, and those of the methods that have their own. */
function policiesOf(
  build: Build,
  name: string,
  config: ServiceConfig,
): Pick<ServiceOptions, 'policy' | 'methods'> {
  const service = policy(name, config)
  const methods = Object.entries(config.methods).map(([method, own]): [string, MethodOptions] => {
    const { auth = config.auth, authorize = auth === 'none' ? nothing : config.authorize } = own
    const { plugins, timeout: timeoutMs } = own
    const ofMethod = { ...service, id: `${name}/${method}`, auth, authorize, plugins, service }
    build.place(ofMethod, ['grpc', 'services', name, 'methods', method])
    return [method, { policy: ofMethod, timeoutMs }]
  })
  return { policy: service, methods: new Map(methods) }
}

const nothing: Authorization = { roles: [], scopes: [] }

async function made<F extends FrontEnd>(build: Build, key: string, make: () => Promise<F>): Promise<F> {
  try {
    const frontEnd = await make()
    build.onFree(() => frontEnd.close())
    return frontEnd
  } catch (error) {
    throw error instanceof ConfigError ? error : build.error([key], messageOf(error))
  }
}

type PolicyConfig = Pick<RouteConfig, 'auth' | 'authorize' | 'plugins' | 'forwardCredentials'>

function policy(id: string, { auth, authorize, plugins, forwardCredentials }: PolicyConfig): Policy {
  return { id, auth, authorize, plugins, forwardCredentials }
}

function matches(written: Readonly<Record<string, string>>): ValueMatch[] {
  return Object.entries(written).map(([name, value]) => ({ name, value }))
}
