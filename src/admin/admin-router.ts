import type { IncomingMessage } from 'node:http'
import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { GatewayError, toGatewayError } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import { uuidV7 } from '../core/random-id.ts'
import type { AdminAccess, Administrator } from './admin-access.ts'
import type { AdminRate } from './admin-rate.ts'
import { type AdminAnswer, type AdminCall, type AdminRoute, writes } from './admin-route.ts'
import type { AuditSink } from './audit-entry.ts'
import { operationId } from './operation-ids.ts'
import { maxConfigBytes, maxJsonBytes, queryOf, readBody, readQuery } from './read-input.ts'
import { sendAnswer, sendEvents } from './send-answer.ts'

export interface AdminRouterOptions {
  readonly access: AdminAccess
  readonly rate: AdminRate
  readonly routes: readonly AdminRoute[]
  readonly audit: AuditSink
  /** The client's address, through trusted proxies. */
  address(req: IncomingMessage): string
  /** Aborted when the gateway is about to end: streams end then. */
  readonly ending: AbortSignal
  readonly log: Logger
  now(): number
}

/**
 * The admin API: who calls is established first, then whether they may, then what they sent; bodies are JSON or a configuration only, nothing is
 * cached, other sites may not read it (no CORS). Every write of somebody who is known is noted, also what is refused of it.
 */
export function createAdminRouter(options: AdminRouterOptions): Router {
  const { access, rate, routes, address, now } = options
  const router = express.Router({ caseSensitive: true, strict: true })
  router.use((req, res: AdminResponse, next) => {
    res.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' })
    const from = address(req)
    const { name, scopes } = access.admit(req, from)
    rate.take(name, from, now())
    res.locals.admin = { name, scopes, address: from, requestId: requestIdOf(req, now()) }
    next()
  })
  for (const route of routes) {
    const action = operationId(route, routes)
    const verb = route.method.toLowerCase() as Lowercase<AdminRoute['method']>
    router[verb](expressPath(route.path), ...handlers(route, { ...options, action }))
  }
  for (const [path, same] of Map.groupBy(routes, (route) => route.path))
    router.all(expressPath(path), () => {
      const allow = same.map(({ method }) => method).join(', ')
      throw new GatewayError('METHOD_NOT_ALLOWED', `This takes ${allow}.`, { headers: ['Allow', allow] })
    })
  router.use(inOurWords)
  return router
}

/** Who calls, and what the audit log says of it. */
interface Caller extends Administrator {
  readonly address: string
  readonly requestId: string
}

type AdminResponse = Response<unknown, { admin: Caller }>

interface HandlerOptions extends AdminRouterOptions {
  readonly action: string
}

/** What a route does with a call: may they, what did they send, the call itself, the answer. */
function handlers(route: AdminRoute, options: HandlerOptions): Handler[] {
  const { ending, log } = options
  const query = queryOf(route)
  const limit = route.takes === 'config' ? maxConfigBytes : (route.maxBodyBytes ?? maxJsonBytes)
  const may = (req: Request, res: AdminResponse, next: NextFunction): void => {
    requireScope(route, res.locals.admin)
    if (route.method !== 'GET') requireType(route, req)
    next()
  }
  const serve = async (req: Request, res: AdminResponse): Promise<void> => {
    const { name: by, address } = res.locals.admin
    const {
      dryRun = false,
      message,
      ...own
    } = readQuery(query, req.url.slice(req.path.length)) as CommonQuery
    const sent = route.method === 'GET' ? nothing : readBody(route, bytesOf(req))
    const { signal, release } = untilGone(res, ending)
    const { accept = '*/*', 'if-match': ifMatch } = req.headers
    const params = req.params as Readonly<Record<string, string>>
    const call: AdminCall = {
      params,
      query: own,
      ...sent,
      dryRun,
      message,
      by,
      address,
      accept,
      ifMatch,
      signal,
    }
    try {
      const answer = await route.serve(call)
      if (writes(route) && answer.unnoted !== true) note(options, { req, res, answer, call })
      if (answer.stream === undefined) sendAnswer(req, res, route, answer)
      else await sendEvents(res, answer.stream, signal)
    } finally {
      release()
    }
  }
  const refused = (error: unknown, req: Request, res: AdminResponse, next: NextFunction): void => {
    const told = asRefusal(error, limit)
    if (writes(route)) note(options, { req, res, error: told })
    if (told.status >= 500) log.error({ error, action: options.action }, 'the admin API failed')
    // The answer has begun: all that is left is to end it so that the client sees that it is not whole.
    if (res.headersSent) res.destroy()
    else next(told)
  }
  const read = express.raw({ type: () => true, limit, inflate: false })
  const all = [may, ...(route.method === 'GET' ? [] : [read]), serve, refused]
  return all as unknown as Handler[]
}

/** As Express declares it: what {@link AdminResponse} holds is there since the caller was admitted. */
type Handler = express.RequestHandler

type CommonQuery = Record<string, unknown> & { dryRun?: boolean; message?: string }

const nothing = { body: undefined, text: '' }

function bytesOf({ body }: Request): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}

/** `/keys/{id}:rotate` as Express has it. */
function expressPath(path: string): string {
  return path.replaceAll(':', '\\:').replace(/\{(\w+)\}/g, ':$1')
}

function requireScope({ scope }: AdminRoute, { name, scopes }: Administrator): void {
  if (!scopes.includes(scope))
    throw new GatewayError('SCOPE_MISSING', `The token "${name}" has not the scope "${scope}".`)
}

/** What a form of another site can send is no JSON and no YAML (Fetch standard: a "simple" request). */
function requireType({ takes, method }: AdminRoute, { headers }: Request): void {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  const isEmpty = headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
  if (type === undefined && method !== 'POST' && (isEmpty || headers['content-length'] === '0')) return
  const accepted = takes === 'config' ? configTypes : jsonTypes
  if (type !== undefined && accepted.includes(type)) return
  const words = takes === 'config' ? 'application/yaml or application/json' : 'application/json'
  throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', `The body must be sent as ${words}.`)
}

const jsonTypes = ['application/json', 'application/merge-patch+json']
/** RFC 9512, and what was usual before it. */
const configTypes = [...jsonTypes, 'application/yaml', 'application/x-yaml']

/** Aborted when the client is gone or the gateway ends; `release` lets go of the latter. */
function untilGone(res: Response, ending: AbortSignal): { signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  res.once('close', abort)
  ending.addEventListener('abort', abort, { once: true })
  return { signal: controller.signal, release: () => ending.removeEventListener('abort', abort) }
}

interface Noted {
  readonly req: Request
  readonly res: AdminResponse
  /** Of what was done. */
  readonly answer?: AdminAnswer
  readonly call?: AdminCall
  /** Of what was not. */
  readonly error?: GatewayError
}

function note({ audit, log, now, action }: HandlerOptions, { req, res, answer, call, error }: Noted): void {
  const { name: actor, address, requestId } = res.locals.admin
  const outcome =
    error === undefined ? (call?.dryRun ? 'dryRun' : 'done') : error.status < 500 ? 'refused' : 'failed'
  const { method, path } = req
  audit.note({
    at: now(),
    actor,
    address,
    action,
    method,
    path,
    outcome,
    status: error?.status ?? answer?.status ?? 200,
    version: answer?.version ?? null,
    message: call?.message ?? null,
    changes: answer?.changes ?? [],
    reason: error?.reason ?? null,
    requestId,
  })
  log.info(
    {
      'admin.token': actor,
      'admin.action': action,
      outcome,
      method,
      path: req.baseUrl + path,
      request_id: requestId,
    },
    'admin',
  )
}

/** The client's own when it is one, so that its log and ours say the same; the refusal's body says it too. */
function requestIdOf(req: Request, nowMs: number): string {
  const { 'x-request-id': sent } = req.headers
  const id = typeof sent === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(sent) ? sent : uuidV7(nowMs)
  req.headers['x-request-id'] = id
  return id
}

/** What Express and its parser refuse. */
function asRefusal(error: unknown, limit: number): GatewayError {
  const { type = '' } = (error ?? {}) as { readonly type?: string }
  if (type === 'entity.too.large')
    return new GatewayError('BODY_TOO_LARGE', `The body is larger than ${limit / 1_048_576} MiB.`)
  if (type === 'encoding.unsupported')
    return new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'The body must not be compressed.')
  if (type !== '')
    return new GatewayError('INVALID_BODY', 'The body was not sent as a whole.', { cause: error })
  return toGatewayError(error)
}

/** A path with a broken percent escape, which Express itself refuses. */
function inOurWords(error: unknown, _req: Request, _res: Response, next: NextFunction): void {
  if (error instanceof URIError)
    next(new GatewayError('PATH_REFUSED', 'The path holds a broken percent escape.', { cause: error }))
  else next(error)
}
