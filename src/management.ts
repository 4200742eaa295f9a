import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Express } from 'express'
import { Counter, Gauge } from 'prom-client'
import { AdminAccess } from './admin/admin-access.ts'
import { AdminRate } from './admin/admin-rate.ts'
import { createAdminRouter } from './admin/admin-router.ts'
import { type AppOptions, createApp } from './admin/app.ts'
import { AuditLog } from './admin/audit-log.ts'
import { adminRoutes } from './admin-api.ts'
import { AdminListener } from './admin-listener.ts'
import type { Config } from './config/schema.ts'
import { plainAddress, type TrustedProxies } from './core/client-address.ts'
import type { Gateway } from './gateway.ts'
import type { BuiltGeneration } from './generation.ts'
import type { Listener } from './listener/listener.ts'
import { MetricsText } from './metrics-text.ts'

export interface ManagementOptions extends Pick<AppOptions, 'draining' | 'extend'> {
  readonly listener: Listener
  readonly proxies: TrustedProxies
  /** `admin`, at the start. */
  readonly admin: Config['admin']
  /** Aborted when the gateway is about to end. */
  readonly ending: AbortSignal
  /** The running configuration. */
  current(): BuiltGeneration
  now(): number
}

/** What a gateway tells of itself, and how it is changed while it runs: the Express app behind its routing table, or beside it. */
export class Management {
  /** Behind the routing table. */
  readonly app: Express
  readonly #audit: AuditLog
  readonly #listen: string
  readonly #ownPort: AdminListener | undefined
  #url: string | undefined

  constructor(gateway: Gateway, options: ManagementOptions) {
    const { listener, admin, current, now, draining, extend } = options
    const { metrics, log } = gateway
    const keepMs = (): number => current().config.admin.auditRetention
    this.#audit = new AuditLog({ database: gateway.stores.database, keepMs, log, now })
    registerAuditMetrics(metrics, this.#audit)
    const parts = {
      metrics: new MetricsText(metrics),
      status: () => gateway.status(),
      draining,
      notFound: listener.notFound.bind(listener),
      failed: listener.failed.bind(listener),
    }
    const served = { path: admin.path, router: routerOf(gateway, this.#audit, options) }
    this.#listen = admin.listen
    const isApart = admin.listen !== ''
    this.#ownPort = isApart
      ? new AdminListener(createApp({ ...parts, admin: served, describe: () => false }))
      : undefined
    const describe = (req: IncomingMessage, res: ServerResponse): boolean => {
      const [path = ''] = (req.url ?? '').split('?', 1)
      const plan = current().apiDocs(path)
      if (plan !== undefined) listener.serve(req, res, plan)
      return plan !== undefined
    }
    this.app = createApp({ ...parts, admin: isApart ? undefined : served, describe, extend })
  }

  /** The base URL of the port of its own, once it listens; undefined without `admin.listen`. */
  get url(): string | undefined {
    return this.#url
  }

  async listen(): Promise<void> {
    this.#url = await this.#ownPort?.listen(this.#listen)
  }

  /** What it noted is written, if that is possible. */
  async close(): Promise<void> {
    this.#ownPort?.close()
    await this.#audit.close()
  }
}

function routerOf(
  gateway: Gateway,
  audit: AuditLog,
  options: ManagementOptions,
): ReturnType<typeof createAdminRouter> {
  const { listener, proxies, current, now, ending } = options
  const rate = new AdminRate(() => {
    const { limit, window } = current().config.admin.rateLimit
    return { limit, windowMs: window }
  })
  const address = ({ socket, headers }: IncomingMessage): string =>
    proxies.clientAddress(plainAddress(socket.remoteAddress ?? ''), headers['x-forwarded-for'])
  return createAdminRouter({
    access: new AdminAccess(() => current().config.admin.tokens, now),
    rate,
    routes: adminRoutes(gateway, {
      path: options.admin.path,
      audit,
      current,
      activeRequests: () => listener.active.size,
      now,
    }),
    audit,
    address,
    ending,
    log: gateway.log,
    now,
  })
}

function registerAuditMetrics(registry: Gateway['metrics'], audit: AuditLog): void {
  new Counter({
    name: 'gateway_audit_dropped_total',
    help: 'Entries of the audit log that were lost, because the database was away for too long.',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(audit.dropped)
    },
  })
  new Gauge({
    name: 'gateway_audit_waiting',
    help: 'Entries of the audit log that wait for the database.',
    registers: [registry],
    collect() {
      this.set(audit.waiting)
    },
  })
}
