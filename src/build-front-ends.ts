import { relative, resolve } from 'node:path'
import { type Build, messageOf } from './build.ts'
import { chosenFiles } from './chosen-files.ts'
import { ConfigError } from './config/problem.ts'
import type { RouteConfig } from './config/schema.ts'
import type { FrontEnd } from './core/front-end.ts'
import type { Policy, ValueMatch } from './core/route.ts'
import {
  createRestFrontEnd,
  type RestRoute,
  type RouteAnswer,
  RouteMistake,
} from './front-ends/rest/front-end.ts'
import { importedProtos } from './imported-protos.ts'

/** The front-ends that a configuration asks for. GraphQL and gRPC are loaded only where they are. */
export async function buildFrontEnds(build: Build): Promise<readonly FrontEnd[]> {
  const frontEnds = [restFrontEnd(build), await graphqlFrontEnd(build), await grpcFrontEnd(build)]
  return frontEnds.filter((frontEnd) => frontEnd !== undefined)
}

function restFrontEnd(build: Build): FrontEnd {
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
          answer: routeAnswer(build, route, index),
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
    throw build.error(['routes', error.index, answerKey(routes[error.index])], error.message)
  }
  frontEnd.rows.forEach((row, index) => {
    build.place(row, ['routes', index, 'path'])
  })
  return frontEnd
}

/** Checked with the configuration: exactly one of the three is there. */
function routeAnswer(build: Build, route: RouteConfig, index: number): RouteAnswer {
  const { redirect, respond } = route
  if (redirect !== undefined) return { kind: 'redirect', ...redirect }
  if (respond !== undefined) {
    const { status, headers, json, body = '', file } = respond
    if (json !== undefined) return { kind: 'respond', status, headers, body: { kind: 'json', json } }
    const bytes =
      file === undefined ? Buffer.from(body) : build.readBytes(file, ['routes', index, 'respond', 'file'])
    const ofText = body === '' ? '' : 'text/plain; charset=utf-8'
    const contentType = file === undefined ? ofText : 'application/octet-stream'
    return { kind: 'respond', status, headers, body: { kind: 'bytes', bytes, contentType } }
  }
  const { server, auth } = build.config
  const credentials = new Set(['authorization', auth.apiKeys.header, 'x-api-key'])
  return {
    kind: 'proxy',
    destination: build.destination(`route ${route.id}`, route.upstream ?? ''),
    rewrite: route.rewrite,
    timeoutMs: route.timeout,
    maxBodyBytes: route.bodyBytes ?? server.limits.bodyBytes,
    hiddenHeaders: route.forwardCredentials ? new Set() : credentials,
  }
}

function answerKey(route: RouteConfig | undefined): string {
  if (route?.redirect !== undefined) return 'redirect'
  return route?.respond === undefined ? 'rewrite' : 'respond'
}

async function graphqlFrontEnd(build: Build): Promise<FrontEnd | undefined> {
  const { graphql } = build.config
  if (graphql === undefined) return undefined
  const { createGraphqlFrontEnd } = await import('./front-ends/graphql/front-end.ts')
  const { supergraph } = graphql
  const frontEnd = await made(build, 'graphql', () =>
    createGraphqlFrontEnd({
      path: graphql.path,
      policy: policy('graphql', graphql),
      subgraphs: Object.entries(graphql.subgraphs).map(([name, { upstream, path, schema }]) => ({
        name,
        destination: build.destination(`subgraph ${name}`, upstream),
        path,
        ...(schema === undefined || supergraph !== undefined
          ? undefined
          : { sdl: build.read(schema, ['graphql', 'subgraphs', name, 'schema']), file: schema }),
      })),
      ...(supergraph === undefined
        ? undefined
        : { supergraph: build.read(supergraph, ['graphql', 'supergraph']) }),
      introspection: graphql.introspection,
      explorer: graphql.explorer,
      limits: graphql.limits,
      log: build.log,
    }),
  )
  for (const row of frontEnd.rows) build.place(row, ['graphql', 'path'])
  return frontEnd
}

async function grpcFrontEnd(build: Build): Promise<FrontEnd | undefined> {
  const { grpc, server, auth } = build.config
  if (grpc === undefined) return undefined
  const { createGrpcFrontEnd } = await import('./front-ends/grpc/front-end.ts')
  const includeDirs = grpc.includeDirs.map((dir) => resolve(build.folder, dir))
  const protoFiles = chosen(build, 'protos')
  for (const file of importedProtos(protoFiles, includeDirs)) build.see(file)
  const descriptorSets = chosen(build, 'descriptorSets').map((file) => ({
    name: relative(process.cwd(), file),
    bytes: build.readBytes(file, ['grpc', 'descriptorSets']),
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
        destination: build.destination(`service ${name}`, service.upstream),
        policy: policy(name, service),
        ...(service.timeout === undefined ? undefined : { timeoutMs: service.timeout }),
        ...(service.messageBytes === undefined ? undefined : { messageBytes: service.messageBytes }),
        json: service.json,
        unannotated: service.unannotated,
        metadata: service.metadata,
      })),
      limits: { bodyBytes: server.limits.bodyBytes, messageBytes: grpc.messageBytes },
      channel: {
        kind: grpc.channel,
        keepaliveMs: grpc.keepalive.interval,
        keepaliveTimeoutMs: grpc.keepalive.timeout,
        maxConnections: grpc.connections,
      },
      apiKeyHeader: auth.apiKeys.header,
      info: grpc.info,
      socketPingMs: grpc.webSocketPing,
      log: build.log,
    }),
  )
  for (const row of frontEnd.rows) build.place(row, ['grpc', 'services', row.policy.id, 'upstream'])
  return frontEnd
}

/** The files of a list of patterns; they and what could join them are watched. */
function chosen(build: Build, key: 'protos' | 'descriptorSets'): readonly string[] {
  const patterns = build.config.grpc?.[key] ?? []
  const files = patterns.flatMap((pattern, index) => {
    const { files, folders } = chosenFiles(pattern, build.folder)
    for (const folder of folders) build.seeNames(folder)
    for (const file of files) build.see(file)
    if (files.length > 0) return files
    if (folders.length === 0) build.see(pattern)
    throw build.error(['grpc', key, index], `no file matches "${pattern}"`)
  })
  return [...new Set(files)]
}

async function made(build: Build, key: string, make: () => Promise<FrontEnd>): Promise<FrontEnd> {
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
