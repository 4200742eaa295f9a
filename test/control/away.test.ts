import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { GatewayError } from '../../src/core/error.ts'
import { type Postgres, startPostgres } from '../services/postgres.ts'
import { route, startNode, until, versionOf, yamlOf } from './nodes.ts'

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
