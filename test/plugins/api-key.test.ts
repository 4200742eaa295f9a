import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { checkApiKeyFormat, createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import type { Consumer, ConsumerKey } from '../../src/plugins/identity/consumer.ts'
import { createIdentity } from '../../src/plugins/identity/identity.ts'
import { headerText, identityHeaders } from '../../src/plugins/identity/identity-headers.ts'
import { identityPlugin } from '../../src/plugins/identity/identity-plugin.ts'
import { exchange, host, policy, type TestExchange, values } from './harness.ts'

const key = createApiKey('live')
const expired = createApiKey('live')
const foreign = 'demo-key-1'
const secret = 'x'.repeat(32)
const hashed = (text: string): ConsumerKey => ({ hash: hashApiKey(text) })
const shop: Consumer = {
  id: 'shop',
  name: 'The Shop',
  roles: ['reader', 'writer'],
  scopes: ['orders:read'],
  keys: [hashed(key), hashed(foreign), { ...hashed(expired), expiresAt: '2020-01-01T00:00:00Z' }],
}
const jwt = [{ issuer: 'i', audience: 'a', algorithms: ['HS256'], secret, clockSkewMs: 0 }]
const identity = createIdentity({ jwt, apiKeys: {}, consumers: [shop] }, host())

function ask(
  headers: Record<string, string>,
  options: Parameters<typeof policy>[0] = {},
): Promise<TestExchange> {
  return exchange({ plugins: [identityPlugin(identity, policy(options))], request: { headers } }).run()
}

test('keys are unlike each other and pass their own check', () => {
  const keys = Array.from({ length: 100 }, () => createApiKey('test'))
  assert.equal(new Set(keys).size, 100)
  assert.ok(
    keys.every((one) => /^gwk_test_[0-9a-f]{48}_[0-9a-f]{8}$/.test(one) && checkApiKeyFormat(one) === 'own'),
  )
  assert.throws(() => createApiKey('Live_1'))
})

test('a key with any one character changed is broken', () => {
  for (let i = 4; i < key.length; i++) {
    const other = key[i] === '0' ? '1' : '0'
    assert.equal(checkApiKeyFormat(key.slice(0, i) + other + key.slice(i + 1)), 'broken', `character ${i}`)
  }
})

const who: Record<string, unknown> = { id: 'shop', consumer: 'shop', via: 'apiKey' }
for (const [name, sent] of [
  ['one of our format', key],
  ['one made elsewhere', foreign],
] as const) {
  test(`a key is accepted: ${name}`, async () => {
    const x = await ask({ 'x-api-key': sent })
    assert.equal(x.error, undefined)
    for (const field in who) assert.equal(x.principal?.[field as 'id'], who[field])
  })
}

const refused: readonly [string, string][] = [
  ['unknown', createApiKey('live')],
  ['unknown and of another format', 'nobody'],
  ['a bad checksum', `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`],
  ['upper case', key.toUpperCase()],
  ['only its beginning', key.slice(0, -9)],
  ['its hash', hashApiKey(key)],
  ['its hash without the prefix', hashApiKey(key).slice(7)],
  ['twice, as node:http joins repeated headers', `${key}, ${key}`],
  ['a trailing blank', `${key} `],
  ['empty', ''],
  ['endless', 'x'.repeat(10_000)],
  ['a name of Object.prototype', '__proto__'],
]
for (const [name, sent] of refused) {
  for (const auth of ['required', 'optional'] as const) {
    test(`a key is refused in the same words where it is ${auth}: ${name}`, async () => {
      const x = await ask({ 'x-api-key': sent }, { auth })
      assert.equal(x.error?.reason, 'KEY_INVALID')
      assert.equal(x.error.message, 'The API key is not valid.')
      assert.deepEqual(values(x.answered?.headers ?? [], 'WWW-Authenticate'), ['ApiKey realm="trivium"'])
    })
  }
}

test('only a genuine key is told that it expired', async () => {
  assert.equal((await ask({ 'x-api-key': expired })).error?.reason, 'KEY_EXPIRED')
})

test('without credentials a required route refuses and an optional one serves', async () => {
  const x = await ask({})
  assert.equal(x.error?.reason, 'NO_CREDENTIALS')
  assert.deepEqual(values(x.answered?.headers ?? [], 'WWW-Authenticate'), [
    'Bearer realm="trivium"',
    'ApiKey realm="trivium"',
  ])
  assert.equal((await ask({}, { auth: 'optional' })).error, undefined)
  const authorize = { roles: ['reader'], scopes: [] }
  assert.equal((await ask({}, { auth: 'optional', authorize })).error?.reason, 'NO_CREDENTIALS')
})

test('a scheme that is not ours is no credential', async () => {
  assert.equal((await ask({ authorization: 'Basic YTpi' })).error?.reason, 'NO_CREDENTIALS')
  assert.equal((await ask({ authorization: 'Basic YTpi' }, { auth: 'optional' })).error, undefined)
})

test('with a token and a key the token decides and both must be valid', async () => {
  const token = await new SignJWT({ iss: 'i', aud: 'a', sub: 'ann' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('5m')
    .sign(Buffer.from(secret))
  const authorization = `bearer ${token}`
  assert.equal((await ask({ authorization, 'x-api-key': key })).principal?.id, 'ann')
  assert.equal((await ask({ authorization, 'x-api-key': 'nobody' })).error?.reason, 'KEY_INVALID')
  assert.equal((await ask({ authorization: 'Bearer x', 'x-api-key': key })).error?.reason, 'JWT_INVALID')
})

test('a consumer needs the role and scopes of the policy', async () => {
  const withKey = { 'x-api-key': key }
  assert.equal(
    (await ask(withKey, { authorize: { roles: ['writer'], scopes: ['orders:read'] } })).error,
    undefined,
  )
  assert.equal(
    (await ask(withKey, { authorize: { roles: ['admin'], scopes: [] } })).error?.reason,
    'ROLE_MISSING',
  )
  assert.equal(
    (await ask(withKey, { authorize: { roles: [], scopes: ['x'] } })).error?.reason,
    'SCOPE_MISSING',
  )
})

test('the upstream is told who calls, and nothing when nobody is known', async () => {
  const x = await ask({ 'x-api-key': key })
  assert.deepEqual(x.call(), [
    ...['x-user-id', 'shop', 'x-user-name', 'The Shop', 'x-user-role', 'reader,writer'],
    ...['x-user-scopes', 'orders:read', 'x-consumer', 'shop'],
  ])
  assert.deepEqual((await ask({}, { auth: 'optional' })).call(), [])
})

test('the key may come in another header, in any case', async () => {
  const other = createIdentity({ jwt: [], apiKeys: { header: 'X-My-Key' }, consumers: [shop] }, host())
  const plugins = [identityPlugin(other, policy())]
  const x = await exchange({ plugins, request: { headers: { 'x-my-key': key } } }).run()
  assert.equal(x.principal?.id, 'shop')
})

const texts: readonly [string, string, string][] = [
  ['plain text', 'Ann Lee', 'Ann Lee'],
  ['a line break', 'a\r\nX-Admin: 1', 'aX-Admin: 1'],
  ['NUL and other controls', '\u0000a\u007fb\u0085c', 'abc'],
  ['Latin-1', 'José', 'Jos%C3%A9'],
  ['beyond Latin-1', '李', '%E6%9D%8E'],
  ['a percent sign', '50%41', '50%2541'],
  ['half a surrogate pair', '\ud800', '%EF%BF%BD'],
  ['spaces around', '  a ', 'a'],
]
for (const [name, text, value] of texts) {
  test(`a claim as a header: ${name}`, () => assert.equal(headerText(text), value))
}

test('a long claim is cut, but not inside an escape', () => {
  assert.equal(headerText('a'.repeat(300)).length, 256)
  assert.equal(headerText('é'.repeat(300)), '%C3%A9'.repeat(42))
})

test('a separator inside a role makes no second role', () => {
  const headers = identityHeaders({ id: 'a', roles: ['user,admin'], scopes: ['r w'], via: 'jwt' })
  assert.deepEqual(values(headers, 'x-user-role'), ['user%2Cadmin'])
  assert.deepEqual(values(headers, 'x-user-scopes'), ['r%20w'])
})

const misconfigured: readonly [string, Partial<Consumer>, RegExp][] = [
  ['a key in plain text', { keys: [{ hash: key }] }, /keys\[0\]\.hash/],
  ['a hash in upper case', { keys: [{ hash: hashApiKey(key).toUpperCase() }] }, /keys\[0\]\.hash/],
  ['the same key twice', { keys: [hashed(key), hashed(key)] }, /keys\[1\]\.hash/],
  ['an expiry that is no time', { keys: [{ ...hashed(key), expiresAt: 'soon' }] }, /keys\[0\]\.expiresAt/],
  ['a role with a line break', { roles: ['a\nb'] }, /header/],
]
for (const [name, change, message] of misconfigured) {
  test(`the configuration is refused: ${name}`, () => {
    const consumers = [{ ...shop, ...change }]
    assert.throws(() => createIdentity({ jwt: [], apiKeys: {}, consumers }, host()), message)
  })
}
