import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Postgres, startPostgres } from '../services/postgres.ts'
import { type AdminWorld, assertProblem, startAdmin } from './admin-world.ts'

let postgres: Postgres
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.stop())

const open = { auth: 'none', respond: { status: 200 } }
const target = 'http://127.0.0.1:1'
const [newRoute, newUpstream] = [{ path: '/new', ...open }, { targets: [{ url: target }] }]

/** What cannot be done without the database: refused, and nothing of it is done later. */
const refused: readonly (readonly [operation: string, what: string, body?: unknown])[] = [
  ['routes.create', 'POST /routes', { id: 'new', ...newRoute }],
  ['routes.put', 'PUT /routes/c', newRoute],
  ['routes.patch', 'PATCH /routes/c', { path: '/other' }],
  ['routes.delete', 'DELETE /routes/c'],
  ['upstreams.create', 'POST /upstreams', { id: 'new', ...newUpstream }],
  ['upstreams.put', 'PUT /upstreams/next', newUpstream],
  ['upstreams.patch', 'PATCH /upstreams/next', { timeouts: { request: '7s' } }],
  ['upstreams.delete', 'DELETE /upstreams/unused'],
  ['consumers.create', 'POST /consumers', { id: 'new' }],
  ['consumers.put', 'PUT /consumers/shop', { scopes: ['x'] }],
  ['consumers.patch', 'PATCH /consumers/shop', { scopes: ['x'] }],
  ['consumers.delete', 'DELETE /consumers/shop'],
  ['plugins.create', 'POST /plugins', { id: 'cors' }],
  ['plugins.put', 'PUT /plugins/cors', { options: {} }],
  ['plugins.patch', 'PATCH /plugins/requestId', { options: {} }],
  ['plugins.delete', 'DELETE /plugins/requestId'],
  ['subgraphs.create', 'POST /subgraphs', { id: 'two', upstream: 'backend' }],
  ['subgraphs.put', 'PUT /subgraphs/one', { upstream: 'next' }],
  ['subgraphs.patch', 'PATCH /subgraphs/one', { upstream: 'next' }],
  ['subgraphs.delete', 'DELETE /subgraphs/one'],
  ['grpcServices.create', 'POST /grpcServices', { id: 'a.B', upstream: 'backend' }],
  ['grpcServices.put', 'PUT /grpcServices/a.B', { upstream: 'backend' }],
  ['grpcServices.patch', 'PATCH /grpcServices/a.B', { timeout: '3s' }],
  ['grpcServices.delete', 'DELETE /grpcServices/a.B'],
  ['permissions.put', 'PUT /permissions/routes%2Fc', { auth: 'optional' }],
  ['batch.create', 'POST /batch', { operations: [{ op: 'put', kind: 'routes', id: 'b', value: newRoute }] }],
  ['config.put', 'PUT /config', { routes: [{ id: 'r', ...newRoute }] }],
  ['config.patch', 'PATCH /config', { routes: [] }],
  ['config.versions.rollback', 'POST /config/versions/1:rollback', {}],
  ['keys.create', 'POST /keys', { consumer: 'shop' }],
  ['keys.patch', 'PATCH /keys/KEY', { name: 'till' }],
  ['keys.rotate', 'POST /keys/KEY:rotate', {}],
  // Before it is asked whether the key may go.
  ['keys.delete', 'DELETE /keys/ENDED'],
]

/** What must not wait for a database: done here at once, and told to it when it is back. */
const done: readonly (readonly [operation: string, what: string, body: unknown, status: number])[] = [
  ['services.create', 'POST /services', { service: 's', url: target }, 201],
  ['services.renew', 'POST /services:renew', { service: 's', url: target }, 200],
  [
    'services.batch',
    'POST /services:batch',
    { operations: [{ op: 'register', service: 's', url: 'http://127.0.0.1:2' }] },
    200,
  ],
  ['services.deregister', 'POST /services:deregister', { service: 's', url: target }, 204],
  ['canaries.pause', 'POST /canaries/c:pause', {}, 200],
  ['canaries.resume', 'POST /canaries/c:resume', {}, 200],
  ['canaries.promote', 'POST /canaries/c:promote', {}, 200],
  ['canaries.abort', 'POST /canaries/c:abort', {}, 200],
  ['keys.revoke', 'POST /keys/LOST:revoke', {}, 200],
  ['tokens.revoke', 'POST /tokens:revoke', { consumer: 'shop' }, 202],
  ['tokens.unrevoke', 'POST /tokens:unrevoke', { consumer: 'shop' }, 202],
  ['cache.purge', 'POST /cache:purge', {}, 200],
]

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(20)
}

/** What the writes would change. */
async function state({ ask }: AdminWorld, lost: string): Promise<object> {
  const { json: versions } = await ask('GET /config/versions')
  const { json: keys } = await ask('GET /keys')
  const { text: config } = await ask('GET /config', { headers: { Accept: 'application/json' } })
  const others = keys.items.filter(({ id }: { id: string }) => id !== lost)
  const shown = others.map(({ id, name, revokedAt, expiresAt, replacedBy }: Record<string, unknown>) => ({
    id,
    name,
    revokedAt,
    expiresAt,
    replacedBy,
  }))
  return { versions: versions.items, keys: shown, config }
}

test('without the database every write is refused as a whole, or done here and stored later', async (t) => {
  const url = await postgres.database()
  const targets = [{ url: target }]
  const world = await startAdmin(t, {
    stores: { database: { url } },
    plugins: ['requestId'],
    upstreams: { backend: { targets }, next: { targets }, unused: { targets } },
    consumers: [{ id: 'shop' }],
    routes: [
      {
        id: 'c',
        path: '/c',
        upstream: 'backend',
        canary: { upstream: 'next', steps: [{ weight: 5 }, { weight: 50 }] },
      },
    ],
    graphql: {
      subgraphs: {
        one: {
          upstream: 'backend',
          schema: fileURLToPath(new URL('../../schemas/accounts.graphql', import.meta.url)),
        },
      },
    },
  })
  const { ask, gateway } = world
  const isUp = (): boolean => gateway.stores.database?.status().up === true
  await until(isUp)
  const make = async (): Promise<string> => (await ask('POST /keys', { body: { consumer: 'shop' } })).json.id
  const [key, ended, lost] = [await make(), await make(), await make()]
  assert.equal((await ask(`POST /keys/${ended}:revoke`, { body: {} })).status, 200)
  const before = await state(world, lost)

  await postgres.kill()
  await until(() => !isUp())
  for (const [operation, what, body] of refused) {
    const path = what.replace('KEY', key).replace('ENDED', ended)
    const options = body === undefined ? {} : { body }
    const told = await ask(path, options)
    assertProblem(told, 503, 'UNAVAILABLE', operation)
    assert.ok(Number(told.headers.get('retry-after')) >= 1, operation)
    if (operation.startsWith('keys.')) continue
    assertProblem(await ask(`${path}?dryRun=true`, options), 503, 'UNAVAILABLE', `${operation}, as a dry run`)
  }
  for (const [operation, what, body, status] of done) {
    const told = await ask(what.replace('LOST', lost), { body })
    assert.equal(told.status, status, `${operation}: ${told.text}`)
  }
  const failed = world.logs.filter(({ message }) => message === 'the admin API failed')
  assert.ok(failed.length >= refused.length)
  for (const { error, action, request_id } of failed)
    assert.match(
      `${action} ${request_id}: ${error}`,
      /^\w+\.\w[\w.]* [\w-]{36}: The \w+ of .* does not answer/,
    )
  // What is in memory can be read, what is in the database cannot.
  for (const path of ['/routes', '/config', '/keys', '/services', '/canaries', '/logs'])
    assert.equal((await ask(`GET ${path}`)).status, 200, path)
  for (const path of ['/audit', '/config/versions', '/config/versions/1'])
    assertProblem(await ask(`GET ${path}`), 503, 'UNAVAILABLE', path)

  // None is left out.
  const { paths } = (await ask('GET /openapi.json')).json
  const writes = Object.values<Record<string, { operationId: string }>>(paths).flatMap((path) =>
    Object.entries(path).flatMap(([method, { operationId: id }]) => (method === 'get' ? [] : [id])),
  )
  const harmless = ['config.validate', 'config.diff', 'routes.explain', 'tokens.verify']
  const tried = [...refused, ...done].map(([operation]) => operation)
  assert.deepEqual([...new Set([...tried, ...harmless])].sort(), writes.sort())

  await postgres.start()
  await until(isUp)
  assert.deepEqual(await state(world, lost), before)
  // What was done is told, and noted with what was refused.
  const outcomes = async (): Promise<string[]> =>
    (await ask('GET /audit?limit=1000')).json.items.map(
      ({ action, outcome }: Record<string, string>) => `${action} ${outcome}`,
    )
  await until(async () => (await outcomes()).length >= 40)
  const noted = new Set(await outcomes())
  for (const [operation] of refused) assert.ok(noted.has(`${operation} failed`), operation)
  for (const [operation] of done.filter(([id]) => !/renew|unrevoke/.test(id)))
    assert.ok(noted.has(`${operation} done`), operation)
  const { db } = gateway.stores.database ?? assert.fail()
  await until(async () => (await db.selectFrom('instances').selectAll().execute()).length === 1)
  await until(async () => (await db.selectFrom('revocations').selectAll().execute()).length >= 1)
  assert.equal((await ask(`GET /keys/${lost}`)).json.state, 'revoked')
  await until(async () => {
    const state = await db.selectFrom('canary_states').selectAll().executeTakeFirst()
    return state?.phase === 'aborted'
  })
})
