import { setTimeout as sleep } from 'node:timers/promises'
import type { Exchange } from '../core/exchange.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Route } from '../core/route.ts'
import type { EntryRing } from './entry-ring.ts'
import type { LogEntry } from './log-entry.ts'
import { fits, type LogCursor, type LogFilter, mayFit, newestFirst } from './log-filter.ts'
import type { Dropped } from './log-writer.ts'
import type { RecordPlace } from './read-record.ts'
import { recordOf } from './record.ts'
import { type LogSearch, searchRing } from './search-ring.ts'
import type { SearchedDatabase, StoredLog } from './stored-log.ts'

export interface RequestLogOptions {
  readonly ring: EntryRing
  /** Whether anything is logged. */
  readonly isOn: boolean
  /** Undefined: the log is in memory only. */
  readonly stored: StoredLog | undefined
  now(): number
}

/** One page, newest first, and over what was searched. */
export interface LogPage {
  readonly items: readonly LogEntry[]
  /** The cursor of the next page; null: there is none. */
  readonly next: string | null
  readonly searched: Searched
}

export interface Searched {
  /** What this gateway has in memory. */
  readonly memory: { readonly entries: number; readonly since: string | null }
  /** Null: the log is in memory only. */
  readonly database: SearchedDatabase | null
}

/** Every settled exchange: the latest in memory, and, where that is configured, all of some days in the database. */
export class RequestLog {
  readonly ring: EntryRing
  readonly isOn: boolean
  readonly #stored: StoredLog | undefined
  readonly #now: () => number

  constructor({ ring, isOn, stored, now }: RequestLogOptions) {
    this.ring = ring
    this.isOn = isOn
    this.#stored = stored
    this.#now = now
  }

  /** Counters for `/metrics`. */
  get counts(): { readonly entries: number; readonly pending: number; readonly dropped: Readonly<Dropped> } {
    const { pending = 0, dropped = noneDropped } = this.#stored?.writer ?? {}
    return { entries: this.ring.next, pending, dropped }
  }

  /** What writes down the exchanges of one configuration. */
  observers(configVersion: number): readonly Plugin[] {
    if (!this.isOn) return []
    const { ring } = this
    const now = this.#now
    const places = new WeakMap<Route, RecordPlace>()
    return [
      {
        onSettled(x: Exchange): void {
          const { route } = x
          let place = places.get(route)
          if (place === undefined) {
            const { protocol, id, template } = route
            place = { protocol, route: id, template, configVersion }
            places.set(route, place)
          }
          const durationMs = performance.now() - x.request.startedAt
          const { status, lasting } = x
          ring.add(recordOf(x), { at: now(), durationMs, status, failed: isFailed(x), lasting, place })
        },
      },
    ]
  }

  /** Rejects with UNAVAILABLE or DEADLINE_EXCEEDED never: a database that cannot be asked is told of in the answer. */
  async search(search: LogSearch): Promise<LogPage> {
    const wanted = { ...search, limit: search.limit + 1 }
    const [inMemory, stored] = await Promise.all([
      searchRing(this.ring, wanted),
      this.#stored?.search(wanted),
    ])
    const known = new Set(inMemory.map(({ id }) => id))
    const others = stored?.items.filter(({ id }) => !known.has(id)) ?? []
    const all = [...inMemory, ...others].sort(newestFirst)
    const items = all.slice(0, search.limit)
    return {
      items,
      next: all.length > search.limit ? (items.at(-1)?.id ?? null) : null,
      searched: { memory: this.#memory(), database: stored?.searched ?? null },
    }
  }

  /** The entry with this id. */
  async find({ at, spanId }: LogCursor): Promise<LogEntry | undefined> {
    const filter = { since: at, until: at + 1 }
    const { items } = await this.search({ filter, limit: maxPerMillisecond, cursor: undefined })
    return items.find((entry) => entry.spanId === spanId)
  }

  /** Entries that fit, as they come, oldest first, until `signal` aborts. Whoever takes them too slowly misses some. */
  async *follow(filter: LogFilter, signal: AbortSignal): AsyncGenerator<LogEntry> {
    const { ring } = this
    let next = ring.next
    while (!signal.aborted) {
      for (next = Math.max(next, ring.first); next < ring.next; next++) {
        if (next < ring.first || !mayFit(filter, ring.head(next))) continue
        const entry = ring.read(next)
        if (fits(filter, entry)) yield entry
        if (signal.aborted) return
      }
      await sleep(followMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  /** The rest is written, if that is possible soon. */
  async close(): Promise<void> {
    await this.#stored?.close()
  }

  #memory(): Searched['memory'] {
    const { first, next } = this.ring
    return {
      entries: next - first,
      since: first === next ? null : new Date(this.ring.at(first)).toISOString(),
    }
  }
}

const noneDropped = { behind: 0, refused: 0 }

/** More than any machine serves. */
const maxPerMillisecond = 1_000

/** How often followers look for what is new. */
const followMs = 200

/** Whether a server is to blame: 5xx, or one of the codes that OpenTelemetry's conventions for RPC spans say so of. */
function isFailed({ status, error, route, attributes }: Exchange): boolean {
  if (status >= 500 || (error !== undefined && error.status >= 500)) return true
  return route.protocol === 'grpc' && serverFaults.has(attributes['rpc.grpc.status_code'])
}

/** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const serverFaults: ReadonlySet<unknown> = new Set([2, 4, 12, 13, 14, 15])
