import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { startGateway } from '../world.ts'
import { askAdmin, assertProblem, startAdmin } from './admin-world.ts'

test('with a port of its own the admin API is there and nowhere else', async (t) => {
  const { url, gateway } = await startGateway(t, {
    admin: { listen: '127.0.0.1:0' },
    routes: [{ id: 'a', path: '/a', auth: 'none', respond: { status: 200 } }],
  })
  assert.equal((await fetch(`${url}/admin/routes`)).status, 404)
  const own = gateway.management.url ?? ''
  assert.equal((await fetch(`${own}/admin/routes`)).status, 200)
  assert.equal((await fetch(`${own}/a`)).status, 404)
  assert.equal((await fetch(`${own}/livez`)).status, 200)
  const foreign = await fetch(`${own}/admin/routes`, { headers: { Origin: 'https://evil.example' } })
  assert.equal(((await foreign.json()) as { reason: string }).reason, 'CSRF_REFUSED')
  const made = await askAdmin(`${own}/admin`, 'POST /routes', {
    body: { id: 'b', path: '/b', auth: 'none', respond: { status: 204 } },
  })
  assert.equal(made.status, 201, made.text)
  assert.equal((await fetch(`${url}/b`)).status, 204)
})

const scopes = ['read', 'write', 'keys', 'canary'] as const
const needs: readonly (readonly [string, (typeof scopes)[number], object?])[] = [
  ['GET /routes', 'read'],
  ['GET /audit', 'read'],
  ['POST /routes:explain', 'read', { url: '/' }],
  ['POST /config:validate', 'read', {}],
  ['PUT /routes/a', 'write', {}],
  ['PATCH /config?dryRun=true', 'write', {}],
  ['POST /batch', 'write', {}],
  ['POST /cache:purge', 'write', {}],
  ['POST /services', 'write', {}],
  ['POST /keys', 'keys', {}],
  ['PATCH /keys/x', 'keys', {}],
  ['POST /tokens:revoke', 'keys', {}],
  ['POST /canaries/x:promote', 'canary', {}],
]

test('each operation takes a token with its scope, and no other', async (t) => {
  const tokens = scopes.map((scope) => ({ name: scope, hash: hashApiKey(`gwa_${scope}`), scopes: [scope] }))
  const { ask } = await startAdmin(t, { admin: { tokens, rateLimit: { limit: 0 } } })
  for (const [what, needed, body] of needs) {
    for (const scope of scopes) {
      const told = await ask(what, {
        ...(body && { body }),
        headers: { Authorization: `Bearer gwa_${scope}` },
      })
      if (scope === needed) assert.notEqual(told.json?.reason, 'SCOPE_MISSING', `${what} with ${scope}`)
      else assertProblem(told, 403, 'SCOPE_MISSING', `${what} with ${scope}`)
      assert.ok(told.status < 500, `${what}: ${told.text}`)
    }
  }
})

test('one token does not use up what another may', async (t) => {
  const clock = { now: 1_000_000 }
  const tokens = ['a', 'b'].map((name) => ({ name, hash: hashApiKey(`gwa_${name}`) }))
  const admin = { tokens, rateLimit: { limit: 3, window: '1m' } }
  const { ask } = await startAdmin(
    t,
    { admin, server: { trustedProxies: ['127.0.0.1/32'] } },
    { now: () => clock.now },
  )
  const by = (token: string, from = '192.0.2.1') =>
    ask('GET /routes', { headers: { Authorization: `Bearer gwa_${token}`, 'X-Forwarded-For': from } })
  for (let i = 0; i < 3; i++) assert.equal((await by('a')).status, 200)
  const refused = await by('a')
  assertProblem(refused, 429, 'RATE_LIMITED', 'the fourth')
  assert.equal(refused.headers.get('retry-after'), '20')
  assert.equal((await by('b')).status, 200)
  assert.equal((await by('a', '192.0.2.2')).status, 200)
  clock.now += 20_000
  assert.equal((await by('a')).status, 200)
})

/** What strangers to a schema send, for every write that takes JSON: each is refused in the words of RFC 9457, none breaks anything. */
const nonsense: readonly (readonly [string, string])[] = [
  ['a list', '[]'],
  ['a text', '"x"'],
  ['null', 'null'],
  ['a number', '7'],
  ['no JSON', '{"a":'],
  ['__proto__', '{"__proto__":{"id":"x"},"id":"x","path":7}'],
  ['constructor', '{"constructor":{"prototype":{}},"id":"x"}'],
  ['wrong types', '{"id":{},"path":[],"targets":7,"operations":{},"url":[],"caches":[[]],"consumer":[]}'],
  ['an id without end', JSON.stringify({ id: 'x'.repeat(100_000), path: '/x' })],
  ['a control character', '{"id":"a\\u0000b","path":"/\\u0000"}'],
  ['half a pair of surrogates', '{"id":"\\ud800","path":"/x","respond":{"status":200}}'],
  ['deep', `{"id":"x","a":${'['.repeat(90)}${']'.repeat(90)}}`],
]
const places: readonly string[] = [
  'POST /routes',
  'PUT /routes/x',
  'PATCH /routes/x',
  'POST /upstreams',
  'PUT /upstreams/x',
  'POST /consumers',
  'PUT /plugins/cors',
  'PUT /subgraphs/x',
  'PUT /grpcServices/x',
  'PUT /permissions/routes%2Fx',
  'POST /batch',
  'PATCH /config',
  'POST /config:validate',
  'POST /services',
  'POST /services:batch',
  'POST /keys',
  'POST /tokens:revoke',
  'POST /canaries/x:promote',
  'POST /routes:explain',
  'POST /config/versions/x:rollback',
  'POST /config/versions/9999999:rollback',
]

test('whatever is sent where, nothing breaks', async (t) => {
  const { ask, gateway, logs } = await startAdmin(t, { admin: { rateLimit: { limit: 0 } } })
  const tried = places.map((place) => `${place}?dryRun=true`.replace(/(:validate|:explain)\?.*/, '$1'))
  for (const place of tried)
    for (const [name, text] of nonsense) {
      const told = await ask(place, { text })
      assert.ok(told.status < 500, `${place}, ${name}: ${told.text}`)
      if (told.status < 400) continue
      assert.equal(told.json.status, told.status, `${place}, ${name}`)
      assert.ok(typeof told.json.reason === 'string', `${place}, ${name}`)
    }
  const ids = [
    '..',
    '%2e%2e',
    '%2F',
    '%252F',
    '%00',
    '%C0%80',
    '%E2%80%AE',
    'a%0d%0aX: y',
    '%F0%9F%98%80',
    "'--",
    '*',
    '%',
  ]
  for (const id of ids)
    for (const what of [
      'GET /routes/',
      'DELETE /upstreams/',
      'GET /keys/',
      'GET /canaries/',
      'GET /permissions/',
      'GET /services/',
    ]) {
      const { status, text } = await ask(what + id)
      // fetch itself resolves dot segments: then it is the list.
      assert.ok(status < 500 && status !== 204, `${what}${id}: ${status} ${text}`)
    }
  assert.equal(gateway.control.version, 1)
  assert.deepEqual(
    logs.filter(({ severity }) => severity === 'ERROR' || severity === 'error'),
    [],
  )
})
