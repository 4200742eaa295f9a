import type { Logger } from '../core/log.ts'
import { messageOf } from '../core/message-of.ts'
import type { Database } from '../store/database.ts'
import type { EntryRing } from './entry-ring.ts'
import type { LogEntry } from './log-entry.ts'
import { LogRetention } from './log-retention.ts'
import { LogTable } from './log-table.ts'
import { type Dropped, LogWriter } from './log-writer.ts'
import type { LogSearch } from './search-ring.ts'

export interface StoredLogOptions {
  readonly database: Database
  /** How long entries are kept, in milliseconds, and how many. */
  readonly retention: { readonly maxAge: number; readonly maxRows: number }
  readonly log: Logger
  now(): number
}

/** What is told of the database beside what was found in it. */
export interface SearchedDatabase {
  /** When its oldest entry settled; null: it has none, or could not be asked. */
  readonly since: string | null
  /** Why it was not searched; null: it was. */
  readonly trouble: string | null
  /** Entries of this gateway that wait to be written. */
  readonly pending: number
  /** Entries of this gateway that were never written, since it started. */
  readonly dropped: number
}

/** The part of the log that is in the database. */
export class StoredLog {
  readonly writer: LogWriter
  readonly retention: LogRetention
  readonly #table: LogTable

  /** @param ring what is written. */
  constructor(ring: EntryRing, { database, retention, log, now }: StoredLogOptions) {
    this.#table = new LogTable(database)
    this.writer = new LogWriter(ring, { table: this.#table, log })
    this.retention = new LogRetention(this.#table, { ...retention, log, now })
  }

  /** Trouble is in the answer. */
  async search(
    search: LogSearch,
  ): Promise<{ readonly items: readonly LogEntry[]; readonly searched: SearchedDatabase }> {
    const { pending, dropped } = this.writer
    const waiting = { pending, dropped: sumOf(dropped) }
    try {
      const [items, oldest] = await Promise.all([this.#table.search(search), this.#table.oldest()])
      const since = oldest === undefined ? null : new Date(oldest).toISOString()
      return { items, searched: { since, trouble: null, ...waiting } }
    } catch (error) {
      return { items: [], searched: { since: null, trouble: messageOf(error), ...waiting } }
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.writer.close(), this.retention.close()])
  }
}

function sumOf({ behind, refused }: Dropped): number {
  return behind + refused
}
