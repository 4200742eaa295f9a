import type { IncomingMessage, ServerResponse } from 'node:http'
import express, { type Express, type Router } from 'express'
import { type GatewayStatus, healthReport, readinessReport, upstreamReport } from './health.ts'

/** What the Express app needs of the gateway. */
export interface AppOptions {
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
  status(): Promise<GatewayStatus>
  /** Whether the gateway is shutting down, so that answers close their connections. */
  draining(): boolean
  /** Answers what asks for a description of the API; false: it does not. */
  describe(req: IncomingMessage, res: ServerResponse): boolean
  /** The admin API and where it is; undefined: it has a port of its own. */
  readonly admin: { readonly path: string; readonly router: Router } | undefined
  /** 404 in the gateway's own words. */
  notFound(req: IncomingMessage, res: ServerResponse): void
  /** An error thrown behind Express, in the gateway's own words: Express's default handler would show stacks. */
  failed(req: IncomingMessage, res: ServerResponse, error: unknown): void
  /** Middleware of the user's own, in front of the 404. */
  readonly extend?: ((app: Express) => void) | undefined
}

/** The Express app behind the routing table: management endpoints, the user's own middleware, 404. */
export function createApp(options: AppOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use((_req, res, next) => {
    if (options.draining()) res.set('Connection', 'close')
    next()
  })
  app.get('/livez', (_req, res) => {
    res.set('Cache-Control', 'no-store').type('text/plain').send('ok\n')
  })
  app.get('/readyz', async (req, res) => {
    const { ready, checks } = readinessReport(await options.status())
    res.status(ready ? 200 : 503).set('Cache-Control', 'no-store')
    if (req.query.verbose === undefined) res.type('text/plain').send(ready ? 'ok\n' : 'not ready\n')
    else res.json({ ready, checks })
  })
  app.get('/health', async (req, res) => {
    const status = await options.status()
    const report = healthReport(status)
    const upstreams = req.query.verbose === undefined ? undefined : upstreamReport(status)
    res
      .status(report.status === 'unhealthy' ? 503 : 200)
      .set('Cache-Control', 'no-store')
      .json({ ...report, upstreams })
  })
  app.get('/metrics', async (_req, res) => {
    res
      .set('Cache-Control', 'no-store')
      .type(options.metrics.contentType)
      .send(await options.metrics.text())
  })
  if (options.admin !== undefined) app.use(options.admin.path, options.admin.router)
  app.use((req, res, next) => {
    if (!options.describe(req, res)) next()
  })
  options.extend?.(app)
  app.use((req, res) => options.notFound(req, res))
  app.use((error: unknown, req: IncomingMessage, res: ServerResponse, _next: unknown) =>
    options.failed(req, res, error),
  )
  return app
}
