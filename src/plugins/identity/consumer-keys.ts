import { hash, timingSafeEqual } from 'node:crypto'
import type { Principal } from '../../core/principal.ts'
import { checkApiKeyFormat } from './api-key.ts'
import { configuredKeys } from './configured-keys.ts'
import type { Consumer } from './consumer.ts'
import { survivesAsHeader } from './identity-headers.ts'
import { type KeyRateLimit, type KeyRecord, type KeyUse, KeyUses } from './key-record.ts'
import type { ManagedKeys } from './managed-keys.ts'
import { keyExpired, keyInvalid, keyRevoked, keysUnavailable } from './refusals.ts'

const maxKeyLength = 512

/** A key as requests meet it. */
interface KnownKey {
  readonly record: KeyRecord
  /** SHA-256 of the key: its hexadecimal digits, one byte each. */
  readonly digest: Buffer
  readonly principal: Principal
  readonly use: KeyUse
}

/** All keys of all consumers of a configuration: those that stand in it, and those that were made while the gateway runs. */
export class ConsumerKeys {
  readonly #consumers: ReadonlyMap<string, Consumer>
  readonly #managed: ManagedKeys | undefined
  readonly #uses: KeyUses
  /** Those of the configuration. */
  readonly #byHash = new Map<string, KnownKey>()
  readonly #byId = new Map<string, KeyRecord>()
  /** Those of the managed ones that were used under this configuration. */
  readonly #known = new WeakMap<KeyRecord, KnownKey>()

  /** Throws an Error that names the place when a hash or date cannot be read, or two keys are the same. */
  constructor(consumers: readonly Consumer[], managed?: ManagedKeys) {
    this.#managed = managed
    this.#uses = managed?.uses ?? new KeyUses()
    this.#consumers = new Map(consumers.map((consumer) => [consumer.id, consumer]))
    for (const consumer of consumers) requireWhole(consumer)
    for (const record of configuredKeys(consumers)) {
      const known = this.#know(record)
      if (known !== undefined) this.#byHash.set(record.hash, known)
      this.#byId.set(record.id, record)
    }
  }

  /**
   * Who a key belongs to. Throws KEY_INVALID, in the same words for every reason; KEY_EXPIRED or KEY_REVOKED to whoever has the whole of a
   * real key; UNAVAILABLE while it is not known which keys were made.
   */
  verify(key: string, nowMs: number): Principal {
    const format = key.length > maxKeyLength ? 'broken' : checkApiKeyFormat(key)
    if (format === 'broken') throw keyInvalid()
    // As text: as a buffer it costs four times as much.
    const digest = hash('sha256', key)
    const known = this.#find(`sha256:${digest}`)
    if (known === undefined && format === 'own' && this.#managed?.complete === false) throw keysUnavailable()
    // The Map compares digests, which a stranger cannot steer; the second comparison keeps even that from telling anything.
    if (known === undefined || !timingSafeEqual(known.digest, Buffer.from(digest, 'latin1')))
      throw keyInvalid()
    const { record } = known
    if (record.revokedAt !== undefined) throw keyRevoked()
    if (record.expiresAt !== undefined && nowMs >= record.expiresAt) throw keyExpired()
    known.use.lastAt = nowMs
    return known.principal
  }

  /** How much a caller may do: its consumer, and the key that it came with; undefined: there is no such limit. */
  rateLimits({ consumer, credentialId = '', via }: Principal): RateLimits {
    const key = this.#byId.get(credentialId) ?? this.#managed?.get(credentialId)
    return {
      consumer: this.#consumers.get(consumer ?? '')?.rateLimit,
      key: via === 'apiKey' ? key?.rateLimit : undefined,
    }
  }

  /** The keys that stand in the configuration. */
  get configured(): readonly KeyRecord[] {
    return [...this.#byId.values()]
  }

  #find(keyHash: string): KnownKey | undefined {
    const configured = this.#byHash.get(keyHash)
    if (configured !== undefined) return configured
    const record = this.#managed?.find(keyHash)
    if (record === undefined) return undefined
    const known = this.#known.get(record) ?? this.#know(record)
    if (known !== undefined) this.#known.set(record, known)
    return known
  }

  /** Undefined: there is no such consumer. A key never has more than its consumer. */
  #know(record: KeyRecord): KnownKey | undefined {
    const consumer = this.#consumers.get(record.consumer)
    if (consumer === undefined) return undefined
    const { id, name, roles, scopes } = consumer
    const principal: Principal = {
      id,
      ...(name !== undefined && { name }),
      roles: narrowed(roles, record.roles),
      scopes: narrowed(scopes, record.scopes),
      consumer: id,
      via: 'apiKey',
      credentialId: record.id,
      ...(record.createdAt !== undefined && { issuedAt: record.createdAt }),
      ...(record.expiresAt !== undefined && { expiresAt: record.expiresAt }),
    }
    const digest = Buffer.from(record.hash.slice('sha256:'.length), 'latin1')
    return { record, digest, principal, use: this.#uses.of(record.id) }
  }
}

interface RateLimits {
  readonly consumer: KeyRateLimit | undefined
  readonly key: KeyRateLimit | undefined
}

function narrowed(all: readonly string[], some: readonly string[] | undefined): readonly string[] {
  return some === undefined ? all : all.filter((one) => some.includes(one))
}

function requireWhole({ id, roles, scopes }: Consumer): void {
  const wrong = [id, ...roles, ...scopes].find((text) => !survivesAsHeader(text))
  if (wrong === undefined) return
  throw new Error(
    `consumers "${id}": "${wrong}" cannot be passed on as a header (256 characters, none of control)`,
  )
}
