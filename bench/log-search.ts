import { stat } from 'node:fs/promises'
import { sql } from 'kysely'
import { databaseKeys } from '../src/config/database-keys.ts'
import { silentLog } from '../src/core/log.ts'
import { randomHex, uuidV7 } from '../src/core/random-id.ts'
import { openDatabase } from '../src/open-database.ts'
import type { LogEntry } from '../src/request-log/log-entry.ts'
import type { LogFilter } from '../src/request-log/log-filter.ts'
import { LogTable } from '../src/request-log/log-table.ts'
import type { Database } from '../src/store/database.ts'
import { ownFolder } from '../test/services/own-process.ts'
import { startPostgres } from '../test/services/postgres.ts'

// `node bench/log-search.ts [rows] [sqlite|postgres]`: fills the request log of both databases, or one, by default with a million entries of a week, and searches it.

const rows = Number(process.argv[2] ?? 1_000_000)
const written = 20_000
const perBatch = 2_000
const week = 7 * 86_400_000
const start = Date.parse('2026-11-14T00:00:00Z')
const end = start + week
/** What is written covers so much of the week, and its copies the rest. */
const part = Math.floor((week * written) / rows)
const searches = 7

if (process.argv[3] !== 'postgres') {
  const folder = await ownFolder('log-search')
  await run('SQLite', `sqlite:${folder}/gateway.db`)
  process.stdout.write(`  ${Math.round((await stat(`${folder}/gateway.db`)).size / 1_048_576)} MiB\n`)
}
if (process.argv[3] !== 'sqlite') {
  const postgres = await startPostgres()
  try {
    await run('PostgreSQL', await postgres.database())
  } finally {
    await postgres.stop()
  }
}

async function run(name: string, url: string): Promise<void> {
  const config = databaseKeys.parse({ url, queryTimeout: '120s', searchTimeout: '120s' })
  const database = openDatabase(config, { file: undefined, log: silentLog })
  await database.start()
  const table = new LogTable(database)
  const began = performance.now()
  let some: LogEntry | undefined
  for (let n = 0; n < written; n += perBatch) {
    const entries = Array.from({ length: perBatch }, (_, i) => entry(n + i))
    await table.write(entries)
    some ??= entries[7]
  }
  const seconds = (performance.now() - began) / 1_000
  process.stdout.write(
    `${name}: ${written} entries were written in ${seconds.toFixed(1)} s, as the gateway does\n`,
  )
  for (let copy = 1; copy < rows / written; copy++) await multiply(database, copy)
  const { all } = await database.db
    .selectFrom('request_log')
    .select(({ fn }) => fn.countAll().as('all'))
    .executeTakeFirstOrThrow()
  process.stdout.write(`  ${all} after copying them with other ids and times\n`)
  await analyse(database)
  if (some !== undefined) for (const [what, filter] of questions(some)) await ask(table, what, filter)
  const before = performance.now()
  await table.excess(rows - 2)
  process.stdout.write(`  counting what is too much: ${Math.round(performance.now() - before)} ms\n`)
  await database.close()
}

/** The entries that were written once more, later, with ids of their own. */
async function multiply({ kind, db }: Database, copy: number): Promise<void> {
  const hex = (bytes: number): string =>
    kind === 'sqlite' ? `lower(hex(randomblob(${bytes})))` : `substr(md5(random()::text), 1, ${bytes * 2})`
  const others =
    'node, protocol, route, method, path, status, duration_ms, consumer, reason, upstreams, detail'
  const text = `insert into request_log (at, span_id, trace_id, request_id, ${others})
    select at + ${copy * part}, ${hex(8)}, ${hex(16)}, ${hex(16)}, ${others} from request_log where at < ${start + part}`
  await sql.raw(text).execute(db)
}

/** As autovacuum does by itself in a PostgreSQL that is not one of a test. */
async function analyse({ kind, db }: Database): Promise<void> {
  if (kind === 'postgres') await sql.raw('vacuum analyze request_log').execute(db)
}

function questions(some: LogEntry): readonly (readonly [string, LogFilter])[] {
  const hour = { since: end - week / 2, until: end - week / 2 + 3_600_000 }
  return [
    ['the newest', {}],
    ['a trace id', { traceId: some.traceId }],
    ['a request id', { requestId: some.requestId }],
    ['status 502', { status: { from: 502, to: 502 } }],
    ['5xx', { status: { from: 500, to: 599 } }],
    ['5xx within one hour', { status: { from: 500, to: 599 }, ...hour }],
    ['one route', { route: 'route-7' }],
    ['one route, 5xx', { route: 'route-7', status: { from: 500, to: 599 } }],
    ['one consumer', { consumer: 'consumer-7' }],
    ['one upstream (no index)', { upstream: 'upstream-7' }],
    ['slower than a second (no index, one in a thousand)', { minDurationMs: 1_000 }],
    ['a reason that never was (no index)', { reason: 'NEVER' }],
  ]
}

async function ask(table: LogTable, what: string, filter: LogFilter): Promise<void> {
  const times: number[] = []
  let found = 0
  for (let i = 0; i < searches; i++) {
    const began = performance.now()
    found = (await table.search({ filter, limit: 101, cursor: undefined })).length
    times.push(performance.now() - began)
  }
  const [first = 0] = times
  const median = times.toSorted((a, b) => a - b)[Math.floor(searches / 2)] ?? 0
  process.stdout.write(`  ${what}: ${median.toFixed(1)} ms (first ${first.toFixed(1)}), ${found} found\n`)
}

/** One in fifty is refused, one in two hundred failed; 50 routes, 200 consumers, 20 upstreams. */
function entry(n: number): LogEntry {
  const at = start + Math.floor((n / written) * part)
  const spanId = randomHex(8)
  const status = n % 200 === 0 ? 502 : n % 50 === 0 ? 429 : 200
  const upstream = `upstream-${n % 20}`
  return {
    id: `${at}-${spanId}`,
    at: new Date(at).toISOString(),
    traceId: randomHex(16),
    spanId,
    requestId: uuidV7(at),
    node: 'bench',
    protocol: 'rest',
    route: `route-${n % 50}`,
    template: '/v1/things/**',
    configVersion: 1,
    method: 'GET',
    path: `/v1/things/${n}`,
    status,
    durationMs: n % 1_000 === 7 ? 2_000 : (n % 97) / 3,
    requestBytes: 0,
    responseBytes: 119,
    clientAddress: '192.0.2.1',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
    user: `consumer-${n % 200}`,
    consumer: `consumer-${n % 200}`,
    ...(status !== 200 && {
      error: {
        code: 'F50201',
        reason: status === 502 ? 'UPSTREAM_REFUSED' : 'RATE_LIMITED',
        message: 'It did not go well.',
      },
    }),
    calls: [
      {
        place: 'route',
        upstream,
        method: 'GET',
        durationMs: 3.2,
        attempts: [{ target: 'http://192.0.2.9:8001', status: 200, durationMs: 3.2 }],
      },
    ],
  }
}
