import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { duration, time } from '../core/units.ts'
import type { Consumer } from '../plugins/identity/consumer.ts'
import type { KeyRecord } from '../plugins/identity/key-record.ts'
import type { MadeKey } from '../plugins/identity/managed-keys.ts'
import { type AdminAnswer, type AdminRoute, adminRoute } from './admin-route.ts'
import { changeOf, dryAnswer } from './dry-answer.ts'
import { type KeyViewOptions, keyShape, shownKeys } from './key-view.ts'
import { pageAnswer, pageOf, pageOfSchema, pageQuery } from './page.ts'

export interface KeyRoutesOptions extends KeyViewOptions {
  /** The keys that stand in the running configuration, which nothing here changes. */
  configured(): readonly KeyRecord[]
}

const text = z.string().min(1).max(128)

const terms = {
  name: text.optional(),
  roles: z.array(text).max(100).optional().describe('Those of the consumer that it has. Default: all.'),
  scopes: z.array(text).max(100).optional().describe('Those of the consumer that it has. Default: all.'),
  expiresAt: time().optional().describe('Default: never.'),
  rateLimit: z
    .strictObject({ limit: z.int().min(1), window: duration().refine((ms) => ms >= 1, 'at least 1ms') })
    .optional(),
}

const newKey = z.strictObject({
  consumer: text,
  env: z
    .string()
    .regex(/^[a-z0-9]{1,16}$/, 'has 1 to 16 lower-case letters or digits')
    .default('live'),
  ...terms,
})

/** RFC 7396: null takes it away. */
const keyPatch = z.strictObject({
  name: terms.name.nullable(),
  roles: terms.roles.nullable(),
  scopes: terms.scopes.nullable(),
  expiresAt: terms.expiresAt.nullable(),
  rateLimit: terms.rateLimit.nullable(),
})

const rotation = z.strictObject({
  overlap: duration()
    .prefault('24h')
    .refine((ms) => ms <= 90 * 86_400_000, 'at most 90 days')
    .describe('How long the old one is still accepted.'),
  expiresAt: time().optional(),
})

const madeShape = keyShape.extend({ key: z.string().describe('The key itself, shown this once.') })
const reach = z
  .enum(['everywhere', 'here'])
  .describe('here: other nodes hear of it when what they share (PostgreSQL, Redis) is back.')

/** `/keys`: makes, lists, changes, rotates and revokes API keys. A key itself is in the answer that makes it and nowhere else. */
export function keyRoutes(options: KeyRoutesOptions): AdminRoute[] {
  const { managed, now } = options
  const shown = async (key: KeyRecord): Promise<object> => (await shownKeys([key], options))[0] ?? {}
  const found = (id = ''): KeyRecord => {
    const key = managed.get(id) ?? options.configured().find((one) => one.id === id)
    if (key === undefined) throw new GatewayError('NOT_FOUND', 'There is no key with this id.')
    return key
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
  const made = async ({ key, record }: MadeKey, before?: KeyRecord): Promise<AdminAnswer> => {
    const after = await shown(record)
    const old =
      before &&
      changeOf('keys', before.id, { before: await shown(before), after: await shown(found(before.id)) })
    return {
      location: `/keys/${record.id}`,
      body: { ...after, key },
      changes: [changeOf('keys', record.id, { after }), ...(old === undefined ? [] : [old])],
    }
  }
  return [
    adminRoute({
      method: 'GET',
      path: '/keys',
      scope: 'read',
      summary: 'API keys',
      query: z.strictObject({ ...pageQuery, 'filter[consumer]': z.string().optional() }),
      answer: pageOfSchema(keyShape),
      async serve({ query }) {
        const consumer = query['filter[consumer]']
        const all = [...managed.all(), ...options.configured()]
        const page = pageOf(
          consumer === undefined ? all : all.filter((key) => key.consumer === consumer),
          query,
        )
        return pageAnswer({ ...page, items: await shownKeys(page.items, options) })
      },
    }),
    adminRoute({
      method: 'GET',
      path: '/keys/{id}',
      scope: 'read',
      summary: 'One API key',
      answer: keyShape,
      async serve({ params }) {
        return { body: await shown(found(params.id)) }
      },
    }),
    adminRoute({
      method: 'POST',
      path: '/keys',
      scope: 'keys',
      summary: 'Make an API key',
      body: newKey,
      status: 201,
      answer: madeShape,
      async serve({ body, dryRun }) {
        requireOfConsumer(body, options.consumers())
        requireFuture(body.expiresAt, now())
        if (dryRun) return dryAnswer([changeOf('keys', '(new)', { after: body })])
        return await made(await managed.create(body))
      },
    }),
    adminRoute({
      method: 'PATCH',
      path: '/keys/{id}',
      scope: 'keys',
      summary: 'Change what an API key may do',
      description: 'RFC 7396: `null` takes a term away. What the key has been used for does not change.',
      body: keyPatch,
      answer: keyShape,
      async serve({ params, body, dryRun }) {
        const old = changeable(params.id)
        const changed = Object.entries(body).map(([name, value]) => [name, value ?? undefined])
        const after: KeyRecord = { ...old, ...Object.fromEntries(changed) }
        requireOfConsumer(after, options.consumers())
        requireFuture(body.expiresAt ?? undefined, now())
        const change = changeOf('keys', old.id, { before: await shown(old), after: await shown(after) })
        if (dryRun) return dryAnswer([change])
        return { body: await shown(await managed.update(old, after)), changes: [change] }
      },
    }),
    adminRoute({
      method: 'POST',
      path: '/keys/{id}:rotate',
      scope: 'keys',
      summary: 'Make an API key in place of another',
      body: rotation,
      status: 201,
      answer: madeShape,
      async serve({ params, body: { overlap, expiresAt }, dryRun }) {
        requireFuture(expiresAt, now())
        const old = changeable(params.id)
        if (dryRun) return dryAnswer([changeOf('keys', '(new)', { after: await shown(old) })])
        return await made(await managed.rotate(old.id, { overlapMs: overlap, expiresAt }), old)
      },
    }),
    adminRoute({
      method: 'POST',
      path: '/keys/{id}:revoke',
      scope: 'keys',
      summary: 'End an API key now',
      body: z.strictObject({}),
      answer: keyShape.extend({ reach }),
      async serve({ params, dryRun }) {
        const key = found(params.id)
        const { id, expiresAt } = key
        const before = await shown(key)
        const change = changeOf('keys', id, { before, after: { ...before, state: 'revoked' } })
        if (dryRun) return dryAnswer([change])
        // Also that of a managed key: it holds here without Redis, and what the key opened and still streams hears of it there.
        const reach = await options.revocations.revoke({ key: id }, { expiresAt })
        const isManaged = managed.get(id) !== undefined
        const after = await shown(isManaged ? await managed.revoke(id).catch(unlessAway(key)) : key)
        return { body: { ...after, reach }, changes: [change] }
      },
    }),
    adminRoute({
      method: 'DELETE',
      path: '/keys/{id}',
      scope: 'keys',
      summary: 'Take an API key that has ended out of the list',
      async serve({ params, dryRun }) {
        const old = changeable(params.id)
        const change = changeOf('keys', old.id, { before: await shown(old) })
        if (dryRun) return dryAnswer([change])
        await managed.remove(old.id)
        return { changes: [change] }
      },
    }),
  ]
}

/** What is revoked on one gateway is so on all of them once what they share is back. */
function unlessAway(key: KeyRecord): (error: unknown) => KeyRecord {
  return (error) => {
    if (error instanceof GatewayError && error.reason === 'UNAVAILABLE') return key
    throw error
  }
}

/** A key has nothing that its consumer has not. */
function requireOfConsumer(
  fields: Pick<KeyRecord, 'consumer' | 'roles' | 'scopes'>,
  consumers: readonly Consumer[],
): void {
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
