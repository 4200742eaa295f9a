import { answered } from '../../store/answered.ts'
import type { RedisClient } from '../../store/redis.ts'
import type { Algorithm } from './algorithm.ts'
import type { Decision, Verdict } from './decision.ts'
import { giveBackScript, script } from './script.ts'
import { verdictOf } from './verdict-of.ts'

interface Commands {
  triviumTake(...keysAndArguments: (string | number)[]): Promise<number[]>
  triviumGiveBack(...keysAndArguments: (string | number)[]): Promise<number>
}

/** One limit that a request has to pass, the key that it is counted under in Redis, and whole units that it costs. */
export interface CountedInRedis {
  readonly algorithm: Algorithm
  readonly redisKey: string
  readonly cost: number
  /** As of {@link Counted}. */
  readonly price?: number
}

/** What Redis decided, as numbers: its own time, how many requests it counted, and four numbers to a limit. */
export type Answer = readonly number[]

/** Counts in Redis, shared by all gateways that use it: one round trip for all limits of a request, atomic, by one clock. */
export class RedisLimiter {
  readonly #redis: RedisClient & Commands
  readonly #timeoutMs: number

  constructor(redis: RedisClient, timeoutMs: number) {
    if (!('triviumTake' in redis)) {
      redis.defineCommand('triviumTake', { lua: script })
      redis.defineCommand('triviumGiveBack', { lua: giveBackScript, numberOfKeys: 1 })
    }
    // ioredis adds commands under their names; its types cannot know.
    this.#redis = redis as RedisClient & Commands
    this.#timeoutMs = timeoutMs
  }

  /**
   * Counts a request at all limits, or at none if one refuses it. In a Redis Cluster all keys need one hash slot. Rejects when Redis
   * fails or does not answer in time.
   */
  async take(limits: readonly CountedInRedis[]): Promise<Decision> {
    return read(limits, await this.ask(limits, 1))
  }

  /** Counts up to so many requests at once, as many as all limits have room for. */
  ask(limits: readonly CountedInRedis[], most: number): Promise<Answer> {
    const sent: (string | number)[] = [limits.length]
    for (const { redisKey } of limits) sent.push(redisKey)
    sent.push(most)
    for (const { algorithm, cost, price = cost } of limits) sent.push(...algorithm.script, cost, price)
    return answered(this.#redis.triviumTake(...sent), this.#timeoutMs)
  }

  /** Frees the place of a request that left the queue of a bucket, if it was the last; what fails is not worth a word, its turn just passes. */
  giveBack({ algorithm, redisKey, cost }: CountedInRedis, turnAtMicros: number): void {
    const idleAt = turnAtMicros + cost * algorithm.script[2]
    this.#redis.triviumGiveBack(redisKey, idleAt, turnAtMicros).catch(() => {})
  }
}

/** What an answer says of each of the requests that it grants or refuses, or would have said so much later. */
export function read(limits: readonly CountedInRedis[], answer: Answer, laterMicros = 0): Decision {
  const nowMicros = (answer[0] ?? 0) + laterMicros
  const admitted = (answer[1] ?? 0) > 0
  const standings: Verdict[] = []
  for (let i = 0; i < limits.length; i++) {
    const from = 2 + 4 * i
    const [at = 0, used = 0, before = 0] = [answer[from + 1], answer[from + 2], answer[from + 3]]
    const outcome = { admits: answer[from] === 1, admitted, told: { at, used, before }, nowMicros }
    standings.push(verdictOf(limits[i] as CountedInRedis, outcome))
  }
  return { admitted, nowMicros, standings }
}
