import type { GatewayStatus } from './admin/health.ts'
import type { Config } from './config/schema.ts'
import type { Logger } from './core/log.ts'
import { ServiceRegistry } from './discovery/service-registry.ts'
import { KeptInstances } from './kept-instances.ts'
import { KeptReleases } from './kept-releases.ts'
import { openRedis, redisState } from './open-redis.ts'
import type { Database } from './store/database.ts'
import type { RedisClient } from './store/redis.ts'

export interface StoresOptions {
  /** That the configuration was read from; paths are relative to its folder. */
  readonly file: string | undefined
  /** Whether nothing is opened: the gateway is only looked into. */
  readonly offline: boolean
  readonly log: Logger
}

/** Opens the stores of a configuration; {@link Stores.start} waits for them. Drivers are loaded here: who only looks into a configuration needs none. */
export async function openStores(
  stores: Config['stores'],
  { file, offline, log }: StoresOptions,
): Promise<Stores> {
  if (offline) return new Stores({ log })
  const { openDatabase } = await import('./open-database.ts')
  const redis = await openRedis(stores, log)
  return new Stores({ redis, database: openDatabase(stores.database, { file, log }), log })
}

interface Opened {
  readonly redis?: RedisClient | undefined
  readonly database?: Database
  readonly log: Logger
}

/** What a gateway keeps outside its own memory, opened once. */
export class Stores {
  /** Instances that announce themselves. */
  readonly registry = new ServiceRegistry()
  readonly redis: RedisClient | undefined
  readonly database: Database | undefined
  /** Undefined: nothing outlives the gateway. */
  readonly releases: KeptReleases | undefined
  readonly #instances: KeptInstances | undefined

  /** Called by {@link openStores}. */
  constructor({ redis, database, log }: Opened) {
    this.redis = redis
    this.database = database
    if (database?.isKept !== true) return
    this.releases = new KeptReleases(database, log)
    this.#instances = new KeptInstances(database, { registry: this.registry })
  }

  /** Resolves when what the database has was read, or cannot be for now. Redis comes when it comes. */
  async start(): Promise<void> {
    await this.database?.start()
    await Promise.all([this.releases?.start(), this.#instances?.start()])
  }

  status(): Pick<GatewayStatus, 'redis' | 'database'> {
    return { redis: redisState(this.redis), database: this.database?.status() }
  }

  async close(): Promise<void> {
    this.registry.close()
    this.redis?.disconnect()
    await Promise.all([this.releases?.close(), this.#instances?.close()])
    await this.database?.close()
  }
}
