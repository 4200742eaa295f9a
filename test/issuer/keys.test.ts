import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import { calculateJwkThumbprint, decodeProtectedHeader, exportJWK, SignJWT } from 'jose'
import { silentLog } from '../../src/core/log.ts'
import { KeyRing, type KeyRingOptions } from '../../src/issuer/key-ring.ts'
import { type KeyStorage, KeysInFile, KeysInMemory } from '../../src/issuer/key-storage.ts'
import { createSigningKey, writeKeySet } from '../../src/issuer/signing-key.ts'
import { folderOf } from '../config/files.ts'
import { startBackend, startGateway, type TestGateway } from '../world.ts'
import { bearer, issuerConfig, logIn, refresh } from './issuer-world.ts'

const hour = 3_600_000
const day = 24 * hour
const start = Date.UTC(2026, 0, 1)

interface Clock {
  now: number
}

function ringOf(storage: KeyStorage, clock: Clock, options: Partial<KeyRingOptions> = {}): KeyRing {
  return new KeyRing({
    storage,
    algorithm: 'ES256',
    rotateEveryMs: 90 * day,
    keptForMs: hour,
    now: () => clock.now,
    log: silentLog,
    ...options,
  })
}

async function kids(ring: KeyRing): Promise<readonly (string | undefined)[]> {
  return (await ring.published()).map(({ kid }) => kid)
}

describe('keys of the issuer', () => {
  for (const [name, storageOf] of [
    ['memory', () => new KeysInMemory()],
    ['a file', (t: TestContext) => new KeysInFile(folderOf(t, {})('keys.json'))],
  ] as const) {
    test(`in ${name}: the next one is published before it signs, the old one until its last token has expired`, async (t) => {
      const clock = { now: start }
      const ring = ringOf(storageOf(t), clock)
      const first = (await ring.signer()).kid
      assert.deepEqual(await kids(ring), [first])
      clock.now = start + 90 * day - hour - 31_000
      assert.deepEqual(await kids(ring), [first], 'not yet')
      clock.now += 31_000
      const both = await kids(ring)
      assert.equal(both.length, 2)
      assert.equal(both[0], first)
      const second = both[1]
      clock.now = start + 90 * day - 1
      assert.equal((await ring.signer()).kid, first, 'the next one does not sign yet')
      clock.now++
      assert.equal((await ring.signer()).kid, second, 'the next one signs')
      clock.now = start + 90 * day + hour - 1
      assert.deepEqual(await kids(ring), both, 'the last token of the first one has not expired')
      clock.now += 31_000
      assert.deepEqual(await kids(ring), [second])
      clock.now = start + 180 * day
      assert.notEqual((await ring.signer()).kid, first)
      // Whoever was away for a year begins with a key that is published for an hour before it signs.
      clock.now = start + 500 * day
      const late = (await ring.signer()).kid
      assert.equal((await kids(ring)).length, 2)
      clock.now += hour
      assert.notEqual((await ring.signer()).kid, late)
    })
  }

  test('another algorithm comes into use like another key', async () => {
    const clock = { now: start }
    const storage = new KeysInMemory()
    const before = await ringOf(storage, clock).signer()
    const ring = ringOf(storage, clock, { algorithm: 'EdDSA' })
    assert.equal((await ring.signer()).kid, before.kid)
    clock.now += hour
    assert.equal((await ring.signer()).algorithm, 'EdDSA')
    assert.equal((await ring.published()).length, 2)
  })

  test('of gateways that want different algorithms do not pile up', async () => {
    const clock = { now: start }
    const storage = new KeysInMemory()
    const rings = [ringOf(storage, clock), ringOf(storage, clock, { algorithm: 'EdDSA' })]
    for (let minutes = 0; minutes < 30; minutes++) {
      clock.now += 60_000
      for (const ring of rings) await ring.signer()
    }
    assert.equal((await storage.read())?.length, 2)
  })

  test('are named by the thumbprint of RFC 7638', async () => {
    const { kid, publicKey } = await createSigningKey('ES256', 0)
    assert.equal(kid, await calculateJwkThumbprint(await exportJWK(publicKey)))
  })

  test('gateways that start at once with one file have one key; the file is for its owner only, and nothing else is left', async (t) => {
    const path = folderOf(t, {})
    const clock = { now: start }
    const rings = Array.from({ length: 8 }, () => ringOf(new KeysInFile(path('keys.json')), clock))
    const signers = await Promise.all(rings.map((ring) => ring.signer()))
    assert.equal(new Set(signers.map(({ kid }) => kid)).size, 1)
    assert.equal(statSync(path('keys.json')).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(path('')), ['keys.json'])
    // And when they rotate at once, all agree by the time that the new key signs.
    clock.now = start + 90 * day - hour
    await Promise.all(rings.map((ring) => ring.published()))
    clock.now = start + 90 * day
    const next = await Promise.all(rings.map((ring) => ring.signer()))
    assert.equal(new Set(next.map(({ kid }) => kid)).size, 1)
    assert.notEqual(next[0]?.kid, signers[0]?.kid)
    assert.equal(statSync(path('keys.json')).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(path('')), ['keys.json'])
  })

  test('a key that another gateway has just made is found by its id, and junk ids do not read the file each time', async () => {
    const clock = { now: start }
    const storage = new KeysInMemory()
    let reads = 0
    const counting: KeyStorage = {
      read: () => {
        reads++
        return storage.read()
      },
      create: (keys) => storage.create(keys),
      replace: (keys) => storage.replace(keys),
    }
    const ring = ringOf(counting, clock)
    await ring.signer()
    const another = await createSigningKey('ES256', start + hour)
    await storage.replace([...((await storage.read()) ?? []), another])
    clock.now += 1_000
    assert.ok(await ring.verifier(another.kid, 'ES256'))
    assert.equal(await ring.verifier(another.kid, 'EdDSA'), undefined)
    assert.equal(await ring.verifier(undefined, 'ES256'), undefined)
    reads = 0
    for (let i = 0; i < 1_000; i++) await ring.verifier(`junk-${i}`, 'ES256')
    assert.ok(reads <= 1, String(reads))
  })

  test('a key that was taken out of the file is looked for no more, though nobody asks for another one', async () => {
    const clock = { now: start }
    const storage = new KeysInMemory()
    const ring = ringOf(storage, clock)
    const { kid } = await ring.signer()
    const { version } = ring
    await storage.replace([await createSigningKey('ES256', start)])
    clock.now += 31_000
    assert.equal(await ring.verifier(kid, 'ES256'), undefined)
    assert.notEqual(ring.version, version)
  })

  test('sign on while the file is broken, cannot be read or cannot be written; the log says so', async (t) => {
    const path = folderOf(t, {})
    const clock = { now: start }
    const errors: string[] = []
    const log = { ...silentLog, error: (_: object, message: string) => errors.push(message) }
    const ring = ringOf(new KeysInFile(path('keys.json')), clock, { log })
    const { kid } = await ring.signer()
    writeFileSync(path('keys.json'), '{"keys": [')
    clock.now += 31_000
    assert.equal((await ring.signer()).kid, kid)
    assert.equal(errors.length, 1)
    clock.now = start + 100 * day
    assert.equal((await ring.signer()).kid, kid)
    assert.equal(errors.length, 1, 'once')
    chmodSync(path(''), 0o500)
    writeFileSync(path('keys.json'), writeKeySet([await createSigningKey('ES256', start)]))
    clock.now += 31_000
    await ring.signer()
    chmodSync(path(''), 0o700)
    if (process.getuid?.() !== 0) assert.equal(errors.length, 2)
  })
})

describe('a key file that a gateway is started with', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey.export({ format: 'jwk' })
  const publicOnly = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'jwk' })
  const ec2 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })

  for (const [name, text, says] of [
    ['no JSON', '{', /auth\.issuer\.keys\.file: keys\.json is no JSON/],
    ['an empty file', '', /is no JSON$/],
    ['no keys', '{"keys": []}', /is no JSON Web Key Set with a key in it/],
    [
      'a public key',
      JSON.stringify({ keys: [publicOnly] }),
      /keys\[0\] is no private key for ES256, EdDSA or RS256/,
    ],
    ['a secret', JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }), /keys\[0\] is no private key/],
    ['a curve that no algorithm here has', JSON.stringify({ keys: [p384] }), /keys\[0\] is no private key/],
    ['RSA of 1,024 bits', JSON.stringify({ keys: [rsa] }), /keys\[0\] is too short/],
    [
      'a key that is none',
      JSON.stringify({ keys: [{ ...ec, x: 'AAAA' }] }),
      /keys\[0\] is no private key that can be read/,
    ],
    [
      'a private part of another key',
      JSON.stringify({ keys: [{ ...ec, d: ec2.d }] }),
      /keys\[0\] has a private part that does not fit/,
    ],
    [
      'a time that is none',
      JSON.stringify({ keys: [{ ...ec, signsFrom: 'soon' }] }),
      /keys\[0\]\.signsFrom is no time/,
    ],
  ] as const) {
    test(`is refused with its place: ${name}`, async (t) => {
      const file = folderOf(t, { 'keys.json': text })('keys.json')
      await assert.rejects(
        startGateway(t, { auth: { issuer: issuerConfig({ keys: { file } }) } }),
        (error: Error) => {
          assert.match(error.message.replace(file, 'keys.json'), says)
          assert.equal(error.message.includes('c2VjcmV0'), false)
          return true
        },
      )
    })
  }

  test('that others may read is warned of; keys that end with the process are, too', async (t) => {
    const file = folderOf(t, {})('keys.json')
    writeFileSync(file, writeKeySet([await createSigningKey('ES256', 0)]))
    chmodSync(file, 0o644)
    const open = await startGateway(t, { auth: { issuer: issuerConfig({ keys: { file } }) } })
    assert.ok(open.logs.some(({ message }) => String(message).startsWith('others on this machine may read')))
    const memory = await startGateway(t, { auth: { issuer: issuerConfig() } })
    assert.ok(memory.logs.some(({ message }) => String(message).includes('keeps its keys in memory')))
  })

  test('is not made by whoever only looks at the configuration, and is made by the first login', async (t) => {
    const file = folderOf(t, {})('keys.json')
    const config = { auth: { issuer: issuerConfig({ keys: { file } }) } }
    const { url } = await startGateway(t, config)
    assert.throws(() => readFileSync(file), { code: 'ENOENT' })
    const { access_token } = await logIn(url)
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).keys[0].kid, decodeProtectedHeader(access_token).kid)
  })

  test('cannot be made: says so at the start', async (t) => {
    const file = folderOf(t, {})('no/such/folder/keys.json')
    await assert.rejects(
      startGateway(t, { auth: { issuer: issuerConfig({ keys: { file } }) } }),
      /keys\.file: cannot be made/,
    )
  })
})

describe('tokens of the issuer', () => {
  async function started(t: TestContext, issuer: object, now = Date.now): Promise<TestGateway> {
    const backend = await startBackend(t)
    return await startGateway(
      t,
      {
        upstreams: { backend: { targets: [{ url: backend.url }] } },
        routes: [{ id: 'users', path: '/v1/users/**', methods: ['GET'], upstream: 'backend' }],
        auth: { issuer: issuerConfig(issuer) },
      },
      { now },
    )
  }
  const use = async (url: string, token: string): Promise<number> =>
    (await fetch(`${url}/v1/users/1`, { headers: bearer(token) })).status

  test('are good across a rotation, and a restart with the same file', async (t) => {
    const keys = { file: folderOf(t, {})('keys.json') }
    let now = Date.now()
    const { url } = await started(t, { keys, refreshTokenFor: '366d' }, () => now)
    const old = await logIn(url)
    now += 90 * day - hour
    await fetch(`${url}/.well-known/jwks.json`)
    now += hour - 60_000
    const before = await (await refresh(url, old.refresh_token)).json()
    now += 2 * 60_000
    const again = await started(t, { keys, refreshTokenFor: '366d' }, () => now)
    const after = await logIn(again.url)
    const { access_token: token } = before as { access_token: string }
    assert.notEqual(decodeProtectedHeader(token).kid, decodeProtectedHeader(after.access_token).kid)
    for (const place of [url, again.url]) {
      assert.equal(await use(place, token), 200)
      assert.equal(await use(place, after.access_token), 200)
      assert.equal(await use(place, old.access_token), 401)
    }
  })

  test('end with the file of the keys, also those that were used before', async (t) => {
    const file = folderOf(t, {})('keys.json')
    let now = Date.now()
    const { url } = await started(t, { keys: { file } }, () => now)
    const [used, unused] = [await logIn(url), await logIn(url)]
    assert.equal(await use(url, used.access_token), 200)
    rmSync(file)
    now += 31_000
    assert.equal(await use(url, unused.access_token), 401)
    assert.equal(await use(url, used.access_token), 401)
    assert.equal(await use(url, (await logIn(url)).access_token), 200)
  })

  test('last no longer than a shorter time that is configured later: a logout is remembered for so long', async (t) => {
    const keys = { file: folderOf(t, {})('keys.json') }
    let now = Date.now()
    const before = await started(t, { keys, accessTokenFor: '2h' }, () => now)
    const { access_token: token } = await logIn(before.url)
    const after = await started(t, { keys, accessTokenFor: '10m' }, () => now)
    assert.equal(await use(after.url, token), 200)
    now += 11 * 60_000
    assert.equal(await use(after.url, token), 401)
    assert.equal(await use(before.url, token), 200)
  })

  test('of another gateway of the same name, or made by somebody with the public key, are refused', async (t) => {
    const { url } = await started(t, {})
    const another = await started(t, {})
    const good = await logIn(url)
    assert.equal(await use(url, (await logIn(another.url)).access_token), 401)
    const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as {
      keys: { kid: string }[]
    }
    const evil = await createSigningKey('ES256', 0)
    const payload = JSON.parse(Buffer.from(good.access_token.split('.')[1] ?? '', 'base64url').toString())
    const header = { typ: 'at+jwt', kid: keys[0]?.kid ?? '' }
    const forged = await Promise.all([
      new SignJWT(payload).setProtectedHeader({ ...header, alg: 'ES256' }).sign(evil.privateKey),
      new SignJWT(payload)
        .setProtectedHeader({ ...header, alg: 'ES256', jwk: evil.jwk })
        .sign(evil.privateKey),
      new SignJWT(payload)
        .setProtectedHeader({ ...header, alg: 'HS256' })
        .sign(new TextEncoder().encode(JSON.stringify(keys[0]))),
    ])
    const [head = '', body = ''] = good.access_token.split('.')
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
    for (const token of [...forged, `${none}.${body}.`, `${head}.${body}.${'A'.repeat(86)}`])
      assert.equal(await use(url, token), 401)
    assert.equal(await use(url, good.access_token), 200)
  })

  test('are refused where they are not meant for this gateway, or are no access tokens', async (t) => {
    const file = folderOf(t, {})('keys.json')
    const key = await createSigningKey('ES256', 0)
    writeFileSync(file, writeKeySet([key]), { mode: 0o600 })
    const { url } = await started(t, { keys: { file } })
    const good = await logIn(url)
    const payload = JSON.parse(Buffer.from(good.access_token.split('.')[1] ?? '', 'base64url').toString())
    const sign = (changes: object, header: object = {}): Promise<string> =>
      new SignJWT({ ...payload, ...changes })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid, ...header })
        .sign(key.privateKey)
    assert.equal(await use(url, await sign({})), 200)
    for (const [name, token] of [
      ['another audience', await sign({ aud: 'other' })],
      ['another issuer', await sign({ iss: 'other' })],
      ['another type', await sign({}, { typ: 'JWT' })],
      ['no session', await sign({ sid: undefined })],
      ['no id', await sign({ jti: undefined })],
      ['no end', await sign({ exp: undefined })],
      ['a user that there is not', await sign({ sub: 'nobody' })],
      ['an older password', await sign({ cred: 'older' })],
      ['no key id', await sign({}, { kid: undefined })],
    ] as const)
      assert.equal(await use(url, token), 401, name)
  })
})
