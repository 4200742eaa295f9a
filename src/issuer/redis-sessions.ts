import { hash } from 'node:crypto'
import type { RedisClient } from '../store/redis.ts'
import { askRedis, type RedisScript } from './ask-redis.ts'
import type { Rotation, Session, Sessions } from './session.ts'

/**
 * Sessions that all gateways of one Redis share: a hash for each, and for each user a set of its ids by the time at which they expire. All keys
 * have one hash tag, because a script finds the second by the first.
 */
export class RedisSessions implements Sessions {
  readonly #redis: RedisClient
  readonly #prefix: string

  /** @param issuer whose sessions they are: others may use the same Redis. */
  constructor(redis: RedisClient, issuer: string) {
    this.#redis = redis
    this.#prefix = `trivium:{sessions:${hash('sha256', issuer, 'base64url').slice(0, 11)}}:`
  }

  async open(session: Session, digest: string, most: number): Promise<readonly string[]> {
    const { id, userId, mark, createdAt, expiresAt } = session
    const user = hash('sha256', userId, 'base64url')
    const sent = [this.#prefix, id, user, digest, userId, mark, createdAt, expiresAt, most]
    return (await askRedis(this.#redis, openScript, sent)) as string[]
  }

  async rotate(id: string, presented: string, next: string): Promise<Rotation> {
    const answer = await askRedis(this.#redis, rotateScript, [this.#prefix, id, presented, next])
    const [outcome, userId = '', mark = '', createdAt, expiresAt] = answer as string[]
    if (outcome !== 'rotated' && outcome !== 'reused') return { outcome: 'unknown' }
    const session = { id, userId, mark, createdAt: Number(createdAt), expiresAt: Number(expiresAt) }
    return { outcome, session }
  }

  async end(id: string): Promise<boolean> {
    return (await askRedis(this.#redis, endScript, [this.#prefix, id])) === 1
  }
}

const drop = `
local function drop(id)
  local user = redis.call('HGET', KEYS[1] .. 's:' .. id, 'user')
  if user then redis.call('ZREM', KEYS[1] .. 'u:' .. user, id) end
  return redis.call('DEL', KEYS[1] .. 's:' .. id)
end
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`

const openScript: RedisScript = {
  name: 'triviumOpenSession',
  keys: 1,
  lua: `${drop}
local id, user, digest, userId, mark, createdAt, expiresAt, most = unpack(ARGV)
local ids = KEYS[1] .. 'u:' .. user
redis.call('ZREMRANGEBYSCORE', ids, '-inf', now())
local ended = {}
while redis.call('ZCARD', ids) >= tonumber(most) do
  local oldest = redis.call('ZRANGE', ids, 0, 0)[1]
  drop(oldest)
  redis.call('ZREM', ids, oldest)
  table.insert(ended, oldest)
end
local key = KEYS[1] .. 's:' .. id
redis.call('HSET', key, 'user', user, 'digest', digest, 'userId', userId, 'mark', mark, 'createdAt', createdAt, 'expiresAt', expiresAt)
redis.call('PEXPIREAT', key, expiresAt)
redis.call('ZADD', ids, expiresAt, id)
redis.call('PEXPIREAT', ids, redis.call('ZRANGE', ids, -1, -1, 'WITHSCORES')[2])
return ended`,
}

const rotateScript: RedisScript = {
  name: 'triviumRotateSession',
  keys: 1,
  lua: `${drop}
local id, presented, nextDigest = unpack(ARGV)
local key = KEYS[1] .. 's:' .. id
local digest, userId, mark, createdAt, expiresAt = unpack(redis.call('HMGET', key, 'digest', 'userId', 'mark', 'createdAt', 'expiresAt'))
if not digest then return {'unknown'} end
if digest ~= presented then
  drop(id)
  return {'reused', userId, mark, createdAt, expiresAt}
end
redis.call('HSET', key, 'digest', nextDigest)
return {'rotated', userId, mark, createdAt, expiresAt}`,
}

const endScript: RedisScript = { name: 'triviumEndSession', keys: 1, lua: `${drop}\nreturn drop(ARGV[1])` }
