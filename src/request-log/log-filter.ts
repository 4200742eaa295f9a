import type { EntryHead } from './entry-ring.ts'
import type { LogEntry } from './log-entry.ts'

/** What entries are searched by; all of what is given must be so. */
export interface LogFilter {
  readonly traceId?: string | undefined
  readonly requestId?: string | undefined
  readonly status?: StatusRange | undefined
  readonly route?: string | undefined
  readonly consumer?: string | undefined
  readonly protocol?: string | undefined
  readonly method?: string | undefined
  /** One that was called. */
  readonly upstream?: string | undefined
  /** Why it was refused or failed: `RATE_LIMITED`. */
  readonly reason?: string | undefined
  /** Unix time in milliseconds, the first that counts. */
  readonly since?: number | undefined
  /** The first that counts no more. */
  readonly until?: number | undefined
  readonly minDurationMs?: number | undefined
}

/** Both ends count. */
export interface StatusRange {
  readonly from: number
  readonly to: number
}

/** Where the page before ended: entries behind it are older, or of the same millisecond with a smaller span. */
export interface LogCursor {
  readonly at: number
  readonly spanId: string
}

/** `1790000000000-6e0c63257de34c92`; undefined: it is no id of an entry. */
export function readCursor(id: string): LogCursor | undefined {
  const [, at, spanId] = /^(\d{1,16})-([0-9a-f]{16})$/.exec(id) ?? []
  return spanId === undefined ? undefined : { at: Number(at), spanId }
}

/** Whether the numbers of an entry fit, which is quick; {@link fits} decides of the rest. */
export function mayFit(filter: LogFilter, { at, durationMs, status, place }: EntryHead): boolean {
  const { status: range, route, protocol, since, until, minDurationMs } = filter
  if (range !== undefined && (status < range.from || status > range.to)) return false
  if (since !== undefined && at < since) return false
  if (until !== undefined && at >= until) return false
  if (minDurationMs !== undefined && durationMs < minDurationMs) return false
  if (route !== undefined && place.route !== route) return false
  return protocol === undefined || place.protocol === protocol
}

/** What {@link mayFit} does not decide. */
export function fits(filter: LogFilter, entry: LogEntry): boolean {
  const { traceId, requestId, consumer, method, upstream, reason } = filter
  return (
    (traceId === undefined || entry.traceId === traceId) &&
    (requestId === undefined || entry.requestId === requestId) &&
    (consumer === undefined || entry.consumer === consumer) &&
    (method === undefined || entry.method === method) &&
    (reason === undefined || entry.error?.reason === reason) &&
    (upstream === undefined || entry.calls.some((call) => call.upstream === upstream))
  )
}

export function isBehind({ at, spanId }: LogCursor, entry: LogEntry): boolean {
  const entryAt = Date.parse(entry.at)
  return entryAt < at || (entryAt === at && entry.spanId < spanId)
}

/** Newest first. */
export function newestFirst(a: LogEntry, b: LogEntry): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1
  return a.spanId < b.spanId ? 1 : -1
}
