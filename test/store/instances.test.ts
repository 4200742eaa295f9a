import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceRegistry } from '../../src/discovery/service-registry.ts'
import { KeptInstances } from '../../src/kept-instances.ts'
import type { Database } from '../../src/store/database.ts'
import { until } from '../until.ts'
import { onBothDatabases, startDatabase } from './kinds.ts'

interface Node {
  readonly registry: ServiceRegistry
  readonly database: Database
  /** Its clocks, both of them; begins at a time of the day. */
  pass(ms: number): void
  end(): Promise<void>
}

const startedAt = 1_795_000_000_000

async function node(t: TestContext, url: string, passed = 0): Promise<Node> {
  const database = await startDatabase(t, { url })
  let now = passed
  const registry = new ServiceRegistry({ now: () => now })
  const kept = new KeptInstances(database, { registry, now: () => startedAt + now })
  const end = async (): Promise<void> => {
    await kept.close()
    registry.close()
    await database.close()
  }
  t.after(end)
  await kept.start()
  return {
    registry,
    database,
    pass: (ms) => {
      now += ms
    },
    end,
  }
}

const urls = ({ registry }: Node, service = 'users'): string[] =>
  registry.instances(service).map(({ url, expired }) => (expired ? `${url} expired` : url))

const rows = ({ database }: Node) => database.db.selectFrom('instances').selectAll().orderBy('url').execute()

onBothDatabases((kind) => {
  suite(`registered instances in ${kind.name}`, () => {
    test('are there after a restart, as they were, and have their whole time for a heartbeat', async (t) => {
      const url = await kind.url(t)
      const before = await node(t, url)
      before.registry.register('users', { url: 'http://a:1', weight: 5, priority: 2 }, 10_000)
      before.registry.register('users', 'http://b:1', 10_000)
      before.registry.register('orders', 'http://c:1', 20_000)
      before.registry.deregister('users', 'http://b:1')
      await before.end()
      const after = await node(t, url, 3_600_000)
      assert.deepEqual(after.registry.instances('users'), [
        { url: 'http://a:1', weight: 5, priority: 2, ttlMs: 10_000, expired: false },
      ])
      assert.equal(after.registry.known('users', 'http://a:1')?.leftMs, 10_000)
      assert.equal(after.registry.known('orders', 'http://c:1')?.leftMs, 20_000)
    })

    test('are known to all nodes, and end on all', async (t) => {
      const url = await kind.url(t)
      const [one, other] = await Promise.all([node(t, url), node(t, url)])
      one.registry.register('users', 'http://a:1')
      other.registry.register('users', 'http://b:1')
      await until(() => [one, other].every((each) => urls(each).length === 2))
      let told = 0
      one.registry.watch('users', () => told++)
      other.registry.deregister('users', 'http://a:1')
      await until(() => urls(one).length === 1)
      assert.deepEqual([urls(one), urls(other), told], [['http://b:1'], ['http://b:1'], 1])
    })

    test('a heartbeat to one node is one to all, and is not written each time', async (t) => {
      const url = await kind.url(t)
      const [one, other] = await Promise.all([node(t, url), node(t, url)])
      one.registry.register('users', 'http://a:1', 30_000)
      await until(() => urls(other).length === 1)
      const written = async (): Promise<number | undefined> => (await rows(one))[0]?.expires_at
      assert.equal(await written(), startedAt + 30_000)
      for (const each of [one, other]) each.pass(5_000)
      one.registry.renew('users', 'http://a:1')
      await sleep(1_200)
      assert.equal(await written(), startedAt + 30_000, 'a sixth of its time is no reason to write')
      for (const each of [one, other]) each.pass(15_000)
      one.registry.renew('users', 'http://a:1')
      // Or more: what its registry takes for standing still is time on top.
      await until(async () => ((await written()) ?? 0) >= startedAt + 50_000)
      await until(() => (other.registry.known('users', 'http://a:1')?.leftMs ?? 0) >= 30_000)
    })

    test('what is registered while the database is away is written when it is back', async (t) => {
      const url = await kind.url(t)
      const one = await node(t, url)
      await one.database.db.schema.alterTable('instances').renameTo('elsewhere').execute()
      one.registry.register('users', 'http://a:1')
      one.registry.register('users', 'http://b:1')
      one.registry.deregister('users', 'http://b:1')
      await sleep(50)
      await one.database.db.schema.alterTable('elsewhere').renameTo('instances').execute()
      await until(async () => (await rows(one)).length === 1)
      assert.deepEqual(urls(one), ['http://a:1'])
    })
  })
})
