import type { Redis } from 'ioredis'
import type { Algorithm } from './algorithm.ts'
import type { Decision, Verdict } from './decision.ts'
import { script } from './script.ts'

const command = 'triviumTakeAll'

interface WithCommand {
  [command](...keysAndArguments: (string | number)[]): Promise<number[]>
}

/** One limit that a request has to pass, and the key that it is counted under in Redis. */
export interface CountedInRedis {
  readonly algorithm: Algorithm
  readonly redisKey: string
}

/** Counts in Redis, shared by all gateways that use it: one round trip for all limits of a request, atomic, by one clock. */
export class RedisLimiter {
  readonly #redis: Redis & WithCommand
  readonly #timeoutMs: number

  constructor(redis: Redis, timeoutMs: number) {
    if (!(command in redis)) redis.defineCommand(command, { lua: script })
    // ioredis adds the command under its name; its types cannot know.
    this.#redis = redis as Redis & WithCommand
    this.#timeoutMs = timeoutMs
  }

  /**
   * Counts a request at all limits, or at none if one refuses it. In a Redis Cluster all keys need one hash tag. Rejects when Redis
   * fails or does not answer in time.
   */
  take(limits: readonly CountedInRedis[]): Promise<Decision> {
    const sent: (string | number)[] = [limits.length]
    for (const { redisKey } of limits) sent.push(redisKey)
    for (const { algorithm } of limits) sent.push(...algorithm.script)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        // An answer that waits while this process was busy is read before setImmediate runs.
        setImmediate(() => reject(new Error(`Redis did not answer within ${this.#timeoutMs} ms`)))
      }, this.#timeoutMs)
      this.#redis[command](...sent).then(
        (answer) => {
          clearTimeout(timer)
          resolve(read(limits, answer))
        },
        (error: unknown) => {
          clearTimeout(timer)
          reject(error)
        },
      )
    })
  }
}

function read(limits: readonly CountedInRedis[], [nowMicros = 0, admitted, ...numbers]: number[]): Decision {
  const standings = limits.map(({ algorithm }, i): Verdict => {
    const [admits, a = 0, b = 0, c = 0] = numbers.slice(4 * i, 4 * i + 4)
    const { remaining, waitMicros } = algorithm.standingTold([a, b, c], nowMicros)
    return { admits: admits === 1, remaining, waitMicros }
  })
  return { admitted: admitted === 1, nowMicros, standings }
}
