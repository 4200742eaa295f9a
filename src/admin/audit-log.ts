import type { Selectable } from 'kysely'
import type { Change } from '../control/change.ts'
import type { Logger } from '../core/log.ts'
import { messageOf } from '../core/message-of.ts'
import type { Database } from '../store/database.ts'
import type { AuditLogTable } from '../store/tables.ts'
import type { AuditEntry, AuditSink } from './audit-entry.ts'

/** Entries that wait for the database at the most. */
const maxWaiting = 1_000
const maxBatch = 100
const retryMs = 1_000
const tidyMs = 3_600_000
/** Of one entry: beyond it what was before and after is left out. */
const maxChangesBytes = 65_536

export interface AuditLogOptions {
  /** Undefined: nothing is kept. */
  readonly database: Database | undefined
  /** How long entries are kept, in milliseconds; 0: for ever. Of the running configuration. */
  keepMs(): number
  readonly log: Logger
  now(): number
}

/** What of the log is looked for. */
export interface AuditFilter {
  readonly actor?: string | undefined
  /** `keys.rotate`, or what it begins with: `keys`. */
  readonly action?: string | undefined
  readonly outcome?: string | undefined
  readonly path?: string | undefined
  readonly requestId?: string | undefined
  /** Unix times in milliseconds: from, and before. */
  readonly since?: number | undefined
  readonly until?: number | undefined
}

/** An entry that was written. */
export type KeptEntry = Selectable<AuditLogTable>

/** The writes by the admin API, in the database; what cannot be written yet waits in memory, within a bound. */
export class AuditLog implements AuditSink {
  readonly #options: AuditLogOptions
  /** The oldest first. */
  #waiting: AuditEntry[] = []
  #writing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #tidiedAt = 0
  #dropped = 0

  constructor(options: AuditLogOptions) {
    this.#options = options
  }

  /** Entries that were lost, because the database was away for too long. */
  get dropped(): number {
    return this.#dropped
  }

  /** Entries that wait for the database. */
  get waiting(): number {
    return this.#waiting.length
  }

  note(entry: AuditEntry): void {
    if (this.#options.database === undefined) return
    this.#waiting.push(entry)
    if (this.#waiting.length > maxWaiting) {
      this.#waiting.shift()
      this.#dropped++
    }
    if (this.#timer === undefined) void this.#write()
  }

  /** Newest first, those below `before`. Rejects with UNAVAILABLE without the database. */
  async page(
    filter: AuditFilter,
    { limit, before }: { readonly limit: number; readonly before?: number | undefined },
  ): Promise<{ readonly items: readonly KeptEntry[]; readonly total: number }> {
    const { database } = this.#options
    if (database === undefined) return { items: [], total: 0 }
    await this.#write()
    const conditions = conditionsOf(filter)
    const from = conditions.reduce(
      (query, [column, operator, value]) => query.where(column, operator, value),
      database.searches.selectFrom('audit_log'),
    )
    const { total } = await from
      .select(({ fn }) => fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow()
    const below = before === undefined ? from : from.where('id', '<', before)
    const items = await below.selectAll().orderBy('id', 'desc').limit(limit).execute()
    return { items, total }
  }

  /** Writes what waits, if that is possible. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#write()
    clearTimeout(this.#timer)
  }

  /** One at a time; never rejects. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
    })
    return this.#writing
  }

  async #writeAll(): Promise<void> {
    const { database, log } = this.#options
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.length === 0) return
    while (this.#waiting.length > 0 && database !== undefined) {
      const batch = this.#waiting.slice(0, maxBatch)
      try {
        await database.db.insertInto('audit_log').values(batch.map(rowOf)).execute()
      } catch (error) {
        log.debug({ error: messageOf(error), waiting: this.#waiting.length }, 'the audit log waits')
        this.#timer = setTimeout(() => void this.#write(), retryMs).unref()
        return
      }
      // What was dropped meanwhile was of the batch.
      this.#waiting = this.#waiting.filter((entry) => !batch.includes(entry))
    }
    await this.#tidy()
  }

  async #tidy(): Promise<void> {
    const { database, keepMs, now } = this.#options
    const keep = keepMs()
    if (keep === 0 || now() - this.#tidiedAt < tidyMs) return
    this.#tidiedAt = now()
    await database?.db
      .deleteFrom('audit_log')
      .where('at', '<', now() - keep)
      .execute()
      .catch(() => undefined)
  }
}

type Condition = readonly [
  'actor' | 'action' | 'outcome' | 'path' | 'request_id' | 'at',
  '=' | 'like' | '>=' | '<',
  string | number,
]

function conditionsOf({ actor, action, outcome, path, requestId, since, until }: AuditFilter): Condition[] {
  const all: Condition[] = []
  if (actor !== undefined) all.push(['actor', '=', actor])
  // Names of actions are words and dots: nothing in them means anything to LIKE.
  if (action !== undefined) all.push(['action', 'like', `${action.replace(/[^\w.]/g, '')}%`])
  if (outcome !== undefined) all.push(['outcome', '=', outcome])
  if (path !== undefined) all.push(['path', '=', path])
  if (requestId !== undefined) all.push(['request_id', '=', requestId])
  if (since !== undefined) all.push(['at', '>=', since])
  if (until !== undefined) all.push(['at', '<', until])
  return all
}

function rowOf({ changes, requestId, ...entry }: AuditEntry): Omit<KeptEntry, 'id'> {
  return { ...entry, path: entry.path.slice(0, 2_048), changes: changesText(changes), request_id: requestId }
}

function changesText(changes: readonly Change[]): string {
  const whole = JSON.stringify(changes)
  if (whole.length <= maxChangesBytes) return whole
  return JSON.stringify(changes.slice(0, 500).map(({ kind, id, op }) => ({ kind, id: id.slice(0, 100), op })))
}
