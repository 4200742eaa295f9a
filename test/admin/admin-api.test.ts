import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { askHttp2, connectHttp2 } from '../listener/http2-client.ts'
import { rawExchange, startGateway } from '../world.ts'

const tokens = {
  all: 'gwa_all',
  reader: 'gwa_reader',
}
const admin = {
  tokens: [
    { name: 'ops', hash: hashApiKey(tokens.all), scopes: ['read', 'keys', 'write'] },
    { name: 'dashboard', hash: hashApiKey(tokens.reader) },
  ],
}
const consumers = [{ id: 'shop', scopes: ['a'] }]

interface Ask {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** By hand: fetch does not let Host be set. */
async function ask(port: number, { method = 'GET', path = '/admin/keys', headers = {}, body }: Ask) {
  const all = { Host: `127.0.0.1:${port}`, Connection: 'close', ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  const answer = await rawExchange(
    port,
    `${method} ${path} HTTP/1.1\r\n${lines.join('')}${length}\r\n${body ?? ''}`,
  )
  const [head = '', text = ''] = answer.split('\r\n\r\n')
  const reason: unknown = text.includes('"reason"') ? JSON.parse(text).reason : undefined
  return { status: Number(head.split(' ')[1]), head, text, reason }
}

const json = { 'Content-Type': 'application/json' }
/** What may bring somebody else's request by way of this machine. */
const foreign: readonly (readonly [string, Ask, string])[] = [
  ['a proxy that says X-Forwarded-For', { headers: { 'X-Forwarded-For': '127.0.0.1' } }, 'ADDRESS_REFUSED'],
  ['a proxy that says X-Forwarded-Host', { headers: { 'x-forwarded-host': 'a' } }, 'ADDRESS_REFUSED'],
  ['a proxy that says Forwarded (RFC 7239)', { headers: { Forwarded: 'for=127.0.0.1' } }, 'ADDRESS_REFUSED'],
  ['a proxy that says Via', { headers: { Via: '1.1 nginx' } }, 'ADDRESS_REFUSED'],
  ['a proxy that says X-Real-IP', { headers: { 'X-Real-IP': '::1' } }, 'ADDRESS_REFUSED'],
  ['a name that leads here (DNS rebinding)', { headers: { Host: 'evil.example' } }, 'ADDRESS_REFUSED'],
  ['a name that begins as ours', { headers: { Host: 'localhost.evil.example' } }, 'ADDRESS_REFUSED'],
  ['a name that looks like an address', { headers: { Host: '127.0.0.1.nip.io:80' } }, 'ADDRESS_REFUSED'],
  ['a page of another site', { headers: { Origin: 'https://evil.example' } }, 'CSRF_REFUSED'],
  ['a page in a sandbox', { headers: { Origin: 'null' } }, 'CSRF_REFUSED'],
  ['a page on another port', { headers: { Origin: 'http://127.0.0.1:1' } }, 'CSRF_REFUSED'],
  ['a browser that says so (Fetch)', { headers: { 'Sec-Fetch-Site': 'cross-site' } }, 'CSRF_REFUSED'],
  ['a sibling site', { headers: { 'Sec-Fetch-Site': 'same-site' } }, 'CSRF_REFUSED'],
  [
    'a form',
    {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'consumer=shop',
    },
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'a form that pretends',
    { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: '{"consumer":"shop"}' },
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['a beacon without a type', { method: 'POST', body: '{"consumer":"shop"}' }, 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'an empty form, which names its type all the same (HTML standard, form submission)',
    { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: '' },
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'a ping of a link (HTML standard, hyperlink auditing)',
    { method: 'POST', headers: { 'Content-Type': 'text/ping' }, body: 'PING' },
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'a beacon without a body, which says where it is from (Fetch standard, Origin)',
    { method: 'POST', headers: { Origin: 'https://evil.example' }, body: '' },
    'CSRF_REFUSED',
  ],
  [
    'the same of a page without a referrer',
    { method: 'POST', headers: { Origin: 'null' }, body: '' },
    'CSRF_REFUSED',
  ],
  [
    'a preflight, which nobody answers',
    {
      method: 'OPTIONS',
      headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
    },
    'CSRF_REFUSED',
  ],
]

test('without a token the admin API answers to this machine, and to nobody by way of it', async (t) => {
  const { port, gateway } = await startGateway(t, { consumers })
  for (const Host of [`127.0.0.1:${port}`, 'localhost', `[::1]:${port}`, 'LocalHost:80'])
    assert.equal((await ask(port, { headers: { Host } })).status, 200, Host)
  for (const [name, asked, reason] of foreign) {
    const { reason: told, head } = await ask(port, asked)
    assert.equal(told, reason, name)
    assert.doesNotMatch(head, /access-control/i, name)
  }
  assert.equal(gateway.identity.keys.size, 0)
})

test('what needs no body is done by a bare POST', async (t) => {
  const { port } = await startGateway(t, { consumers })
  const purge = { method: 'POST', path: '/admin/cache:purge' }
  for (const [name, bare] of Object.entries({ 'no length': purge, 'length 0': { ...purge, body: '' } })) {
    const { status, text } = await ask(port, bare)
    assert.ok(status === 200 || status === 204, `${name}: ${status} ${text}`)
  }
  assert.equal((await ask(port, { method: 'POST' })).reason, 'INVALID_ARGUMENT', 'what is needed is missing')
})

test('without a token it answers to no other address', async (t) => {
  const { port } = await startGateway(t, {
    consumers,
    server: { listen: '0.0.0.0:0', trustedProxies: ['127.0.0.1/32'] },
  })
  assert.equal((await ask(port, { headers: { 'X-Forwarded-For': '192.0.2.7' } })).reason, 'ADDRESS_REFUSED')
})

test('HTTP/2 leads to the same door', async (t) => {
  const { url } = await startGateway(t, { consumers })
  const session = await connectHttp2(t, url)
  assert.equal((await askHttp2(session, { ':path': '/admin/keys' })).status, 200)
  assert.equal((await askHttp2(session, { ':path': '/admin/keys', 'x-forwarded-for': '::1' })).status, 403)
  session.close()
})

const bearer = (token: string) => ({ headers: { ...json, Authorization: `Bearer ${token}` } })
const make = { method: 'POST', body: '{"consumer":"shop"}' }
const guarded: readonly (readonly [string, Ask, number, string | undefined])[] = [
  ['no token', {}, 401, 'NO_CREDENTIALS'],
  ['a token in another scheme', { headers: { Authorization: `Basic ${tokens.all}` } }, 401, 'NO_CREDENTIALS'],
  ['a token in the query', { path: `/admin/keys?token=${tokens.all}` }, 401, 'NO_CREDENTIALS'],
  ['a wrong token', bearer('gwa_other'), 401, 'JWT_INVALID'],
  ['the hash of a token', bearer(hashApiKey(tokens.all)), 401, 'JWT_INVALID'],
  ['an empty token', { headers: { Authorization: 'Bearer ' } }, 401, 'NO_CREDENTIALS'],
  ['an unknown path, without a token', { path: '/admin/nothing' }, 401, 'NO_CREDENTIALS'],
  ['an unknown path', { path: '/admin/nothing', ...bearer(tokens.all) }, 404, 'ROUTE_NOT_FOUND'],
  ['a token that may read', bearer(tokens.reader), 200, undefined],
  ['a token that may not make keys', { ...make, ...bearer(tokens.reader) }, 403, 'SCOPE_MISSING'],
  ['a token that may', { ...make, ...bearer(tokens.all) }, 201, undefined],
  ['a method that is none', { method: 'PUT', ...bearer(tokens.all) }, 405, 'METHOD_NOT_ALLOWED'],
  ['a body that is no object', { ...make, ...bearer(tokens.all), body: '[1]' }, 400, 'INVALID_ARGUMENT'],
  ['a body that is no JSON', { ...make, ...bearer(tokens.all), body: '{' }, 400, 'INVALID_BODY'],
  [
    'a large body',
    { ...make, ...bearer(tokens.all), body: JSON.stringify({ consumer: 'x'.repeat(1_100_000) }) },
    413,
    'BODY_TOO_LARGE',
  ],
  [
    '__proto__',
    { ...make, ...bearer(tokens.all), body: '{"consumer":"shop","__proto__":{"scopes":[]}}' },
    400,
    'INVALID_ARGUMENT',
  ],
  [
    'more than the consumer has',
    { ...make, ...bearer(tokens.all), body: '{"consumer":"shop","scopes":["b"]}' },
    400,
    'INVALID_ARGUMENT',
  ],
  ['nobody', { ...make, ...bearer(tokens.all), body: '{"consumer":"x"}' }, 400, 'INVALID_ARGUMENT'],
  [
    'a key that has expired',
    { ...make, ...bearer(tokens.all), body: '{"consumer":"shop","expiresAt":"2020-01-01T00:00:00Z"}' },
    400,
    'INVALID_ARGUMENT',
  ],
  ['a page that is none', { path: '/admin/keys?limit=0', ...bearer(tokens.all) }, 400, 'INVALID_ARGUMENT'],
  ['a key that there is not', { path: '/admin/keys/x', ...bearer(tokens.all) }, 404, 'NOT_FOUND'],
]

test('with tokens each may do what its scopes say; nothing is cached', async (t) => {
  const { port, logs } = await startGateway(t, { consumers, admin })
  for (const [name, asked, status, reason] of guarded) {
    const told = await ask(port, asked)
    assert.deepEqual([told.status, told.reason], [status, reason], `${name}: ${told.text}`)
    assert.match(told.head, /^cache-control: no-store/im, name)
    if (status === 401) assert.match(told.head, /^www-authenticate: Bearer/im, name)
    for (const token of Object.values(tokens)) assert.ok(!told.text.includes(token), name)
  }
  assert.ok(logs.some((line) => line.message === 'admin' && line['admin.token'] === 'ops'))
  assert.doesNotMatch(JSON.stringify(logs), /gwa_|gwk_/)
})

test('guessing a token is throttled, for right ones too, by address', async (t) => {
  const clock = { now: 0 }
  const config = { admin, server: { trustedProxies: ['127.0.0.1/32'] } }
  const { port } = await startGateway(t, config, { now: () => clock.now })
  const from = (address: string, token: string) =>
    ask(port, { headers: { Authorization: `Bearer ${token}`, 'X-Forwarded-For': address } })
  for (let i = 0; i < 10; i++) assert.equal((await from(`2001:db8::${i}`, `guess${i}`)).reason, 'JWT_INVALID')
  const throttled = await from('2001:db8::a:b', tokens.all)
  assert.equal(throttled.reason, 'TOO_MANY_ATTEMPTS')
  assert.match(throttled.head, /^retry-after: 60/im)
  assert.equal((await from('2001:db8:0:1::1', tokens.all)).status, 200)
  clock.now += 60_000
  assert.equal((await from('2001:db8::a:b', tokens.all)).status, 200)
})

test('keys of the configuration are listed, and can be revoked but not changed', async (t) => {
  const key = 'made-elsewhere'
  const kept = [{ id: 'shop', keys: [{ id: 'old', hash: hashApiKey(key), name: 'by hand' }] }]
  const { port, url } = await startGateway(t, {
    consumers: kept,
    routes: [{ id: 'r', path: '/r', respond: { status: 200 } }],
  })
  const { items } = JSON.parse((await ask(port, {})).text)
  assert.deepEqual(items, [
    { id: 'old', consumer: 'shop', name: 'by hand', state: 'active', source: 'configuration' },
  ])
  const change = (path: string, method = 'POST') => ask(port, { method, path, headers: json, body: '{}' })
  assert.equal((await change('/admin/keys/old:rotate')).status, 409)
  assert.equal((await change('/admin/keys/old', 'DELETE')).status, 409)
  const use = async () => (await fetch(`${url}/r`, { headers: { 'X-Api-Key': key } })).status
  assert.equal(await use(), 200)
  assert.equal(JSON.parse((await change('/admin/keys/old:revoke')).text).state, 'revoked')
  assert.equal(await use(), 401)
})

test('it is where the configuration says', async (t) => {
  const config = { admin: { path: '/internal/admin', ...admin } }
  const { port } = await startGateway(t, config)
  assert.equal((await ask(port, { path: '/admin/keys' })).status, 404)
  const answer = await ask(port, { path: '/internal/admin/keys', ...make, ...bearer(tokens.reader) })
  assert.equal(answer.status, 403)
})
