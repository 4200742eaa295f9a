import type { Config } from './config/schema.ts'
import type { Logger } from './core/log.ts'
import type { RedisClient } from './store/redis.ts'

/** Undefined where the configuration names none: an empty url is an environment variable that is not set. */
export async function openRedis({ redis }: Config['stores'], log: Logger): Promise<RedisClient | undefined> {
  if (redis === undefined || redis.url === '') return undefined
  // Only now: who has none does not load the client.
  const { connectRedis } = await import('./store/redis.ts')
  return connectRedis(redis, log)
}

/** How it is with Redis, for people; undefined: there is none. */
export function redisState(redis: RedisClient | undefined): 'up' | 'down' | undefined {
  if (redis === undefined) return undefined
  return redis.status === 'ready' ? 'up' : 'down'
}
