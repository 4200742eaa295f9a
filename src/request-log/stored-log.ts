import type { LogEntry } from './log-entry.ts'
import type { SearchedDatabase } from './request-log.ts'
import type { LogSearch } from './search-ring.ts'

/** The part of the log that is in the database. */
export interface StoredLog {
  /** Entries of this gateway that wait to be written. */
  readonly pending: number
  /** Entries that were never written: overwritten in memory before it was their turn, or refused by the database. */
  readonly dropped: { readonly behind: number; readonly refused: number }
  /** Trouble is in the answer. */
  search(
    search: LogSearch,
  ): Promise<{ readonly items: readonly LogEntry[]; readonly searched: SearchedDatabase }>
  close(): Promise<void>
}
