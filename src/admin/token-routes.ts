import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import type { Principal } from '../core/principal.ts'
import type { Revocable } from '../plugins/identity/revocable.ts'
import type { Revocation, Revocations } from '../plugins/identity/revocations.ts'
import { type AdminAnswer, type AdminRoute, adminRoute } from './admin-route.ts'
import { changeOf, dryAnswer } from './dry-answer.ts'
import { type Page, pageOfSchema, pageQuery } from './page.ts'
import { readRevocable, revocableShape } from './read-revocable.ts'

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

const reachShape = z.enum(['everywhere', 'here']).describe('here: other nodes hear of it when Redis is back.')
const revocationShape = z.looseObject({
  revokedAt: z.string().nullable(),
  expiresAt: z.string().nullable(),
})
const verdictShape = z.looseObject({ valid: z.boolean(), reason: z.string().optional() })

/** `/tokens:revoke`, `/tokens:unrevoke`, `/tokens:verify` and `/revocations`: ends what was given to somebody before it would end. */
export function tokenRoutes(options: TokenRoutesOptions): AdminRoute[] {
  const { revocations, sharing, issuers, verify } = options
  return [
    adminRoute({
      method: 'POST',
      path: '/tokens:revoke',
      scope: 'keys',
      summary: 'End a token, a session, a key, or all of somebody',
      description: 'Exactly one of the members that name something. 202: other nodes do not know of it yet.',
      body: revocableShape,
      status: 201,
      also: [202],
      answer: z.looseObject({ reach: reachShape, warnings: z.array(z.string()) }),
      async serve({ body, dryRun }): Promise<AdminAnswer> {
        const { named, terms, id } = readRevocable(body, issuers())
        const warnings = warningsOf(named, options)
        const known = revocations.find(named)
        const change = changeOf('revocations', id, {
          ...(known && { before: shown(known) }),
          after: { ...(isSecret(named) ? {} : named), ...terms },
        })
        if (dryRun) return dryAnswer([change], warnings)
        const reach = await revocations.revoke(named, terms).catch(asViolation)
        const entry = revocations.find(named)
        // Some of it is over as soon as it is said: a token that has expired.
        return {
          status: reach === 'here' ? 202 : 201,
          body: { ...(entry && shown(entry)), reach, warnings },
          changes: [change],
        }
      },
    }),
    adminRoute({
      method: 'POST',
      path: '/tokens:unrevoke',
      scope: 'keys',
      summary: 'Take a revocation back',
      body: revocableShape,
      also: [202],
      answer: z.strictObject({ reach: reachShape }),
      async serve({ body, dryRun }): Promise<AdminAnswer> {
        const { named, id } = readRevocable(body, issuers())
        const known = revocations.find(named)
        if (dryRun)
          return dryAnswer(known === undefined ? [] : [changeOf('revocations', id, { before: shown(known) })])
        const reach = await revocations.lift(named)
        if (reach === undefined) throw new GatewayError('NOT_FOUND', 'This is not revoked.')
        const changes = [changeOf('revocations', id, { before: known && shown(known) })]
        return { status: reach === 'here' ? 202 : 200, body: { reach }, changes }
      },
    }),
    adminRoute({
      method: 'POST',
      path: '/tokens:verify',
      scope: 'keys',
      writes: false,
      summary: 'Who a token speaks for, or why it is refused',
      body: z.strictObject({ token: z.string().min(1).max(16_384) }),
      answer: verdictShape,
      async serve({ body }): Promise<AdminAnswer> {
        return { body: await verdict(verify(body.token)) }
      },
    }),
    adminRoute({
      method: 'GET',
      path: '/revocations',
      scope: 'read',
      summary: 'What is revoked, in the order of the changes',
      query: z.strictObject({ ...pageQuery, cursor: z.coerce.number().int().min(0).default(0) }),
      answer: pageOfSchema(revocationShape).extend({
        sharing: z
          .strictObject({ trouble: z.string().optional(), unwritten: z.int() })
          .nullable()
          .describe('How this node is with what others have revoked; null: there are no others.'),
      }),
      serve({ query }): AdminAnswer {
        const found = page(revocations, query)
        return { body: { ...found, sharing: sharing() ?? null }, next: found.next }
      },
    }),
  ]
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
function page(
  revocations: Revocations,
  { limit, cursor: from }: { readonly limit: number; readonly cursor: number },
): Page<object> {
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

/** What nobody may read in the audit log. */
function isSecret(what: Revocable): boolean {
  return 'token' in what
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
