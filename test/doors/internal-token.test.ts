import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { identityHeaders } from '../../src/plugins/identity/identity-headers.ts'
import { InternalTokens } from '../../src/plugins/identity/internal-tokens.ts'
import { seeded } from '../plugins/harness.ts'
import { startBackend, startGateway } from '../world.ts'
import { everyDoor } from './grpc-doors.ts'

const issuer = 'https://id.example'
const secret = 'a secret that has thirty-two bytes and more'
const key = createApiKey('test')
const consumers = [
  { id: 'acme', name: 'Acmé', roles: ['reader'], scopes: ['a', 'b'], keys: [{ hash: hashApiKey(key) }] },
]
const jwt = [{ issuer, audience: 'api', algorithms: ['HS256'], secret }]
const pem = (pair: { privateKey: import('node:crypto').KeyObject }): string =>
  pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const keys = {
  ES256: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  RS256: pem(generateKeyPairSync('rsa', { modulusLength: 2_048 })),
  EdDSA: pem(generateKeyPairSync('ed25519')),
}

for (const door of everyDoor) {
  describe(`the token for backends, at the ${door.name} door`, () => {
    test('is verified by the published keys, is for this backend, and tells who calls', async (t) => {
      const backend = await door.start(t)
      const { url } = await startGateway(t, {
        auth: { jwt, internalToken: { key: keys.ES256, issuer: 'https://gateway.example' } },
        consumers,
        ...backend.config({ auth: 'optional' }),
      })
      const exp = Math.floor(Date.now() / 1_000) + 300
      const user = await new SignJWT({
        iss: issuer,
        aud: 'api',
        sub: 'ann',
        exp,
        name: 'Änn\nx',
        roles: ['r,1', 'r 2'],
      })
        .setProtectedHeader({ alg: 'HS256' })
        .sign(new TextEncoder().encode(secret))
      const published = createRemoteJWKSet(new URL(`${url}/.well-known/gateway-jwks.json`))
      const told = async (headers: Record<string, string>) => {
        const reply = await backend.ask(url, headers)
        assert.equal(reply.status, 200, await reply.text())
        const seen = backend.seen.at(-1) ?? {}
        const { payload, protectedHeader } = await jwtVerify(String(seen['x-gateway-token']), published, {
          issuer: 'https://gateway.example',
          audience: 'backend',
          algorithms: ['ES256'],
        })
        assert.equal(protectedHeader.typ, 'JWT')
        return { payload, seen }
      }
      const { payload: app, seen } = await told({ 'X-API-Key': key })
      assert.equal(seen['x-user-id'], 'acme')
      const { iat = 0, exp: ends = 0, ...said } = app
      assert.equal(ends - iat, 60)
      assert.deepEqual(said, {
        iss: 'https://gateway.example',
        aud: 'backend',
        sub: 'acme',
        name: 'Acmé',
        consumer: 'acme',
        via: 'apiKey',
        roles: ['reader'],
        scope: 'a b',
      })
      const { payload: person, seen: ofPerson } = await told({ Authorization: `Bearer ${user}` })
      assert.deepEqual(
        [person.sub, person.user_issuer, person.roles, person.name],
        ['ann', issuer, ['r,1', 'r 2'], 'Änn\nx'],
      )
      assert.equal(ofPerson['x-user-name'], undefined, 'a name that cannot stand in a header is not there')
      const anonymous = await backend.ask(url)
      assert.equal(anonymous.status, 200)
      assert.equal(backend.seen.at(-1)?.['x-gateway-token'], undefined)
    })
  })
}

test('a fallback and a mirror are told in their own form, and get no token that is for another', async (t) => {
  const failing = await startBackend(t, (_req, res) => res.writeHead(503).end())
  const instead = await startBackend(t)
  const copied = Promise.withResolvers<Record<string, unknown>>()
  const copies = await startBackend(t, (req, res) => {
    copied.resolve(req.headers)
    res.end()
  })
  const open = async (mirrored: string, fallen: string) =>
    startGateway(t, {
      auth: { internalToken: { algorithm: 'HS256', secret, send: 'both' } },
      consumers,
      upstreams: {
        first: { targets: [{ url: failing.url }], retry: { attempts: 1 }, fallback: { upstream: 'second' } },
        second: { targets: [{ url: instead.url }], identity: fallen },
        shadow: { targets: [{ url: copies.url }], identity: mirrored },
      },
      routes: [{ id: 'r', path: '/r', upstream: 'first', mirror: { upstream: 'shadow', percent: 100 } }],
    })
  const audienceOf = (token: unknown): unknown =>
    token === undefined
      ? undefined
      : JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()).aud
  const { url } = await open('nothing', 'token')
  const reply = await fetch(`${url}/r`, { headers: { 'X-API-Key': key } })
  const { headers } = (await reply.json()) as { headers: Record<string, string> }
  assert.equal(headers['x-user-id'], undefined)
  assert.equal(audienceOf(headers['x-gateway-token']), 'second')
  const copy = await copied.promise
  assert.equal(copy['x-user-id'], undefined)
  assert.equal(copy['x-gateway-token'], undefined)
})

test('each upstream is told in the form that it asks for', async (t) => {
  const backend = await startBackend(t)
  const forms = ['headers', 'token', 'both', 'nothing', undefined] as const
  const { url } = await startGateway(t, {
    auth: {
      internalToken: { algorithm: 'HS256', secret, send: 'token', header: 'authorization', audience: 'all' },
    },
    consumers,
    upstreams: Object.fromEntries(
      forms.map((identity) => [
        String(identity),
        { targets: [{ url: backend.url }], ...(identity && { identity }) },
      ]),
    ),
    routes: forms.map((form) => ({ id: String(form), path: `/${form}`, upstream: String(form) })),
  })
  for (const form of forms) {
    const reply = await fetch(`${url}/${form}`, { headers: { 'X-API-Key': key } })
    const { headers } = (await reply.json()) as { headers: Record<string, string> }
    const hasHeaders = form === 'headers' || form === 'both'
    const hasToken = form === 'token' || form === 'both' || form === undefined
    assert.equal(headers['x-user-id'], hasHeaders ? 'acme' : undefined, String(form))
    assert.equal(headers.authorization?.startsWith('Bearer ') ?? false, hasToken, String(form))
    if (!hasToken) continue
    const token = String(headers.authorization).slice('Bearer '.length)
    await jwtVerify(token, new TextEncoder().encode(secret), { audience: 'all', issuer: 'trivium' })
  }
})

const person = { id: 'ann', issuer, roles: [], scopes: [], via: 'jwt' } as const

for (const algorithm of ['HS256', 'RS256', 'ES256', 'EdDSA'] as const) {
  test(`${algorithm}: a token is used again for half of its life, and made anew then`, async (t) => {
    const own = algorithm === 'HS256' ? { secret } : { key: keys[algorithm] }
    const tokens = new InternalTokens({
      issuer: 'g',
      algorithm,
      ...own,
      previousKeys: [],
      expiresInMs: 60_000,
    })
    const now = Date.now()
    const first = tokens.tokenFor(person, 'a', now)
    assert.equal(tokens.tokenFor(person, 'a', now + 29_999), first)
    assert.notEqual(tokens.tokenFor(person, 'a', now + 30_000), first)
    assert.notEqual(tokens.tokenFor(person, 'b', now), first)
    let startedAt = performance.now()
    for (let i = 0; i < 100; i++) tokens.tokenFor({ ...person }, 'a', now)
    t.diagnostic(`made: ${((performance.now() - startedAt) * 10).toFixed(1)} µs`)
    startedAt = performance.now()
    for (let i = 0; i < 100_000; i++) tokens.tokenFor(person, 'a', now)
    t.diagnostic(`used again: ${((performance.now() - startedAt) / 100).toFixed(3)} µs`)
  })
}

test('a former key is still published, under its own id', () => {
  const made = (key: string, previousKeys: string[]) =>
    new InternalTokens({ issuer: 'g', algorithm: 'ES256', key, previousKeys, expiresInMs: 60_000 }).publicKeys
  const other = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
  const [before] = made(keys.ES256, [])
  const after = made(other, [keys.ES256])
  assert.deepEqual(after[1], before)
  assert.notEqual(after[0]?.kid, before?.kid)
  assert.ok(!JSON.stringify(after).includes('"d"'), 'no private part is published')
})

test('a caller with thousands of roles has a token without them, which fits into a header', () => {
  const tokens = new InternalTokens({
    issuer: 'g',
    algorithm: 'HS256',
    secret,
    previousKeys: [],
    expiresInMs: 60_000,
  })
  const roles = Array.from({ length: 5_000 }, (_, i) => `role-${i}`)
  const read = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const token = tokens.tokenFor({ ...person, roles, scopes: ['s'] }, 'a', Date.now())
  assert.ok(token.length < 8_192)
  const { roles: told, scope } = read(token)
  assert.deepEqual([told, scope], [undefined, 's'])
  const many = read(tokens.tokenFor({ ...person, scopes: roles, name: 'x'.repeat(9_000) }, 'a', Date.now()))
  assert.deepEqual([many.sub, many.scope, many.name], ['ann', undefined, undefined])
})

test('headers give back what they were made from, or are not there, over random callers', () => {
  const random = seeded(7)
  const letters = [
    'a',
    'B',
    ' ',
    ',',
    '%',
    '%2C',
    '\n',
    '\r',
    '\0',
    'é',
    '\u0130',
    '\ud800',
    '💥',
    '"',
    '\u2028',
    '=',
    ';',
    '\u200b',
    '\x7f',
  ]
  const text = (): string => {
    let made = ''
    for (let i = Math.floor(random() * (random() < 0.1 ? 400 : 6)); i >= 0; i--)
      made += letters[Math.floor(random() * letters.length)]
    return made
  }
  for (let i = 0; i < 5_000; i++) {
    const roles = Array.from({ length: Math.floor(random() * 20) }, text)
    const scopes = Array.from({ length: Math.floor(random() * 20) }, text)
    const principal = {
      id: text(),
      issuer: text(),
      name: text(),
      roles,
      scopes,
      consumer: text(),
      via: 'jwt' as const,
    }
    const flat = identityHeaders(principal)
    const told: Record<string, string> = {}
    for (let j = 0; j < flat.length; j += 2) {
      const value = flat[j + 1] as string
      assert.match(value, /^[!-~](?:[ -~]{0,2046}[!-~])?$/)
      told[flat[j] as string] = value
    }
    const truths = {
      'x-user-id': principal.id,
      'x-user-issuer': principal.issuer,
      'x-user-name': principal.name,
      'x-consumer': principal.consumer,
    }
    for (const [name, truth] of Object.entries(truths)) {
      const value = told[name]
      if (value !== undefined) assert.equal(decodeURIComponent(value), truth)
    }
    for (const role of told['x-user-role']?.split(',') ?? [])
      assert.ok(roles.includes(decodeURIComponent(role)))
    for (const scope of told['x-user-scopes']?.split(' ') ?? [])
      assert.ok(scopes.includes(decodeURIComponent(scope)))
  }
})

const random32 = randomBytes(32).toString('hex')
const mistakes: readonly (readonly [string, object, RegExp])[] = [
  ['a key that is none', { key: 'x' }, /internalToken.*key.*no private key in PEM/s],
  ['a key for another algorithm', { key: keys.RS256 }, /internalToken.*no key for ES256/s],
  ['a short secret', { algorithm: 'HS256', secret: 'short' }, /secret.*32 bytes/s],
  ['HS256 without a secret', { algorithm: 'HS256' }, /HS256 needs a secret/],
  ['a secret that is not used', { key: keys.ES256, secret: random32 }, /secret.*is not used with ES256/s],
  ['no key', {}, /ES256 needs a key/],
  [
    'a header that the gateway writes otherwise',
    { key: keys.ES256, header: 'X-User-ID' },
    /has a meaning of its own/,
  ],
  ['a life of a day', { key: keys.ES256, expiresIn: '24h' }, /between 10s and 1h/],
]
for (const [name, internalToken, message] of mistakes) {
  test(`the configuration is refused with ${name}`, async (t) => {
    await assert.rejects(startGateway(t, { auth: { internalToken }, consumers, routes: [] }), message)
  })
}

test('tokens cannot take the place of credentials that are to be passed on', async (t) => {
  const config = {
    auth: { internalToken: { key: keys.ES256, header: 'authorization' } },
    consumers,
    upstreams: { a: { targets: [{ url: 'http://127.0.0.1:1' }] } },
    routes: [{ id: 'a', path: '/a', upstream: 'a', forwardCredentials: true }],
  }
  await assert.rejects(startGateway(t, config), /internalToken.header.*cannot be authorization/)
})

test('an upstream cannot ask for tokens that there are none of', async (t) => {
  const upstreams = { a: { targets: [{ url: 'http://127.0.0.1:1' }], identity: 'token' } }
  await assert.rejects(startGateway(t, { upstreams }), /upstreams.a.identity.*needs auth.internalToken/)
})
