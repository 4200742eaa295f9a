import type { GatewayStatus } from './admin/health.ts'
import type { Config } from './config/schema.ts'
import type { Logger } from './core/log.ts'
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
  readonly redis: RedisClient | undefined
  readonly database: Database | undefined

  constructor(stores: Config['stores'], { file, offline, log }: StoresOptions) {
    if (offline) return
    this.redis = openRedis(stores, log)
    this.database = openDatabase(stores.database, { file, log })
  }

  /** Resolves when the database can be asked, or cannot be for now. Redis comes when it comes. */
  async start(): Promise<void> {
    await this.database?.start()
  }

  status(): Pick<GatewayStatus, 'redis' | 'database'> {
    return { redis: redisState(this.redis), database: this.database?.status() }
  }

  async close(): Promise<void> {
    this.redis?.disconnect()
    await this.database?.close()
  }
}
