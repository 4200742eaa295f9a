import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLog } from '../../src/core/log.ts'
import type { Revocable } from '../../src/plugins/identity/revocable.ts'
import { Revocations } from '../../src/plugins/identity/revocations.ts'
import { SqlRevocations } from '../../src/plugins/identity/sql-revocations.ts'
import type { Database } from '../../src/store/database.ts'
import { onBothDatabases, startDatabase } from './kinds.ts'

interface Node {
  readonly list: Revocations
  readonly shared: SqlRevocations
  readonly database: Database
}

async function node(t: TestContext, url: string): Promise<Node> {
  const database = await startDatabase(t, { url })
  const list = new Revocations()
  const shared = new SqlRevocations(database, { list, log: silentLog })
  t.after(() => shared.close())
  await shared.start(10_000)
  return { list, shared, database }
}

async function until(holds: () => boolean): Promise<void> {
  for (const from = performance.now(); !holds(); await sleep(1))
    assert.ok(performance.now() - from < 30_000, 'it never came about')
}

const named: readonly Revocable[] = [
  { jti: 'one', issuer: 'https://id.example' },
  { key: 'key_1' },
  { consumer: 'shop' },
  // What a token may say of itself, and no text of PostgreSQL may hold.
  { jti: 'nul\0 and half \ud83d', issuer: 'https://id.example' },
]

onBothDatabases((kind) => {
  suite(`revocations in ${kind.name}`, () => {
    test('what one node revokes or lifts, the others and the next ones know', async (t) => {
      const url = await kind.url(t)
      const [one, other] = await Promise.all([node(t, url), node(t, url)])
      for (const what of named) assert.equal(await one.list.revoke(what, { note: 'Zoë' }), 'everywhere')
      await until(() => named.every((what) => other.list.find(what) !== undefined))
      assert.equal(await other.list.lift({ key: 'key_1' }), 'everywhere')
      await until(() => one.list.find({ key: 'key_1' }) === undefined)
      const next = await node(t, url)
      assert.deepEqual(
        named.map((what) => next.list.find(what)?.note),
        ['Zoë', undefined, 'Zoë', 'Zoë'],
      )
      assert.deepEqual([next.shared.status().trouble, next.shared.status().unwritten], [undefined, 0])
      assert.equal(next.list.entry('consumer\n\nshop')?.before, one.list.entry('consumer\n\nshop')?.before)
    })

    test('the later change of two holds, whichever is written last', async (t) => {
      const url = await kind.url(t)
      const [one, other] = await Promise.all([node(t, url), node(t, url)])
      const what = { key: 'key_1' }
      await one.list.revoke(what)
      await until(() => other.list.find(what) !== undefined)
      const old = one.list.entry('key\n\nkey_1')
      await other.list.lift(what)
      // As one would write that was held up.
      assert.ok(old)
      await one.shared.write('key\n\nkey_1', old)
      const next = await node(t, url)
      assert.equal(next.list.find(what), undefined)
    })

    test('a database that has lost the list is told what is known', async (t) => {
      const url = await kind.url(t)
      const one = await node(t, url)
      await one.list.revoke({ key: 'key_1' })
      await one.list.revoke({ key: 'key_2' })
      await one.database.db.deleteFrom('revocations').execute()
      await one.database.db
        .updateTable('topics')
        .set({ counter: -1 })
        .where('name', '=', 'revocations')
        .execute()
      for (const from = performance.now(); ; await sleep(20)) {
        const rows = await one.database.db.selectFrom('revocations').select('name').execute()
        if (rows.length === 2) break
        assert.ok(performance.now() - from < 30_000, 'it was never told')
      }
    })

    test('more than one page is written and read', async (t) => {
      const url = await kind.url(t)
      const one = await node(t, url)
      await one.list.revoke({ key: 'key_0' })
      const entry = one.list.entry('key\n\nkey_0')
      assert.ok(entry)
      for (let i = 1; i < 2_500; i++) one.list.merge(`key\n\nkey_${i}`, entry)
      await one.database.db
        .updateTable('topics')
        .set({ counter: -1 })
        .where('name', '=', 'revocations')
        .execute()
      const written = async (): Promise<number> =>
        (await one.database.db.selectFrom('revocations').select('name').execute()).length
      for (const from = performance.now(); (await written()) < 2_500; await sleep(20))
        assert.ok(performance.now() - from < 30_000, 'they were never written')
      assert.equal((await node(t, url)).list.size, 2_500)
    })
  })
})
