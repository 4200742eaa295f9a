import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError } from '../../src/core/error.ts'
import { silentLog } from '../../src/core/log.ts'
import { EntryRing } from '../../src/request-log/entry-ring.ts'
import type { LogCursor, LogFilter } from '../../src/request-log/log-filter.ts'
import { type LogPage, RequestLog } from '../../src/request-log/request-log.ts'
import { type LogSearch, searchRing } from '../../src/request-log/search-ring.ts'
import { StoredLog } from '../../src/request-log/stored-log.ts'
import type { Database } from '../../src/store/database.ts'
import { attemptRecord, callRecord } from '../plugins/call-record.ts'
import { exchange } from '../plugins/harness.ts'
import { onBothDatabases, startDatabase } from '../store/kinds.ts'

const day = 86_400_000
const noon = Date.parse('2026-11-21T12:00:00Z')

interface World {
  readonly log: RequestLog
  readonly stored: StoredLog
  /** Lets some exchanges settle, one a millisecond; returns when all are in the database, if it takes them. */
  settle(count: number): Promise<void>
  readonly clock: { now: number }
}

/** A log over a database, whose entries differ in all that they are searched by. */
function openLog(
  t: TestContext,
  database: Database,
  options: { entries?: number; node?: string; maxAge?: number; maxRows?: number } = {},
): World {
  const { entries = 1_000, node = 'one', maxAge = day, maxRows = 1_000_000 } = options
  const clock = { now: noon }
  const now = (): number => clock.now
  const ring = new EntryRing({ entries, bytes: 4_194_304, node })
  const stored = new StoredLog(ring, { database, retention: { maxAge, maxRows }, log: silentLog, now })
  const log = new RequestLog({ ring, isOn: true, now, stored })
  const [observer] = log.observers(1)
  let count = 0
  const world: World = {
    log,
    stored,
    clock,
    async settle(more) {
      for (let i = 0; i < more; i++) {
        clock.now++
        observer?.onSettled?.(settled(count++))
      }
      await stored.writer.write()
    },
  }
  t.after(() => world.log.close())
  return world
}

/** Every seventh failed at the second target, every fifth is refused, every third is somebody's. */
function settled(n: number): ReturnType<typeof exchange> {
  const x = exchange({
    plugins: [],
    request: {
      method: n % 2 === 0 ? 'GET' : 'POST',
      path: `/things/${n}`,
      startedAt: performance.now() - n,
      headers: { 'x-request-id': `request-${n}`, 'user-agent': 'tests "é" 😀' },
    },
    route: { id: n % 4 === 0 ? 'even_four' : 'others' },
  })
  x.status = 200
  if (n % 3 === 0)
    x.principal = { id: `user-${n}`, consumer: `shop-${n % 9}`, roles: [], scopes: [], via: 'apiKey' }
  x.calls.push(callRecord({ upstreamName: n % 4 === 0 ? 'users_a' : 'usersXa' }))
  if (n % 5 === 0) {
    x.status = 429
    x.error = new GatewayError('RATE_LIMITED', 'Too many.')
  }
  if (n % 7 === 0) {
    x.status = 502
    x.error = new GatewayError('UPSTREAM_REFUSED', 'No.', { cause: new Error('\0 and \ud800 and "quotes"') })
    const first = attemptRecord({ target: 'http://a:1', status: 503, fault: 'status 503', error: x.error })
    const second = attemptRecord({ target: 'http://b:1', status: undefined, error: x.error })
    x.calls.push(callRecord({ upstreamName: 'orders', attempts: [first, second], error: x.error }))
  }
  return x
}

const servers = onBothDatabases((kind) => {
  suite(`the request log in ${kind.name}`, () => {
    test('whatever is asked, memory and database answer the same', async (t) => {
      const database = await startDatabase(t, { url: await kind.url(t) })
      const { log, stored, settle } = openLog(t, database)
      await settle(300)
      const [middle] = (
        await log.search({ filter: { requestId: 'request-150' }, limit: 1, cursor: undefined })
      ).items
      assert.ok(middle !== undefined)
      const filters: readonly LogFilter[] = [
        {},
        { traceId: middle.traceId },
        { requestId: 'request-7' },
        { status: { from: 429, to: 429 } },
        { status: { from: 400, to: 499 } },
        { status: { from: 400, to: 599 } },
        { route: 'even_four' },
        { route: 'evenXfour' },
        { consumer: 'shop-3' },
        { consumer: 'shop-3', route: 'others', status: { from: 200, to: 299 } },
        { protocol: 'rest' },
        { protocol: 'grpc' },
        { method: 'POST' },
        { upstream: 'orders' },
        { upstream: 'users_a' },
        { upstream: '%' },
        { reason: 'RATE_LIMITED' },
        { since: noon + 100 },
        { until: noon + 100 },
        { since: noon + 50, until: noon + 60 },
        { minDurationMs: 250 },
      ]
      for (const filter of filters) {
        for (const limit of [7, 1_000]) {
          for (const cursor of [undefined, { at: noon + 151, spanId: middle.spanId }]) {
            const search: LogSearch = { filter, limit, cursor }
            const inMemory = await searchRing(log.ring, search)
            const { items, searched } = await stored.search(search)
            assert.equal(searched.trouble, null)
            assert.deepEqual(items, inMemory, JSON.stringify(search))
          }
        }
      }
      assert.equal((await searchRing(log.ring, { filter: {}, limit: 1_000, cursor: undefined })).length, 300)
    })

    test('what memory has forgotten comes from the database, each request once', async (t) => {
      const database = await startDatabase(t, { url: await kind.url(t) })
      const { log, settle } = openLog(t, database, { entries: 40 })
      for (let i = 0; i < 5; i++) await settle(30)
      assert.equal(log.ring.next - log.ring.first, 40)
      const paths: string[] = []
      let cursor: LogCursor | undefined
      for (;;) {
        const page: LogPage = await log.search({ filter: {}, limit: 33, cursor })
        const { items, next, searched } = page
        paths.push(...items.map(({ path }) => path))
        assert.deepEqual(searched.database, {
          since: new Date(noon + 1).toISOString(),
          trouble: null,
          pending: 0,
          dropped: 0,
        })
        assert.equal(searched.memory.entries, 40)
        const last = items.at(-1)
        if (next === null || last === undefined) break
        cursor = { at: Date.parse(last.at), spanId: last.spanId }
      }
      assert.deepEqual(
        paths,
        Array.from({ length: 150 }, (_, i) => `/things/${149 - i}`),
      )
      const [oldest] = (await log.search({ filter: { requestId: 'request-0' }, limit: 1, cursor: undefined }))
        .items
      assert.ok(oldest !== undefined)
      assert.deepEqual(await log.find({ at: Date.parse(oldest.at), spanId: oldest.spanId }), oldest)
    })

    test('what was not written yet is found, too, and is not twice there when it is', async (t) => {
      const database = await startDatabase(t, { url: await kind.url(t) })
      const one = openLog(t, database)
      const two = openLog(t, database, { node: 'two' })
      await one.settle(3)
      await two.settle(2)
      const again = one.stored.writer.write()
      const nodes = (await one.log.search({ filter: {}, limit: 10, cursor: undefined })).items.map(
        ({ node }) => node,
      )
      await again
      assert.deepEqual(nodes.toSorted(), ['one', 'one', 'one', 'two', 'two'])
    })

    test('what is too old is deleted, and what is too much', async (t) => {
      const database = await startDatabase(t, { url: await kind.url(t) })
      const world = openLog(t, database, { entries: 10_000, maxAge: day, maxRows: 300 })
      const count = async (): Promise<number> => {
        const { rows } = await database.db
          .selectFrom('request_log')
          .select(({ fn }) => fn.countAll().as('rows'))
          .executeTakeFirstOrThrow()
        return Number(rows)
      }
      await world.settle(2_500)
      world.clock.now += 2 * day
      await world.settle(100)
      await world.stored.retention.apply()
      assert.equal(await count(), 100)
      await world.settle(700)
      await world.stored.retention.apply()
      assert.equal(await count(), 300)
      const [newest] = (await world.stored.search({ filter: {}, limit: 1, cursor: undefined })).items
      assert.equal(newest?.path, '/things/3299')
    })
  })
})

test('while the database is away the latest wait, the others are counted, and both are told', async (t) => {
  const server = servers.postgres
  const database = await startDatabase(t, { url: await server.database(), queryTimeout: '1s' })
  const { log, stored, settle } = openLog(t, database, { entries: 100 })
  await settle(50)
  await server.kill()
  // Whatever asks first hears of it.
  while (database.status().up) await sleep(50)
  await settle(30)
  assert.deepEqual([stored.writer.pending, stored.writer.dropped.behind], [30, 0])
  await settle(120)
  assert.deepEqual([stored.writer.pending, stored.writer.dropped.behind], [100, 50])
  const { items, searched } = await log.search({ filter: {}, limit: 1_000, cursor: undefined })
  assert.equal(items.length, 100)
  assert.match(searched.database?.trouble ?? '', /\w/)
  assert.deepEqual([searched.database?.pending, searched.database?.dropped], [100, 50])
  await server.start()
  while (stored.writer.pending > 0) await sleep(50)
  const after = await log.search({ filter: {}, limit: 1_000, cursor: undefined })
  assert.equal(after.items.length, 150)
  assert.deepEqual(after.searched.database?.trouble, null)
  assert.deepEqual(log.counts.dropped, { behind: 50, refused: 0 })
})
