import type { IncomingMessage } from 'node:http'
import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import type { AdminScope } from '../config/admin-keys.ts'
import { GatewayError } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import type { AdminAccess, Administrator } from './admin-access.ts'

/** One thing that the admin API does: data in, data out. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below `admin.path`, as Express has it: `/keys`, `/keys/:id`, `/keys/:id\\:rotate`. */
  readonly path: string
  /** What the caller's token must have. */
  readonly scope: AdminScope
  /** Throw GatewayErrors to refuse. */
  serve(call: AdminCall): AdminAnswer | Promise<AdminAnswer>
}

/** One call of the admin API by somebody who may make it. */
export interface AdminCall {
  /** Of the path, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** The JSON that was sent; `{}` when nothing was. */
  readonly body: unknown
  /** Whose token it is. */
  readonly by: string
}

export interface AdminAnswer {
  /** Default 200, or 204 without a body. */
  readonly status?: number
  readonly body?: unknown
  /** Of what was made, below `admin.path`. */
  readonly location?: string
}

export interface AdminRouterOptions {
  readonly access: AdminAccess
  readonly routes: readonly AdminRoute[]
  /** The client's address, through trusted proxies. */
  address(req: IncomingMessage): string
  readonly log: Logger
}

/** The admin API: who calls is established first, bodies are JSON only, nothing is cached, other sites may not read it (no CORS). */
export function createAdminRouter({ access, routes, address, log }: AdminRouterOptions): Router {
  const router = express.Router({ caseSensitive: true, strict: true })
  router.use((req, res: AdminResponse, next) => {
    res.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' })
    res.locals.admin = access.admit(req, address(req))
    next()
  })
  router.use(requireJson, express.json({ limit: '64kb', strict: true, inflate: false }), inOurWords)
  for (const route of routes) {
    const verb = route.method === 'GET' ? 'get' : route.method === 'POST' ? 'post' : 'delete'
    router[verb](route.path, async (req: Request, res: AdminResponse) => {
      const { name, scopes } = res.locals.admin
      if (!scopes.includes(route.scope))
        throw new GatewayError('SCOPE_MISSING', `The token "${name}" has not the scope "${route.scope}".`)
      const params = req.params as Readonly<Record<string, string>>
      const query = new URLSearchParams(req.url.slice(req.path.length))
      const answer = await route.serve({ params, query, body: req.body ?? {}, by: name })
      if (route.method !== 'GET')
        log.info({ 'admin.token': name, method: req.method, path: req.baseUrl + req.path }, 'admin')
      send(res, answer, req.baseUrl)
    })
  }
  for (const [path, same] of Map.groupBy(routes, (route) => route.path))
    router.all(path, () => {
      const allow = same.map(({ method }) => method).join(', ')
      throw new GatewayError('METHOD_NOT_ALLOWED', `This takes ${allow}.`, { headers: ['Allow', allow] })
    })
  return router
}

type AdminResponse = Response<unknown, { admin: Administrator }>

function send(res: Response, { status, body, location }: AdminAnswer, base: string): void {
  if (location !== undefined) res.set('Location', base + location)
  if (body === undefined) res.status(status ?? 204).end()
  else res.status(status ?? 200).json(body)
}

/** What a form of another site can send is no JSON (Fetch standard: a "simple" request). */
function requireJson(req: Request, _res: Response, next: NextFunction): void {
  const { method, headers } = req
  const type = headers['content-type']
  if (method !== 'POST' && type === undefined) next()
  else if (type !== undefined && /^application\/json *(;.*)?$/i.test(type)) next()
  else throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'The body must be sent as application/json.')
}

/** What Express's parser refuses. */
function inOurWords(error: { type?: string }, _req: Request, _res: Response, next: NextFunction): void {
  if (error instanceof GatewayError || error.type === undefined) next(error)
  else if (error.type === 'entity.too.large')
    next(new GatewayError('BODY_TOO_LARGE', 'The body is larger than 64 KiB.'))
  else next(new GatewayError('INVALID_BODY', 'The body is no JSON object.', { cause: error }))
}
