import { messageOf } from '../../core/message-of.ts'
import { answered } from '../../store/answered.ts'
import type { RedisClient } from '../../store/redis.ts'
import { secondConnection } from '../../store/second-connection.ts'
import type { KeyRecord } from './key-record.ts'
import type { KeyChange, KeyNews, KeyStore } from './key-store.ts'

/** The part in braces keeps all in one hash slot of a Redis Cluster. */
const names = {
  /** Hash: id -> record as JSON. */
  records: '{trivium:keys}:records',
  /** Counts the changes. */
  version: '{trivium:keys}:version',
  /** Hash: id -> when it was used last. */
  uses: '{trivium:keys}:uses',
} as const

/** How long Redis may take to answer. */
const answerMs = 2_000
/** How often the version is looked at: what a lost message costs at the most. */
const pollMs = 2_000

/** All or none, each record as the one who changes it knows it. KEYS: records, version; ARGV: max, new ones, channel, then id, before, after for each. */
const changeScript = `
local made = tonumber(ARGV[2])
if made > 0 and redis.call('HLEN', KEYS[1]) + made > tonumber(ARGV[1]) then return 'full' end
for i = 4, #ARGV, 3 do
  local before = redis.call('HGET', KEYS[1], ARGV[i]) or ''
  if before ~= ARGV[i + 1] then return 'stale' end
end
local ids = {}
for i = 4, #ARGV, 3 do
  ids[#ids + 1] = ARGV[i]
  if ARGV[i + 2] == '' then redis.call('HDEL', KEYS[1], ARGV[i])
  else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2]) end
end
local version = redis.call('INCR', KEYS[2])
redis.call('PUBLISH', ARGV[3], cjson.encode({version = version, ids = ids}))
return version
`

/** Fills an empty Redis. KEYS: records, version; ARGV: version, then id, record for each. */
const restoreScript = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('SET', KEYS[2], ARGV[1])
return 1
`

/**
 * Managed keys in Redis, shared by all gateways that use it. Each hears of changes by a message (in milliseconds), and looks for those that it
 * missed every two seconds. While Redis is gone, what was read last holds; one that has lost its data gets it back from whoever knows it.
 */
export class RedisKeyStore implements KeyStore {
  readonly #redis: RedisClient
  readonly #listener: RedisClient
  /** Of messages `{version, ids}`, one for each change; a prefix of keys is not put before it by itself. */
  readonly #channel: string
  #news: KeyNews | undefined
  /** That of what was told last; -1: nothing yet. */
  #version = -1
  /** One after the other, so that nothing old is told after something new. */
  #reading: Promise<void> = Promise.resolve()
  #poll: NodeJS.Timeout | undefined

  /** @param redis stays the caller's; a second connection is made to listen. */
  constructor(redis: RedisClient) {
    this.#redis = redis
    this.#channel = `${redis.options.keyPrefix ?? ''}{trivium:keys}:news`
    this.#listener = secondConnection(redis)
    this.#listener.on('error', () => {})
    this.#listener.on('message', (_channel: string, text: string) => {
      const { version, ids } = (parsed(text) ?? {}) as { version?: number; ids?: string[] }
      if (typeof version === 'number' && Array.isArray(ids)) void this.#read(version, ids)
    })
    this.#listener.on('ready', () => {
      this.#listener.subscribe(this.#channel).then(
        () => this.#look(),
        () => undefined,
      )
    })
  }

  async start(news: KeyNews): Promise<void> {
    this.#news = news
    this.#redis.on('ready', this.#look)
    this.#poll = setInterval(this.#look, pollMs).unref()
    if (this.#redis.status === 'connecting' || this.#redis.status === 'connect')
      await answered(new Promise((resolve) => this.#redis.once('ready', resolve)), answerMs).catch(
        () => undefined,
      )
    await this.#look()
  }

  async change(changes: readonly KeyChange[], max: number): Promise<'done' | 'stale' | 'full'> {
    const made = changes.filter(({ before }) => before === undefined).length
    const ids = changes.map(({ before, after }) => (after ?? before)?.id ?? '')
    const each = changes.flatMap(({ before, after }, i) => [ids[i] ?? '', text(before), text(after)])
    const sent = [names.records, names.version, max, made, this.#channel, ...each]
    const outcome = await answered(this.#redis.eval(changeScript, 2, ...sent), answerMs)
    if (outcome === 'stale') this.#version = -1
    if (outcome === 'stale' || outcome === 'full') return outcome
    const gone = changes.flatMap(({ before, after }) => (after === undefined && before ? [before.id] : []))
    if (gone.length > 0)
      await answered(this.#redis.hdel(names.uses, ...gone), answerMs).catch(() => undefined)
    await this.#read(Number(outcome), ids)
    return 'done'
  }

  async noteUses(uses: ReadonlyMap<string, number>): Promise<void> {
    const pipeline = this.#redis.pipeline()
    for (const batch of batches([...uses], 1_000)) pipeline.hset(names.uses, ...batch.flat())
    await answered(pipeline.exec(), answerMs)
  }

  async lastUses(ids: readonly string[]): Promise<readonly number[]> {
    if (ids.length === 0) return []
    const found = await answered(this.#redis.hmget(names.uses, ...ids), answerMs)
    return found.map((at) => Number(at ?? 0))
  }

  close(): void {
    clearInterval(this.#poll)
    this.#redis.off('ready', this.#look)
    this.#listener.disconnect()
  }

  /** Reads all when something was missed. */
  readonly #look = (): Promise<void> => {
    return this.#inTurn(async () => {
      const version = await answered(this.#redis.get(names.version), answerMs)
      if (version === null && this.#version > 0) await this.#restore()
      if (Number(version ?? 0) !== this.#version) await this.#readAll()
    })
  }

  /** The version is a time, which no count of changes is ever near: whoever knows another one reads all. */
  async #restore(): Promise<void> {
    const each = [...(this.#news?.known() ?? [])].flatMap((one) => [one.id, text(one)])
    const sent = [names.records, names.version, Date.now(), ...each]
    await answered(this.#redis.eval(restoreScript, 2, ...sent), answerMs)
  }

  /** Reads the keys of one change; all, when others before it were missed. */
  #read(version: number, ids: readonly string[]): Promise<void> {
    return this.#inTurn(async () => {
      if (version <= this.#version) return
      if (version !== this.#version + 1) {
        await this.#readAll()
        return
      }
      const texts = await answered(this.#redis.hmget(names.records, ...ids), answerMs)
      this.#news?.some(new Map(ids.map((id, i) => [id, record(texts[i])])))
      this.#version = version
    })
  }

  /** Both in one transaction: a change between them would be missed. */
  async #readAll(): Promise<void> {
    const [version, all] =
      (await answered(this.#redis.multi().get(names.version).hgetall(names.records).exec(), answerMs)) ?? []
    if (version === undefined || all === undefined || all[0] !== null)
      throw all?.[0] ?? new Error('no answer')
    const records = Object.values(all[1] as Record<string, string>).flatMap((one) => record(one) ?? [])
    this.#news?.all(records)
    this.#version = Number(version[1] ?? 0)
  }

  #inTurn(read: () => Promise<void>): Promise<void> {
    this.#reading = this.#reading.then(read).then(
      () => this.#tell(),
      (error: unknown) => this.#news?.trouble(messageOf(error)),
    )
    return this.#reading
  }

  #tell(): void {
    const hears = this.#listener.status === 'ready'
    this.#news?.trouble(hears ? undefined : 'changes are heard of late: no messages come from Redis')
  }
}

function text(one: KeyRecord | undefined): string {
  return one === undefined ? '' : JSON.stringify(one)
}

/** Undefined also for what is none: one that cannot be read must not keep the others from being known. */
function record(one: string | null | undefined): KeyRecord | undefined {
  const read = parsed(one) as Partial<KeyRecord> | undefined
  const isWhole = [read?.id, read?.consumer, read?.hash].every((part) => typeof part === 'string')
  return isWhole ? (read as KeyRecord) : undefined
}

function parsed(one: string | null | undefined): unknown {
  try {
    return JSON.parse(one ?? 'null') ?? undefined
  } catch {
    return undefined
  }
}

function* batches<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size)
}
