import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../core/log.ts'
import { messageOf } from '../../core/message-of.ts'
import { answered } from '../../store/answered.ts'
import type { RedisClient } from '../../store/redis.ts'
import { secondConnection } from '../../store/second-connection.ts'
import { keys, readSpelled, spelled, writeScript } from './revocation-script.ts'
import type { Entry, Revocations, Shared } from './revocations.ts'

/** How a node stands to the list that all share. */
export interface SharingStatus {
  /** When this node last knew all that the others had written; Unix time in milliseconds; 0: never. */
  readonly inStepAt: number
  /** What is wrong; undefined: nothing. */
  readonly trouble: string | undefined
  /** Changes made here that Redis does not have yet. */
  readonly unwritten: number
}

const command = 'triviumRevoke'

interface WithCommand {
  [command](keyCount: number, ...keysAndArguments: (string | number)[]): Promise<number>
}

/** How long one read waits for a change. A Redis that says nothing for three times as long is taken for gone. */
const readMs = 1_000
const answerMs = 1_000
const retryMs = 200
const cleanMs = 60_000
/** So long does Redis keep what has expired: no node whose clock is behind shall miss it. */
const keepMs = 300_000
const batch = 200

/**
 * Shares revocations by Redis. A reader of its own waits for changes at the end of a stream, so that none is missed and all are known within
 * milliseconds; when it has lost touch it reads the whole list again, and writes what it alone knows: also an emptied Redis is filled anew.
 */
export class SharedRevocations implements Shared {
  readonly #writer: RedisClient & WithCommand
  readonly #reader: RedisClient
  readonly #list: Revocations
  readonly #log: Logger
  readonly #unwritten = new Map<string, Entry>()
  readonly #started = Promise.withResolvers<void>()
  #inStepAt = 0
  #trouble: string | undefined = 'the list was not read yet'
  #lastId = '0-0'
  #lastNumber = 0
  #cleanedAt = 0
  #closed = false

  constructor(redis: RedisClient, { list, log }: { readonly list: Revocations; readonly log: Logger }) {
    redis.defineCommand(command, { lua: writeScript })
    // ioredis adds the command under its name; its types cannot know.
    this.#writer = redis as RedisClient & WithCommand
    this.#reader = secondConnection(redis)
    // The connection that it is a copy of has logged it.
    this.#reader.on('error', () => {})
    this.#list = list
    this.#log = log
    list.shareBy(this)
  }

  /** Resolves when the whole list was read, or after `waitMs`. */
  async start(waitMs: number): Promise<void> {
    void this.#run()
    const waiting = new AbortController()
    await Promise.race([
      this.#started.promise,
      sleep(waitMs, undefined, { signal: waiting.signal }).catch(() => {}),
    ])
    waiting.abort()
    if (this.#inStepAt === 0)
      this.#log.error({}, 'the list of revocations could not be read: what was revoked elsewhere is accepted')
  }

  status(): SharingStatus {
    return { inStepAt: this.#inStepAt, trouble: this.#trouble, unwritten: this.#unwritten.size }
  }

  close(): void {
    this.#closed = true
    this.#reader.disconnect()
  }

  async write(name: string, entry: Entry): Promise<boolean> {
    this.#unwritten.set(name, entry)
    try {
      await this.#send([[name, entry]])
      return true
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'a revocation holds on this node only until Redis is back')
      return false
    }
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        if (this.#reader.status !== 'ready') await this.#connected()
        if (this.#trouble !== undefined) await this.#readAll()
        await this.#writeRest()
        this.#inStep()
        await this.#readNext()
      } catch (error) {
        if (this.#closed) return
        this.#lost(messageOf(error))
        await sleep(retryMs)
      }
    }
  }

  async #connected(): Promise<void> {
    await once(this.#reader, 'ready', { signal: AbortSignal.timeout(3 * readMs) })
  }

  /** The whole list; what this node alone knows, or knows better, is to be written. */
  async #readAll(): Promise<void> {
    const [count, newest] = await this.#both('get', [keys.count], 'xrevrange', [
      keys.changes,
      '+',
      '-',
      'COUNT',
      '1',
    ])
    this.#lastNumber = Number(count ?? 0)
    this.#lastId = (newest as [string, string[]][])[0]?.[0] ?? '0-0'
    const there = new Map<string, number>()
    let cursor = '0'
    do {
      const [next, found] = await answered(this.#reader.hscan(keys.entries, cursor, 'COUNT', 1_000), answerMs)
      for (let i = 0; i + 1 < found.length; i += 2) {
        const entry = this.#take(found[i] as string, found[i + 1] as string)
        if (entry !== undefined) there.set(found[i] as string, entry.version)
      }
      cursor = next
    } while (cursor !== '0')
    for (const [name, entry] of this.#list.entries())
      if ((there.get(name) ?? 0) < entry.version) this.#unwritten.set(name, entry)
  }

  async #writeRest(): Promise<void> {
    const overdue = Date.now() - this.#cleanedAt > cleanMs
    if (overdue) this.#cleanedAt = Date.now()
    if (overdue && this.#unwritten.size === 0) await this.#send([])
    while (this.#unwritten.size > 0) await this.#send([...this.#unwritten.entries().take(batch)])
  }

  /** Waits for changes, and looks whether Redis still is the one that the list was read from. */
  async #readNext(): Promise<void> {
    const [count, size] = await this.#both('get', [keys.count], 'hlen', [keys.entries])
    const isEmptied = size === 0 && this.#list.size > 0
    if (Number(count ?? 0) < this.#lastNumber || isEmptied) throw new Error('Redis has lost the list')
    const waited = this.#reader.xread('COUNT', 1_000, 'BLOCK', readMs, 'STREAMS', keys.changes, this.#lastId)
    const changes = (await answered(waited, 3 * readMs))?.[0]?.[1] ?? []
    for (const [id, [, number, , name = '', , text = '']] of changes) {
      if (Number(number) !== this.#lastNumber + 1) throw new Error('changes were missed')
      this.#take(name, text)
      this.#lastNumber++
      this.#lastId = id
    }
  }

  #take(name: string, text: string): Entry | undefined {
    const entry = readSpelled(text)
    if (entry === undefined) this.#log.error({}, 'a revocation in Redis cannot be read')
    else this.#list.merge(name, entry)
    return entry
  }

  async #send(entries: readonly (readonly [string, Entry])[]): Promise<void> {
    const values = entries.flatMap(([name, entry]) => [
      name,
      spelled(entry),
      entry.expiresAt === Number.POSITIVE_INFINITY ? '+inf' : entry.expiresAt,
    ])
    const { entries: hash, expiry, changes, count } = keys
    const wentBefore = Date.now() - keepMs
    await answered(this.#writer[command](4, hash, expiry, changes, count, wentBefore, ...values), answerMs)
    for (const [name, entry] of entries) if (this.#unwritten.get(name) === entry) this.#unwritten.delete(name)
  }

  /** Two commands that nothing comes between. */
  async #both(one: string, of: string[], other: string, ofOther: string[]): Promise<[unknown, unknown]> {
    const both = await answered(
      this.#reader
        .multi([
          [one, ...of],
          [other, ...ofOther],
        ])
        .exec(),
      answerMs,
    )
    const [[failed, first] = [], [alsoFailed, second] = []] = both ?? []
    if (failed || alsoFailed || both === null) throw failed ?? alsoFailed ?? new Error('Redis did not answer')
    return [first, second]
  }

  #lost(trouble: string): void {
    if (this.#trouble === undefined)
      this.#log.warn({ error: trouble }, 'revocations are not in step with Redis: the last known list holds')
    this.#trouble = trouble
    // What was sent on this connection may be answered late, and out of turn with what follows.
    if (this.#reader.status === 'ready') this.#reader.disconnect(true)
  }

  #inStep(): void {
    this.#inStepAt = Date.now()
    if (this.#trouble !== undefined)
      this.#log.info({ entries: this.#list.size }, 'revocations are in step with Redis')
    this.#trouble = undefined
    this.#started.resolve()
  }
}
