import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { AuditEntry } from '../../src/admin/audit-entry.ts'
import { AuditLog } from '../../src/admin/audit-log.ts'
import { silentLog } from '../../src/core/log.ts'
import { hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { onBothDatabases, startDatabase } from '../store/kinds.ts'
import { assertProblem, startAdmin } from './admin-world.ts'

const entry: AuditEntry = {
  at: 1_000,
  actor: 'ops',
  address: '127.0.0.1',
  action: 'routes.put',
  method: 'PUT',
  path: '/routes/a',
  outcome: 'done',
  status: 200,
  version: 2,
  message: 'a "why"',
  changes: [{ kind: 'routes', id: 'a', op: 'update', before: { path: '/a' }, after: { path: '/b' } }],
  reason: null,
  requestId: 'r-1',
}

onBothDatabases((kind) => {
  suite(`the audit log over ${kind.name}`, () => {
    test('keeps what was noted, finds it again, and forgets it in time', async (t) => {
      const clock = { now: 10_000 }
      const database = await startDatabase(t, { url: await kind.url(t) })
      const make = () => new AuditLog({ database, keepMs: () => 5_000, log: silentLog, now: () => clock.now })
      const log = make()
      for (let i = 0; i < 250; i++)
        log.note({ ...entry, at: 10_000 + i, actor: i % 2 === 0 ? 'ops' : 'ci', requestId: `r-${i}` })
      log.note({
        ...entry,
        at: 10_250,
        action: 'keys.create',
        outcome: 'refused',
        status: 403,
        version: null,
        reason: 'SCOPE_MISSING',
        path: '/keys',
        requestId: 'x',
      })
      const { items, total } = await log.page({}, { limit: 2 })
      assert.equal(total, 251)
      const [newest, second] = items
      assert.deepEqual(
        [newest?.action, newest?.reason, newest?.version],
        ['keys.create', 'SCOPE_MISSING', null],
      )
      assert.deepEqual(JSON.parse(second?.changes ?? ''), entry.changes)
      const below = await log.page({}, { limit: 300, before: second?.id })
      assert.equal(below.items.length, 249)
      const found = async (filter: Parameters<AuditLog['page']>[0]) =>
        (await log.page(filter, { limit: 1 })).total
      assert.equal(await found({ actor: 'ci' }), 125)
      assert.equal(await found({ action: 'keys' }), 1)
      assert.equal(await found({ action: "'; drop table audit_log; --" }), 0)
      assert.equal(await found({ action: '%' }), 251)
      assert.equal(await found({ outcome: 'refused', path: '/keys' }), 1)
      assert.equal(await found({ requestId: 'r-7' }), 1)
      assert.equal(await found({ since: 10_100, until: 10_110 }), 10)
      await log.close()
      clock.now = 15_100
      const next = make()
      next.note({ ...entry, at: clock.now })
      await next.close()
      assert.equal((await next.page({}, { limit: 1 })).total, 152)
    })
  })
})

test('while the database is away entries wait, within a bound, and what is lost is counted', async (t) => {
  const database = await startDatabase(t, { url: 'sqlite::memory:' })
  let away = true
  const insertInto = database.db.insertInto.bind(database.db)
  t.mock.method(database.db, 'insertInto', (table: 'audit_log') => {
    if (away) throw new Error('away')
    return insertInto(table)
  })
  const log = new AuditLog({ database, keepMs: () => 0, log: silentLog, now: Date.now })
  for (let i = 0; i < 1_100; i++) log.note({ ...entry, requestId: `r-${i}` })
  assert.deepEqual([log.waiting, log.dropped], [1_000, 100])
  away = false
  const { items, total } = await log.page({}, { limit: 1 })
  assert.deepEqual([total, items[0]?.request_id, log.waiting], [1_000, 'r-1099', 0])
  await log.close()
})

test('who did what stands in the audit log, also what was refused; no secret does', async (t) => {
  const tokens = [
    { name: 'ops', hash: hashApiKey('gwa_ops'), scopes: ['read', 'write', 'keys'] },
    { name: 'viewer', hash: hashApiKey('gwa_viewer') },
  ]
  const { ask } = await startAdmin(t, { admin: { tokens }, consumers: [{ id: 'shop' }] })
  const as = (token: string) => ({ Authorization: `Bearer ${token}` })
  const route = { id: 'a', path: '/a', auth: 'none', respond: { status: 200 } }
  await ask('POST /routes?message=new%20page', {
    body: route,
    headers: { ...as('gwa_ops'), 'X-Request-Id': 'mine' },
  })
  await ask('PATCH /routes/a', { body: { path: '/b' }, headers: as('gwa_ops') })
  await ask('DELETE /routes/a', { headers: as('gwa_viewer') })
  const key = await ask('POST /keys', { body: { consumer: 'shop' }, headers: as('gwa_ops') })
  await ask('DELETE /routes/a', { headers: as('gwa_wrong') })
  await ask('POST /routes:explain', { body: { url: '/b' }, headers: as('gwa_viewer') })
  const told = await ask('GET /audit', { headers: as('gwa_viewer') })
  const seen = told.json.items.map((one: Record<string, unknown>) => [
    one.actor,
    one.action,
    one.outcome,
    one.reason,
    one.version,
  ])
  assert.deepEqual(seen, [
    ['ops', 'keys.create', 'done', null, null],
    ['viewer', 'routes.delete', 'refused', 'SCOPE_MISSING', null],
    ['ops', 'routes.patch', 'done', null, 3],
    ['ops', 'routes.create', 'done', null, 2],
  ])
  const [, , patched, made] = told.json.items
  const one = await ask(`GET /audit/${patched.id}`, { headers: as('gwa_viewer') })
  assert.deepEqual([one.status, one.json], [200, patched])
  for (const id of ['0', '999999', 'x', '1e3', '9'.repeat(30)])
    assertProblem(await ask(`GET /audit/${id}`, { headers: as('gwa_viewer') }), 404, 'NOT_FOUND', id)
  assert.deepEqual([patched.changes[0].before.path, patched.changes[0].after.path], ['/a', '/b'])
  assert.deepEqual([made.requestId, made.message, made.address], ['mine', 'new page', '127.0.0.1'])
  assert.ok(!told.text.includes(key.json.key))
  assert.doesNotMatch(told.text, /gwa_|sha256:/)
  const page = await ask('GET /audit?limit=1&filter[actor]=ops', { headers: as('gwa_viewer') })
  assert.deepEqual([page.json.total, page.json.items.length], [3, 1])
})
