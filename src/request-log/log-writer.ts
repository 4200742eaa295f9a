import type { Logger } from '../core/log.ts'
import { messageOf } from '../core/message-of.ts'
import { answered } from '../store/answered.ts'
import type { EntryRing } from './entry-ring.ts'
import type { LogEntry } from './log-entry.ts'
import type { LogTable } from './log-table.ts'

/** What was never written, since the start. */
export interface Dropped {
  /** It was overwritten in memory before it was its turn: the database was away, or slow, for too long. */
  behind: number
  /** The database, which was there, did not take it. */
  refused: number
}

/**
 * Writes what is in the ring into the database, some times a second, in batches. What waits, waits in the ring, which does not grow: while the database is
 * away the oldest are lost, and counted.
 */
export class LogWriter {
  readonly dropped: Dropped = { behind: 0, refused: 0 }
  readonly #ring: EntryRing
  readonly #table: LogTable
  readonly #log: Logger
  readonly #timer: NodeJS.Timeout
  /** The number of the next entry to be written. */
  #next = 0
  #refusals = 0
  #writing: Promise<void> | undefined
  #isBehind = false

  constructor(ring: EntryRing, { table, log }: { readonly table: LogTable; readonly log: Logger }) {
    this.#ring = ring
    this.#table = table
    this.#log = log
    this.#timer = setInterval(() => void this.write(), intervalMs).unref()
  }

  /** Entries that wait. */
  get pending(): number {
    return this.#ring.next - Math.max(this.#next, this.#ring.first)
  }

  /** Resolves when all that was there is written, or cannot be now. */
  write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
    })
    return this.#writing
  }

  /** Writes the rest, unless that takes too long. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await answered(this.#lastWrite(), closeMs).catch(() => {})
    this.#skipOverwritten()
    const { pending } = this
    if (pending > 0) this.#log.warn({ pending }, 'the last entries of the request log were not written')
  }

  async #lastWrite(): Promise<void> {
    await this.#writing
    await this.write()
  }

  async #writeAll(): Promise<void> {
    for (this.#skipOverwritten(); this.#next < this.#ring.next; this.#skipOverwritten()) {
      if (!this.#table.isUp) return
      const end = Math.min(this.#next + batchEntries, this.#ring.next)
      const entries: LogEntry[] = []
      for (let number = this.#next; number < end; number++) entries.push(this.#ring.read(number))
      try {
        await this.#table.write(entries)
      } catch (error) {
        if (!this.#givesUp(error, end)) return
      }
      this.#refusals = 0
      this.#next = end
    }
    this.#isBehind = false
  }

  /** Whether a batch that was not taken is left out: the database is there, and did not take it again and again. */
  #givesUp(error: unknown, end: number): boolean {
    if (!this.#table.isUp || ++this.#refusals < maxRefusals) return false
    const entries = end - this.#next
    this.dropped.refused += entries
    this.#log.error(
      { entries, error: messageOf(error) },
      'the database did not take entries of the request log',
    )
    return true
  }

  #skipOverwritten(): void {
    const lost = this.#ring.first - this.#next
    if (lost <= 0) return
    this.dropped.behind += lost
    this.#next = this.#ring.first
    if (!this.#isBehind)
      this.#log.warn({ lost }, 'entries of the request log are lost: the database does not take them in time')
    this.#isBehind = true
  }
}

const intervalMs = 500
/** Read at once, so that requests wait some milliseconds for it at the most. */
const batchEntries = 250
const maxRefusals = 3
const closeMs = 3_000
