import type { GatewayStatus } from './admin/health.ts'
import type { Config } from './config/schema.ts'
import type { Logger } from './core/log.ts'
import { ServiceRegistry } from './discovery/service-registry.ts'
import { KeptInstances } from './kept-instances.ts'
import { KeptReleases } from './kept-releases.ts'
import { openDatabase } from './open-database.ts'
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

/** What a gateway keeps outside its own memory, opened once. */
export class Stores {
  /** Instances that announce themselves. */
  readonly registry = new ServiceRegistry()
  readonly redis: RedisClient | undefined
  readonly database: Database | undefined
  /** Undefined: nothing outlives the gateway. */
  readonly releases: KeptReleases | undefined
  readonly #instances: KeptInstances | undefined

  constructor(stores: Config['stores'], { file, offline, log }: StoresOptions) {
    if (offline) return
    this.redis = openRedis(stores, log)
    this.database = openDatabase(stores.database, { file, log })
    if (!this.database.isKept) return
    this.releases = new KeptReleases(this.database, log)
    this.#instances = new KeptInstances(this.database, { registry: this.registry })
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
