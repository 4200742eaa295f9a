import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBackend } from '../world.ts'
import { assertProblem, startAdmin } from './admin-world.ts'

const route = (path: string, text: string) => ({ path, auth: 'none', respond: { status: 200, body: text } })

test('a route is made, seen, changed, put, and taken away, and each is at work at once', async (t) => {
  const { ask, url } = await startAdmin(t, {})
  const get = async (path: string) => {
    const reply = await fetch(url + path)
    return `${reply.status} ${await reply.text()}`
  }
  const made = await ask('POST /routes', { body: { id: 'hello', ...route('/hello', 'hi') } })
  assert.equal(made.status, 201, made.text)
  assert.equal(made.headers.get('location'), '/admin/routes/hello')
  assert.deepEqual(made.json.item, { id: 'hello', ...route('/hello', 'hi') })
  assert.deepEqual(
    made.json.changes.map(({ kind, id, op }: Record<string, string>) => [kind, id, op]),
    [['routes', 'hello', 'create']],
  )
  assert.equal(await get('/hello'), '200 hi')
  const seen = await ask('GET /routes/hello')
  assert.equal(seen.headers.get('etag'), made.headers.get('etag'))
  assertProblem(
    await ask('POST /routes', { body: { id: 'hello', ...route('/other', 'x') } }),
    409,
    'ALREADY_EXISTS',
    'twice',
  )
  const patched = await ask('PATCH /routes/hello', { body: { respond: { body: 'changed' } } })
  assert.equal(patched.status, 200, patched.text)
  assert.equal(await get('/hello'), '200 changed')
  assert.equal(patched.json.version, made.json.version + 1)
  const put = await ask('PUT /routes/hello', { body: seen.json })
  assert.equal(put.status, 200, put.text)
  assert.equal(await get('/hello'), '200 hi')
  const other = await ask('PUT /routes/other', { body: route('/other', 'other') })
  assert.deepEqual([other.status, other.headers.get('location')], [201, '/admin/routes/other'], other.text)
  const list = await ask('GET /routes?limit=1')
  assert.deepEqual([list.json.items[0].id, list.json.next, list.json.total], ['hello', 'hello', 2])
  assert.equal((await ask('GET /routes?filter[id]=oth')).json.total, 1)
  const gone = await ask('DELETE /routes/hello')
  assert.deepEqual([gone.status, gone.json.changes[0].op], [200, 'delete'])
  assert.match(await get('/hello'), /^404/)
  assertProblem(await ask('DELETE /routes/hello'), 404, 'NOT_FOUND', 'twice')
})

test('who writes with an old tag is told the new one, and nothing is changed', async (t) => {
  const { ask } = await startAdmin(t, { routes: [{ id: 'a', ...route('/a', 'a') }] })
  const first = (await ask('GET /routes/a')).headers.get('etag') ?? ''
  const patch = (text: string, tag: string) =>
    ask('PATCH /routes/a', { body: { respond: { body: text } }, headers: { 'If-Match': tag } })
  const second = await patch('b', first)
  assert.equal(second.status, 200, second.text)
  const stale = await patch('c', first)
  assertProblem(stale, 412, 'PRECONDITION_FAILED', 'stale')
  assert.equal(stale.headers.get('etag'), second.headers.get('etag'))
  assert.equal((await ask('GET /routes/a')).json.respond.body, 'b')
  const whole = (await ask('GET /config')).headers.get('etag') ?? ''
  assert.equal((await ask('PUT /routes/b', { body: route('/b', 'b') })).status, 201)
  const batch = { operations: [{ op: 'delete', kind: 'routes', id: 'b' }] }
  assertProblem(
    await ask('POST /batch', { body: batch, headers: { 'If-Match': whole } }),
    412,
    'PRECONDITION_FAILED',
    'of the whole',
  )
})

test('a dry run says what it would change and warns, and changes nothing', async (t) => {
  const config = { consumers: [{ id: 'shop' }], routes: [{ id: 'a', ...route('/a', 'a') }] }
  const { ask, gateway } = await startAdmin(t, config)
  const { version } = gateway.control
  const writes: readonly (readonly [string, object | undefined])[] = [
    ['POST /routes', { id: 'b', ...route('/b', 'b') }],
    ['PUT /routes/b', route('/b', 'b')],
    ['PATCH /routes/a', { respond: { body: 'x' } }],
    ['DELETE /routes/a', undefined],
    ['POST /batch', { operations: [{ op: 'delete', kind: 'routes', id: 'a' }] }],
    ['PATCH /config', { routes: [] }],
    ['PUT /permissions/routes%2Fa', { auth: 'required' }],
  ]
  for (const [what, body] of writes) {
    const told = await ask(`${what}?dryRun=true`, body && { body })
    assert.equal(told.status, 200, `${what}: ${told.text}`)
    assert.equal(told.json.changes.length, 1, what)
    assert.equal(told.json.version, version + 1, what)
    assert.deepEqual(told.json.warnings, [], what)
  }
  assert.equal(gateway.control.version, version)
  assert.equal((await ask('GET /routes')).json.total, 1)
})

test('a batch over several kinds is done as a whole or not at all', async (t) => {
  const backend = await startBackend(t)
  const { ask, url, gateway } = await startAdmin(t, {})
  const upstream = {
    op: 'create',
    kind: 'upstreams',
    id: 'users',
    value: { targets: [{ url: backend.url }] },
  }
  const route = {
    op: 'create',
    kind: 'routes',
    id: 'users',
    value: { path: '/users/**', upstream: 'users', auth: 'none' },
  }
  const plugin = { op: 'put', kind: 'plugins', id: 'requestId', value: { options: {} } }
  const wrong = { op: 'create', kind: 'routes', id: 'more', value: { path: '/more', upstream: 'nobody' } }
  const { version } = gateway.control
  const refused = await ask('POST /batch', { body: { operations: [upstream, route, wrong] } })
  assertProblem(refused, 400, 'INVALID_ARGUMENT', 'one is wrong')
  assert.match(refused.text, /nobody/)
  assert.equal(gateway.control.version, version)
  // What one refers to, a later one may make.
  const done = await ask('POST /batch', { body: { operations: [route, upstream, plugin] } })
  assert.equal(done.status, 200, done.text)
  assert.equal(done.json.changes.length, 3)
  assert.equal(done.json.version, version + 1)
  assert.equal((await fetch(`${url}/users/1`)).status, 200)
  const referred = await ask('DELETE /upstreams/users')
  assertProblem(referred, 409, 'REFERENCED', 'a route leads there')
  assert.match(referred.text, /users/)
  const both = [
    { op: 'delete', kind: 'upstreams', id: 'users' },
    { op: 'delete', kind: 'routes', id: 'users' },
  ]
  assert.equal((await ask('POST /batch', { body: { operations: both } })).status, 200)
})

test('an upstream is shown with how its targets are, and what was shown can be sent back', async (t) => {
  const backend = await startBackend(t)
  const { ask } = await startAdmin(t, {
    upstreams: { users: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'u', path: '/u', upstream: 'users', auth: 'none' }],
  })
  const { json } = await ask('GET /upstreams/users')
  assert.deepEqual(
    [json.id, json.status.targets[0].url, json.status.targets[0].state],
    ['users', backend.url, 'unknown'],
  )
  const same = await ask('PUT /upstreams/users', { body: json })
  assert.deepEqual([same.status, same.json.changes], [200, []], same.text)
  assert.equal((await ask('GET /upstreams')).json.items[0].status.targets.length, 1)
})

test('secrets are not shown, and stay as they were when what is shown comes back', async (t) => {
  const hash = `sha256:${'a'.repeat(64)}`
  const { ask, gateway } = await startAdmin(t, { consumers: [{ id: 'shop', keys: [{ id: 'k', hash }] }] })
  const { json, text } = await ask('GET /consumers/shop')
  assert.ok(!text.includes('aaaa'), text)
  const put = await ask('PUT /consumers/shop', { body: { ...json, scopes: ['read'] } })
  assert.equal(put.status, 200, put.text)
  assert.ok(!put.text.includes('aaaa'), put.text)
  assert.deepEqual(gateway.config.consumers[0]?.keys[0]?.hash, hash)
  assert.ok(!(await ask('GET /audit')).text.includes('aaaa'))
  assert.ok(!(await ask('GET /config')).text.includes('aaaa'))
})

test('plugins of every route are listed, changed and taken out; those that there are say what they take', async (t) => {
  const { ask, url } = await startAdmin(t, {
    plugins: ['requestId'],
    routes: [{ id: 'a', ...route('/a', 'a') }],
  })
  const put = await ask('PUT /plugins/cors', { body: { options: { allowOrigins: ['https://a.example'] } } })
  assert.equal(put.status, 201, put.text)
  const headers = { Origin: 'https://a.example' }
  const allowed = async () =>
    (await fetch(`${url}/a`, { headers })).headers.get('access-control-allow-origin')
  assert.equal(await allowed(), 'https://a.example')
  const { items } = (await ask('GET /plugins')).json
  assert.deepEqual(items.map(({ id }: { id: string }) => id).sort(), ['cors', 'requestId'])
  assert.equal((await ask('DELETE /plugins/cors')).status, 200)
  assert.equal(await allowed(), null)
  const { json } = await ask('GET /plugins:available?limit=1000')
  const cors = json.items.find(({ id }: { id: string }) => id === 'cors')
  assert.equal(cors.options.type, 'object')
  assertProblem(
    await ask('PUT /plugins/cor', { body: { options: {} } }),
    400,
    'INVALID_ARGUMENT',
    'no such plugin',
  )
})

test('who may call what is listed for every place, and set', async (t) => {
  const { ask, url } = await startAdmin(t, {
    consumers: [{ id: 'shop', roles: ['admin'] }],
    routes: [{ id: 'a', path: '/a', respond: { status: 200 }, authorize: { roles: ['admin'] } }],
  })
  const { json } = await ask('GET /permissions')
  assert.deepEqual(
    [json.items[0].id, json.items[0].auth, json.items[0].needs],
    ['routes/a', 'required', ['one of the roles admin']],
  )
  const set = await ask('PUT /permissions/routes%2Fa', { body: { auth: 'none' } })
  assert.equal(set.status, 200, set.text)
  assert.equal((await fetch(`${url}/a`)).status, 200)
  assert.deepEqual((await ask('GET /permissions/routes%2Fa')).json.needs, [])
  assert.equal((await ask('GET /permissions?filter[auth]=none')).json.total, 1)
  assertProblem(await ask('GET /permissions/routes%2Fb'), 404, 'NOT_FOUND', 'no such place')
})

test('the whole configuration is read, checked, compared, put, changed, and taken back', async (t) => {
  const { ask, url } = await startAdmin(t, { routes: [{ id: 'a', ...route('/a', 'a') }] })
  const yaml = { 'Content-Type': 'application/yaml' }
  const shown = await ask('GET /config')
  assert.match(shown.headers.get('content-type') ?? '', /^application\/yaml/)
  const known = await ask('GET /config', { headers: { 'If-None-Match': shown.headers.get('etag') ?? '' } })
  assert.equal(known.status, 304)
  const { json } = await ask('GET /config', { headers: { Accept: 'application/json' } })
  assert.equal(json.routes[0].id, 'a')
  const added = `${shown.text}\n# a comment that stays\nconsumers:\n  - id: shop\n`
  const checked = await ask('POST /config:validate', { text: added, headers: yaml })
  assert.deepEqual(checked.json, { valid: true, problems: [] }, checked.text)
  const wrong = await ask('POST /config:validate', { text: `${shown.text}\nrouts: []\n`, headers: yaml })
  assert.equal(wrong.json.valid, false)
  assert.ok(wrong.json.problems[0].line > 0, wrong.text)
  const broken = await ask('POST /config:validate', { text: 'a: [', headers: yaml })
  assert.equal(broken.json.valid, false, broken.text)
  const compared = await ask('POST /config:diff', { text: added, headers: yaml })
  assert.deepEqual(
    compared.json.changes.map(({ kind, id, op }: Record<string, string>) => `${kind}/${id} ${op}`),
    ['consumers/shop create'],
  )
  const put = await ask('PUT /config?message=a%20shop', { text: added, headers: yaml })
  assert.equal(put.status, 200, put.text)
  assert.match((await ask('GET /config')).text, /a comment that stays/)
  const patched = await ask('PATCH /config', { body: { routes: [] } })
  assert.equal(patched.status, 200, patched.text)
  assert.equal((await fetch(`${url}/a`)).status, 404)
  const versions = await ask('GET /config/versions?limit=1')
  assert.deepEqual(
    [versions.json.items[0].version, versions.json.items[0].author],
    [patched.json.version, 'local'],
  )
  const next = await ask(`GET /config/versions?limit=1&cursor=${versions.json.next}`)
  assert.deepEqual([next.json.items[0].version, next.json.items[0].message], [put.json.version, 'a shop'])
  const one = await ask(`GET /config/versions/${put.json.version}`)
  assert.equal(one.json.changes[0].id, 'shop')
  assert.match(one.json.text, /a comment that stays/)
  const back = await ask(`POST /config/versions/${put.json.version}:rollback`)
  assert.equal(back.status, 200, back.text)
  assert.equal((await fetch(`${url}/a`)).status, 200)
  const between = await ask(`POST /config:diff?from=${put.json.version}&to=${patched.json.version}`, {
    text: '{}',
  })
  assert.equal(between.json.changes[0].op, 'delete', between.text)
  const nodes = await ask('GET /config/nodes')
  assert.equal(nodes.json.items[0].version >= put.json.version, true, nodes.text)
})
