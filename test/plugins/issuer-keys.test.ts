import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { silentLog } from '../../src/core/log.ts'
import { createGateway } from '../../src/gateway.ts'
import { createIdentity, type Identity } from '../../src/plugins/identity/identity.ts'
import { identityPlugin } from '../../src/plugins/identity/identity-plugin.ts'
import type { JwtOptions } from '../../src/plugins/identity/jwt-issuer.ts'
import { makeAuthority } from '../certificates.ts'
import { startGateway } from '../world.ts'
import { exchange, host, policy, type TestExchange, type TestHost } from './harness.ts'
import { json, type ProviderAnswer, type ProviderServer, startProvider } from './provider-server.ts'

const first = await generateKeyPair('RS256', { extractable: true })
const second = await generateKeyPair('RS256', { extractable: true })
const firstJwk: JWK = { ...(await exportJWK(first.publicKey)), kid: 'first' }
const secondJwk: JWK = { ...(await exportJWK(second.publicKey)), kid: 'second' }

const description = '/.well-known/openid-configuration'
const oauthDescription = '/.well-known/oauth-authorization-server'

function token(iss: string, claims: object = {}, { key = first.privateKey, kid = 'first' } = {}) {
  const exp = Math.floor(Date.now() / 1_000) + 172_800
  return new SignJWT({ iss, aud: 'api', sub: 'ann', exp, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid })
    .sign(key)
}

const second256 = { key: second.privateKey, kid: 'second' }

function gate(
  t: TestContext,
  options: Partial<JwtOptions> & Pick<JwtOptions, 'issuer'>,
  { house = host(), asksAhead = false }: { readonly house?: TestHost; readonly asksAhead?: boolean } = {},
): { readonly identity: Identity; ask(token: string): Promise<TestExchange> } {
  const jwt = [{ audience: 'api', algorithms: ['RS256'], clockSkewMs: 0, ...options }]
  const identity = createIdentity({ jwt, apiKeys: {}, consumers: [], asksAhead }, house)
  t.after(() => identity.close())
  const plugins = [identityPlugin(identity, policy())]
  const ask = (text: string): Promise<TestExchange> =>
    exchange({ plugins, request: { headers: { authorization: `Bearer ${text}` } } }).run()
  return { identity, ask }
}

/** A provider that describes itself and has the first key. */
async function describedProvider(t: TestContext): Promise<ProviderServer> {
  const provider = await startProvider(t)
  provider.answers.set(description, json({ issuer: provider.url, jwks_uri: `${provider.url}/keys` }))
  provider.answers.set('/keys', json({ keys: [firstJwk] }))
  return provider
}

// OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3.
test('an issuer without keys in the configuration is asked where they are, once', async (t) => {
  const provider = await describedProvider(t)
  const { ask } = gate(t, { issuer: provider.url })
  for (const sub of ['ann', 'bob']) {
    const x = await ask(await token(provider.url, { sub }))
    assert.equal(x.principal?.id, sub, String(x.error?.cause))
  }
  assert.deepEqual(provider.asked, [`GET ${description}`, 'GET /keys'])
})

test('an authorization server with a path describes itself where RFC 8414 says', async (t) => {
  const provider = await startProvider(t)
  const issuer = `${provider.url}/tenants/7`
  provider.answers.set(`${oauthDescription}/tenants/7`, json({ issuer, jwks_uri: `${provider.url}/keys` }))
  provider.answers.set('/keys', json({ keys: [firstJwk] }))
  const x = await gate(t, { issuer }).ask(await token(issuer))
  assert.equal(x.principal?.id, 'ann', String(x.error?.cause))
  assert.equal(provider.asked[0], `GET /tenants/7${description}`)
})

test('a description is looked for without the slash that ends the name of the issuer', async (t) => {
  const provider = await describedProvider(t)
  const issuer = `${provider.url}/`
  provider.answers.set(description, json({ issuer, jwks_uri: `${provider.url}/keys` }))
  assert.equal((await gate(t, { issuer }).ask(await token(issuer))).principal?.id, 'ann')
})

const endless: ProviderAnswer = (_, res) => {
  res.writeHead(200, { 'Content-Type': 'application/json' })
  res.write('{"keys":["')
  const write = (): void => {
    while (!res.destroyed && res.write('x'.repeat(65_536)));
  }
  res.on('drain', write)
  write()
}
const redirect: ProviderAnswer = (_, res) => res.writeHead(302, { Location: '/elsewhere' }).end()

const badDescriptions: readonly [string, (url: string) => ProviderAnswer, RegExp][] = [
  [
    'names another issuer',
    (url) => json({ issuer: 'https://evil.example', jwks_uri: `${url}/keys` }),
    /that of another issuer/,
  ],
  [
    'names the issuer with a slash more',
    (url) => json({ issuer: `${url}/`, jwks_uri: `${url}/keys` }),
    /that of another issuer/,
  ],
  ['names no issuer', (url) => json({ jwks_uri: `${url}/keys` }), /that of another issuer/],
  ['names no keys', (url) => json({ issuer: url }), /no jwks_uri/],
  ['has its keys in a file', (url) => json({ issuer: url, jwks_uri: 'file:///etc/passwd' }), /not https/],
  ['has a list of keys addresses', (url) => json({ issuer: url, jwks_uri: [`${url}/keys`] }), /no jwks_uri/],
  ['is a list', () => json([]), /no JSON object/],
  ['is no JSON', () => (_, res) => res.end('<html>'), /no JSON/],
  ['leads elsewhere', () => redirect, /status 302/],
  ['does not end', () => endless, /more than 262144 bytes/],
  ['is an error', () => json({}, 500), /status 500/],
]
for (const [what, answer, trouble] of badDescriptions) {
  test(`tokens of an issuer whose description ${what} are unavailable`, async (t) => {
    const provider = await describedProvider(t)
    provider.answers.set('/elsewhere', json({ issuer: provider.url, jwks_uri: `${provider.url}/keys` }))
    provider.answers.set(description, answer(provider.url))
    const { ask, identity } = gate(t, { issuer: provider.url })
    const x = await ask(await token(provider.url))
    assert.equal(x.error?.reason, 'UNAVAILABLE')
    assert.match(identity.providers[0]?.trouble ?? '', trouble)
    assert.ok(!provider.asked.includes('GET /keys') && !provider.asked.includes('GET /elsewhere'))
  })
}

test('an issuer with TLS has no keys without it', async (t) => {
  const authority = makeAuthority()
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, authority.cert])
  t.after(() => setDefaultCACertificates(before))
  const plain = await startProvider(t)
  plain.answers.set('/keys', json({ keys: [firstJwk] }))
  let issuer = ''
  let keys = ''
  const server = createServer(authority.issue(['localhost']), (req, res) => {
    res.end(JSON.stringify(req.url === '/keys' ? { keys: [firstJwk] } : { issuer, jwks_uri: keys }))
  })
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  issuer = `https://localhost:${(server.address() as AddressInfo).port}`
  keys = `${plain.url}/keys`
  const refused = gate(t, { issuer })
  assert.equal((await refused.ask(await token(issuer))).error?.reason, 'UNAVAILABLE')
  assert.match(refused.identity.providers[0]?.trouble ?? '', /not https/)
  assert.deepEqual(plain.asked, [])
  keys = `${issuer}/keys`
  assert.equal((await gate(t, { issuer }).ask(await token(issuer))).principal?.id, 'ann')
})

const badKeys: readonly [string, ProviderAnswer][] = [
  ['has 101 keys', json({ keys: Array.from({ length: 101 }, () => firstJwk) })],
  ['is no list', json({ keys: firstJwk })],
  ['is a list of texts', json({ keys: ['x'] })],
  ['does not end', endless],
  ['leads elsewhere', redirect],
]
for (const [what, answer] of badKeys) {
  test(`tokens of an issuer whose key set ${what} are unavailable`, async (t) => {
    const provider = await describedProvider(t)
    provider.answers.set('/elsewhere', json({ keys: [firstJwk] }))
    provider.answers.set('/keys', answer)
    const x = await gate(t, { issuer: provider.url }).ask(await token(provider.url))
    assert.equal(x.error?.reason, 'UNAVAILABLE')
    assert.ok(!provider.asked.includes('GET /elsewhere'))
  })
}

test('the last good keys hold when the next set cannot be read', async (t) => {
  const provider = await describedProvider(t)
  const house = host()
  const { ask, identity } = gate(t, { issuer: provider.url }, { house })
  assert.equal((await ask(await token(provider.url))).principal?.id, 'ann')
  provider.answers.set('/keys', json({ keys: 'none' }))
  house.time = Date.now() + 61_000
  assert.equal((await ask(await token(provider.url, { sub: 'bob' }))).principal?.id, 'bob')
  assert.match(identity.providers[0]?.trouble ?? '', /malformed/)
})

// security.md: rotation noticed in 30 s; here 20 ms stand for them.
test('a key that was withdrawn ends what was verified with it, without a request that asks for it', async (t) => {
  const provider = await describedProvider(t)
  const { ask } = gate(t, { issuer: provider.url, jwksRefreshMs: 20 }, { asksAhead: true })
  const good = await token(provider.url)
  assert.equal((await ask(good)).principal?.id, 'ann')
  assert.equal((await ask(good)).principal?.id, 'ann')
  provider.answers.set('/keys', json({ keys: [secondJwk] }))
  // The second answer from now was asked for when the first one had come.
  await provider.askedAgain(2)
  assert.equal((await ask(good)).error?.reason, 'JWT_INVALID')
  assert.equal((await ask(await token(provider.url, {}, second256))).principal?.id, 'ann')
})

test('what was verified is not verified again while the keys stay the same', async (t) => {
  const provider = await describedProvider(t)
  const house = host()
  const identity = createIdentity(
    {
      jwt: [
        { issuer: provider.url, audience: 'api', algorithms: ['RS256'], clockSkewMs: 0, jwksRefreshMs: 20 },
      ],
      apiKeys: {},
      consumers: [],
      asksAhead: true,
    },
    house,
  )
  t.after(() => identity.close())
  const request = { headers: { authorization: `Bearer ${await token(provider.url)}` } }
  // The keys may come in between: then it is not remembered yet.
  await identity.identify(exchange({ request }))
  await identity.identify(exchange({ request }))
  await provider.askedAgain(3)
  assert.ok(!(identity.identify(exchange({ request })) instanceof Promise))
})

test('a new key is used at once, although the keys were fetched a moment ago', async (t) => {
  const provider = await describedProvider(t)
  const { ask } = gate(t, { issuer: provider.url })
  assert.equal((await ask(await token(provider.url))).principal?.id, 'ann')
  provider.answers.set('/keys', json({ keys: [firstJwk, secondJwk] }))
  const tokens = await Promise.all(
    Array.from({ length: 20 }, (_, i) => token(provider.url, { sub: `u${i}` }, second256)),
  )
  const done = await Promise.all(tokens.map((text) => ask(text)))
  assert.deepEqual(
    done.map((x) => x.error?.reason),
    Array.from({ length: 20 }, () => undefined),
  )
  assert.deepEqual(provider.asked, [`GET ${description}`, 'GET /keys', 'GET /keys'])
})

test('the last good keys serve for jwksMaxStale while the issuer is down, and no longer', async (t) => {
  const provider = await describedProvider(t)
  const house = host()
  const start = Date.now()
  const { ask } = gate(t, { issuer: provider.url, jwksMaxStaleMs: 3_600_000 }, { house })
  house.time = start
  const good = await token(provider.url)
  assert.equal((await ask(good)).principal?.id, 'ann')
  provider.close()
  house.time = start + 3_590_000
  assert.equal((await ask(await token(provider.url, { sub: 'bob' }))).principal?.id, 'bob')
  house.time = start + 3_700_000
  assert.equal((await ask(await token(provider.url, { sub: 'eve' }))).error?.reason, 'UNAVAILABLE')
  assert.equal((await ask(good)).error?.reason, 'UNAVAILABLE')
})

test('keys outlive a reload while the issuer is down', async (t) => {
  const provider = await describedProvider(t)
  const before = host()
  const old = gate(t, { issuer: provider.url }, { house: before })
  assert.equal((await old.ask(await token(provider.url))).principal?.id, 'ann')
  provider.close()
  const next = gate(t, { issuer: provider.url }, { house: host({}, before), asksAhead: true })
  assert.equal((await next.ask(await token(provider.url, { sub: 'bob' }))).principal?.id, 'bob')
})

test('an issuer that comes later does', async (t) => {
  const provider = await startProvider(t)
  const house = host()
  const { ask, identity } = gate(t, { issuer: provider.url, jwksRefreshMs: 20 }, { house, asksAhead: true })
  await provider.askedAgain(2)
  assert.equal((await ask(await token(provider.url))).error?.reason, 'UNAVAILABLE')
  assert.match(identity.providers[0]?.trouble ?? '', /status 404/)
  assert.equal(house.logged.filter(({ level }) => level === 'warn').length, 1)
  provider.answers.set(description, json({ issuer: provider.url, jwks_uri: `${provider.url}/keys` }))
  provider.answers.set('/keys', json({ keys: [firstJwk] }))
  await provider.askedAgain(4)
  assert.equal((await ask(await token(provider.url))).principal?.id, 'ann')
  assert.deepEqual(identity.providers, [{ name: `keys ${provider.url}`, trouble: undefined }])
})

test('a closed identity asks nobody any more', async (t) => {
  const provider = await describedProvider(t)
  const { identity } = gate(t, { issuer: provider.url, jwksRefreshMs: 20 }, { asksAhead: true })
  await provider.askedAgain(3)
  await identity.close()
  const asked = provider.asked.length
  await new Promise((resolve) => setTimeout(resolve, 100))
  // One may have been under way.
  assert.ok(provider.asked.length <= asked + 1, `${provider.asked.length - asked} more`)
})

test('a gateway asks as soon as it starts, and one that is only looked into asks nobody', async (t) => {
  const provider = await describedProvider(t)
  const config = { auth: { jwt: [{ issuer: provider.url, audience: 'api', algorithms: ['RS256'] }] } }
  const lookedInto = await createGateway({ config, offline: true, watch: false, log: silentLog })
  const asked = provider.askedAgain(2)
  await startGateway(t, config)
  await asked
  await lookedInto.dispose()
  assert.deepEqual(provider.asked, [`GET ${description}`, 'GET /keys'])
})
