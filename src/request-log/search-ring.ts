import { setImmediate as turn } from 'node:timers/promises'
import type { EntryRing } from './entry-ring.ts'
import type { LogEntry } from './log-entry.ts'
import { fits, isBehind, type LogCursor, type LogFilter, mayFit, newestFirst } from './log-filter.ts'

/** What is looked for, and how much of it. */
export interface LogSearch {
  readonly filter: LogFilter
  readonly limit: number
  /** Undefined: from the newest on. */
  readonly cursor: LogCursor | undefined
}

/** Entries that are read between two turns of the event loop: some milliseconds. */
const readsPerTurn = 200

/** The newest entries that fit, newest first. Requests have their turn in between; what is overwritten meanwhile is not found. */
export async function searchRing(ring: EntryRing, { filter, limit, cursor }: LogSearch): Promise<LogEntry[]> {
  const found: LogEntry[] = []
  const trace = filter.traceId === undefined ? undefined : Buffer.from(filter.traceId)
  let reads = 0
  let lastAt = Number.NEGATIVE_INFINITY
  for (let number = ring.next - 1; number >= ring.first; number--) {
    const head = ring.head(number)
    if (filter.since !== undefined && head.at < filter.since) break
    // Those of one millisecond are in no order: all of them are candidates.
    if (found.length >= limit && head.at < lastAt) break
    if (cursor !== undefined && head.at > cursor.at) continue
    if (!mayFit(filter, head) || (trace !== undefined && !ring.beginsWith(number, trace))) continue
    const entry = ring.read(number)
    if (fits(filter, entry) && (cursor === undefined || isBehind(cursor, entry))) {
      found.push(entry)
      lastAt = head.at
    }
    if (++reads % readsPerTurn === 0) await turn()
  }
  return found.sort(newestFirst).slice(0, limit)
}
