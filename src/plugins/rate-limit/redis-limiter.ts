import type { Redis } from 'ioredis'
import { type Bucket, type Decision, decision } from './gcra.ts'

/**
 * Same arithmetic as `take` in gcra.ts, by the clock of Redis, in one step. KEYS[1]: when the bucket is full; ARGV: interval and
 * capacity. All in microseconds. Answers whether a token was taken, and the backlog after that.
 */
const lua = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
local fullAt = tonumber(redis.call('GET', KEYS[1]) or '0')
local backlog = math.min(math.max(fullAt - now, 0), capacity)
if backlog + interval > capacity then return {0, backlog} end
backlog = backlog + interval
redis.call('SET', KEYS[1], string.format('%.0f', now + backlog), 'PX', string.format('%.0f', math.ceil(backlog / 1000)))
return {1, backlog}
`
const command = 'triviumTakeToken'

interface WithCommand {
  [command](key: string, interval: number, capacity: number): Promise<[number, number]>
}

/** Buckets in Redis, shared by all gateways that use it: one round trip, atomic, by one clock. */
export class RedisLimiter {
  readonly #redis: Redis & WithCommand
  readonly #keyPrefix: string
  readonly #timeoutMs: number

  /** @param policy goes into the keys: `trivium:rl:{policy}:key`; all of one policy share a hash slot. */
  constructor(redis: Redis, policy: string, timeoutMs: number) {
    if (!(command in redis)) redis.defineCommand(command, { lua, numberOfKeys: 1 })
    // ioredis adds the command under its name; its types cannot know.
    this.#redis = redis as Redis & WithCommand
    this.#keyPrefix = `trivium:rl:{${policy}}:`
    this.#timeoutMs = timeoutMs
  }

  /** Takes a token of `key` if there is one. Rejects when Redis fails or does not answer in time. */
  take(bucket: Bucket, key: string): Promise<Decision> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        // An answer that waits while this process was busy is read before setImmediate runs.
        setImmediate(() => reject(new Error(`Redis did not answer within ${this.#timeoutMs} ms`)))
      }, this.#timeoutMs)
      this.#redis[command](this.#keyPrefix + key, bucket.intervalMicros, bucket.capacityMicros).then(
        ([admitted, backlog]) => {
          clearTimeout(timer)
          resolve(decision(bucket, admitted === 1, backlog))
        },
        (error: unknown) => {
          clearTimeout(timer)
          reject(error)
        },
      )
    })
  }
}
