import { randomBytes } from 'node:crypto'
import { GatewayError } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import { createApiKey, hashApiKey, keyPrefix } from './api-key.ts'
import { askKeyStore } from './ask-key-store.ts'
import { type KeyRecord, KeyUses } from './key-record.ts'
import type { KeyChange, KeyStore } from './key-store.ts'

/** Managed keys at the most. */
const maxKeys = 100_000
const flushMs = 10_000

/** What a new key is made with. */
export interface NewKey
  extends Pick<KeyRecord, 'consumer' | 'name' | 'roles' | 'scopes' | 'expiresAt' | 'rateLimit'> {
  /** `live`, `test` or the like. */
  readonly env: string
}

/** A key that was made; `key` itself is kept nowhere. */
export interface MadeKey {
  readonly key: string
  readonly record: KeyRecord
}

export interface ManagedKeysOptions {
  /** Absent: they are in the memory of this process only. */
  readonly store?: KeyStore | undefined
  readonly log: Logger
  /** Unix time in milliseconds. */
  now(): number
}

/** API keys that are made, rotated and revoked while the gateway runs. All are in memory, so that looking one up asks nobody. */
export class ManagedKeys {
  /** When any key was used last, those of the configuration too. */
  readonly uses = new KeyUses()
  readonly #options: ManagedKeysOptions
  readonly #byId = new Map<string, KeyRecord>()
  readonly #byHash = new Map<string, KeyRecord>()
  readonly #timer: NodeJS.Timeout | undefined
  #trouble: string | undefined
  #complete: boolean
  #warned = false

  constructor(options: ManagedKeysOptions) {
    this.#options = options
    this.#complete = options.store === undefined
    if (options.store !== undefined) this.#timer = setInterval(() => void this.flush(), flushMs).unref()
  }

  /** Resolves when the keys of the store are here, or cannot be for now. */
  async start(): Promise<void> {
    await this.#options.store?.start({
      all: (records) => this.#replace(records),
      known: () => this.#byId.values(),
      some: (changed) => {
        for (const [id, record] of changed) {
          this.#drop(id)
          if (record !== undefined) this.#put(record)
        }
      },
      trouble: (what) => {
        this.#trouble = what
      },
    })
  }

  /** The key with this hash; `sha256:` and 64 hexadecimal digits. */
  find(hash: string): KeyRecord | undefined {
    return this.#byHash.get(hash)
  }

  get(id: string): KeyRecord | undefined {
    return this.#byId.get(id)
  }

  /** In no particular order. */
  all(): IterableIterator<KeyRecord> {
    return this.#byId.values()
  }

  get size(): number {
    return this.#byId.size
  }

  /** Whether all keys are known; not before the store has told them. */
  get complete(): boolean {
    return this.#complete
  }

  /** Whether they outlive the process. */
  get isKept(): boolean {
    return this.#options.store !== undefined
  }

  /** Why changes made elsewhere are not heard of; undefined: they are. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Throws UNAVAILABLE when the store cannot be asked, INVALID_ARGUMENT when there are too many keys; so do the others. */
  async create(fields: NewKey): Promise<MadeKey> {
    const made = this.#make(fields)
    await this.#change([{ before: undefined, after: made.record }])
    return made
  }

  /**
   * Another key in place of one, which ends `overlapMs` from now unless it ends earlier. The new one is valid for as long as the old one was
   * made to be, or until `expiresAt`. Throws INVALID_ARGUMENT when the old one was rotated or has ended.
   */
  async rotate(id: string, options: { overlapMs: number; expiresAt?: number | undefined }): Promise<MadeKey> {
    const now = this.#options.now()
    const old = this.#known(id)
    const { expiresAt = Number.POSITIVE_INFINITY, createdAt = now } = old
    if (old.revokedAt !== undefined || now >= expiresAt) throw conflict('The key has ended: make a new one.')
    if (old.replacedBy !== undefined)
      throw conflict(`The key was rotated: "${old.replacedBy}" took its place.`)
    const lifetime = old.expiresAt === undefined ? undefined : now + old.expiresAt - createdAt
    const env = old.prefix?.split('_')[1] ?? 'live'
    const made = this.#make({ ...old, env, expiresAt: options.expiresAt ?? lifetime })
    const ends = Math.min(expiresAt, now + options.overlapMs)
    await this.#change([
      { before: undefined, after: made.record },
      { before: old, after: { ...old, expiresAt: ends, replacedBy: made.record.id } },
    ])
    return made
  }

  /** From now on it is refused, by all gateways that share the store as soon as they hear of it. */
  async revoke(id: string): Promise<KeyRecord> {
    const old = this.#known(id)
    if (old.revokedAt !== undefined) return old
    return await this.update(old, { ...old, revokedAt: this.#options.now() })
  }

  /** Puts another record of the same key in its place. Throws INVALID_ARGUMENT when somebody else was faster. */
  async update(before: KeyRecord, after: KeyRecord): Promise<KeyRecord> {
    await this.#change([{ before, after }])
    return after
  }

  /** Takes one that has ended out of the list. Throws INVALID_ARGUMENT for one that has not. */
  async remove(id: string): Promise<void> {
    const old = this.#known(id)
    const { expiresAt = Number.POSITIVE_INFINITY, revokedAt } = old
    if (revokedAt === undefined && this.#options.now() < expiresAt)
      throw conflict('The key is in use: revoke it first.')
    await this.#change([{ before: old, after: undefined }])
    this.uses.forget(id)
  }

  /** When keys were used last, Unix time in milliseconds, in their order; 0: never. Of other gateways some seconds late. */
  async lastUses(ids: readonly string[]): Promise<readonly number[]> {
    const elsewhere = (await this.#options.store?.lastUses(ids).catch(() => [])) ?? []
    return ids.map((id, i) => Math.max(this.uses.of(id).lastAt, elsewhere[i] ?? 0))
  }

  /** Tells the store when keys were used last; done regularly. What cannot be told is lost. */
  async flush(): Promise<void> {
    const news = this.uses.takeNews()
    if (news.size > 0) await this.#options.store?.noteUses(news).catch(() => undefined)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
    this.#options.store?.close()
  }

  #make({ env, consumer, name, roles, scopes, expiresAt, rateLimit }: NewKey): MadeKey {
    const key = createApiKey(env)
    const id = `key_${randomBytes(8).toString('hex')}`
    const [hash, prefix, createdAt] = [hashApiKey(key), keyPrefix(key), this.#options.now()]
    return {
      key,
      record: { id, consumer, hash, name, prefix, createdAt, expiresAt, roles, scopes, rateLimit },
    }
  }

  #known(id: string): KeyRecord {
    const record = this.#byId.get(id)
    if (record === undefined) throw new GatewayError('NOT_FOUND', 'There is no managed key with this id.')
    return record
  }

  /** What was revoked stays so: a Redis that was filled anew may have it from one who did not know. */
  #replace(records: readonly KeyRecord[]): void {
    const before = new Map(this.#byId)
    this.#byId.clear()
    this.#byHash.clear()
    for (const record of records) {
      const { revokedAt = record.revokedAt } = before.get(record.id) ?? {}
      const isForgotten = revokedAt !== record.revokedAt && record.revokedAt === undefined
      this.#put(isForgotten ? { ...record, revokedAt } : record)
      if (!isForgotten) continue
      const change = { before: record, after: { ...record, revokedAt } }
      // From within what the store tells: it can only be asked when it has told all.
      setImmediate(() => this.#change([change]).catch(() => undefined))
    }
    this.#complete = true
  }

  /** With a store, what is known here is what was read from it: it tells `some` before it says `done`. */
  async #change(changes: readonly KeyChange[]): Promise<void> {
    const { store } = this.#options
    const outcome =
      store === undefined ? this.#changeHere(changes) : await askKeyStore(store.change(changes, maxKeys))
    if (outcome === 'full')
      throw conflict(`There are ${maxKeys} managed keys: delete some that have ended first.`)
    if (outcome === 'stale') throw conflict('The key has just been changed by somebody else: try again.')
  }

  #changeHere(changes: readonly KeyChange[]): 'done' | 'full' {
    if (changes.some(({ before }) => before === undefined)) {
      if (this.#byId.size >= maxKeys) return 'full'
      if (!this.#warned)
        this.#options.log.warn(
          {},
          'managed keys end with this process: configure stores.database to keep them',
        )
      this.#warned = true
    }
    for (const { before, after } of changes) {
      if (before !== undefined) this.#drop(before.id)
      if (after !== undefined) this.#put(after)
    }
    return 'done'
  }

  #put(record: KeyRecord): void {
    this.#byId.set(record.id, record)
    this.#byHash.set(record.hash, record)
  }

  #drop(id: string): void {
    const record = this.#byId.get(id)
    if (record === undefined) return
    this.#byId.delete(id)
    this.#byHash.delete(record.hash)
  }
}

function conflict(message: string): GatewayError {
  return new GatewayError('INVALID_ARGUMENT', message, { status: 409 })
}
