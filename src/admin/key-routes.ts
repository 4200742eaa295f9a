import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { duration, time, writtenDuration } from '../core/units.ts'
import type { Consumer } from '../plugins/identity/consumer.ts'
import type { KeyRecord } from '../plugins/identity/key-record.ts'
import type { MadeKey, ManagedKeys } from '../plugins/identity/managed-keys.ts'
import type { Revocations } from '../plugins/identity/revocations.ts'
import type { AdminAnswer, AdminRoute } from './admin-router.ts'
import { pageOf, requireKnown } from './page.ts'
import { readFields } from './read-fields.ts'

export interface KeyRoutesOptions {
  readonly managed: ManagedKeys
  readonly revocations: Revocations
  /** The keys that stand in the running configuration, which nothing here changes. */
  configured(): readonly KeyRecord[]
  consumers(): readonly Consumer[]
  now(): number
}

const text = z.string().min(1).max(128)

const newKey = z.strictObject({
  consumer: text,
  name: text.optional(),
  env: z
    .string()
    .regex(/^[a-z0-9]{1,16}$/, 'has 1 to 16 lower-case letters or digits')
    .default('live'),
  roles: z.array(text).max(100).optional(),
  scopes: z.array(text).max(100).optional(),
  expiresAt: time().optional(),
  rateLimit: z
    .strictObject({ limit: z.int().min(1), window: duration().refine((ms) => ms >= 1, 'at least 1ms') })
    .optional(),
})

const rotation = z.strictObject({
  overlap: duration()
    .prefault('24h')
    .refine((ms) => ms <= 90 * 86_400_000, 'at most 90 days'),
  expiresAt: time().optional(),
})

/** `/keys`: makes, lists, rotates and revokes API keys. A key itself is in the answer that makes it and nowhere else. */
export function keyRoutes(options: KeyRoutesOptions): AdminRoute[] {
  const { managed } = options
  const now = (): number => options.now()
  const found = (id = ''): KeyRecord => {
    const key = managed.get(id) ?? options.configured().find((one) => one.id === id)
    if (key === undefined) throw new GatewayError('NOT_FOUND', 'There is no key with this id.')
    return key
  }
  const shown = async (keys: readonly KeyRecord[]): Promise<object[]> => {
    const uses = await managed.lastUses(keys.map(({ id }) => id))
    return keys.map((key, i) => {
      const source = managed.get(key.id) === undefined ? 'configuration' : 'managed'
      return { ...forPeople(key, { now: now(), lastUsedAt: uses[i] ?? 0, options }), source }
    })
  }
  const changeable = (id = ''): KeyRecord => {
    const key = found(id)
    if (managed.get(id) === undefined)
      throw new GatewayError(
        'INVALID_ARGUMENT',
        `The key "${id}" stands in the configuration: put a new one beside it there (gateway keys create ${key.consumer} --offline), and take this one out when nobody uses it any more.`,
        { status: 409 },
      )
    return key
  }
  const made = async ({ key, record }: MadeKey): Promise<AdminAnswer> => {
    const [body] = await shown([record])
    return { status: 201, location: `/keys/${record.id}`, body: { ...body, key } }
  }
  return [
    {
      method: 'GET',
      path: '/keys',
      scope: 'read',
      async serve({ query }) {
        requireKnown(query, ['limit', 'cursor', 'filter[consumer]'])
        const consumer = query.get('filter[consumer]')
        const all = [...managed.all(), ...options.configured()]
        const page = pageOf(consumer === null ? all : all.filter((key) => key.consumer === consumer), query)
        return { body: { ...page, items: await shown(page.items) } }
      },
    },
    {
      method: 'GET',
      path: '/keys/:id',
      scope: 'read',
      async serve({ params }) {
        const [body] = await shown([found(params.id)])
        return { body }
      },
    },
    {
      method: 'POST',
      path: '/keys',
      scope: 'keys',
      async serve({ body }) {
        const fields = readFields(newKey, body)
        requireOfConsumer(fields, options.consumers())
        requireFuture(fields.expiresAt, now())
        return await made(await managed.create(fields))
      },
    },
    {
      method: 'POST',
      path: '/keys/:id\\:rotate',
      scope: 'keys',
      async serve({ params, body }) {
        const { overlap, expiresAt } = readFields(rotation, body)
        requireFuture(expiresAt, now())
        const { id } = changeable(params.id)
        return await made(await managed.rotate(id, { overlapMs: overlap, expiresAt }))
      },
    },
    {
      method: 'POST',
      path: '/keys/:id\\:revoke',
      scope: 'keys',
      async serve({ params }) {
        const key = found(params.id)
        const { id, expiresAt } = key
        // Also that of a managed key: it holds here without Redis, and what the key opened and still streams hears of it there.
        const reach = await options.revocations.revoke({ key: id }, { expiresAt })
        const isManaged = managed.get(id) !== undefined
        const [body] = await shown([isManaged ? await managed.revoke(id).catch(unlessAway(key)) : key])
        return { body: { ...body, reach } }
      },
    },
    {
      method: 'DELETE',
      path: '/keys/:id',
      scope: 'keys',
      async serve({ params }) {
        await managed.remove(changeable(params.id).id)
        return {}
      },
    },
  ]
}

/** What is revoked on one gateway is so on all of them once Redis is back. */
function unlessAway(key: KeyRecord): (error: unknown) => KeyRecord {
  return (error) => {
    if (error instanceof GatewayError && error.reason === 'UNAVAILABLE') return key
    throw error
  }
}

interface Told {
  readonly now: number
  readonly lastUsedAt: number
  readonly options: KeyRoutesOptions
}

/** Without the hash: nobody needs it, and a key that somebody made up could be found by it. */
function forPeople({ hash: _, ...key }: KeyRecord, { now, lastUsedAt, options }: Told): object {
  const { createdAt, expiresAt, revokedAt, rateLimit } = key
  return {
    ...key,
    state: stateOf(key, { now, options }),
    createdAt: written(createdAt),
    expiresAt: written(expiresAt),
    revokedAt: written(revokedAt),
    lastUsedAt: written(lastUsedAt === 0 ? undefined : lastUsedAt),
    rateLimit: rateLimit && { limit: rateLimit.limit, window: writtenDuration(rateLimit.window) },
  }
}

/** `rotated`: still accepted, and another took its place; `orphaned`: its consumer is not in the configuration. */
type KeyState = 'active' | 'rotated' | 'expired' | 'revoked' | 'orphaned'

function stateOf(key: Omit<KeyRecord, 'hash'>, { now, options }: Pick<Told, 'now' | 'options'>): KeyState {
  const listed = { id: key.consumer, roles: [], scopes: [], via: 'apiKey', credentialId: key.id } as const
  if (key.revokedAt !== undefined || options.revocations.isRevoked(listed)) return 'revoked'
  if (key.expiresAt !== undefined && now >= key.expiresAt) return 'expired'
  if (!options.consumers().some(({ id }) => id === key.consumer)) return 'orphaned'
  return key.replacedBy === undefined ? 'active' : 'rotated'
}

function written(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString()
}

/** A key has nothing that its consumer has not. */
function requireOfConsumer(fields: z.output<typeof newKey>, consumers: readonly Consumer[]): void {
  const consumer = consumers.find(({ id }) => id === fields.consumer)
  const violations =
    consumer === undefined
      ? [{ field: '/consumer', detail: 'there is no such consumer in the configuration' }]
      : (['roles', 'scopes'] as const).flatMap((kind) =>
          (fields[kind] ?? [])
            .filter((one) => !consumer[kind].includes(one))
            .map((one) => ({ field: `/${kind}`, detail: `the consumer has not "${one}"` })),
        )
  if (violations.length > 0)
    throw new GatewayError('INVALID_ARGUMENT', 'The key cannot be made.', { violations })
}

function requireFuture(expiresAt: number | undefined, nowMs: number): void {
  if (expiresAt === undefined || expiresAt > nowMs) return
  const violations = [{ field: '/expiresAt', detail: 'is in the past' }]
  throw new GatewayError('INVALID_ARGUMENT', 'The key cannot be made.', { violations })
}
