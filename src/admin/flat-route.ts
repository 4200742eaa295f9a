import { z } from 'zod'
import type { ConfigEdit } from '../control/change.ts'
import type { Item } from '../control/control-plane.ts'
import { GatewayError } from '../core/error.ts'
import { isRecord } from '../core/is-record.ts'
import { readFields } from './read-fields.ts'

/** A route in one line of curl, as other gateways' users write it. */
export const flatRouteShape = z
  .strictObject({
    service_name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'has letters, digits, ".", "_" and "-"')
      .describe(
        'The upstream. When there is none of this name it is made: of the target, or of the instances that register.',
      ),
    path_pattern: z
      .string()
      .regex(/^\/[^?#*]*\*?$/, 'is a path such as /api/v1/users/*, with one * at the end at the most')
      .describe('/api/v1/users/* is all below it, {id} is one segment.'),
    target_url: z
      .string()
      .regex(
        /^(https?:\/\/[^/?#@*]+)?(\/[^?#*]*\*?)?$/,
        'is a path such as /users/*, or a URL such as http://users:8001/users/*',
      )
      .min(1)
      .optional()
      .describe('The path that the upstream sees, and where it is. Default: the same path.'),
    method: z
      .string()
      .regex(/^[A-Za-z]+( *, *[A-Za-z]+)*$/, 'is GET, or GET,POST, or ANY')
      .default('ANY'),
    requires_auth: z.boolean().default(true),
    rate_limit_rpm: z.int().min(1).optional().describe('Requests in a minute, by caller.'),
    circuit_breaker_enabled: z.boolean().optional().describe('Of the upstream.'),
  })
  .meta({ id: 'FlatRoute' })

type FlatRoute = z.output<typeof flatRouteShape>

/** Whether a route is spelled flat. Throws INVALID_ARGUMENT for one that is half this and half that. */
export function isFlatRoute(sent: Readonly<Record<string, unknown>>): boolean {
  return isSpelledFlat(sent, Object.keys(flatRouteShape.shape))
}

/** Whether what was sent has members of the flat spelling, and no others. */
export function isSpelledFlat(sent: Readonly<Record<string, unknown>>, flat: readonly string[]): boolean {
  const names = Object.keys(sent)
  const own = names.filter((name) => flat.includes(name))
  if (own.length === 0) return false
  const others = names.filter((name) => !flat.includes(name))
  if (others.length === 0) return true
  const text = `This mixes two spellings: ${own.join(', ')} are of the flat one, ${others.join(', ')} are not. Use one.`
  const violations = others.map((name) => ({ field: `/${name}`, detail: 'is not of the flat spelling' }))
  throw new GatewayError('INVALID_ARGUMENT', text, { violations })
}

/** What a route in the flat spelling becomes: the route, and its upstream when there is none. Throws INVALID_ARGUMENT. */
export function flatRoute(
  sent: unknown,
  upstreams: readonly Item[],
): { readonly id: string; readonly edits: readonly ConfigEdit[] } {
  const flat = readFields(flatRouteShape, sent)
  const [, origin, path = ''] = /^(https?:\/\/[^/]+)?(.*)$/.exec(flat.target_url ?? '') ?? []
  const upstream = upstreams.find(({ id }) => id === flat.service_name)
  const methods = flat.method.toUpperCase().split(/ *, */)
  const isAny = methods.includes('ANY')
  const base = `${flat.service_name}-${slug(flat.path_pattern)}`
  const id = (isAny ? base : `${base}-${methods.join('-').toLowerCase()}`).slice(0, 63).replace(/-+$/, '')
  const value = {
    id,
    path: flat.path_pattern.replace(/\*$/, '**'),
    ...(!isAny && { methods }),
    upstream: flat.service_name,
    ...rewriteOf(flat.path_pattern, path),
    auth: flat.requires_auth ? 'required' : 'none',
    ...(flat.rate_limit_rpm !== undefined && {
      plugins: [{ rateLimit: { limit: flat.rate_limit_rpm, window: '1m' } }],
    }),
  }
  return {
    id,
    edits: [...upstreamEdits(flat, upstream, origin), { op: 'create', kind: 'routes', id, value }],
  }
}

/** `/api/v1/users/*` to `/users/*` is another prefix; without a `*` it is another path. */
function rewriteOf(pattern: string, target: string): { readonly rewrite?: object } {
  if (target === '' || target === pattern) return {}
  if (pattern.endsWith('*') !== target.endsWith('*'))
    throw invalid('/target_url', 'ends in * when path_pattern does, and only then')
  if (!target.endsWith('*')) return { rewrite: { path: target.replace(/\{(\w+)\}/g, `\${path.$1}`) } }
  const [stripPrefix, prefix] = [withoutStar(pattern), withoutStar(target)]
  if (/[{}]/.test(stripPrefix + prefix))
    throw invalid('/target_url', 'has no variables where both end in *: write the route in full')
  return { rewrite: { ...(stripPrefix && { stripPrefix }), ...(prefix && { prefix }) } }
}

function withoutStar(path: string): string {
  return path.replace(/\/?\*$/, '')
}

function upstreamEdits(flat: FlatRoute, known: Item | undefined, origin: string | undefined): ConfigEdit[] {
  const { service_name: id, circuit_breaker_enabled: breaks } = flat
  if (known === undefined) {
    const where =
      origin === undefined ? { discovery: { type: 'registry', service: id } } : { targets: [{ url: origin }] }
    return [
      { op: 'create', kind: 'upstreams', id, value: { ...where, ...(breaks && { circuitBreaker: {} }) } },
    ]
  }
  const { targets, circuitBreaker } = known.value as {
    readonly targets?: unknown
    readonly circuitBreaker?: unknown
  }
  if (origin !== undefined && !urlsOf(targets).includes(new URL(origin).origin))
    throw invalid('/target_url', `is not a target of the upstream "${id}": change it at /upstreams/${id}`)
  if (breaks === undefined || breaks === (circuitBreaker !== undefined)) return []
  return [{ op: 'patch', kind: 'upstreams', id, value: { circuitBreaker: breaks ? {} : null } }]
}

function urlsOf(targets: unknown): string[] {
  if (!Array.isArray(targets)) return []
  return targets.flatMap((target) => {
    const url = isRecord(target) ? String(target.url) : ''
    return URL.canParse(url) ? [new URL(url).origin] : []
  })
}

/** `/api/v1/users/*` is `api-v1-users`. */
function slug(path: string): string {
  return (
    path
      .replace(/[^A-Za-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .toLowerCase() || 'root'
  )
}

function invalid(field: string, detail: string): GatewayError {
  return new GatewayError('INVALID_ARGUMENT', 'The flat route cannot be read.', {
    violations: [{ field, detail }],
  })
}
