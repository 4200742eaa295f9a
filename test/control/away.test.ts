import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import pg from 'pg'
import { GatewayError } from '../../src/core/error.ts'
import { runHere } from '../cli/here.ts'
import { folderOf } from '../config/files.ts'
import { ask, type Postgres, startPostgres } from '../services/postgres.ts'
import { startDatabase } from '../store/kinds.ts'
import { until } from '../until.ts'
import { route, startNode, versionOf, yamlOf } from './nodes.ts'

let postgres: Postgres
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.stop())

const verbose = async (url: string): Promise<Record<string, { ok: boolean; detail: string }>> => {
  const { checks } = (await (await fetch(`${url}/readyz?verbose`)).json()) as {
    checks: { name: string; ok: boolean; detail: string }[]
  }
  return Object.fromEntries(checks.map((check) => [check.name, check]))
}

test('a start without the database runs the file, which is stored when the database is there', async (t) => {
  const url = await postgres.database()
  await postgres.kill()
  const node = await startNode(t, url, { a: 'first' })
  assert.deepEqual([await node.ask('a'), await versionOf(node)], ['first', 0])
  const told = await verbose(node.url)
  assert.match(told.config?.detail ?? '', /the file is running; it is stored when the database is back/)
  assert.deepEqual([told.database?.ok, (await fetch(`${node.url}/readyz`)).status], [false, 200])
  await assert.rejects(
    node.gateway.control.write([{ op: 'delete', kind: 'routes', id: 'a' }], { by: 'ada' }),
    (error) => error instanceof GatewayError && error.reason === 'UNAVAILABLE',
  )
  await postgres.start()
  await until(async () => (await versionOf(node)) === 1)
  assert.equal((await node.gateway.control.versions({ limit: 9 })).total, 1)
})

test('while it is gone what runs goes on, a file that changes is applied on its node, and all is stored when it is back', async (t) => {
  const url = await postgres.database()
  const [one, two] = [await startNode(t, url, { a: 'first' }), await startNode(t, url, { a: 'first' })]
  await one.gateway.control.write(
    [{ op: 'create', kind: 'routes', id: 'b', value: route('b', 'by the API') }],
    { by: 'ada' },
  )
  await until(async () => (await two.ask('b')) === 'by the API')
  await postgres.kill()
  await until(async () => (await verbose(two.url)).database?.ok === false)
  assert.deepEqual([await one.ask('b'), await two.ask('b')], ['by the API', 'by the API'])
  two.replace(yamlOf(url, { a: 'of the file' }))
  await until(async () => (await two.ask('a')) === 'of the file')
  assert.deepEqual([await one.ask('a'), await one.ask('b')], ['first', 'by the API'])
  await postgres.start()
  for (const node of [one, two]) {
    await until(async () => (await node.ask('a')) === 'of the file')
    await until(async () => (await versionOf(node)) === 3)
  }
})

test('one that has forgotten everything is told what runs', async (t) => {
  const url = await postgres.database()
  const node = await startNode(t, url, { a: 'first' })
  await node.gateway.control.write([{ op: 'create', kind: 'routes', id: 'b', value: route('b', 'x') }], {
    by: 'ada',
  })
  const { database } = node.gateway.stores
  await database?.db.transaction().execute(async (trx) => {
    await trx.deleteFrom('config_versions').execute()
    await database.topics.bump(trx, 'config')
  })
  await until(async () => (await node.gateway.control.versions({ limit: 9 })).total === 1)
  assert.equal(await node.ask('b'), 'x')
  const [version] = (await node.gateway.control.versions({ limit: 1 })).items
  assert.deepEqual([version?.version, version?.author], [await versionOf(node), 'gateway'])
  // The file is the one that was applied: it does not count again.
  assert.equal(await node.gateway.reload(), true)
  assert.equal(await node.ask('b'), 'x')
})

/** A transaction that is held open: others wait for what it has locked, until it is ended. */
async function hold(t: TestContext, url: string, ...statements: readonly string[]): Promise<pg.Client> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.end())
  for (const statement of ['begin', ...statements]) await client.query(statement)
  return client
}

const lock = (mode: string): string => `lock table config_versions in ${mode} mode`

for (const [what, mode] of [
  ['read nor written', 'access exclusive'],
  ['written', 'exclusive'],
] as const)
  test(`a start while versions cannot be ${what} in time runs the file, which is stored when they can`, async (t) => {
    const url = await postgres.database()
    await startDatabase(t, { url })
    const slow = await hold(t, url, lock(mode))
    const node = await startNode(t, url, { a: 'first' }, { queryTimeout: '1s' })
    assert.deepEqual([await node.ask('a'), await versionOf(node)], ['first', 0])
    assert.match((await verbose(node.url)).config?.detail ?? '', /it is stored when the database is back/)
    assert.equal(node.gateway.stores.database?.status().up, true, 'it is not away, only slow')
    await slow.query('commit')
    await until(async () => (await versionOf(node)) === 1)
    const { items, total } = await node.gateway.control.versions({ limit: 9 })
    assert.deepEqual([total, items[0]?.origin, await node.ask('a')], [1, 'file', 'first'])
  })

test('a version that could not be read when it was heard of is read later', async (t) => {
  const url = await postgres.database()
  const node = await startNode(t, url, { a: 'first' }, { queryTimeout: '1s' })
  const { items } = await node.gateway.control.versions({ limit: 1 })
  const slow = await hold(t, url, lock('access exclusive'))
  const text = yamlOf(url, { a: 'second' }, { queryTimeout: '1s' })
  await slow.query(
    `insert into config_versions select 2, author, created_at, message, origin, file_hash, $1, changes from config_versions where version = $2`,
    [text, items[0]?.version],
  )
  const failed = (): number => node.gateway.stores.database?.status().failures.timeout ?? 0
  const before = failed()
  await ask(url, `update topics set counter = counter + 1 where name = 'config'`)
  await until(() => failed() > before)
  await slow.query('commit')
  await until(async () => (await node.ask('a')) === 'second')
  assert.equal(await versionOf(node), 2)
})

test('PostgreSQL that accepts connections and answers nothing holds up no start', async (t) => {
  const url = await postgres.database()
  await postgres.freeze()
  const from = performance.now()
  const node = await startNode(t, url, { a: 'first' })
  t.diagnostic(`it serves after ${((performance.now() - from) / 1_000).toFixed(1)} s`)
  assert.deepEqual([await node.ask('a'), await versionOf(node)], ['first', 0])
  assert.equal((await fetch(`${node.url}/readyz`)).status, 200)
  await postgres.thaw()
  await until(async () => (await versionOf(node)) === 1)
})

test('gateway doctor tells a PostgreSQL that answers from one that does not, and writes nothing', async (t) => {
  const url = await postgres.database()
  const look = async (database: string): Promise<string> => {
    const inFolder = folderOf(t, { 'gateway.yaml': yamlOf(database, { a: 'a' }) })
    const { out } = await runHere(['doctor', 'gateway.yaml', '--json'], inFolder(''))
    const { findings } = JSON.parse(out) as { findings: Record<string, string>[] }
    return findings
      .flatMap(({ about, level, says }) => (about === 'database' ? `${level} ${says}` : []))
      .join()
  }
  assert.match(await look(url), /^ok PostgreSQL \d+\S*.* answers$/)
  assert.deepEqual(await ask(url, `select * from pg_tables where schemaname = 'public'`), [])
  assert.match(
    await look(url.replace('gateway@', 'nobody:geheim@')),
    /^fail cannot be used: role "nobody" does not exist$/,
  )
  assert.match(await look(`${url}_not`), /^fail cannot be used: database "\w+_not" does not exist$/)
  await postgres.freeze()
  const said = await look(url)
  await postgres.thaw()
  assert.match(said, /^fail cannot be used: .*time/)
})
