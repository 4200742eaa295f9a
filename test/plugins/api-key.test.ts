import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { FailedAttempts } from '../../src/core/failed-attempts.ts'
import { silentLog } from '../../src/core/log.ts'
import { checkApiKeyFormat, createApiKey, hashApiKey, keyPrefix } from '../../src/plugins/identity/api-key.ts'
import { CallerLimits } from '../../src/plugins/identity/caller-limits.ts'
import { configuredKeys } from '../../src/plugins/identity/configured-keys.ts'
import type { Consumer, ConsumerKey } from '../../src/plugins/identity/consumer.ts'
import { ConsumerKeys } from '../../src/plugins/identity/consumer-keys.ts'
import { createIdentity } from '../../src/plugins/identity/identity.ts'
import { headerText, identityHeaders } from '../../src/plugins/identity/identity-headers.ts'
import { identityPlugin } from '../../src/plugins/identity/identity-plugin.ts'
import { ManagedKeys } from '../../src/plugins/identity/managed-keys.ts'
import { exchange, host, policy, seeded, type TestExchange, values } from './harness.ts'

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

test('a header with a key that was sent twice is no key, but a mistake, whatever the keys are', async () => {
  for (const auth of ['required', 'optional'] as const)
    for (const sent of [`${key}, ${key}`, `${key}, junk`, `junk, ${key}`])
      assert.equal((await ask({ 'x-api-key': sent }, { auth })).error?.reason, 'MALFORMED_REQUEST')
})

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
  [
    'two keys with one id',
    {
      keys: [
        { ...hashed(key), id: 'a' },
        { ...hashed(foreign), id: 'a' },
      ],
    },
    /keys\[1\]\.id/,
  ],
  [
    'a role that the consumer has not',
    { keys: [{ ...hashed(key), roles: ['admin'] }] },
    /keys\[0\]\.roles: "admin"/,
  ],
  [
    'a scope that the consumer has not',
    { keys: [{ ...hashed(key), scopes: ['x'] }] },
    /keys\[0\]\.scopes: "x"/,
  ],
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

test('the prefix shows how a key begins, and no more', () => {
  for (const env of ['live', 'a', 'z9z9z9z9z9z9z9z9']) {
    const made = createApiKey(env)
    assert.equal(keyPrefix(made), made.slice(0, `gwk_${env}_`.length + 8))
  }
})

class WatchedKeys extends ManagedKeys {
  looked = 0
  override find(hash: string) {
    this.looked++
    return super.find(hash)
  }
}

test('whatever is sent in place of a key is refused in the same words, and is never looked up when its checksum is wrong', async () => {
  const random = seeded(7)
  const alphabet = 'gwk_live0123456789abcdefXYZ \t,;=%\u00e9\u0000'
  const pick = (text: string): string => text[Math.floor(random() * text.length)] ?? ''
  const changes: readonly ((text: string) => string)[] = [
    (text) => text.slice(0, Math.floor(random() * text.length)),
    (text) => text + pick(alphabet),
    (text) => {
      const at = Math.floor(random() * text.length)
      return text.slice(0, at) + pick(alphabet) + text.slice(at + 1)
    },
    (text) => {
      const at = Math.floor(random() * text.length)
      return text.slice(0, at) + pick(alphabet) + text.slice(at)
    },
    (text) => text.toUpperCase(),
    (text) => text.repeat(1 + Math.floor(random() * 20)),
    () => Array.from({ length: Math.floor(random() * 80) }, () => pick(alphabet)).join(''),
  ]
  const known = new Set([key, foreign, expired])
  const managed = new WatchedKeys({ log: silentLog, now: () => 0 })
  const keys = new ConsumerKeys([shop], managed)
  for (let i = 0; i < 3_000; i++) {
    let sent = random() < 0.9 ? key : foreign
    for (let n = 0; n <= random() * 3; n++)
      sent = (changes[Math.floor(random() * changes.length)] as (text: string) => string)(sent)
    if (known.has(sent)) continue
    const looked = managed.looked
    assert.throws(() => keys.verify(sent, 0), { reason: 'KEY_INVALID' })
    if (sent.startsWith('gwk_')) assert.equal(managed.looked, looked, `looked up: ${JSON.stringify(sent)}`)
    const x = await ask({ 'x-api-key': sent })
    // So does node:http join headers that were sent twice.
    const reason = sent.includes(', ') ? 'MALFORMED_REQUEST' : 'KEY_INVALID'
    assert.equal(x.error?.reason, reason, JSON.stringify(sent))
    if (reason === 'KEY_INVALID') assert.equal(x.error?.message, 'The API key is not valid.')
  }
})

test('a key has the roles and scopes that it was given, and a new configuration takes what its consumer lost', () => {
  const some = { ...hashed(key), roles: ['reader'], scopes: [] }
  const [first] = [new ConsumerKeys([{ ...shop, keys: [some] }]).verify(key, 0)]
  assert.deepEqual([first.roles, first.scopes], [['reader'], []])
  const managed = new ManagedKeys({ log: silentLog, now: () => 0 })
  return managed
    .create({ consumer: 'shop', env: 'live', roles: ['reader', 'writer'], scopes: ['orders:read'] })
    .then(({ key: made, record }) => {
      const before = new ConsumerKeys([shop], managed).verify(made, 0)
      assert.deepEqual([before.roles, before.scopes], [shop.roles, shop.scopes])
      assert.deepEqual([before.credentialId, before.issuedAt], [record.id, 0])
      const less = { ...shop, roles: ['writer', 'other'], scopes: [] }
      const after = new ConsumerKeys([less], managed).verify(made, 0)
      assert.deepEqual([after.roles, after.scopes], [['writer'], []])
      assert.throws(() => new ConsumerKeys([], managed).verify(made, 0), { reason: 'KEY_INVALID' })
    })
})

test('a key of the configuration keeps its id wherever it stands, and its hash is not told by it', () => {
  const two = [hashed(key), hashed(foreign)]
  const ids = (keys: readonly ConsumerKey[]): string[] =>
    configuredKeys([{ ...shop, keys }])
      .map(({ id }) => id)
      .sort()
  assert.deepEqual(ids(two), ids(two.toReversed()))
  for (const id of ids(two)) assert.ok(!two.some(({ hash }) => hash.includes(id.slice(4))), id)
})

test('failures are forgotten when their window ends, and only so many addresses are remembered', () => {
  const failures = new FailedAttempts({ limit: 2, windowMs: 1_000 })
  failures.add('192.0.2.1', 0)
  assert.equal(failures.waitMs('192.0.2.1', 0), 0)
  failures.add('192.0.2.1', 900)
  assert.deepEqual([failures.waitMs('192.0.2.1', 900), failures.waitMs('192.0.2.1', 1_000)], [100, 0])
  assert.equal(failures.waitMs('192.0.2.2', 900), 0)
  for (let i = 0; i < 50_000; i++) failures.add(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 950)
  assert.ok(failures.size <= 20_000, `${failures.size}`)
  const off = new FailedAttempts({ limit: 0, windowMs: 1_000 })
  for (let i = 0; i < 10; i++) off.add('192.0.2.1', 0)
  assert.deepEqual([off.waitMs('192.0.2.1', 0), off.size], [0, 0])
})

test('while an address is throttled, keys that can be guessed are not looked at, and those that cannot pass', async () => {
  const failures = new FailedAttempts({ limit: 2, windowMs: 60_000 })
  const guarded = createIdentity({ jwt: [], apiKeys: {}, consumers: [shop], failures }, host())
  const told: unknown[] = []
  const send = async (sent: string, clientAddress: string): Promise<unknown> => {
    const request = { headers: { 'x-api-key': sent }, clientAddress }
    const x = await exchange({ plugins: [identityPlugin(guarded, policy())], request }).run()
    return x.error?.reason ?? x.principal?.id
  }
  for (const sent of ['a', 'b', 'c', foreign, key, expired]) told.push(await send(sent, '2001:db8::1'))
  const [no, wait] = ['KEY_INVALID', 'TOO_MANY_ATTEMPTS']
  assert.deepEqual(told, [no, no, wait, wait, 'shop', 'KEY_EXPIRED'])
  assert.equal(await send(foreign, '2001:db8::ffff'), wait)
  assert.equal(await send(foreign, '2001:db8:0:1::1'), 'shop')
})

test('limits of a consumer and of its key are passed together or not at all, in one place for all routes', async () => {
  const limited = {
    ...shop,
    rateLimit: { limit: 3, window: 3_600_000 },
    keys: [{ ...hashed(key), rateLimit: { limit: 1, window: 3_600_000 } }, hashed(foreign)],
  }
  const house = host()
  const identity = createIdentity({ jwt: [], apiKeys: {}, consumers: [limited] }, house)
  const limits = new CallerLimits(identity.keys, house)
  const send = async (sent: string, id: string): Promise<unknown> => {
    const place = policy({ id, auth: 'optional' })
    const plugins = [identityPlugin(identity, place), limits]
    const headers: Record<string, string> = sent === '' ? {} : { 'x-api-key': sent }
    return (await exchange({ plugins, route: { policy: place }, request: { headers } }).run()).error?.reason
  }
  assert.equal(await send(key, 'one'), undefined)
  for (let i = 0; i < 5; i++) assert.equal(await send(key, 'two'), 'RATE_LIMITED')
  assert.deepEqual([await send(foreign, 'one'), await send(foreign, 'two')], [undefined, undefined])
  assert.equal(await send(foreign, 'one'), 'RATE_LIMITED')
  assert.equal(await send('', 'one'), undefined)
})
