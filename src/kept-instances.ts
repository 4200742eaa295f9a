import type { Transaction } from 'kysely'
import type { RegistryEvent } from './discovery/instance.ts'
import type { ServiceRegistry } from './discovery/service-registry.ts'
import { batches } from './store/batches.ts'
import type { Database } from './store/database.ts'
import type { Tables } from './store/tables.ts'
import { TopicReader } from './store/topic-reader.ts'

export interface KeptInstancesOptions {
  readonly registry: ServiceRegistry
  /** Unix time in milliseconds. Default: the system's. */
  readonly now?: () => number
}

/** Heartbeats are collected for so long. */
const collectMs = 1_000
/** So much longer does a node wait that hears of heartbeats by way of another one. */
const graceMs = 5_000
const pageSize = 1_000

/**
 * Keeps registered instances in the database, for the next start and for other nodes. What happens here is written in batches, heartbeats only when a
 * third of their time has passed; while the database is away the latest of each instance waits.
 */
export class KeptInstances {
  readonly #database: Database
  readonly #registry: ServiceRegistry
  readonly #now: () => number
  readonly #reader: TopicReader
  /** By {@link keyOf}: what is to be written. Not more than there are instances, and some that have ended. */
  readonly #pending = new Map<string, RegistryEvent>()
  /** By the same, when what is written ends: Unix time in milliseconds. */
  readonly #written = new Map<string, number>()
  /** Since the reading that is under way began. */
  readonly #justWritten = new Set<string>()
  #isFirst = true
  #closed = false
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(database: Database, { registry, now = Date.now }: KeptInstancesOptions) {
    this.#database = database
    this.#registry = registry
    this.#now = now
    this.#reader = new TopicReader(database, {
      topic: 'instances',
      read: () => this.#read(),
      trouble: () => {},
    })
    registry.onEvent((event, service, url) => this.#note(event, keyOf(service, url)))
  }

  /** Resolves when those of before are registered again, or cannot be for now. */
  async start(): Promise<void> {
    await this.#reader.start()
  }

  /** Resolves when what is pending was written, or could not be. */
  async close(): Promise<void> {
    this.#closed = true
    this.#reader.close()
    await this.#write()
  }

  #note(event: RegistryEvent, key: string): void {
    if (event === 'renewed') {
      // Others need to know that it lives, not each time that it says so.
      const [service, url] = partsOf(key)
      const { ttlMs = 0 } = this.#registry.known(service, url) ?? {}
      const isEarly = this.#now() + ttlMs - (this.#written.get(key) ?? 0) < ttlMs / 3
      if (isEarly || this.#pending.has(key)) return
    }
    this.#pending.delete(key)
    this.#pending.set(key, event)
    // Instances that ended while the database is away must not make it grow.
    if (this.#pending.size > maxPending) this.#pending.delete(this.#pending.keys().next().value ?? '')
    this.#timer ??= setTimeout(() => void this.#write(), event === 'renewed' ? collectMs : 0).unref()
  }

  #write(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#writing.then(() => this.#writeAll()).catch(() => this.#writeLater())
    return this.#writing
  }

  #writeLater(): void {
    if (!this.#closed) this.#timer ??= setTimeout(() => void this.#write(), collectMs).unref()
  }

  async #writeAll(): Promise<void> {
    for (const page of batches([...this.#pending], pageSize)) {
      const rows = page.flatMap(([key]) => this.#row(key) ?? [])
      const there = new Set(rows.map(({ service, url }) => keyOf(service, url)))
      const ended = page.filter(([key]) => !there.has(key))
      await this.#database.db.transaction().execute(async (trx) => {
        await this.#database.topics.bump(trx, 'instances')
        if (rows.length > 0) await putRows(trx, rows)
        for (const [key, event] of ended) {
          const [service, url] = partsOf(key)
          const row = trx.deleteFrom('instances').where('service', '=', service).where('url', '=', url)
          // Another node may have heard of one that is silent here.
          await (event === 'expired' ? row.where('expires_at', '<', this.#now()) : row).execute()
        }
      })
      for (const { service, url, expires_at } of rows) this.#written.set(keyOf(service, url), expires_at)
      for (const [key] of ended) this.#written.delete(key)
      for (const [key, event] of page) {
        this.#justWritten.add(key)
        if (this.#pending.get(key) === event) this.#pending.delete(key)
      }
    }
  }

  /** As it is here; undefined: it is not. */
  #row(key: string): Tables['instances'] | undefined {
    const [service, url] = partsOf(key)
    const known = this.#registry.known(service, url)
    if (known === undefined) return undefined
    const { weight, priority } = known.target
    const expires_at = Math.ceil(this.#now() + known.leftMs)
    return { service, url, weight, priority, ttl_ms: known.ttlMs, expires_at }
  }

  async #read(): Promise<void> {
    this.#justWritten.clear()
    const rows = await this.#database.db.selectFrom('instances').selectAll().execute()
    const now = this.#now()
    const there = new Set<string>()
    for (const { service, url, weight, priority, ttl_ms: ttlMs, expires_at } of rows) {
      const key = keyOf(service, url)
      there.add(key)
      if (this.#isNewer(key)) continue
      // While the gateway did not run, no heartbeat could come in.
      const leftMs = this.#isFirst ? ttlMs : expires_at + graceMs - now
      this.#registry.adopt(service, { target: { url, weight, priority }, ttlMs, leftMs })
      this.#written.set(key, expires_at)
    }
    for (const service of this.#registry.services) {
      for (const { url } of this.#registry.instances(service)) {
        const key = keyOf(service, url)
        if (there.has(key) || this.#isNewer(key)) continue
        // Before it was read for the first time, all that is here is news to the database.
        if (this.#isFirst) this.#pending.set(key, 'registered')
        else this.#registry.forget(service, url)
        this.#written.delete(key)
      }
    }
    this.#isFirst = false
    if (this.#pending.size > 0) await this.#write()
  }

  /** Whether more is known here than what is being read. */
  #isNewer(key: string): boolean {
    return this.#pending.has(key) || this.#justWritten.has(key)
  }
}

const maxPending = 20_000

async function putRows(trx: Transaction<Tables>, rows: readonly Tables['instances'][]): Promise<void> {
  await trx
    .insertInto('instances')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['service', 'url']).doUpdateSet((row) => ({
        weight: row.ref('excluded.weight'),
        priority: row.ref('excluded.priority'),
        ttl_ms: row.ref('excluded.ttl_ms'),
        expires_at: row.ref('excluded.expires_at'),
      })),
    )
    .execute()
}

/** Neither a service nor an origin has a line break. */
function keyOf(service: string, url: string): string {
  return `${service}\n${url}`
}

function partsOf(key: string): readonly [service: string, url: string] {
  const [service = '', url = ''] = key.split('\n')
  return [service, url]
}
