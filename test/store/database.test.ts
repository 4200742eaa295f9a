import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { suite, test } from 'node:test'
import type { Database } from '../../src/store/database.ts'
import { isTaken } from '../../src/store/is-taken.ts'
import type { TopicName } from '../../src/store/topics.ts'
import { onBothDatabases, ownFolder, startDatabase } from './kinds.ts'

onBothDatabases((kind) => {
  suite(`over ${kind.name}`, () => {
    test('what was written is there for whoever opens it next, as it was written', async (t) => {
      const url = await kind.url(t)
      const first = await startDatabase(t, { url })
      assert.deepEqual([first.kind, first.status().up, first.status().trouble], [kind.name, true, undefined])
      const version = {
        version: Number.MAX_SAFE_INTEGER,
        author: 'Zoë',
        created_at: 1_795_000_000_123,
        message: 'a\nb "c" \u{1f600}',
        origin: 'api' as const,
        file_hash: null,
        document: 'routes: []\n'.repeat(10_000),
        changes: '[]',
      }
      await first.db.insertInto('config_versions').values(version).execute()
      await first.close()
      const second = await startDatabase(t, { url })
      assert.deepEqual(
        { ...(await second.db.selectFrom('config_versions').selectAll().executeTakeFirst()) },
        version,
      )
    })

    test('a transaction that fails leaves nothing, and the next ones work', async (t) => {
      const { db } = await startDatabase(t, { url: await kind.url(t) })
      const use = { id: 'one', last_at: 1 }
      const failing = db.transaction().execute(async (trx) => {
        await trx.insertInto('key_uses').values(use).execute()
        throw new Error('no')
      })
      await assert.rejects(failing, /no/)
      assert.deepEqual(await db.selectFrom('key_uses').selectAll().execute(), [])
      await db.insertInto('key_uses').values(use).execute()
      const twice = db.insertInto('key_uses').values(use).execute()
      await assert.rejects(twice, (error) => isTaken(error))
    })

    test('numbers that the database counts and adds up are numbers', async (t) => {
      const { db } = await startDatabase(t, { url: await kind.url(t) })
      await db
        .insertInto('key_uses')
        .values([
          { id: 'one', last_at: 1_795_000_000_000 },
          { id: 'two', last_at: 2 },
        ])
        .execute()
      const { sum, count } = await db
        .selectFrom('key_uses')
        .select(({ fn }) => [fn.sum('last_at').as('sum'), fn.countAll().as('count')])
        .executeTakeFirstOrThrow()
      assert.deepEqual([sum, count], [1_795_000_000_002, 2])
      const { numDeletedRows } = await db
        .deleteFrom('key_uses')
        .where('id', '=', 'one')
        .executeTakeFirstOrThrow()
      assert.equal(numDeletedRows, 1n)
    })

    test('a text with a NUL in it is kept without', async (t) => {
      const { db } = await startDatabase(t, { url: await kind.url(t) })
      await db.insertInto('key_uses').values({ id: 'a\0b', last_at: 1 }).execute()
      assert.deepEqual(await db.selectFrom('key_uses').select('id').execute(), [{ id: 'a\u{fffd}b' }])
    })

    test('a change of a topic is heard of by all nodes, and by the one that made it', async (t) => {
      const url = await kind.url(t)
      const [one, other] = await Promise.all([startDatabase(t, { url }), startDatabase(t, { url })])
      const heard = [one, other].map((database) => next(database, 'keys'))
      const notHeard = other.topics.on('config', () => assert.fail('nobody changed it'))
      const counter = await one.db.transaction().execute((trx) => one.topics.bump(trx, 'keys'))
      assert.equal(counter, 1)
      await Promise.all(heard)
      notHeard()
    })

    test('a change that is taken back is heard of by nobody', async (t) => {
      const database = await startDatabase(t, { url: await kind.url(t) })
      database.topics.on('keys', () => assert.fail('it was taken back'))
      const undone = database.db.transaction().execute(async (trx) => {
        await database.topics.bump(trx, 'keys')
        throw new Error('no')
      })
      await assert.rejects(undone)
      const heard = next(database, 'config')
      await database.db.transaction().execute((trx) => database.topics.bump(trx, 'config'))
      await heard
    })

    test('rows that are marked with the count of a topic become visible in its order', async (t) => {
      const url = await kind.url(t)
      const nodes = await Promise.all([startDatabase(t, { url }), startDatabase(t, { url })])
      const seen: number[] = []
      const write = async ({ db, topics }: Database, id: string): Promise<void> => {
        await db.transaction().execute(async (trx) => {
          const changed = await topics.bump(trx, 'revocations')
          const row = { name: id, version: 1, expires_at: null, entry: '', changed }
          await trx.insertInto('revocations').values(row).execute()
        })
        const rows = await db.selectFrom('revocations').select('changed').orderBy('changed').execute()
        seen.push(rows.length)
        assert.deepEqual(
          rows.map(({ changed }) => changed),
          rows.map((_, i) => i + 1),
        )
      }
      await Promise.all(Array.from({ length: 20 }, (_, i) => write(nodes[i % 2] as Database, `sub\n${i}`)))
      assert.equal(Math.max(...seen), 20)
    })

    test('twenty gateways that start at once make the tables once', async (t) => {
      const url = await kind.url(t)
      const count = kind.name === 'sqlite' ? 5 : 20
      const all = await Promise.all(Array.from({ length: count }, () => startDatabase(t, { url })))
      assert.deepEqual(
        all.map((database) => database.status().trouble),
        all.map(() => undefined),
      )
    })

    test('searches cannot hold up the others, and read what was written', async (t) => {
      const { db, searches } = await startDatabase(t, { url: await kind.url(t) })
      await db.insertInto('key_uses').values({ id: 'one', last_at: 1 }).execute()
      assert.deepEqual(await searches.selectFrom('key_uses').select('id').execute(), [{ id: 'one' }])
    })
  })
})

test('a file is made in a folder that is made, for nobody else to read', async (t) => {
  const folder = await ownFolder(t)
  await startDatabase(t, { url: `sqlite:${folder}/data/deep/gateway.db` })
  for (const end of ['', '-wal', '-shm'])
    assert.equal((await stat(`${folder}/data/deep/gateway.db${end}`)).mode & 0o777, 0o600, end)
  assert.equal((await stat(`${folder}/data`)).mode & 0o777, 0o700)
})

test("a memory costs little and is nobody else's", async (t) => {
  await startDatabase(t, { url: 'sqlite::memory:' })
  const before = performance.now()
  const all = await Promise.all(
    Array.from({ length: 50 }, () => startDatabase(t, { url: 'sqlite::memory:' })),
  )
  const each = (performance.now() - before) / all.length
  t.diagnostic(`${each.toFixed(1)} ms each`)
  await all[0]?.db.insertInto('key_uses').values({ id: 'one', last_at: 1 }).execute()
  assert.deepEqual(await all[1]?.db.selectFrom('key_uses').selectAll().execute(), [])
})

function next({ topics }: Database, name: TopicName): Promise<void> {
  return new Promise((resolve) => {
    const end = topics.on(name, () => {
      end()
      resolve()
    })
  })
}
