import type { Registry } from 'prom-client'
import type { RevocationStatus } from './admin/health.ts'
import type { Logger } from './core/log.ts'
import type { ActiveExchanges } from './listener/active-exchanges.ts'
import type { KeyStore } from './plugins/identity/key-store.ts'
import { ManagedKeys } from './plugins/identity/managed-keys.ts'
import { RedisKeyStore } from './plugins/identity/redis-key-store.ts'
import { Revocations } from './plugins/identity/revocations.ts'
import { SharedRevocations, type SharingStatus } from './plugins/identity/shared-revocations.ts'
import { SqlKeyStore } from './plugins/identity/sql-key-store.ts'
import { SqlRevocations } from './plugins/identity/sql-revocations.ts'
import { registerRevocationMetrics } from './revocation-metrics.ts'
import type { Database } from './store/database.ts'
import type { RedisClient } from './store/redis.ts'
import { endStreamsOfRevoked, type StreamEndSettings } from './stream-end.ts'

export interface IdentityStateOptions {
  /** Absent: what other nodes know of this one, they have from the database. */
  readonly redis?: RedisClient | undefined
  /** Absent, or one that keeps nothing: what is made while it runs ends with it, unless Redis has it. */
  readonly database?: Database | undefined
  readonly log: Logger
  readonly metrics: Registry
  /** Revocations at the most. */
  readonly maxEntries: number
  /** Whether the gateway is not ready before it has read the shared list once. */
  readonly required: boolean
  now(): number
}

/** How long a start waits for the list of revocations. */
const startMs = 3_000

/** What a gateway knows of credentials besides its configuration; made once, so that no reload loses it. */
export class IdentityState {
  readonly revocations: Revocations
  /** API keys that are made while it runs. */
  readonly keys: ManagedKeys
  readonly #shared: SharedRevocations | SqlRevocations | undefined
  readonly #required: boolean
  readonly #now: () => number
  readonly #sweeper: NodeJS.Timeout
  #stopEndingStreams = (): void => {}

  constructor(options: IdentityStateOptions) {
    const { redis, log, metrics, maxEntries, required, now } = options
    const database = options.database?.isKept ? options.database : undefined
    this.revocations = new Revocations({ maxEntries, now, log })
    this.#shared = sharedRevocations(redis, database, { list: this.revocations, log })
    this.keys = new ManagedKeys({ store: keyStore(redis, database), log, now })
    this.#required = required
    this.#now = now
    registerRevocationMetrics(metrics, this)
    this.#sweeper = setInterval(() => this.revocations.sweep(), 1_000).unref()
  }

  /** Resolves when it knows what other nodes know, or could not find out. */
  async start(): Promise<void> {
    await Promise.all([this.#shared?.start(startMs), this.keys.start()])
  }

  /** How it shares revocations with other nodes; undefined: it does not. */
  get sharing(): SharingStatus | undefined {
    return this.#shared?.status()
  }

  /** Has the long-lived ones of `active` end with their credentials, as far as `settings` says so. Called once. */
  endStreams(active: ActiveExchanges, settings: () => StreamEndSettings): void {
    const { revocations } = this
    this.#stopEndingStreams = endStreamsOfRevoked({ revocations, active, settings, now: this.#now })
  }

  /** How it is with revocations, for people. */
  status(): RevocationStatus {
    const { inStepAt = 1, trouble, unwritten = 0 } = this.sharing ?? {}
    return { entries: this.revocations.size, trouble, unwritten, isMissing: this.#required && inStepAt === 0 }
  }

  async close(): Promise<void> {
    this.#stopEndingStreams()
    clearInterval(this.#sweeper)
    this.#shared?.close()
    await this.keys.close()
  }
}

/** Redis tells others within milliseconds, whether their way to the database is clear or not. */
function sharedRevocations(
  redis: RedisClient | undefined,
  database: Database | undefined,
  parts: { readonly list: Revocations; readonly log: Logger },
): SharedRevocations | SqlRevocations | undefined {
  return redis ? new SharedRevocations(redis, parts) : database && new SqlRevocations(database, parts)
}

/** Where all nodes look: PostgreSQL, or else Redis; a file is for one. */
function keyStore(redis: RedisClient | undefined, database: Database | undefined): KeyStore | undefined {
  if (redis !== undefined && database?.kind !== 'postgres') return new RedisKeyStore(redis)
  return database && new SqlKeyStore(database)
}
