import type { Cluster, Redis } from 'ioredis'

/**
 * Another connection to the same place, for commands that wait and for messages, which are subscribed to anew after each interruption. Nobody
 * logs its errors.
 */
export function secondConnection(redis: Redis | Cluster): Redis | Cluster {
  return isCluster(redis) ? redis.duplicate() : redis.duplicate({ autoResubscribe: false })
}

// Not by its class, which would load the client where there is no Redis.
function isCluster(redis: Redis | Cluster): redis is Cluster {
  return redis.isCluster
}
