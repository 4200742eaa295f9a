import assert from 'node:assert/strict'
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import type { JWK } from 'jose'
import { createIdentity } from '../../src/plugins/identity/identity.ts'
import { identityPlugin } from '../../src/plugins/identity/identity-plugin.ts'
import type { JwtOptions } from '../../src/plugins/identity/jwt-issuer.ts'
import { exchange, host, policy, type TestExchange } from './harness.ts'
import { startKeyServer } from './key-server.ts'
import { byHand } from './token-attacks.ts'

const issuer = {
  issuer: 'https://house.example',
  audience: 'api',
  algorithms: ['HS256'],
  secret: 'a secret that has thirty-two bytes and more',
  clockSkewMs: 30_000,
}
const second = (n: number): number => 1_700_000_000 + n
const claims = { iss: issuer.issuer, aud: 'api', sub: 'ann', iat: second(0), exp: second(3_600) }

function gate(rules: Partial<JwtOptions>, house = host()): (token: string) => Promise<TestExchange> {
  const identity = createIdentity({ jwt: [{ ...issuer, ...rules }], apiKeys: {}, consumers: [] }, house)
  const plugins = [identityPlugin(identity, policy())]
  return (token) => exchange({ plugins, request: { headers: { authorization: `Bearer ${token}` } } }).run()
}

const ofLength = (length: number): string => {
  for (let n = 0; n < length; n++) {
    const token = byHand({ ...claims, filler: 'x'.repeat(n) })
    if (token.length >= length) return token
  }
  throw new Error('cannot be')
}

const invalid = 'JWT_INVALID'
const typ = (value: unknown) => ({ alg: 'HS256', typ: value })
const rules: readonly [string, Partial<JwtOptions>, string, number, string | undefined][] = [
  ['exp, one second before exp and skew', {}, byHand(claims), 3_629, undefined],
  ['exp, at exp and skew', {}, byHand(claims), 3_630, 'JWT_EXPIRED'],
  ['exp, without skew', { clockSkewMs: 0 }, byHand(claims), 3_600, 'JWT_EXPIRED'],
  ['nbf, at the end of the skew', {}, byHand({ ...claims, nbf: second(30) }), 0, undefined],
  ['nbf, a second after it', {}, byHand({ ...claims, nbf: second(31) }), 0, invalid],
  ['iat, at the end of the skew', {}, byHand({ ...claims, iat: second(30) }), 0, undefined],
  ['iat, a second after it', {}, byHand({ ...claims, iat: second(31) }), 0, invalid],
  ['maxAge, within', { maxAgeMs: 60_000 }, byHand(claims), 90, undefined],
  ['maxAge, over', { maxAgeMs: 60_000 }, byHand(claims), 91, 'JWT_EXPIRED'],
  ['maxAge, no iat', { maxAgeMs: 60_000 }, byHand({ ...claims, iat: undefined }), 0, invalid],
  ['maxAge, but exp before it', { maxAgeMs: 86_400_000 }, byHand(claims), 3_631, 'JWT_EXPIRED'],
  ['maxBytes, as long as it may be', { maxBytes: ofLength(400).length }, ofLength(400), 0, undefined],
  ['maxBytes, one longer', { maxBytes: ofLength(400).length - 1 }, ofLength(400), 0, invalid],
  ['maxBytes, more than the default', { maxBytes: 16_384 }, ofLength(9_000), 0, undefined],
  ['requiredClaims, there', { requiredClaims: ['jti'] }, byHand({ ...claims, jti: 'a' }), 0, undefined],
  ['requiredClaims, not there', { requiredClaims: ['jti', 'iat'] }, byHand(claims), 0, invalid],
  ['requiredClaims, inherited', { requiredClaims: ['toString'] }, byHand(claims), 0, invalid],
  ['type, the same', { type: 'at+jwt' }, byHand(claims, typ('at+jwt')), 0, undefined],
  ['type, with application/', { type: 'at+jwt' }, byHand(claims, typ('application/AT+jwt')), 0, undefined],
  ['type, an ID token', { type: 'at+jwt' }, byHand(claims, typ('JWT')), 0, invalid],
  ['type, none', { type: 'at+jwt' }, byHand(claims), 0, invalid],
  ['type, a list', { type: 'at+jwt' }, byHand(claims, typ(['at+jwt'])), 0, invalid],
]

describe('rules of an issuer', () => {
  for (const [name, options, token, at, reason] of rules) {
    test(`${reason ?? 'accepted'}: ${name}`, async () => {
      const house = host()
      house.time = second(at) * 1_000
      const x = await gate(options, house)(token)
      assert.equal(x.error?.reason, reason, String(x.error?.cause))
      assert.equal(x.principal?.id, reason === undefined ? 'ann' : undefined)
    })
  }
})

test('one issuer with long tokens makes those of another no longer', async () => {
  const other = { ...issuer, issuer: 'https://other.example', maxBytes: 16_384 }
  const identity = createIdentity({ jwt: [issuer, other], apiKeys: {}, consumers: [] }, host())
  const plugins = [identityPlugin(identity, policy())]
  const long = byHand({ ...claims, exp: 9_999_999_999, filler: 'x'.repeat(8_000) })
  const x = await exchange({ plugins, request: { headers: { authorization: `Bearer ${long}` } } }).run()
  assert.equal(x.error?.reason, invalid)
})

test('a token that was verified before is refused once it is older than maxAge', async () => {
  const house = host()
  const ask = gate({ maxAgeMs: 60_000, clockSkewMs: 0 }, house)
  const token = byHand(claims)
  house.time = second(59) * 1_000
  assert.equal((await ask(token)).principal?.id, 'ann')
  house.time = second(61) * 1_000
  assert.equal((await ask(token)).error?.reason, 'JWT_EXPIRED')
})

test('the id of the user is read from the claim that is named, and from no other', async () => {
  const house = host()
  house.time = second(0) * 1_000
  const ask = gate({ claims: { user: 'https://x.example/uid' } }, house)
  assert.equal((await ask(byHand({ ...claims, 'https://x.example/uid': 'u-7' }))).principal?.id, 'u-7')
  assert.equal(
    (await ask(byHand({ ...claims, sub: undefined, 'https://x.example/uid': 'u-8' }))).principal?.id,
    'u-8',
  )
  for (const uid of [undefined, '', 7, ['u-7'], 'u\n7']) {
    assert.equal((await ask(byHand({ ...claims, 'https://x.example/uid': uid }))).error?.reason, invalid)
  }
})

test('of the tokens that were verified, the last 10,000 are remembered', async () => {
  const identity = createIdentity({ jwt: [issuer], apiKeys: {}, consumers: [] }, host())
  const plugin = identityPlugin(identity, policy())
  const send = (n: number): void | Promise<void> => {
    const token = byHand({ ...claims, sub: `user-${n}`, exp: 9_999_999_999 })
    return plugin.onRequest?.(exchange({ request: { headers: { authorization: `Bearer ${token}` } } }))
  }
  for (let n = 0; n <= 10_000; n++) await send(n)
  assert.equal(send(10_000), undefined, 'the last one is not remembered')
  assert.equal(send(1), undefined, 'fewer than 10,000 are remembered')
  const first = send(0)
  assert.ok(first instanceof Promise, 'more than 10,000 are remembered')
  await first
})

test('a refused token is not remembered, and a remembered one vouches for no other spelling of it', async () => {
  const house = host()
  house.time = second(0) * 1_000
  const ask = gate({}, house)
  const token = byHand({ ...claims, nbf: second(40) })
  assert.equal((await ask(token)).error?.reason, invalid)
  house.time = second(10) * 1_000
  assert.equal((await ask(token)).principal?.id, 'ann')
  for (const other of [`${token}=`, `${token}.`, ` ${token}.`, token.slice(0, -1)]) {
    assert.equal((await ask(other)).error?.reason, invalid, other)
  }
})

const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const strong = rsa(2_048)
const weak = rsa(1_024)
const jwkOf = (key: KeyObject): JWK => ({ ...(key.export({ format: 'jwk' }) as JWK), kid: 'k' })

function signed(alg: string, key: KeyObject): string {
  const input = byHand(claims, { alg, kid: 'k' }).split('.').slice(0, 2).join('.')
  const signature = createSign('sha256').update(input).sign({ key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

const published: readonly [string, JWK, string, string | undefined][] = [
  ['RSA of 2,048 bits', jwkOf(strong.publicKey), signed('RS256', strong.privateKey), undefined],
  ['RSA of 1,024 bits (RFC 7518 3.3)', jwkOf(weak.publicKey), signed('RS256', weak.privateKey), invalid],
  ['P-384 for ES256 (RFC 7518 3.4)', jwkOf(p384.publicKey), signed('ES256', p384.privateKey), invalid],
  [
    'a key for another algorithm (RFC 7517 4.4)',
    { ...jwkOf(strong.publicKey), alg: 'PS256' },
    signed('RS256', strong.privateKey),
    invalid,
  ],
  [
    'a key for encryption (RFC 7517 4.2)',
    { ...jwkOf(strong.publicKey), use: 'enc' },
    signed('RS256', strong.privateKey),
    invalid,
  ],
  [
    'a secret (RFC 8725 3.1)',
    { kty: 'oct', kid: 'k', k: Buffer.from(issuer.secret).toString('base64url') },
    byHand(claims, { alg: 'HS256', kid: 'k' }),
    invalid,
  ],
]
for (const [name, jwk, token, reason] of published) {
  test(`a key at the issuer's address is ${reason === undefined ? 'used' : 'not used'}: ${name}`, async () => {
    const server = await startKeyServer([jwk])
    try {
      const house = host()
      house.time = second(0) * 1_000
      const { secret: _, ...rest } = issuer
      const options = { ...rest, jwksUri: server.uri, algorithms: ['RS256', 'ES256'] }
      const identity = createIdentity({ jwt: [options], apiKeys: {}, consumers: [] }, house)
      const plugins = [identityPlugin(identity, policy())]
      const x = await exchange({ plugins, request: { headers: { authorization: `Bearer ${token}` } } }).run()
      assert.equal(x.error?.reason, reason, String(x.error?.cause))
    } finally {
      await server.close()
    }
  })
}

test('a configuration that is loaded anew verifies again what the one before had verified', async () => {
  const before = host()
  const token = byHand({ ...claims, exp: 9_999_999_999 })
  const request = { headers: { authorization: `Bearer ${token}` } }
  for (const house of [before, host({}, before)]) {
    const identity = createIdentity({ jwt: [issuer], apiKeys: {}, consumers: [] }, house)
    const found = identity.identify(exchange({ request }))
    assert.ok(
      found instanceof Promise,
      'what else the configuration says of its users may be another thing now',
    )
    assert.equal((await found)?.id, 'ann')
  }
})
