import { Redis } from 'ioredis'
import type { Logger } from '../core/log.ts'

/**
 * A connection to Redis that never makes a request wait for it: commands fail at once while it is down, and it reconnects by itself
 * within a second. Each change of its state is logged once.
 */
export function connectRedis(url: string, log: Logger): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 1_000,
    retryStrategy: (times) => Math.min(50 * times, 1_000),
    enableReadyCheck: true,
  })
  let down = false
  redis.on('error', (error: Error) => {
    if (!down) log.error({ error: error.message }, 'Redis is down')
    down = true
  })
  redis.on('ready', () => {
    log.info({}, 'Redis is up')
    down = false
  })
  return redis
}
