import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError } from '../../src/core/error.ts'
import { silentLog } from '../../src/core/log.ts'
import type { KeyRecord } from '../../src/plugins/identity/key-record.ts'
import { ManagedKeys } from '../../src/plugins/identity/managed-keys.ts'
import { SqlKeyStore } from '../../src/plugins/identity/sql-key-store.ts'
import type { Database } from '../../src/store/database.ts'
import { seeded } from '../plugins/harness.ts'
import { onBothDatabases, startDatabase } from './kinds.ts'

interface Node {
  readonly keys: ManagedKeys
  readonly database: Database
}

async function node(t: TestContext, url: string): Promise<Node> {
  const database = await startDatabase(t, { url })
  const keys = new ManagedKeys({ store: new SqlKeyStore(database), log: silentLog, now: Date.now })
  t.after(() => keys.close())
  await keys.start()
  return { keys, database }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const from = performance.now(); !(await holds()); await sleep(5))
    assert.ok(performance.now() - from < 30_000, 'it never came about')
}

const fields = { consumer: 'shop', env: 'live' } as const
const sorted = (keys: Iterable<KeyRecord>): unknown =>
  JSON.parse(JSON.stringify([...keys].sort((a, b) => (a.id < b.id ? -1 : 1))))

onBothDatabases((kind) => {
  suite(`managed keys in ${kind.name}`, () => {
    test('nodes that change keys at random end with the same keys, and no change undoes a revocation', async (t) => {
      const url = await kind.url(t)
      const nodes = await Promise.all([node(t, url), node(t, url)])
      const random = seeded(11)
      const pick = <T>(of: readonly T[]): T | undefined => of[Math.floor(random() * of.length)]
      const revoked = new Set<string>()
      let refused = 0
      const change = async (): Promise<void> => {
        const { keys } = pick(nodes) as Node
        const id = pick([...keys.all()])?.id ?? ''
        const what = random()
        if (what < 0.3 || id === '') await keys.create(fields)
        else if (what < 0.6) await keys.rotate(id, { overlapMs: 1_000_000 })
        else if (what < 0.9) await keys.revoke(id).then(() => revoked.add(id))
        else await keys.remove(id)
      }
      for (let round = 0; round < 15; round++) {
        const changes = await Promise.allSettled(Array.from({ length: 5 }, change))
        for (const { reason } of changes.filter((one) => one.status === 'rejected')) {
          assert.ok(reason instanceof GatewayError && [404, 409].includes(reason.status), String(reason))
          refused++
        }
      }
      const rows = await nodes[0].database.db.selectFrom('api_keys').select('record').execute()
      const kept = sorted(rows.map(({ record }) => JSON.parse(record) as KeyRecord))
      for (const { keys } of nodes) {
        await until(() => JSON.stringify(sorted(keys.all())) === JSON.stringify(kept))
        for (const key of keys.all()) if (revoked.has(key.id)) assert.notEqual(key.revokedAt, undefined)
        for (const key of keys.all()) assert.equal(keys.find(key.hash)?.id, key.id)
      }
      assert.ok(refused > 0 && revoked.size > 5, `${refused} refused, ${revoked.size} revoked`)
    })

    test('keys, and when they were used last, are there after a restart', async (t) => {
      const url = await kind.url(t)
      const before = await node(t, url)
      const { record } = await before.keys.create({ ...fields, name: 'Zoë \u{1f600}', roles: ['a'] })
      before.keys.uses.of(record.id).lastAt = 5
      await before.keys.flush()
      await before.keys.close()
      await before.database.close()
      const { keys } = await node(t, url)
      assert.deepEqual(sorted(keys.all()), sorted([record]))
      assert.deepEqual(await keys.lastUses([record.id, 'other']), [5, 0])
      keys.uses.of(record.id).lastAt = 3
      await keys.flush()
      keys.uses.forget(record.id)
      assert.deepEqual(await keys.lastUses([record.id]), [5], 'an earlier use does not take its place')
    })

    test('more keys than one page are read, and a deletion is heard of', async (t) => {
      const url = await kind.url(t)
      const one = await node(t, url)
      const records = Array.from({ length: 4_500 }, (_, i): KeyRecord => {
        return { id: `key_${i}`, consumer: 'shop', hash: `sha256:${i}`, revokedAt: 1 }
      })
      for (let i = 0; i < records.length; i += 1_500) {
        const rows = records.slice(i, i + 1_500).map((record) => ({
          id: record.id,
          hash: record.hash,
          consumer: 'shop',
          record: JSON.stringify(record),
          changed: 1,
        }))
        await one.database.db.insertInto('api_keys').values(rows).execute()
      }
      const { keys } = await node(t, url)
      assert.equal(keys.size, 4_500)
      await keys.remove('key_17')
      await until(() => one.keys.size === 4_499)
      assert.equal(one.keys.get('key_17'), undefined)
    })

    test('a database that was set back to an older state is read anew', async (t) => {
      const { keys, database } = await node(t, await kind.url(t))
      const [kept, lost] = [await keys.create(fields), await keys.create(fields)]
      await database.db.deleteFrom('api_keys').where('id', '=', lost.record.id).execute()
      await database.db.updateTable('topics').set({ counter: -1 }).where('name', '=', 'keys').execute()
      await until(() => keys.size === 1)
      assert.equal(keys.get(kept.record.id)?.id, kept.record.id)
    })
  })
})
