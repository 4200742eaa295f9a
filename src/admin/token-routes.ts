import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import type { Principal } from '../core/principal.ts'
import { noTime, time } from '../core/units.ts'
import type { Revocable } from '../plugins/identity/revocable.ts'
import type { Revocation, Revocations } from '../plugins/identity/revocations.ts'
import type { AdminAnswer, AdminRoute } from './admin-router.ts'
import { requireKnown } from './page.ts'
import { readFields } from './read-fields.ts'

export interface TokenRoutesOptions {
  readonly revocations: Revocations
  /** How this node is with those that others have made; undefined: there are no others. */
  sharing(): { readonly trouble: string | undefined; readonly unwritten: number } | undefined
  /** The issuers whose tokens are accepted. */
  issuers(): readonly string[]
  hasKey(id: string): boolean
  hasConsumer(id: string): boolean
  /** Who a token speaks for; rejects with the GatewayError that it would be refused with. */
  verify(token: string): Promise<Principal>
}

const text = z.string().min(1).max(1_024)
const common = { expiresAt: time().optional(), note: z.string().max(200).optional() }
const person = {
  ...common,
  before: time().optional(),
  until: z
    .union([time(), z.literal('forever').transform(() => Number.POSITIVE_INFINITY)], `${noTime}, or forever`)
    .optional(),
}
const token = z.string().min(1).max(16_384)

const what = {
  token: z.strictObject({ token, ...common }),
  digest: z.strictObject({ digest: text, ...common }),
  jti: z.strictObject({ jti: text, issuer: text, ...common }),
  sid: z.strictObject({ sid: text, issuer: text, ...common }),
  key: z.strictObject({ key: text, ...common }),
  certificate: z.strictObject({
    certificate: z.string().regex(/^[0-9a-f]{64}$/, 'has 64 lower-case hexadecimal digits'),
    ...common,
  }),
  sub: z.strictObject({ sub: text, issuer: text, ...person }),
  consumer: z.strictObject({ consumer: text, ...person }),
}

/** `/tokens:revoke`, `/tokens:unrevoke`, `/tokens:verify` and `/revocations`: ends what was given to somebody before it would end. */
export function tokenRoutes(options: TokenRoutesOptions): AdminRoute[] {
  const { revocations, sharing, issuers, verify } = options
  return [
    {
      method: 'POST',
      path: '/tokens\\:revoke',
      scope: 'keys',
      async serve({ body }): Promise<AdminAnswer> {
        const { named, terms } = readWhat(body, issuers())
        const reach = await revocations.revoke(named, terms).catch(asViolation)
        const entry = revocations.find(named)
        // Some of it is over as soon as it is said: a token that has expired.
        return {
          status: reach === 'here' ? 202 : 201,
          body: { ...(entry && shown(entry)), reach, warnings: warningsOf(named, options) },
        }
      },
    },
    {
      method: 'POST',
      path: '/tokens\\:unrevoke',
      scope: 'keys',
      async serve({ body }): Promise<AdminAnswer> {
        const { named } = readWhat(body, issuers())
        const reach = await revocations.lift(named)
        if (reach === undefined) throw new GatewayError('NOT_FOUND', 'This is not revoked.')
        return { status: reach === 'here' ? 202 : 200, body: { reach } }
      },
    },
    {
      method: 'POST',
      path: '/tokens\\:verify',
      scope: 'keys',
      async serve({ body }): Promise<AdminAnswer> {
        const { token: sent } = readFields(z.strictObject({ token }), body)
        return { body: await verdict(verify(sent)) }
      },
    },
    {
      method: 'GET',
      path: '/revocations',
      scope: 'read',
      serve({ query }): AdminAnswer {
        return { body: { ...page(revocations, query), sharing: sharing() ?? null } }
      },
    },
  ]
}

type Read = { readonly named: Revocable; readonly terms: Parameters<Revocations['revoke']>[1] }

/** Which of them it is says the one member that names it. */
function readWhat(body: unknown, known: readonly string[]): Read {
  const given = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  const kinds = Object.keys(what).filter((kind) => Object.hasOwn(given, kind)) as (keyof typeof what)[]
  const [kind] = kinds
  if (kind === undefined || kinds.length > 1) {
    const text = `Name one of ${Object.keys(what).join(', ')}.`
    throw new GatewayError('INVALID_ARGUMENT', text)
  }
  // Where there is one issuer only, nobody else can be meant.
  const needsIssuer = 'issuer' in what[kind].shape && given.issuer === undefined && known.length === 1
  const fields: object = readFields(what[kind], needsIssuer ? { ...given, issuer: known[0] } : given)
  const { expiresAt, before, until, note, ...named } = fields as Record<string, never>
  const ends = expiresAt ?? (kind === 'token' ? expiryOf(String(given.token)) : undefined)
  return { named: named as unknown as Revocable, terms: { expiresAt: ends, before, until, note } }
}

/** What a JSON Web Token says of its end; undefined for one that does not, or cannot be read. Whether it is genuine does not matter here. */
function expiryOf(jws: string): number | undefined {
  const [, payload = '', ...rest] = jws.split('.')
  if (rest.length !== 1) return undefined
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp?: unknown }
    return typeof exp === 'number' ? exp * 1_000 : undefined
  } catch {
    return undefined
  }
}

function asViolation(error: unknown): never {
  if (error instanceof RangeError)
    throw new GatewayError('INVALID_ARGUMENT', `Nothing was revoked: ${error.message}.`)
  throw error
}

/** What may be a mistake, and is no reason to leave it. */
function warningsOf(
  named: Revocable,
  { issuers, hasKey, hasConsumer }: TokenRoutesOptions,
): readonly string[] {
  if ('key' in named && !hasKey(named.key)) return ['No key with this id is known here.']
  if ('consumer' in named && !hasConsumer(named.consumer))
    return ['There is no consumer of this name in the configuration.']
  const known = issuers()
  if (!('issuer' in named) || known.includes(named.issuer)) return []
  return [`No issuer "${named.issuer}" is configured (there are: ${known.join(', ')}).`]
}

function shown({ what, expiresAt, before, until, note, version }: Revocation): object {
  const isPerson = 'sub' in what || 'consumer' in what
  return {
    ...what,
    revokedAt: written(version),
    ...(isPerson && before > 0 && { before: written(before) }),
    ...(until > 0 && { until: written(until) ?? 'forever' }),
    expiresAt: written(expiresAt),
    ...(note !== '' && { note }),
  }
}

/** `null`: never. */
function written(at: number): string | null {
  return Number.isFinite(at) ? new Date(at).toISOString() : null
}

/** In the order of the changes; the cursor is the place of the first that was not shown, which later changes move by little. */
function page(revocations: Revocations, query: URLSearchParams): object {
  requireKnown(query, ['limit', 'cursor'])
  const limit = Number(query.get('limit') ?? 100)
  const from = Number(query.get('cursor') ?? 0)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000 || !Number.isInteger(from) || from < 0)
    throw new GatewayError(
      'INVALID_ARGUMENT',
      'limit is a number from 1 to 1000, and cursor what `next` was.',
    )
  const items = revocations
    .list()
    .drop(from)
    .take(limit + 1)
    .map(shown)
    .toArray()
  const hasMore = items.length > limit
  return {
    items: items.slice(0, limit),
    next: hasMore ? String(from + limit) : null,
    total: revocations.size,
  }
}

async function verdict(verified: Promise<Principal>): Promise<object> {
  try {
    const { id, issuer, name, roles, scopes, consumer, credentialId: jti, expiresAt } = await verified
    const ends = expiresAt === undefined ? undefined : written(expiresAt)
    return { valid: true, sub: id, issuer, name, roles, scopes, consumer, jti, expiresAt: ends }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    const { cause } = error
    // Administrators may know why, which clients are not told.
    const why = cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : undefined
    return { valid: false, reason: error.reason, detail: error.message, why }
  }
}
