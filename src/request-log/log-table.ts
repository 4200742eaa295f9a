import { type Selectable, sql } from 'kysely'
import type { Database } from '../store/database.ts'
import type { RequestLogTable } from '../store/tables.ts'
import type { LogEntry } from './log-entry.ts'
import type { LogFilter } from './log-filter.ts'
import { entryId } from './read-record.ts'
import type { LogSearch } from './search-ring.ts'

/** The entries in the database, those of all gateways that share it. */
export class LogTable {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Whether it is worth asking. */
  get isUp(): boolean {
    return this.#database.status().up
  }

  /** Those that are there already stay as they are. As one text, which the database takes apart: thousands of parameters cost more here than there. */
  async write(entries: readonly LogEntry[]): Promise<void> {
    const rows = JSON.stringify(entries.map(rowOf))
    const from =
      this.#database.kind === 'sqlite'
        ? sql`json_each(${rows}) as rows`
        : sql`json_array_elements(cast(${rows} as json)) as rows(value)`
    await sql`insert into request_log (${sql.raw(columns.map(([name]) => name).join(', '))}) select ${sql.raw(values)} from ${from} where true on conflict do nothing`.execute(
      this.#database.db,
    )
  }

  /** Newest first. */
  async search({ filter, limit, cursor }: LogSearch): Promise<LogEntry[]> {
    let query = this.#database.searches.selectFrom('request_log').selectAll()
    const { since, until, status, upstream, minDurationMs } = filter
    for (const [key, column] of equal) {
      const value = filter[key]
      if (value !== undefined) query = query.where(column, '=', value)
    }
    if (since !== undefined) query = query.where('at', '>=', since)
    if (until !== undefined) query = query.where('at', '<', until)
    if (status !== undefined && status.from === status.to) query = query.where('status', '=', status.from)
    else if (status !== undefined)
      query = query.where('status', '>=', status.from).where('status', '<=', status.to)
    if (minDurationMs !== undefined) query = query.where('duration_ms', '>=', minDurationMs)
    // Names have letters, digits, ".", "_" and "-"; "_" stands for any letter in a pattern.
    if (upstream !== undefined)
      query = query.where(
        sql<boolean>`upstreams like ${`%,${upstream.replace(/[\\%_]/g, '\\$&')},%`} escape '\\'`,
      )
    if (cursor !== undefined)
      query = query
        .where('at', '<=', cursor.at)
        .where(({ eb, or }) => or([eb('at', '<', cursor.at), eb('span_id', '<', cursor.spanId)]))
    const rows = await query.orderBy('at', 'desc').orderBy('span_id', 'desc').limit(limit).execute()
    return rows.map(entryOf)
  }

  /** When the oldest settled, Unix time in milliseconds; undefined: there is none. */
  async oldest(): Promise<number | undefined> {
    const { searches } = this.#database
    const row = await searches
      .selectFrom('request_log')
      .select('at')
      .orderBy('at')
      .limit(1)
      .executeTakeFirst()
    return row?.at
  }

  /** When the first of those settled that are too many; undefined: there are not more than `rows`. */
  async excess(rows: number): Promise<number | undefined> {
    const { searches } = this.#database
    const newest = searches.selectFrom('request_log').select('at').orderBy('at', 'desc')
    return (await newest.limit(1).offset(rows).executeTakeFirst())?.at
  }

  /** Deletes some of those that settled before; resolves with how many, 0: there are none left. Not all at once: others write meanwhile. */
  async deleteSome(before: number): Promise<number> {
    const { db } = this.#database
    const old = db.selectFrom('request_log').select('at').where('at', '<', before).orderBy('at')
    const last = await old.limit(1).offset(deletedAtOnce).executeTakeFirst()
    const gone = db.deleteFrom('request_log').where('at', '<', before)
    const { numDeletedRows } = await (last === undefined
      ? gone
      : gone.where('at', '<=', last.at)
    ).executeTakeFirst()
    return Number(numDeletedRows)
  }
}

const deletedAtOnce = 2_000

const equal = [
  ['traceId', 'trace_id'],
  ['requestId', 'request_id'],
  ['route', 'route'],
  ['consumer', 'consumer'],
  ['protocol', 'protocol'],
  ['method', 'method'],
  ['reason', 'reason'],
] as const satisfies readonly (readonly [keyof LogFilter, keyof RequestLogTable])[]

/** With their types, in the order of {@link rowOf}. */
const columns: readonly (readonly [keyof RequestLogTable, string])[] = [
  ['at', 'bigint'],
  ['span_id', 'text'],
  ['trace_id', 'text'],
  ['request_id', 'text'],
  ['node', 'text'],
  ['protocol', 'text'],
  ['route', 'text'],
  ['method', 'text'],
  ['path', 'text'],
  ['status', 'integer'],
  ['duration_ms', 'double precision'],
  ['consumer', 'text'],
  ['reason', 'text'],
  ['upstreams', 'text'],
  ['detail', 'text'],
]

const values = columns.map(([, type], i) => `cast(rows.value->>${i} as ${type})`).join(', ')

function rowOf(entry: LogEntry): readonly (string | number | null)[] {
  const { id: _, at, spanId, traceId, requestId, node, protocol, route, method, path, ...rest } = entry
  const { status, durationMs, consumer, ...detail } = rest
  const upstreams = new Set(entry.calls.map(({ upstream }) => upstream))
  return [
    Date.parse(at),
    spanId,
    traceId,
    requestId,
    node,
    protocol,
    route,
    method,
    path,
    status,
    durationMs,
    consumer ?? null,
    entry.error?.reason ?? null,
    `,${[...upstreams].join(',')},`,
    JSON.stringify(detail),
  ]
}

/** What is in no column of its own. */
type Detail = Pick<
  LogEntry,
  | 'template'
  | 'configVersion'
  | 'requestBytes'
  | 'responseBytes'
  | 'clientAddress'
  | 'userAgent'
  | 'user'
  | 'plugin'
  | 'error'
  | 'calls'
  | 'callsOmitted'
  | 'attributes'
>

function entryOf(row: Selectable<RequestLogTable>): LogEntry {
  return {
    id: entryId(row.at, row.span_id),
    at: new Date(row.at).toISOString(),
    traceId: row.trace_id,
    spanId: row.span_id,
    requestId: row.request_id,
    node: row.node,
    protocol: row.protocol,
    route: row.route,
    method: row.method,
    path: row.path,
    status: row.status,
    durationMs: row.duration_ms,
    ...(row.consumer !== null && { consumer: row.consumer }),
    ...(JSON.parse(row.detail) as Detail),
  }
}
