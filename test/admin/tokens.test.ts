import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { SignJWT } from 'jose'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { runCli } from '../cli/child.ts'
import { startGateway } from '../world.ts'

const issuer = 'https://id.example'
const secret = 'a secret that has thirty-two bytes and more'
const key = createApiKey('test')
const ops = 'gwa_ops'

function tokenOf(claims: object = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000)
  return new SignJWT({ iss: issuer, aud: 'api', sub: 'ann', iat: now - 10, exp: now + 600, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

async function world(t: TestContext, issuers: readonly string[] = [issuer]) {
  const { url, logs } = await startGateway(t, {
    admin: {
      tokens: [
        { name: 'ops', hash: hashApiKey(ops), scopes: ['read', 'keys'] },
        { name: 'dashboard', hash: hashApiKey('gwa_reader'), scopes: ['read'] },
      ],
    },
    auth: { jwt: issuers.map((one) => ({ issuer: one, audience: 'api', algorithms: ['HS256'], secret })) },
    consumers: [{ id: 'acme', keys: [{ hash: hashApiKey(key) }] }],
    routes: [{ id: 'r', path: '/r', respond: { status: 200 } }],
  })
  const admin = async (path: string, body?: object, token = ops) => {
    const reply = await fetch(`${url}/admin${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: reply.status, told: (await reply.json()) as Record<string, unknown> }
  }
  const use = async (token: string): Promise<number> =>
    (await fetch(`${url}/r`, { headers: { Authorization: `Bearer ${token}` } })).status
  const useKey = async (): Promise<number> =>
    (await fetch(`${url}/r`, { headers: { 'X-API-Key': key } })).status
  return { url, logs, admin, use, useKey }
}

const cases: readonly (readonly [string, object, (token: string) => object])[] = [
  ['the token itself', {}, (token) => ({ token })],
  ['its id', { jti: 'j-1' }, () => ({ jti: 'j-1', issuer })],
  ['its id, where there is one issuer only', { jti: 'j-1' }, () => ({ jti: 'j-1' })],
  ['its session', { sid: 's-1' }, () => ({ sid: 's-1', issuer, note: 'lost phone' })],
  ['its user', {}, () => ({ sub: 'ann', issuer })],
  [
    'its user, until a time',
    {},
    () => ({ sub: 'ann', issuer, until: new Date(Date.now() + 60_000).toISOString() }),
  ],
  ['its user, for ever', {}, () => ({ sub: 'ann', issuer, until: 'forever' })],
]
for (const [name, claims, what] of cases) {
  test(`a token is revoked and accepted again by ${name}`, async (t) => {
    const { admin, use } = await world(t)
    const token = await tokenOf(claims)
    assert.equal(await use(token), 200)
    const { status, told } = await admin('/tokens:revoke', what(token))
    assert.deepEqual([status, told.reach, told.warnings], [201, 'everywhere', []], JSON.stringify(told))
    assert.equal(await use(token), 401)
    const { told: list } = await admin('/revocations')
    assert.equal((list.items as object[]).length, 1)
    assert.ok(!JSON.stringify(list).includes(token))
    const { note: _, until: __, ...same } = what(token) as Record<string, unknown>
    assert.equal((await admin('/tokens:unrevoke', same)).status, 200)
    assert.equal(await use(token), 200)
    assert.equal((await admin('/tokens:unrevoke', same)).status, 404)
    assert.deepEqual((await admin('/revocations')).told.items, [])
  })
}

test('a consumer is put out, and let in again', async (t) => {
  const { admin, useKey } = await world(t)
  assert.equal((await admin('/tokens:revoke', { consumer: 'acme', until: 'forever' })).status, 201)
  assert.equal(await useKey(), 401)
  assert.equal((await admin('/tokens:unrevoke', { consumer: 'acme' })).status, 200)
  assert.equal(await useKey(), 200)
})

test('an entry of a token ends a minute after it, and one of an expired token is none', async (t) => {
  const { admin } = await world(t)
  const exp = Math.floor(Date.now() / 1_000) + 600
  const { told } = await admin('/tokens:revoke', { token: await tokenOf({ exp }) })
  assert.equal(told.expiresAt, new Date((exp + 60) * 1_000).toISOString())
  const { status, told: refused } = await admin('/tokens:revoke', {
    token: await tokenOf({ exp: exp - 5_000 }),
  })
  assert.deepEqual([status, refused.reason], [400, 'INVALID_ARGUMENT'])
  assert.match(String(refused.detail), /has expired/)
})

const nonsense: readonly (readonly [string, object])[] = [
  ['nothing', {}],
  ['two things', { jti: 'a', sub: 'b', issuer }],
  ['a token that is a number', { token: 7 }],
  ['a time that is none', { sub: 'a', issuer, until: 'tomorrow' }],
  ['a pause that is over', { sub: 'a', issuer, until: '2020-01-01T00:00:00Z' }],
  ['before for a token', { jti: 'a', issuer, before: '2020-01-01T00:00:00Z' }],
  ['a fingerprint with colons', { certificate: 'ab:cd' }],
  ['something unknown beside it', { key: 'a', forever: true }],
  ['what every object has', { constructor: 'a' }],
]
for (const [name, body] of nonsense) {
  test(`is refused: ${name}`, async (t) => {
    const { admin } = await world(t)
    const { status, told } = await admin('/tokens:revoke', body)
    assert.deepEqual([status, told.reason], [400, 'INVALID_ARGUMENT'], JSON.stringify(told))
    assert.deepEqual((await admin('/revocations')).told.total, 0)
  })
}

test('a time that is none is answered with one that is', async (t) => {
  const { admin } = await world(t)
  const { told } = await admin('/tokens:revoke', {
    sub: 'a',
    issuer,
    until: 'tomorrow',
    before: '2027-01-01',
  })
  assert.deepEqual(told.errors, [
    { field: '/before', detail: 'expected a time such as 2027-01-01T00:00:00Z' },
    { field: '/until', detail: 'expected a time such as 2027-01-01T00:00:00Z, or forever' },
  ])
})

test('with several issuers one has to be named, and one that is not configured is warned of', async (t) => {
  const { admin } = await world(t, [issuer, 'https://other.example'])
  assert.equal((await admin('/tokens:revoke', { sub: 'ann' })).status, 400)
  const { status, told } = await admin('/tokens:revoke', { sub: 'ann', issuer: 'https://id.exmaple' })
  assert.equal(status, 201)
  assert.match(String(told.warnings), /No issuer "https:\/\/id.exmaple" is configured/)
})

test('a key or a consumer that nobody has is warned of, and others are not', async (t) => {
  const { admin } = await world(t)
  const { told } = await admin('/keys')
  const [{ id } = { id: '' }] = told.items as { id: string }[]
  const warned: readonly (readonly [object, RegExp])[] = [
    [{ key: 'nokey' }, /^No key with this id is known here\.$/],
    [{ key: id }, /^$/],
    [{ consumer: 'nobody' }, /^There is no consumer of this name in the configuration\.$/],
    [{ consumer: 'acme' }, /^$/],
  ]
  for (const [body, said] of warned) {
    const { status, told: revoked } = await admin('/tokens:revoke', body)
    assert.equal(status, 201)
    assert.match(String(revoked.warnings), said, JSON.stringify(body))
  }
})

test('a list refuses a parameter that it does not know, and names those that it does', async (t) => {
  const { admin } = await world(t)
  const { status, told } = await admin('/keys?consumer=zzz')
  assert.deepEqual([status, told.reason], [400, 'INVALID_ARGUMENT'])
  assert.match(String(told.detail), /"consumer" here; there are limit, cursor, filter\[consumer\]/)
  assert.equal((await admin('/keys?filter[consumer]=acme&limit=1')).told.total, 1)
})

test('reading takes the scope read, revoking and asking about a token the scope keys', async (t) => {
  const { admin } = await world(t)
  assert.equal((await admin('/revocations', undefined, 'gwa_reader')).status, 200)
  for (const path of ['/tokens:revoke', '/tokens:unrevoke', '/tokens:verify'])
    assert.equal((await admin(path, { token: 'x' }, 'gwa_reader')).status, 403)
  assert.equal((await admin('/tokens:revoke', { token: 'x' }, 'wrong')).status, 401)
})

test('lists page by page', async (t) => {
  const { admin } = await world(t)
  for (let i = 0; i < 25; i++) await admin('/tokens:revoke', { jti: `t${i}`, issuer })
  const seen: unknown[] = []
  let cursor: unknown = '0'
  while (cursor !== null) {
    const { told } = await admin(`/revocations?limit=10&cursor=${cursor}`)
    seen.push(...(told.items as { jti: string }[]).map(({ jti }) => jti))
    cursor = told.next
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 25 }, (_, i) => `t${i}`),
  )
  for (const wrong of ['limit=0', 'limit=1001', 'cursor=-1', 'cursor=x', 'sub=ann'])
    assert.equal((await admin(`/revocations?${wrong}`)).status, 400)
})

test('tokens are verified and revoked from the command line, and no token is in the log', async (t) => {
  const { url, use, logs } = await world(t)
  const token = await tokenOf({ roles: ['reader'] })
  const cli = (args: string[]) =>
    runCli(['token', ...args, '--url', url], { env: { GATEWAY_ADMIN_TOKEN: ops } })
  const good = await cli(['verify', token])
  assert.equal(good.code, 0, good.err)
  const { valid, sub, roles } = JSON.parse(good.out)
  assert.deepEqual([valid, sub, roles], [true, 'ann', ['reader']])
  const revoked = await cli(['revoke', token, '--note', 'leaked'])
  assert.deepEqual([revoked.code, revoked.out], [0, 'revoked on all gateways\n'], revoked.err)
  assert.equal(await use(token), 401)
  const bad = await cli(['verify', token])
  assert.equal(bad.code, 1)
  assert.equal(JSON.parse(bad.out).reason, 'TOKEN_REVOKED')
  assert.equal((await cli(['revoke', token, '--undo'])).out, 'accepted again on all gateways\n')
  assert.equal(await use(token), 200)
  const ban = await cli(['revoke', '--sub', 'ann', '--until', 'forever'])
  assert.equal(ban.code, 0, ban.err)
  assert.equal(await use(token), 401)
  const none = await cli(['revoke', '--sub', 'ann', '--jti', 'x'])
  assert.deepEqual([none.code, none.err.includes('usage: gateway token revoke')], [1, true])
  const why = await cli(['verify', `${token}x`])
  assert.equal(JSON.parse(why.out).reason, 'JWT_INVALID')
  assert.ok(!JSON.stringify(logs).includes(token))
})

test('a token is verified where tokens come in a header of another name', async (t) => {
  const { url } = await startGateway(t, {
    admin: { tokens: [{ name: 'ops', hash: hashApiKey(ops), scopes: ['keys'] }] },
    auth: {
      jwt: [{ issuer, audience: 'api', algorithms: ['HS256'], secret }],
      tokens: { header: 'X-Access-Token' },
    },
    routes: [{ id: 'r', path: '/r', respond: { status: 200 } }],
  })
  const verify = async (token: string): Promise<unknown> => {
    const reply = await fetch(`${url}/admin/tokens:verify`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${ops}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
    })
    return ((await reply.json()) as { valid: unknown }).valid
  }
  assert.equal(await verify(await tokenOf()), true)
  assert.equal(await verify(`${await tokenOf()}x`), false)
  assert.equal(await verify(' '), false)
})
