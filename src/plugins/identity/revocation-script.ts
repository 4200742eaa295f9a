import type { Entry } from './revocations.ts'

/** Where the list is in Redis; of one hash tag, so that a Cluster keeps them on one node. */
export const keys = {
  /** Hash: name to {@link spelled} entry. */
  entries: '{trivium:revocations}',
  /** Sorted set: name by the Unix time in milliseconds when its entry may go. */
  expiry: '{trivium:revocations}:expiry',
  /** Stream: number, name and entry of each change. */
  changes: '{trivium:revocations}:changes',
  /** Counter of changes: gaps in the numbers of the stream tell a reader that it has missed some. */
  count: '{trivium:revocations}:count',
} as const

/** Changes that are kept for readers who fall behind; who is further behind reads the whole list. */
const maxChanges = 10_000

/**
 * Writes entries that are newer than what is there, all or none, and tells all readers. KEYS: as {@link keys}. ARGV: a time,
 * then name, entry and expiry of each. Some of what had expired by that time goes with every write.
 */
export const writeScript = `
local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, 200)
for _, name in ipairs(old) do
  redis.call('HDEL', KEYS[1], name)
  redis.call('ZREM', KEYS[2], name)
end
for i = 2, #ARGV, 3 do
  local name, text, expiry = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local known = redis.call('HGET', KEYS[1], name)
  local version = tonumber(string.match(text, '^%d+'))
  if not known or tonumber(string.match(known, '^%d+')) < version then
    redis.call('HSET', KEYS[1], name, text)
    redis.call('ZADD', KEYS[2], expiry, name)
    local number = redis.call('INCR', KEYS[4])
    redis.call('XADD', KEYS[3], 'MAXLEN', '~', ${maxChanges}, '*', 'number', number, 'name', name, 'entry', text)
  end
end
return #old
`

/** Version first, for the script: `1760000000000 [expiresAt, before, until, note]`, with null for never. */
export function spelled({ version, expiresAt, before, until, note }: Entry): string {
  return `${version} ${JSON.stringify([expiresAt, before, until, note])}`
}

/** Undefined: it was not written by a gateway of this kind. */
export function readSpelled(text: string): Entry | undefined {
  const [, version, list] = /^(\d+) (\[.*\])$/s.exec(text) ?? []
  if (version === undefined || list === undefined) return undefined
  let values: unknown
  try {
    values = JSON.parse(list)
  } catch {
    return undefined
  }
  const [expiresAt, before, until, note] = values as readonly unknown[]
  const times = [expiresAt, before, until].map((time) => (time === null ? Number.POSITIVE_INFINITY : time))
  if (!times.every((time) => typeof time === 'number')) return undefined
  const [ends = 0, since = 0, pause = 0] = times
  return {
    version: Number(version),
    expiresAt: ends,
    before: since,
    until: pause,
    note: typeof note === 'string' ? note : '',
  }
}
