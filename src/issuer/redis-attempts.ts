import { hash } from 'node:crypto'
import type { RedisClient } from '../store/redis.ts'
import { askRedis, type RedisScript } from './ask-redis.ts'
import {
  type AttemptKeys,
  type AttemptLimits,
  type Attempts,
  knownForMs,
  maxUserDelayMs,
  tooManyAttempts,
} from './attempts.ts'

/** Failed logins as all gateways of one Redis have seen them, by its clock. */
export class RedisAttempts implements Attempts {
  readonly #redis: RedisClient
  readonly #limits: AttemptLimits
  readonly #prefix: string

  constructor(redis: RedisClient, issuer: string, limits: AttemptLimits) {
    this.#redis = redis
    this.#limits = limits
    this.#prefix = `trivium:{logins:${hash('sha256', issuer, 'base64url').slice(0, 11)}}:`
  }

  async begin(keys: AttemptKeys): Promise<void> {
    const { perUserAndAddress, perAddress, perUser, delayMs, maxDelayMs, forgetAfterMs } = this.#limits
    const limits = [perUserAndAddress, perAddress, perUser, delayMs, maxDelayMs]
    const sent = [...this.#keys(keys), ...limits, Math.min(maxDelayMs, maxUserDelayMs), forgetAfterMs]
    const waitMs = Number(await askRedis(this.#redis, beginScript, sent))
    if (waitMs > 0) throw tooManyAttempts(waitMs)
  }

  async succeeded(keys: AttemptKeys): Promise<void> {
    await askRedis(this.#redis, succeededScript, [...this.#keys(keys), knownForMs])
  }

  #keys({ pair, address, user }: AttemptKeys): string[] {
    return [pair, address, user, `${pair}:known`].map((key) => this.#prefix + key)
  }
}

/** Keys: pair, address, user, and one that is there while the address is known for the user. */
const beginScript: RedisScript = {
  name: 'triviumBeginLogin',
  keys: 4,
  lua: `
local free = {tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])}
local delay, most, forget = tonumber(ARGV[4]), {tonumber(ARGV[5]), tonumber(ARGV[5]), tonumber(ARGV[6])}, tonumber(ARGV[7])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local counted = redis.call('EXISTS', KEYS[4]) == 1 and 2 or 3
local wait = 0
for i = 1, counted do
  wait = math.max(wait, (tonumber(redis.call('HGET', KEYS[i], 'waitUntil')) or 0) - now)
end
if wait > 0 then return wait end
for i = 1, counted do
  local failures = redis.call('HINCRBY', KEYS[i], 'failures', 1)
  local pause = 0
  if failures >= free[i] then pause = math.min(most[i], delay * 2 ^ math.min(failures - free[i], 30)) end
  redis.call('HSET', KEYS[i], 'waitUntil', string.format('%.0f', now + pause))
  redis.call('PEXPIRE', KEYS[i], string.format('%.0f', pause + forget))
end
return 0`,
}

const succeededScript: RedisScript = {
  name: 'triviumLoggedIn',
  keys: 4,
  lua: `
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[4], 1, 'PX', ARGV[1])
for i = 2, 3 do
  local failures = tonumber(redis.call('HGET', KEYS[i], 'failures'))
  if failures then redis.call('HSET', KEYS[i], 'waitUntil', 0, 'failures', math.max(0, failures - 1)) end
end
return 1`,
}
