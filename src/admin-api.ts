import type { AdminRoute } from './admin/admin-route.ts'
import type { AuditLog } from './admin/audit-log.ts'
import { auditRoutes } from './admin/audit-routes.ts'
import { batchRoutes } from './admin/batch-routes.ts'
import { cacheRoutes } from './admin/cache-routes.ts'
import { canaryRoutes } from './admin/canary-routes.ts'
import { optionSchemas } from './admin/config-components.ts'
import { configRoutes } from './admin/config-routes.ts'
import { explainRoutes } from './admin/explain-routes.ts'
import { graphqlRoutes } from './admin/graphql-routes.ts'
import { upstreamReport } from './admin/health.ts'
import { itemRoutes } from './admin/item-routes.ts'
import { keyRoutes } from './admin/key-routes.ts'
import { liveRoutes } from './admin/live-routes.ts'
import { logRoutes } from './admin/log-routes.ts'
import { openApiRoutes } from './admin/openapi.ts'
import { permissionRoutes } from './admin/permission-routes.ts'
import { pluginRoutes } from './admin/plugin-routes.ts'
import { serviceRoutes } from './admin/service-routes.ts'
import { tokenRoutes } from './admin/token-routes.ts'
import { versionRoutes } from './admin/version-routes.ts'
import type { Gateway } from './gateway.ts'
import type { BuiltGeneration } from './generation.ts'
import { LiveFeed } from './live-feed.ts'
import { explainRequest } from './routing/explain.ts'
import { verifyToken } from './verify-token.ts'
import { version } from './version.ts'

export interface AdminApiOptions {
  /** `admin.path`, at the start. */
  readonly path: string
  readonly audit: AuditLog
  /** The running configuration. */
  current(): BuiltGeneration
  activeRequests(): number
  now(): number
}

/** Everything that the admin API offers. */
export function adminRoutes(gateway: Gateway, options: AdminApiOptions): readonly AdminRoute[] {
  const { path, audit, current, now } = options
  const { control, identity, registry, requestLog } = gateway
  const plugins = () => current().definitions
  const upstreams = async () => upstreamReport(await gateway.status())
  const feed = new LiveFeed({
    ring: requestLog.isOn ? requestLog.ring : undefined,
    status: () => gateway.status(),
    activeRequests: options.activeRequests,
    canaries: () => [...current().canaries.values()].map((release) => release.status()),
  })
  const routes = [
    ...logRoutes({ log: requestLog, now }),
    ...liveRoutes({ listen: (signal) => feed.listen(signal) }),
    ...explainRoutes({
      explain: (asked) => explainRequest(gateway.table, asked),
      globalPlugins: () => current().config.plugins.map(({ name }) => name),
      upstreams,
    }),
    ...itemRoutes({ control, upstreams }),
    ...pluginRoutes(() => optionSchemas(plugins())),
    ...permissionRoutes(control, () => current().config),
    ...configRoutes(control),
    ...versionRoutes(control),
    ...batchRoutes(control),
    ...serviceRoutes({ registry, allowLinkLocal: () => current().config.admin.allowLinkLocalTargets }),
    ...canaryRoutes(() => gateway.canaries),
    ...cacheRoutes(() => current().identity.forget()),
    ...graphqlRoutes(() => current().graphql?.supergraphSdl),
    ...keyRoutes({
      managed: identity.keys,
      configured: () => current().identity.keys.configured,
      consumers: () => current().config.consumers,
      revocations: identity.revocations,
      now,
    }),
    ...tokenRoutes({
      revocations: identity.revocations,
      sharing: () => identity.sharing,
      issuers: () => {
        const { jwt, introspection, issuer: own } = current().config.auth
        return [...jwt, ...introspection, ...(own === undefined ? [] : [own])].map(({ issuer }) => issuer)
      },
      hasKey: (id) =>
        identity.keys.get(id) !== undefined ||
        current().identity.keys.configured.some((key) => key.id === id),
      hasConsumer: (name) => current().config.consumers.some(({ id }) => id === name),
      verify(token) {
        const { identity, unrouted: plan, config } = current()
        return verifyToken(token, { identity, plan, header: config.auth.tokens.header })
      },
    }),
    ...auditRoutes(audit),
  ]
  return [...routes, ...openApiRoutes(routes, { path, version, plugins })]
}
