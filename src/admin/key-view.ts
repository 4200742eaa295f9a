import { z } from 'zod'
import { writtenDuration } from '../core/units.ts'
import type { Consumer } from '../plugins/identity/consumer.ts'
import type { KeyRecord } from '../plugins/identity/key-record.ts'
import type { ManagedKeys } from '../plugins/identity/managed-keys.ts'
import type { Revocations } from '../plugins/identity/revocations.ts'

/** What the state of a key depends on. */
export interface KeyViewOptions {
  readonly managed: ManagedKeys
  readonly revocations: Revocations
  consumers(): readonly Consumer[]
  now(): number
}

const time = z.iso.datetime().optional()

/** A key as people see it. */
export const keyShape = z.strictObject({
  id: z.string(),
  consumer: z.string(),
  name: z.string().optional(),
  prefix: z.string().optional().describe('How the key begins.'),
  state: z
    .enum(['active', 'rotated', 'expired', 'revoked', 'orphaned'])
    .describe(
      'rotated: still accepted, and another took its place; orphaned: its consumer is not in the configuration.',
    ),
  source: z.enum(['managed', 'configuration']),
  createdAt: time,
  expiresAt: time,
  revokedAt: time,
  lastUsedAt: time.describe('Of other gateways some seconds late; absent: never.'),
  roles: z.array(z.string()).optional(),
  scopes: z.array(z.string()).optional(),
  rateLimit: z.strictObject({ limit: z.int(), window: z.string() }).optional(),
  replacedBy: z.string().optional(),
})

/** Keys for people, in their order. */
export async function shownKeys(keys: readonly KeyRecord[], options: KeyViewOptions): Promise<object[]> {
  const { managed } = options
  const uses = await managed.lastUses(keys.map(({ id }) => id))
  return keys.map((key, i) => {
    const source = managed.get(key.id) === undefined ? 'configuration' : 'managed'
    return { ...forPeople(key, uses[i] ?? 0, options), source }
  })
}

/** Without the hash: nobody needs it, and a key that somebody made up could be found by it. */
function forPeople({ hash: _, ...key }: KeyRecord, lastUsedAt: number, options: KeyViewOptions): object {
  const { createdAt, expiresAt, revokedAt, rateLimit } = key
  return {
    ...key,
    state: stateOf(key, options),
    createdAt: written(createdAt),
    expiresAt: written(expiresAt),
    revokedAt: written(revokedAt),
    lastUsedAt: written(lastUsedAt === 0 ? undefined : lastUsedAt),
    rateLimit: rateLimit && { limit: rateLimit.limit, window: writtenDuration(rateLimit.window) },
  }
}

type KeyState = z.output<typeof keyShape>['state']

function stateOf(key: Omit<KeyRecord, 'hash'>, { revocations, consumers, now }: KeyViewOptions): KeyState {
  const listed = { id: key.consumer, roles: [], scopes: [], via: 'apiKey', credentialId: key.id } as const
  if (key.revokedAt !== undefined || revocations.isRevoked(listed)) return 'revoked'
  if (key.expiresAt !== undefined && now() >= key.expiresAt) return 'expired'
  if (!consumers().some(({ id }) => id === key.consumer)) return 'orphaned'
  return key.replacedBy === undefined ? 'active' : 'rotated'
}

function written(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString()
}
