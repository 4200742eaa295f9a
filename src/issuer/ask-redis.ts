import { GatewayError } from '../core/error.ts'
import { answered } from '../store/answered.ts'
import type { RedisClient } from '../store/redis.ts'

const timeoutMs = 1_000

/** A script that runs in Redis as one step, under a name of its own. */
export interface RedisScript {
  readonly name: string
  readonly lua: string
  readonly keys: number
}

/** Runs a script. Rejects with UNAVAILABLE when Redis fails or has not answered within a second: what it would decide must not be guessed. */
export async function askRedis(
  redis: RedisClient,
  { name, lua, keys }: RedisScript,
  sent: readonly (string | number)[],
): Promise<unknown> {
  if (!(name in redis)) redis.defineCommand(name, { lua, numberOfKeys: keys })
  // ioredis adds the command under its name; its types cannot know.
  const commands = redis as unknown as Record<string, (...sent: (string | number)[]) => Promise<unknown>>
  try {
    return await answered(commands[name]?.(...sent) ?? Promise.resolve(), timeoutMs)
  } catch (cause) {
    throw new GatewayError('UNAVAILABLE', 'Logins are not available at the moment.', {
      cause,
      retryAfterMs: 1_000,
    })
  }
}
