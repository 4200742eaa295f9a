import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { Logger } from '../core/log.ts'

/** A connection to one Redis, by a sentinel or not, or to a cluster; both have the same commands. */
export type RedisClient = Redis | Cluster

/** Where Redis is, and how to be let in. One of `url`, `cluster` and `sentinel` says where. */
export interface RedisPlace {
  /** `redis://` or `rediss://`. */
  readonly url?: string | undefined
  /** Some of the nodes of a Redis Cluster, which tell of the others. */
  readonly cluster?: readonly HostPort[] | undefined
  readonly sentinel?: SentinelPlace | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** TLS to every node, and to sentinels. */
  readonly tls?: RedisTls | undefined
  /** Put before every key. */
  readonly keyPrefix?: string | undefined
}

/** A server. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Sentinels, which know who of those that they watch is the master at the moment. */
export interface SentinelPlace {
  /** What they call the master that is meant. */
  readonly name: string
  readonly nodes: readonly HostPort[]
  readonly username?: string | undefined
  readonly password?: string | undefined
}

/** How a Redis is verified, and who we are to it; PEM. */
export interface RedisTls {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly serverName?: string | undefined
  readonly insecureSkipVerify?: boolean | undefined
}

/**
 * A connection to Redis that never makes a request wait for it: commands fail at once while it is down, and it reconnects by itself
 * within a second. Each change of its state is logged once.
 */
export function connectRedis(place: RedisPlace, log: Logger): RedisClient {
  const redis = clientOf(place)
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

function clientOf({ url, cluster, sentinel, username, password, tls, keyPrefix }: RedisPlace): RedisClient {
  const tlsOptions = tls === undefined ? undefined : tlsOf(tls)
  const options = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 1_000,
    retryStrategy: soon,
    enableReadyCheck: true,
    ...given({ username, password, keyPrefix, tls: tlsOptions }),
  }
  if (cluster !== undefined) {
    const { retryStrategy: _, enableOfflineQueue, ...redisOptions } = options
    return new Cluster([...cluster], {
      redisOptions,
      enableOfflineQueue,
      clusterRetryStrategy: soon,
      // A command that meets a node that is gone or a slot that moves is tried again soon; what takes longer fails.
      retryDelayOnFailover: 50,
      retryDelayOnClusterDown: 50,
      maxRedirections: 3,
      slotsRefreshTimeout: 1_000,
      slotsRefreshInterval: 5_000,
    })
  }
  if (sentinel !== undefined) {
    return new Redis({
      ...options,
      sentinels: [...sentinel.nodes],
      name: sentinel.name,
      sentinelRetryStrategy: soon,
      sentinelCommandTimeout: 1_000,
      // Not failoverDetector: what it breaks off while a connection is being made is never tried again.
      ...given({
        sentinelUsername: sentinel.username,
        sentinelPassword: sentinel.password,
        sentinelTLS: tlsOptions,
        enableTLSForSentinelMode: tlsOptions === undefined ? undefined : true,
      }),
    })
  }
  return new Redis(url ?? '', options)
}

/** Milliseconds until the next attempt to connect. */
function soon(times: number): number {
  return Math.min(50 * times, 1_000)
}

function tlsOf({
  ca,
  cert,
  key,
  serverName,
  insecureSkipVerify,
}: RedisTls): NonNullable<RedisOptions['tls']> {
  return given({ ca, cert, key, servername: serverName, rejectUnauthorized: insecureSkipVerify !== true })
}

/** Without what is undefined, which ioredis takes for a value. */
function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}
