import assert from 'node:assert/strict'
import { createHmac, createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { createIdentity, type IdentityOptions } from '../../src/plugins/identity/identity.ts'
import { identityPlugin } from '../../src/plugins/identity/identity-plugin.ts'
import type { JwtOptions } from '../../src/plugins/identity/jwt-issuer.ts'
import { exchange, host, policy, type TestExchange, type TestHost, values } from './harness.ts'
import { startKeyServer } from './key-server.ts'

const issuer = 'https://id.example'
const audience = 'api'
const secret = 'a secret that has thirty-two bytes and more'
const secretKey = new TextEncoder().encode(secret)
const rsa = await generateKeyPair('RS256', { extractable: true })
const ec = await generateKeyPair('ES256', { extractable: true })
const stranger = await generateKeyPair('RS256', { extractable: true })
const third = await generateKeyPair('RS256')
const rsaJwk: JWK = { ...(await exportJWK(rsa.publicKey)), kid: 'rsa-1' }
const ecJwk: JWK = { ...(await exportJWK(ec.publicKey)), kid: 'ec-1' }
const strangerJwk: JWK = { ...(await exportJWK(stranger.publicKey)), kid: 'other' }
const keySet: JwtOptions = {
  issuer,
  audience,
  algorithms: ['RS256', 'ES256'],
  jwks: JSON.stringify({ keys: [rsaJwk, ecJwk] }),
  clockSkewMs: 30_000,
}
const twoKeys: JwtOptions = { ...keySet, jwks: JSON.stringify({ keys: [strangerJwk, rsaJwk] }) }
const shared: JwtOptions = { issuer, audience, algorithms: ['HS256'], secret, clockSkewMs: 30_000 }
const seconds = (): number => Math.floor(Date.now() / 1_000)
const good = (): Record<string, unknown> => ({ iss: issuer, aud: audience, sub: 'ann', exp: seconds() + 300 })

function sign(
  claims: object,
  header: Record<string, unknown> = {},
  key: CryptoKey | Uint8Array = rsa.privateKey,
) {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'rsa-1', ...header }).sign(key)
}

function b64(value: object | string): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

function hmac(header: object, key: string | Buffer, claims: object = good()): string {
  const input = `${b64(header)}.${b64(claims)}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

function identify(jwt: readonly JwtOptions[], house: TestHost = host(), more: Partial<IdentityOptions> = {}) {
  const identity = createIdentity({ jwt, apiKeys: {}, consumers: [], ...more }, house)
  return (
    token: string,
    options: Parameters<typeof policy>[0] = {},
    headers: object = {},
  ): Promise<TestExchange> => {
    const plugins = [identityPlugin(identity, policy(options))]
    return exchange({ plugins, request: { headers: { authorization: `Bearer ${token}`, ...headers } } }).run()
  }
}

const accepted: readonly [string, JwtOptions, () => string | Promise<string>][] = [
  ['RS256 by key id', keySet, () => sign(good())],
  ['ES256 by key id', keySet, () => sign(good(), { alg: 'ES256', kid: 'ec-1' }, ec.privateKey)],
  ['RS256 without a key id', keySet, () => sign(good(), { kid: undefined })],
  ['RS256 without a key id where two keys may fit', twoKeys, () => sign(good(), { kid: undefined })],
  ['HS256 with the secret', shared, () => hmac({ alg: 'HS256' }, secret)],
  ['one of several audiences', keySet, () => sign({ ...good(), aud: ['other', audience] })],
  ['an exp past by less than the skew', keySet, () => sign({ ...good(), exp: seconds() - 10 })],
  ['a jwk header, which is not looked at', keySet, () => sign(good(), { jwk: strangerJwk })],
]
for (const [name, options, token] of accepted) {
  test(`a token is accepted: ${name}`, async () => {
    const x = await identify([options])(await token())
    assert.equal(x.error, undefined, String(x.error?.cause))
    assert.equal(x.principal?.id, 'ann')
  })
}

async function parts(): Promise<[string, string, string]> {
  const [header = '', payload = '', signature = ''] = (await sign(good())).split('.')
  return [header, payload, signature]
}

const publicPem = createPublicKey({ key: { ...rsaJwk }, format: 'jwk' }).export({
  type: 'spki',
  format: 'pem',
})

const refused: readonly [string, JwtOptions, () => string | Promise<string>][] = [
  ['alg none without a signature', keySet, () => `${b64({ alg: 'none' })}.${b64(good())}.`],
  ['alg none with a signature', keySet, () => `${b64({ alg: 'none' })}.${b64(good())}.${b64('x')}`],
  ['alg nOnE', shared, () => `${b64({ alg: 'nOnE' })}.${b64(good())}.${b64('x')}`],
  [
    'HS256 signed with the RSA public key as PEM',
    keySet,
    () => hmac({ alg: 'HS256', kid: 'rsa-1' }, publicPem),
  ],
  ['HS256 signed with the modulus', keySet, () => hmac({ alg: 'HS256', kid: 'rsa-1' }, rsaJwk.n ?? '')],
  ['RS256 for an issuer with a secret', shared, () => sign(good())],
  ['HS512 where HS256 is listed', shared, () => sign(good(), { alg: 'HS512' }, secretKey)],
  ['an algorithm that is not listed', { ...keySet, algorithms: ['ES256'] }, () => sign(good())],
  [
    'a key of the wrong type for its algorithm',
    keySet,
    () => sign(good(), { alg: 'ES256', kid: 'rsa-1' }, ec.privateKey),
  ],
  ['no key id and none of two keys fits', twoKeys, () => sign(good(), { kid: undefined }, third.privateKey)],
  ['an unknown key id', keySet, () => sign(good(), { kid: 'nobody' }, stranger.privateKey)],
  ["a stranger's key under a known id", keySet, () => sign(good(), {}, stranger.privateKey)],
  [
    'an own key in the jwk header',
    keySet,
    () => sign(good(), { jwk: strangerJwk, kid: undefined }, stranger.privateKey),
  ],
  [
    'an own key in the jku header',
    keySet,
    () => sign(good(), { jku: 'http://127.0.0.1:9/', kid: 'other' }, stranger.privateKey),
  ],
  [
    'an own key in the x5u header',
    keySet,
    () => sign(good(), { x5u: 'http://127.0.0.1:9/', kid: 'other' }, stranger.privateKey),
  ],
  ['another issuer', keySet, () => sign({ ...good(), iss: 'https://evil.example' })],
  ['an issuer that only ends alike', keySet, () => sign({ ...good(), iss: `${issuer}/` })],
  ['no issuer', keySet, () => sign({ ...good(), iss: undefined })],
  ['a list as the issuer', keySet, () => sign({ ...good(), iss: [issuer] })],
  ['another audience', keySet, () => sign({ ...good(), aud: 'other' })],
  ['no audience', keySet, () => sign({ ...good(), aud: undefined })],
  ['no exp', keySet, () => sign({ ...good(), exp: undefined })],
  [
    'exp as text',
    keySet,
    () => `${b64({ alg: 'HS256' })}.${b64({ ...good(), exp: '9999999999' })}.${b64('x')}`,
  ],
  ['nbf in the future', keySet, () => sign({ ...good(), nbf: seconds() + 120 })],
  ['no sub', keySet, () => sign({ ...good(), sub: undefined })],
  ['an empty sub', keySet, () => sign({ ...good(), sub: '' })],
  ['a sub with a line break', keySet, () => sign({ ...good(), sub: 'ann\r\nx-user-role: admin' })],
  ['a sub with a trailing space', keySet, () => sign({ ...good(), sub: 'ann ' })],
  ['a sub longer than a header value', keySet, () => sign({ ...good(), sub: 'a'.repeat(257) })],
  [
    'crit with an unknown name',
    keySet,
    () =>
      sign({ ...good() }, {}).then((t) =>
        t.replace(/^[^.]+/, b64({ alg: 'RS256', kid: 'rsa-1', crit: ['x'], x: 1 })),
      ),
  ],
  [
    'crit b64, signed as it should be',
    shared,
    () => hmac({ alg: 'HS256', crit: ['b64'], b64: true }, secret),
  ],
  ['an empty crit', shared, () => hmac({ alg: 'HS256', crit: [] }, secret)],
  [
    'a payload changed after signing',
    keySet,
    async () => {
      const [header, , signature] = await parts()
      return `${header}.${b64({ ...good(), sub: 'root' })}.${signature}`
    },
  ],
  [
    'a header changed after signing',
    keySet,
    async () => {
      const [, payload, signature] = await parts()
      return `${b64({ alg: 'RS256' })}.${payload}.${signature}`
    },
  ],
  ['a signature cut short', keySet, async () => (await sign(good())).slice(0, -8)],
  ['no signature', keySet, async () => `${(await parts()).slice(0, 2).join('.')}.`],
  ['padding', keySet, async () => `${await sign(good())}==`],
  [
    'the base64 alphabet',
    shared,
    () =>
      hmac({ alg: 'HS256', x: '???>>>~~~' }, secret).replaceAll('_', '/').replaceAll('-', '+').concat('+'),
  ],
  ['a blank in a part', keySet, async () => (await sign(good())).replace('.', ' .')],
  [
    'bits of the last character that mean nothing',
    shared,
    () => {
      const token = hmac({ alg: 'HS256' }, secret)
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      // 32 bytes leave two unused bits in the 43rd character.
      return token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1)
    },
  ],
  ['five parts (JWE)', keySet, () => 'a.b.c.d.e'],
  ['a header that is a list', keySet, () => `${b64('[]')}.${b64(good())}.${b64('x')}`],
  ['a payload that is no JSON', shared, () => `${b64({ alg: 'HS256' })}.${b64('{')}.${b64('x')}`],
  ['a payload that is null', shared, () => `${b64({ alg: 'HS256' })}.${b64('null')}.${b64('x')}`],
  ['more than 8 kB', keySet, () => sign({ ...good(), filler: 'x'.repeat(8_192) })],
  ['nothing', keySet, () => ''],
]
for (const [name, options, token] of refused) {
  for (const auth of ['required', 'optional'] as const) {
    test(`a token is refused where it is ${auth}: ${name}`, async () => {
      const x = await identify([options])(await token(), { auth })
      assert.equal(x.error?.reason, 'JWT_INVALID')
      assert.equal(x.error.message, 'The token is not valid.')
      assert.equal(x.principal, undefined)
      assert.deepEqual(values(x.answered?.headers ?? [], 'WWW-Authenticate'), [
        'Bearer realm="trivium", error="invalid_token"',
      ])
    })
  }
}

test('only a genuine token is told that it expired', async () => {
  const ask = identify([keySet])
  const exp = seconds() - 3_600
  assert.equal((await ask(await sign({ ...good(), exp }))).error?.reason, 'JWT_EXPIRED')
  assert.equal(
    (await ask(await sign({ ...good(), exp }, {}, stranger.privateKey))).error?.reason,
    'JWT_INVALID',
  )
})

test('a token that was verified before is refused from the moment it expires', async () => {
  const house = host()
  const ask = identify([{ ...keySet, clockSkewMs: 0 }], house)
  const exp = seconds() + 60
  const token = await sign({ ...good(), exp })
  assert.equal((await ask(token)).principal?.id, 'ann')
  house.time = exp * 1_000 - 1
  assert.equal((await ask(token)).principal?.id, 'ann')
  house.time = exp * 1_000
  assert.equal((await ask(token)).error?.reason, 'JWT_EXPIRED')
})

test('a token that was verified before is admitted without awaiting anything', async () => {
  const identity = createIdentity({ jwt: [keySet], apiKeys: {}, consumers: [] }, host())
  const plugin = identityPlugin(identity, policy())
  const request = { headers: { authorization: `Bearer ${await sign(good())}` } }
  const first = plugin.onRequest?.(exchange({ request }))
  assert.ok(first instanceof Promise)
  await first
  assert.equal(plugin.onRequest?.(exchange({ request })), undefined)
})

test('a token chooses its issuer, and no issuer can speak for another', async () => {
  const second: JwtOptions = { ...shared, issuer: 'https://second.example', audience: 'api' }
  const ask = identify([keySet, second])
  const ofSecond = { ...good(), iss: second.issuer, sub: 'bob' }
  assert.equal((await ask(await sign(good()))).principal?.id, 'ann')
  assert.equal((await ask(hmac({ alg: 'HS256' }, secret, ofSecond))).principal?.id, 'bob')
  assert.equal((await ask(hmac({ alg: 'HS256' }, secret, good()))).error?.reason, 'JWT_INVALID')
  assert.equal((await ask(await sign(ofSecond))).error?.reason, 'JWT_INVALID')
})

test('roles and scopes are read from lists, texts and inside objects', async () => {
  const claims = { roles: 'realm.roles', scopes: 'https://x.example/scopes', name: 'nick' }
  const x = await identify([{ ...keySet, claims }])(
    await sign({
      ...good(),
      realm: { roles: ['a', 7, 'b\n'] },
      'https://x.example/scopes': 'r w',
      nick: 'Ann',
    }),
  )
  const { claims: said, expiresAt = 0, tokenDigest: _, ...principal } = x.principal ?? {}
  assert.ok(expiresAt > Date.now())
  assert.deepEqual(principal, {
    id: 'ann',
    issuer,
    name: 'Ann',
    roles: ['a'],
    scopes: ['r', 'w'],
    via: 'jwt',
  })
  assert.equal(said?.nick, 'Ann')
})

const authorized: readonly [string, object, { roles: string[]; scopes: string[] }, string | undefined][] = [
  ['one of the roles is enough', { roles: ['b'] }, { roles: ['a', 'b'], scopes: [] }, undefined],
  ['no role of the list', { roles: ['c'] }, { roles: ['a', 'b'], scopes: [] }, 'ROLE_MISSING'],
  ['a role in another case', { roles: ['A'] }, { roles: ['a'], scopes: [] }, 'ROLE_MISSING'],
  ['all scopes are there', { scope: 'r w x' }, { roles: [], scopes: ['r', 'w'] }, undefined],
  ['one scope is missing', { scope: 'r' }, { roles: [], scopes: ['r', 'w'] }, 'SCOPE_MISSING'],
  ['a scope is no part of a longer one', { scope: 'read' }, { roles: [], scopes: ['re'] }, 'SCOPE_MISSING'],
]
for (const [name, claims, authorize, reason] of authorized) {
  test(`authorisation: ${name}`, async () => {
    const x = await identify([keySet])(await sign({ ...good(), ...claims }), { authorize })
    assert.equal(x.error?.reason, reason)
    if (reason !== 'SCOPE_MISSING') return
    const [challenge = ''] = values(x.answered?.headers ?? [], 'WWW-Authenticate')
    assert.match(challenge, /^Bearer realm="trivium", error="insufficient_scope", scope="r/)
  })
}

test('a key set is fetched once for many tokens', async () => {
  const server = await startKeyServer([rsaJwk])
  try {
    const ask = identify([remote(server.uri)])
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => sign({ ...good(), sub: `u${i}` })))
    const done = await Promise.all(tokens.map((token) => ask(token)))
    assert.ok(done.every((x) => x.error === undefined))
    assert.equal(server.fetches, 1)
  } finally {
    await server.close()
  }
})

test('sixty unknown key ids cost at most five fetches', async () => {
  const server = await startKeyServer([rsaJwk])
  try {
    const ask = identify([remote(server.uri)])
    for (let i = 0; i < 60; i++) {
      const x = await ask(await sign(good(), { kid: `unknown-${i}` }, stranger.privateKey))
      assert.equal(x.error?.reason, 'JWT_INVALID')
    }
    assert.ok(server.fetches <= 5, `${server.fetches} fetches`)
  } finally {
    await server.close()
  }
})

for (const mood of ['fail', 'junk', 'hang'] as const) {
  test(`an issuer that can only ${mood} makes tokens unavailable, not valid, and is not asked for each`, async () => {
    const server = await startKeyServer([rsaJwk])
    server.mood = mood
    try {
      const ask = identify([remote(server.uri)])
      const before = performance.now()
      for (let i = 0; i < 10; i++) {
        const x = await ask(await sign({ ...good(), sub: `u${i}` }))
        assert.equal(x.error?.reason, 'UNAVAILABLE')
        assert.equal(x.error.entry.status, 503)
      }
      assert.ok(performance.now() - before < 4_500)
      assert.ok(server.fetches <= 3, `${server.fetches} fetches`)
    } finally {
      await server.close()
    }
  })
}

test('tokens pass again soon after the issuer is back', async () => {
  const server = await startKeyServer([rsaJwk])
  server.mood = 'fail'
  try {
    const house = host()
    const ask = identify([remote(server.uri)], house)
    assert.equal((await ask(await sign(good()))).error?.reason, 'UNAVAILABLE')
    server.mood = 'serve'
    house.time = Date.now() + 1_001
    assert.equal((await ask(await sign({ ...good(), exp: seconds() + 900 }))).error, undefined)
  } finally {
    await server.close()
  }
})

test('tokens under known keys pass while the issuer is gone, others are unavailable', async (t) => {
  const server = await startKeyServer([rsaJwk])
  const ask = identify([remote(server.uri)])
  assert.equal((await ask(await sign(good()))).error, undefined)
  await server.close()
  // jose goes by Date: after eleven minutes it wants the key set again.
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 660_000 })
  assert.equal((await ask(await sign({ ...good(), sub: 'new' }))).principal?.id, 'new')
  const unknown = await ask(await sign(good(), { kid: 'unknown' }, stranger.privateKey))
  assert.equal(unknown.error?.reason, 'UNAVAILABLE')
})

test('a new key is noticed within 30 s', async (t) => {
  const server = await startKeyServer([rsaJwk])
  try {
    const ask = identify([remote(server.uri)])
    assert.equal((await ask(await sign(good()))).error, undefined)
    server.keys = [ecJwk]
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 30_000 })
    const token = await sign(good(), { alg: 'ES256', kid: 'ec-1' }, ec.privateKey)
    assert.equal((await ask(token)).error, undefined)
  } finally {
    await server.close()
  }
})

type Change = { readonly [Key in keyof JwtOptions]?: JwtOptions[Key] | undefined }

const misconfigured: readonly [string, Change, RegExp][] = [
  ['HS with a key set', { algorithms: ['HS256'] }, /algorithms: with a key set .* not HS256/],
  ['RS with a secret', { secret, jwks: undefined }, /algorithms: with a secret .* not RS256/],
  ['none', { algorithms: ['RS256', 'none'] }, /not none/],
  ['no algorithm', { algorithms: [] }, /algorithms/],
  ['a secret and a key set', { secret }, /at most one of/],
  [
    'neither, for an issuer that cannot be asked',
    { jwks: undefined, issuer: 'house' },
    /issuer: without secret, jwks and jwksUri it must be an https address/,
  ],
  ['no audience', { audience: [] }, /audience: must name/],
  [
    'a short secret',
    { secret: 'x'.repeat(31), jwks: undefined, algorithms: ['HS256'] },
    /secret: must have at least 32/,
  ],
  ['a skew above a minute', { clockSkewMs: 60_001 }, /clockSkew/],
  ['a key set that is no JSON', { jwks: 'SECRET' }, /jwks: must be a JSON Web Key Set/],
  ['a key set without keys', { jwks: '{"keys":[]}' }, /jwks: must be/],
  [
    'a secret inside the key set',
    { jwks: JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }) },
    /is a secret/,
  ],
  [
    'a private key inside the key set',
    { jwks: JSON.stringify({ keys: [await exportJWK(rsa.privateKey)] }) },
    /is a private key/,
  ],
  [
    'a key set behind a password, which the log would tell',
    { jwks: undefined, jwksUri: 'https://user:s3cret@id.example/jwks' },
    /jwksUri: (?!.*s3cret)/,
  ],
  ['a key set at no address', { jwks: undefined, jwksUri: 'file:///etc/passwd' }, /jwksUri/],
]
for (const [name, change, message] of misconfigured) {
  test(`the configuration is refused: ${name}`, () => {
    const jwt = [{ ...keySet, ...change } as JwtOptions]
    assert.throws(
      () => createIdentity({ jwt, apiKeys: {}, consumers: [] }, host()),
      (error: Error) =>
        message.test(error.message) &&
        error.message.startsWith('auth.jwt') &&
        !error.message.includes('SECRET'),
    )
  })
}

test('two entries for one issuer are refused', () => {
  assert.throws(
    () => createIdentity({ jwt: [keySet, shared], apiKeys: {}, consumers: [] }, host()),
    /auth\.jwt\[1\]\.issuer/,
  )
})

function remote(jwksUri: string): JwtOptions {
  return { issuer, audience, algorithms: ['RS256', 'ES256'], jwksUri, clockSkewMs: 0 }
}
