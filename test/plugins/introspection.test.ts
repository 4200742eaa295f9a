import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createIdentity } from '../../src/plugins/identity/identity.ts'
import { identityPlugin } from '../../src/plugins/identity/identity-plugin.ts'
import type { IntrospectionOptions } from '../../src/plugins/identity/introspection.ts'
import { exchange, host, policy, type TestExchange, type TestHost } from './harness.ts'
import { json, type ProviderAnswer, type ProviderServer, startProvider } from './provider-server.ts'
import { attackedIssuers, byHand, genuine, tokenAttacks } from './token-attacks.ts'

const issuer = 'https://id.example'
const seconds = (): number => Math.floor(Date.now() / 1_000)
const active = { active: true, sub: 'ann', scope: 'read write', client_id: 'app' }

interface Gate {
  readonly provider: ProviderServer
  ask(token: string, more?: { readonly from?: string }): Promise<TestExchange>
}

async function gate(
  t: TestContext,
  answer: ProviderAnswer | Readonly<Record<string, unknown>> | readonly unknown[],
  options: Partial<IntrospectionOptions> = {},
  house: TestHost = host(),
): Promise<Gate> {
  const provider = await startProvider(t)
  provider.answers.set('/introspect', typeof answer === 'function' ? answer : json(answer))
  const server: IntrospectionOptions = {
    issuer,
    url: `${provider.url}/introspect`,
    clientId: 'gate:way',
    clientSecret: 'p ä%+',
    clockSkewMs: 0,
    cacheForMs: 30_000,
    timeoutMs: 10_000,
    concurrency: 32,
    perSecond: 1_000,
    ...options,
  }
  const jwt = attackedIssuers.map((one) => ({ ...one, clockSkewMs: 30_000 }))
  const identity = createIdentity({ jwt, introspection: [server], apiKeys: {}, consumers: [] }, house)
  t.after(() => identity.close())
  const plugins = [identityPlugin(identity, policy())]
  return {
    provider,
    ask: (token, { from = '192.0.2.1' } = {}) =>
      exchange({
        plugins,
        request: { headers: { authorization: `Bearer ${token}` }, clientAddress: from },
      }).run(),
  }
}

// RFC 7662 section 2.1, RFC 6749 section 2.3.1.
test('a token is asked about by a form, with the form-encoded credentials of the gateway', async (t) => {
  const seen: unknown[] = []
  const { ask } = await gate(t, (req, res, body) => {
    const { method, headers } = req
    seen.push([method, headers['content-type'], headers.authorization, body])
    return json(active)(req, res, body)
  })
  const x = await ask('opaque+/token~')
  const { claims, tokenDigest: _, ...principal } = x.principal ?? {}
  assert.deepEqual(principal, {
    id: 'ann',
    issuer,
    roles: [],
    scopes: ['read', 'write'],
    via: 'introspection',
  })
  assert.equal(claims?.client_id, 'app')
  const basic = Buffer.from('gate%3Away:p+%C3%A4%25%2B').toString('base64')
  const form = 'token=opaque%2B%2Ftoken%7E&token_type_hint=access_token'
  assert.deepEqual(seen, [
    ['POST', 'application/x-www-form-urlencoded;charset=UTF-8', `Basic ${basic}`, form],
  ])
})

test('the endpoint is found by the name of the issuer', async (t) => {
  const provider = await startProvider(t)
  const { ask } = await gate(t, active, { issuer: provider.url, url: undefined })
  const endpoints = { issuer: provider.url, introspection_endpoint: `${provider.url}/ask` }
  provider.answers.set('/.well-known/openid-configuration', json(endpoints))
  provider.answers.set('/ask', json({ ...active, iss: provider.url }))
  assert.equal((await ask('opaque')).principal?.issuer, provider.url)
})

const invalid = 'JWT_INVALID'
const answers: readonly [
  string,
  Readonly<Record<string, unknown>> | readonly unknown[],
  Partial<IntrospectionOptions>,
  string | undefined,
][] = [
  ['active, and no more', { active: true, sub: 'ann' }, {}, undefined],
  ['not active', { active: false }, {}, invalid],
  ['not active, with a user', { ...active, active: false }, {}, invalid],
  ['active as text', { ...active, active: 'true' }, {}, 'UNAVAILABLE'],
  ['active as a number', { ...active, active: 1 }, {}, 'UNAVAILABLE'],
  ['nothing about it', { sub: 'ann' }, {}, 'UNAVAILABLE'],
  ['a list', [active], {}, 'UNAVAILABLE'],
  ['exp in the past', { ...active, exp: seconds() - 10 }, {}, 'JWT_EXPIRED'],
  ['exp within the skew', { ...active, exp: seconds() - 10 }, { clockSkewMs: 30_000 }, undefined],
  ['exp as text', { ...active, exp: '9999999999' }, {}, invalid],
  ['nbf in the future', { ...active, nbf: seconds() + 60 }, {}, invalid],
  ['iat in the future', { ...active, iat: seconds() + 60 }, {}, invalid],
  ['our issuer', { ...active, iss: issuer }, {}, undefined],
  ['another issuer', { ...active, iss: 'https://evil.example' }, {}, invalid],
  ['our audience', { ...active, aud: 'api' }, { audience: 'api' }, undefined],
  ['our audience among others', { ...active, aud: ['a', 'api'] }, { audience: ['b', 'api'] }, undefined],
  ['another audience', { ...active, aud: ['apix'] }, { audience: 'api' }, invalid],
  ['no audience', active, { audience: 'api' }, invalid],
  ['a bearer token', { ...active, token_type: 'bearer' }, {}, undefined],
  ['a token bound to a key (RFC 9449)', { ...active, token_type: 'DPoP' }, {}, invalid],
  ['no token type where it is required', active, { requiredClaims: ['token_type'] }, invalid],
  ['no user', { active: true, client_id: 'app' }, {}, invalid],
  ['the client as user', { active: true, client_id: 'app' }, { claims: { user: 'client_id' } }, undefined],
  ['a user with a line break', { ...active, sub: 'ann\r\nx-user-role: admin' }, {}, invalid],
  ['a user that is a number', { ...active, sub: 7 }, {}, invalid],
]
for (const [what, answer, options, reason] of answers) {
  test(`a token is ${reason === undefined ? 'accepted' : `refused with ${reason}`}: ${what}`, async (t) => {
    const { ask } = await gate(t, answer, options)
    const x = await ask('opaque')
    assert.equal(x.error?.reason, reason, String(x.error?.cause))
    assert.equal(x.principal?.via, reason === undefined ? 'introspection' : undefined)
  })
}

const broken: readonly [string, ProviderAnswer][] = [
  ['401', json({}, 401)],
  ['500', json(active, 500)],
  ['a redirect', (_, res) => res.writeHead(307, { Location: '/elsewhere' }).end()],
  ['no JSON', (_, res) => res.end('active=true')],
  ['70,000 bytes', json({ ...active, filler: 'x'.repeat(70_000) })],
  ['a broken connection', (_, res) => res.destroy()],
]
for (const [what, answer] of broken) {
  test(`a token is unavailable, not valid, where the server answers with ${what}`, async (t) => {
    const { ask, provider } = await gate(t, answer)
    provider.answers.set('/elsewhere', json(active))
    const x = await ask('opaque')
    assert.equal(x.error?.reason, 'UNAVAILABLE')
    assert.equal(x.error.entry.status, 503)
    assert.ok(!String(x.answered?.body).includes('127.0.0.1'))
  })
}

test('a server that says 400 of a token has refused it, and is asked about others', async (t) => {
  const { ask } = await gate(t, (req, res, body) =>
    json(active, body.includes('junk') ? 400 : 200)(req, res, body),
  )
  for (let i = 0; i < 10; i++) assert.equal((await ask(`junk${i}`)).error?.reason, invalid)
  assert.equal((await ask('opaque')).principal?.id, 'ann')
})

test('what cannot be a token is refused without asking', async (t) => {
  const { ask, provider } = await gate(t, active)
  for (const junk of ['', 'a b', 'a,b', 'a"b', 'a=b', '{}', 'ä', 'a\tb', '%41', 'x'.repeat(8_193)]) {
    assert.equal((await ask(junk)).error?.reason, invalid, junk)
  }
  assert.deepEqual(provider.asked, [])
})

test('nobody is asked about a JSON Web Token of a known issuer, whatever is wrong with it', async (t) => {
  const { ask, provider } = await gate(t, active)
  assert.equal((await ask(await genuine())).principal?.via, 'jwt')
  for (const { name, authorization } of tokenAttacks) {
    const value = await authorization('http://127.0.0.1:9/')
    const token = value.replace(/^Bearer /, '')
    const isOfAnother = /issuer|JWE|nothing after Bearer/i.test(name)
    if (isOfAnother || !/^e[wy3][\w-]*\.[^.]*\.[^.]*$/.test(token)) continue
    assert.equal((await ask(token)).error?.reason, invalid, name)
  }
  assert.deepEqual(provider.asked, [])
  // One of an issuer that is not known may be one that the server knows.
  assert.equal((await ask(byHand({ iss: 'https://other.example' }))).principal?.via, 'introspection')
})

test('a good token is asked about once in cacheFor, and again at its exp', async (t) => {
  const house = host()
  const start = Date.now()
  const exp = Math.floor(start / 1_000) + 50
  const { ask, provider } = await gate(t, { ...active, exp }, {}, house)
  for (const [after, asked, reason] of [
    [0, 1, undefined],
    [29_900, 1, undefined],
    [30_000, 2, undefined],
    [exp * 1_000 - start - 1, 2, undefined],
    [exp * 1_000 - start, 3, 'JWT_EXPIRED'],
    [exp * 1_000 - start + 9_000, 3, 'JWT_EXPIRED'],
  ] as const) {
    house.time = start + after
    assert.equal((await ask('opaque')).error?.reason, reason, `after ${after} ms`)
    assert.equal(provider.asked.length, asked, `after ${after} ms`)
  }
})

test('a token that was revoked there ends within cacheFor', async (t) => {
  const house = host()
  house.time = Date.now()
  const { ask, provider } = await gate(t, active, { cacheForMs: 5_000 }, house)
  assert.equal((await ask('opaque')).principal?.id, 'ann')
  provider.answers.set('/introspect', json({ active: false }))
  assert.equal((await ask('opaque')).principal?.id, 'ann')
  house.time += 5_000
  assert.equal((await ask('opaque')).error?.reason, invalid)
})

test('a refused token is asked about once in ten seconds', async (t) => {
  const house = host()
  house.time = Date.now()
  const { ask, provider } = await gate(t, { active: false }, {}, house)
  for (let i = 0; i < 20; i++) assert.equal((await ask('opaque')).error?.reason, invalid)
  assert.equal(provider.asked.length, 1)
  house.time += 10_000
  await ask('opaque')
  assert.equal(provider.asked.length, 2)
})

test('many who come with one token at a time cost one question', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { ask, provider } = await gate(t, async (req, res, body) => {
    await promise
    return json(active)(req, res, body)
  })
  const all = Array.from({ length: 50 }, () => ask('opaque'))
  resolve()
  assert.ok((await Promise.all(all)).every((x) => x.principal?.id === 'ann'))
  assert.equal(provider.asked.length, 1)
})

test('tokens that were found good hold while the server is down, and others are unavailable', async (t) => {
  const { ask, provider } = await gate(t, active)
  assert.equal((await ask('opaque')).principal?.id, 'ann')
  provider.close()
  assert.equal((await ask('opaque')).principal?.id, 'ann')
  assert.equal((await ask('other')).error?.reason, 'UNAVAILABLE')
})

test('a server that is down is asked five times in a second, and believed again when it is back', async (t) => {
  const house = host()
  house.time = Date.now()
  const { ask, provider } = await gate(t, json({}, 500), {}, house)
  for (let i = 0; i < 50; i++) assert.equal((await ask(`t${i}`)).error?.reason, 'UNAVAILABLE')
  assert.equal(provider.asked.length, 5)
  assert.equal(house.logged.length, 1, 'one line for the whole of it')
  provider.answers.set('/introspect', json(active))
  house.time += 1_000
  assert.equal((await ask('t0')).principal?.id, 'ann')
  assert.equal(house.logged.length, 2)
})

test('a stranger can have sixty made-up tokens asked about in a minute, and stops nobody else', async (t) => {
  const house = host()
  house.time = Date.now()
  const { ask, provider } = await gate(
    t,
    (req, res, body) => json(body.startsWith('token=good') ? active : { active: false })(req, res, body),
    {},
    house,
  )
  assert.equal((await ask('good')).principal?.id, 'ann')
  const reasons = []
  for (let i = 0; i < 100; i++) reasons.push((await ask(`made-up-${i}`)).error?.reason)
  assert.deepEqual(reasons, [
    ...Array.from({ length: 60 }, () => invalid),
    ...Array.from({ length: 40 }, () => 'TOO_MANY_ATTEMPTS'),
  ])
  assert.equal(provider.asked.length, 61)
  assert.equal((await ask('good2', { from: '192.0.2.2' })).principal?.id, 'ann')
  // Who is already known behind the same address goes on, also when his token must be asked about again.
  house.time += 30_001
  assert.equal((await ask('good')).principal?.id, 'ann')
  assert.equal((await ask('new')).error?.reason, 'TOO_MANY_ATTEMPTS')
  house.time += 30_000
  assert.equal((await ask('good3')).principal?.id, 'ann')
})

test('a token that is good no more is held against an address like any other', async (t) => {
  const house = host()
  house.time = Date.now()
  const { ask, provider } = await gate(t, active, {}, house)
  assert.equal((await ask('opaque')).principal?.id, 'ann')
  provider.answers.set('/introspect', json({ active: false }))
  house.time += 30_000
  for (let i = 0; i < 59; i++) assert.equal((await ask(`made-up-${i}`)).error?.reason, invalid)
  assert.equal((await ask('opaque')).error?.reason, invalid, 'the first time it is not')
  house.time += 10_000
  assert.equal((await ask('opaque')).error?.reason, invalid, 'the sixtieth failure')
  assert.equal((await ask('new')).error?.reason, 'TOO_MANY_ATTEMPTS')
})

test('an IPv6 host does not become another one by another address of its network', async (t) => {
  const house = host()
  house.time = Date.now()
  const { ask } = await gate(t, { active: false }, {}, house)
  let refused = 0
  for (let i = 0; i < 100; i++) {
    const x = await ask(`made-up-${i}`, { from: `2001:db8::${i.toString(16)}` })
    if (x.error?.reason === 'TOO_MANY_ATTEMPTS') refused++
  }
  assert.equal(refused, 40)
})

test('what all strangers together can have asked is bounded in a second', async (t) => {
  const house = host()
  house.time = 1_800_000_000_000
  const { ask, provider } = await gate(t, { active: false }, { perSecond: 20 }, house)
  const reasons = new Map<string | undefined, number>()
  for (let i = 0; i < 100; i++) {
    const { error } = await ask(`made-up-${i}`, { from: `192.0.2.${i}` })
    reasons.set(error?.reason, (reasons.get(error?.reason) ?? 0) + 1)
  }
  assert.deepEqual(
    [...reasons],
    [
      [invalid, 20],
      ['UNAVAILABLE', 80],
    ],
  )
  assert.equal(provider.asked.length, 20)
  house.time += 1_000
  assert.equal((await ask('made-up-99')).error?.reason, invalid)
})

test('strangers do not keep the gateway from asking again about a token that was good', async (t) => {
  const house = host()
  house.time = 1_800_000_000_000
  const answer: ProviderAnswer = (req, res, body) =>
    json(body.startsWith('token=good') ? active : { active: false })(req, res, body)
  const { ask } = await gate(t, answer, { perSecond: 20 }, house)
  assert.equal((await ask('good')).principal?.id, 'ann')
  house.time += 30_000
  for (let i = 0; i < 30; i++) await ask(`made-up-${i}`, { from: `192.0.2.${i}` })
  assert.equal((await ask('good-new', { from: '192.0.2.99' })).error?.reason, 'UNAVAILABLE')
  assert.equal((await ask('good')).principal?.id, 'ann')
})

test('nobody is asked again because the configuration was loaded again', async (t) => {
  const provider = await startProvider(t)
  provider.answers.set('/', json(active))
  const server = { issuer, url: provider.url, clientId: 'a', clientSecret: 'b', clockSkewMs: 0 }
  const rules = { cacheForMs: 60_000, timeoutMs: 9_000, concurrency: 1, perSecond: 9 }
  const before = host()
  const ask = async (house: TestHost, change: object): Promise<number> => {
    const introspection = [{ ...server, ...rules, ...change }]
    const identity = createIdentity({ jwt: [], introspection, apiKeys: {}, consumers: [] }, house)
    const plugins = [identityPlugin(identity, policy())]
    const x = await exchange({ plugins, request: { headers: { authorization: 'Bearer opaque' } } }).run()
    assert.equal(x.principal?.id, 'ann')
    await identity.close()
    return provider.asked.length
  }
  assert.equal(await ask(before, {}), 1)
  assert.equal(await ask(host({}, before), {}), 1)
  assert.equal(await ask(host({}, before), { audience: undefined, requiredClaims: ['active'] }), 2)
})

test('questions wait for their turn', async (t) => {
  let atOnce = 0
  let most = 0
  const { ask } = await gate(
    t,
    async (req, res, body) => {
      most = Math.max(most, ++atOnce)
      // Long enough for others to come, if they may.
      await sleep(20)
      atOnce--
      return json(active)(req, res, body)
    },
    { concurrency: 3 },
  )
  const all = Array.from({ length: 30 }, (_, i) => ask(`t${i}`))
  assert.ok((await Promise.all(all)).every((x) => x.principal?.id === 'ann'))
  assert.ok(most <= 3, `${most} at once`)
})

test('the server with the longest prefix is asked, and only that one', async (t) => {
  const [one, two] = [await startProvider(t), await startProvider(t)]
  one.answers.set('/', json({ ...active, sub: 'one' }))
  two.answers.set('/', json({ ...active, sub: 'two' }))
  const common = { issuer, clientId: 'a', clientSecret: 'b', clockSkewMs: 0, cacheForMs: 0, timeoutMs: 9_000 }
  const limits = { concurrency: 1, perSecond: 9 }
  const introspection = [
    { ...common, ...limits, url: one.url, tokenPrefix: 'o_' },
    { ...common, ...limits, url: two.url, tokenPrefix: 'o_two_' },
  ]
  const identity = createIdentity({ jwt: [], introspection, apiKeys: {}, consumers: [] }, host())
  const plugins = [identityPlugin(identity, policy())]
  const ask = async (token: string): Promise<string | undefined> => {
    const x = await exchange({ plugins, request: { headers: { authorization: `Bearer ${token}` } } }).run()
    return x.principal?.id ?? x.error?.reason
  }
  assert.deepEqual([await ask('o_x'), await ask('o_two_x'), await ask('x')], ['one', 'two', invalid])
  assert.deepEqual([one.asked.length, two.asked.length], [1, 1])
})
