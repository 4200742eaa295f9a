import type { Describer } from './api-docs/document.ts'
import { ApiDocsFrontEnd } from './api-docs/front-end.ts'
import type { Json } from './api-docs/json.ts'
import { ownOperations } from './api-docs/own-operations.ts'
import { type DescribedAnswer, type DescribedRoute, routeOperations } from './api-docs/route-operations.ts'
import { securitySchemes } from './api-docs/security-schemes.ts'
import type { Build } from './build.ts'
import type { RouteConfig } from './config/schema.ts'
import type { FrontEnd } from './core/front-end.ts'
import type { Row } from './core/route.ts'
import type { Plan } from './listener/listener.ts'
import type { RoutingTable } from './routing/table.ts'

/** What describes a configuration; undefined where nothing shall. `table` is asked when a document is made, not before. */
export function buildApiDocs(
  build: Build,
  frontEnds: readonly FrontEnd[],
  table: () => RoutingTable<Plan>,
): ApiDocsFrontEnd | undefined {
  const { openapi, ui, info } = build.config.apiDocs
  if (!openapi.enabled) return undefined
  const grpc = frontEnds.find(({ name }) => name === 'grpc')
  const { auth, authorize } = openapi
  const frontEnd = new ApiDocsFrontEnd({
    path: openapi.path,
    policy: { id: 'api-docs', auth, authorize, plugins: [], forwardCredentials: false },
    uiPath: ui.enabled === false ? undefined : ui.path,
    apiKeyHeader: build.config.auth.apiKeys.header,
    rows: frontEnds.flatMap(({ rows }) => rows),
    revision: () => 0,
    api: {
      info: infoOf(info),
      securitySchemes: securitySchemes(schemesOf(build)),
      describers: describersOf(build, frontEnds),
      grpc: grpc && (() => grpc.describe?.() ?? {}),
      match: (query) => table().match(query)?.row,
    },
  })
  for (const row of frontEnd.rows) build.place(row, ['apiDocs', 'openapi', 'path'])
  return frontEnd
}

function infoOf({ description, ...info }: Build['config']['apiDocs']['info']): Json {
  return { ...info, description: description ?? 'What this gateway serves, one document for all services.' }
}

function schemesOf({ config }: Build): Parameters<typeof securitySchemes>[0] {
  const { apiKeys, tokens, jwt, introspection, issuer } = config.auth
  return {
    keys: config.consumers.length > 0 ? apiKeys : undefined,
    tokens: jwt.length + introspection.length > 0 || issuer !== undefined ? tokens : undefined,
    areJwt: introspection.length === 0,
    hasCertificates: config.consumers.some(({ certificates }) => certificates.length > 0),
  }
}

function describersOf(build: Build, frontEnds: readonly FrontEnd[]): Describer[] {
  const { routes, graphql } = build.config
  const [rest, ...others] = frontEnds
  const ofRoutes = routes.flatMap((route, index): Describer[] => {
    const row = rest?.rows[index]
    if (row === undefined || route.docs.hidden) return []
    const described = describedRoute(build, route, row)
    return [() => routeOperations(described)]
  })
  const ofGateway = others
    .filter(({ name }) => name === 'rest' || (name === 'graphql' && graphql?.docs.hidden !== true))
    .flatMap(({ rows }) =>
      rows.map(
        (row): Describer =>
          () =>
            ownOperations(row),
      ),
    )
  return [...ofRoutes, ...ofGateway]
}

function describedRoute({ config }: Build, route: RouteConfig, row: Row): DescribedRoute {
  const { summary, description, tags, deprecated } = route.docs
  const bodyBytes = route.bodyBytes ?? config.server.limits.bodyBytes
  return { row, answer: answerOf(route), bodyBytes, summary, description, tags, deprecated }
}

function answerOf({ redirect, respond, aggregate, graphqlOperation }: RouteConfig): DescribedAnswer {
  if (redirect !== undefined) return { kind: 'redirect', status: redirect.status, texts: redirect.to }
  if (respond !== undefined) {
    const { status, headers, json, file, body } = respond
    const own = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
    const usual =
      json !== undefined
        ? 'application/json'
        : file !== undefined
          ? 'application/octet-stream'
          : body === undefined
            ? undefined
            : 'text/plain'
    return { kind: 'respond', status, contentType: own ?? usual, texts: [headers, json] }
  }
  if (aggregate !== undefined)
    return {
      kind: 'aggregate',
      members: aggregate.parts.flatMap(({ merge, select, as, name }) =>
        merge ? [...new Set(select.map((way) => way.split('.')[0] ?? ''))] : [as ?? name],
      ),
      texts: aggregate.parts.map(({ rest, grpc, graphql }) => [rest, grpc, graphql?.variables]),
    }
  if (graphqlOperation !== undefined) {
    const { status, variables } = graphqlOperation
    return { kind: 'operation', status, texts: variables }
  }
  return { kind: 'upstream' }
}
