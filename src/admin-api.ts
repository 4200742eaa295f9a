import type { IncomingMessage } from 'node:http'
import type { Express } from 'express'
import { AdminAccess } from './admin/admin-access.ts'
import { AdminRate } from './admin/admin-rate.ts'
import type { AdminRoute } from './admin/admin-route.ts'
import { createAdminRouter } from './admin/admin-router.ts'
import { type AppOptions, createApp } from './admin/app.ts'
import { AuditLog } from './admin/audit-log.ts'
import { graphqlRoutes } from './admin/graphql-routes.ts'
import { keyRoutes } from './admin/key-routes.ts'
import { liveRoutes } from './admin/live-routes.ts'
import { logRoutes } from './admin/log-routes.ts'
import { tokenRoutes } from './admin/token-routes.ts'
import { plainAddress, type TrustedProxies } from './core/client-address.ts'
import type { Gateway } from './gateway.ts'
import type { BuiltGeneration } from './generation.ts'
import type { Listener } from './listener/listener.ts'
import { LiveFeed } from './live-feed.ts'
import { MetricsText } from './metrics-text.ts'
import { verifyToken } from './verify-token.ts'

export interface ManagementOptions extends Pick<AppOptions, 'draining' | 'extend'> {
  readonly listener: Listener
  readonly proxies: TrustedProxies
  /** `admin.path`, at the start. */
  readonly path: string
  /** The running configuration. */
  current(): BuiltGeneration
  /** Aborted when the gateway is about to end. */
  readonly ending: AbortSignal
  now(): number
}

/** The Express app of a gateway, behind its routing table. */
export function managementApp(gateway: Gateway, options: ManagementOptions): Express {
  const { listener, proxies, path, current, now, ending } = options
  const access = new AdminAccess(() => current().config.admin.tokens, now)
  const address = ({ socket, headers }: IncomingMessage): string =>
    proxies.clientAddress(plainAddress(socket.remoteAddress ?? ''), headers['x-forwarded-for'])
  const rate = new AdminRate(() => {
    const { limit, window } = current().config.admin.rateLimit
    return { limit, windowMs: window }
  })
  const audit = new AuditLog()
  const routes = adminRoutes(gateway, options)
  return createApp({
    metrics: new MetricsText(gateway.metrics),
    status: () => gateway.status(),
    draining: options.draining,
    describe(req, res) {
      const [path = ''] = (req.url ?? '').split('?', 1)
      const plan = current().apiDocs(path)
      if (plan !== undefined) listener.serve(req, res, plan)
      return plan !== undefined
    },
    admin: {
      path,
      router: createAdminRouter({ access, rate, routes, audit, address, ending, log: gateway.log, now }),
    },
    notFound: (req, res) => listener.notFound(req, res),
    failed: (req, res, error) => listener.failed(req, res, error),
    extend: options.extend,
  })
}

/** Everything that the admin API offers. */
function adminRoutes(gateway: Gateway, { listener, current, now }: ManagementOptions): readonly AdminRoute[] {
  const { identity, requestLog } = gateway
  const feed = new LiveFeed({
    ring: requestLog.isOn ? requestLog.ring : undefined,
    status: () => gateway.status(),
    activeRequests: () => listener.active.size,
    canaries: () => [...current().canaries.values()].map((release) => release.status()),
  })
  return [
    ...logRoutes({ log: requestLog, now }),
    ...liveRoutes({ listen: (signal) => feed.listen(signal) }),
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
  ]
}
