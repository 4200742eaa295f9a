import assert from 'node:assert/strict'
import { createSign, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { GatewayError } from '../../src/core/error.ts'
import { silentLog } from '../../src/core/log.ts'
import type { Principal } from '../../src/core/principal.ts'
import { ConsumerCertificates } from '../../src/plugins/identity/consumer-certificates.ts'
import {
  nameOf,
  namesOf,
  type Revocable,
  revocableNamed,
  tokenDigest,
} from '../../src/plugins/identity/revocable.ts'
import { Revocations, type RevocationTerms } from '../../src/plugins/identity/revocations.ts'
import { TokenAuthenticator } from '../../src/plugins/identity/token-authenticator.ts'
import { exchange, host, seeded } from './harness.ts'

const issuer = 'https://id.example'
const startMs = Date.UTC(2026, 0, 1)

function token(over: Partial<Principal> = {}): Principal {
  const base = { id: 'ann', issuer, roles: [], scopes: [], via: 'jwt', credentialId: 'jti-1' } as const
  return { ...base, tokenDigest: 'd-1', claims: { sid: 's-1' }, issuedAt: startMs - 1_000, ...over }
}

function key(over: Partial<Principal> = {}): Principal {
  return { id: 'acme', consumer: 'acme', roles: [], scopes: [], via: 'apiKey', credentialId: 'k-1', ...over }
}

function certificate(over: Partial<Principal> = {}): Principal {
  return {
    id: 'acme',
    consumer: 'acme',
    roles: [],
    scopes: [],
    via: 'certificate',
    credentialId: 'ab',
    ...over,
  }
}

function made(options: { maxEntries?: number } = {}) {
  const clock = { now: startMs }
  const errors: string[] = []
  const log = { ...silentLog, error: (_: object, message: string) => void errors.push(message) }
  return { clock, errors, list: new Revocations({ ...options, log, now: () => clock.now }) }
}

function reasonOf(list: Revocations, principal: Principal): string {
  try {
    list.check(principal)
    return 'accepted'
  } catch (error) {
    return (error as GatewayError).reason
  }
}

const cases: readonly (readonly [string, Revocable, RevocationTerms, Principal, string])[] = [
  ['a token by its id', { jti: 'jti-1', issuer }, {}, token(), 'TOKEN_REVOKED'],
  ['not one of another id', { jti: 'jti-2', issuer }, {}, token(), 'accepted'],
  [
    'not the same id of another issuer',
    { jti: 'jti-1', issuer: 'https://other.example' },
    {},
    token(),
    'accepted',
  ],
  [
    'an opaque token by its id',
    { jti: 'jti-1', issuer },
    {},
    token({ via: 'introspection' }),
    'TOKEN_REVOKED',
  ],
  [
    'a token by its digest',
    { digest: 'd-1' },
    {},
    token({ credentialId: undefined } as object),
    'TOKEN_REVOKED',
  ],
  ['all tokens of a session', { sid: 's-1', issuer }, {}, token({ credentialId: 'x' }), 'TOKEN_REVOKED'],
  ['not a session of another issuer', { sid: 's-1', issuer: 'other' }, {}, token(), 'accepted'],
  ['a key by its id', { key: 'k-1' }, {}, key(), 'KEY_REVOKED'],
  ['not a token whose id is that of a key', { key: 'jti-1' }, {}, token(), 'accepted'],
  [
    'not a key whose id is that of a token',
    { jti: 'k-1', issuer: 'https://id.example' },
    {},
    key(),
    'accepted',
  ],
  ['a certificate', { certificate: 'ab' }, {}, certificate(), 'TOKEN_REVOKED'],
  [
    'a certificate, for the tokens that are bound to it',
    { certificate: 'ab' },
    {},
    token({ claims: { cnf: { 'x5t#S256': Buffer.from('ab', 'hex').toString('base64url') } } }),
    'TOKEN_REVOKED',
  ],
  ['a user, for what was issued before', { sub: 'ann', issuer }, {}, token(), 'TOKEN_REVOKED'],
  [
    'not for what is issued later',
    { sub: 'ann', issuer },
    {},
    token({ issuedAt: startMs + 1_000 }),
    'accepted',
  ],
  [
    'a user, for what does not say when it was issued',
    { sub: 'ann', issuer },
    {},
    token({ issuedAt: undefined } as object),
    'TOKEN_REVOKED',
  ],
  [
    'a user from a moment in the past',
    { sub: 'ann', issuer },
    { before: startMs - 5_000 },
    token(),
    'accepted',
  ],
  ['not a user of another issuer', { sub: 'ann', issuer: 'other' }, {}, token(), 'accepted'],
  ['a consumer, for its keys', { consumer: 'acme' }, {}, key(), 'KEY_REVOKED'],
  ['a consumer, for its certificates', { consumer: 'acme' }, {}, certificate(), 'TOKEN_REVOKED'],
  ['a consumer, for its tokens', { consumer: 'acme' }, {}, token({ consumer: 'acme' }), 'TOKEN_REVOKED'],
  ['not a user of that name', { consumer: 'ann' }, {}, token(), 'accepted'],
  [
    'a pause, also for what is issued during it',
    { sub: 'ann', issuer },
    { until: startMs + 60_000 },
    token({ issuedAt: startMs + 1_000 }),
    'TOKEN_REVOKED',
  ],
]

for (const [name, what, terms, principal, expected] of cases) {
  test(`revokes ${name}`, async () => {
    const { list } = made()
    assert.equal(reasonOf(list, principal), 'accepted')
    assert.equal(await list.revoke(what, terms), 'everywhere')
    assert.equal(reasonOf(list, principal), expected)
    assert.deepEqual(list.find(what)?.what, what)
    assert.equal(await list.lift(what), 'everywhere')
    assert.equal(reasonOf(list, principal), 'accepted')
    assert.equal(list.find(what), undefined)
    assert.equal(await list.lift(what), undefined)
    assert.deepEqual([...list.list()], [])
  })
}

test('a pause ends by itself, and everything is accepted again', async () => {
  const { list, clock } = made()
  await list.revoke({ consumer: 'acme' }, { until: startMs + 60_000 })
  assert.equal(reasonOf(list, key()), 'KEY_REVOKED')
  clock.now += 60_000
  assert.equal(reasonOf(list, key()), 'accepted')
  list.sweep()
  assert.equal(list.size, 0)
})

test('terms that make no sense are refused, and change nothing', async () => {
  const { list } = made()
  const wrong: readonly (readonly [Revocable, RevocationTerms, RegExp])[] = [
    [{ jti: 'a', issuer }, { before: startMs }, /for users and consumers/],
    [{ key: 'a' }, { until: startMs + 1 }, /for users and consumers/],
    [{ sub: 'a', issuer }, { until: startMs }, /has passed/],
    [{ jti: 'a', issuer }, { expiresAt: startMs - 60_000 }, /has expired/],
    [{ jti: 'a', issuer }, { note: 'x'.repeat(201) }, /200/],
  ]
  for (const [what, terms, message] of wrong) await assert.rejects(list.revoke(what, terms), message)
  assert.equal(list.size, 0)
})

test('an entry lives a minute longer than its token may, because of clocks, and is then dropped', async () => {
  const { list, clock } = made()
  await list.revoke({ jti: 'jti-1', issuer }, { expiresAt: startMs + 1_000 })
  clock.now += 60_999
  list.sweep()
  assert.equal(reasonOf(list, token()), 'TOKEN_REVOKED')
  clock.now += 1
  list.sweep()
  assert.equal(list.size, 0)
})

test('a full list refuses new entries, keeps the old ones, and has room for users when it has none for tokens', async () => {
  const { list, clock, errors } = made({ maxEntries: 100 })
  const ends = startMs + 600_000
  for (let i = 0; i < 90; i++) await list.revoke({ jti: `t${i}`, issuer }, { expiresAt: ends })
  const full = (error: unknown) => error instanceof GatewayError && error.reason === 'UNAVAILABLE'
  for (let i = 0; i < 3; i++)
    await assert.rejects(list.revoke({ jti: 'one more', issuer }, { expiresAt: ends }), full)
  assert.deepEqual(errors, ['the list of revocations is full: new ones are refused'])
  await list.revoke({ jti: 't0', issuer }, { expiresAt: ends, note: 'again' })
  for (let i = 0; i < 10; i++) await list.revoke({ sub: `u${i}`, issuer }, { expiresAt: ends })
  await assert.rejects(list.revoke({ sub: 'one more', issuer }), full)
  for (let i = 0; i < 90; i++) assert.ok(list.find({ jti: `t${i}`, issuer }), `t${i}`)
  // What has expired makes room at once.
  clock.now = ends + 60_001
  await list.revoke({ jti: 'one more', issuer })
  assert.equal(list.size, 1)
})

test('what another node has revoked is taken in though the list is full', async () => {
  const { list } = made({ maxEntries: 100 })
  for (let i = 0; i < 90; i++) await list.revoke({ jti: `t${i}`, issuer })
  const entry = {
    version: 1,
    expiresAt: Number.POSITIVE_INFINITY,
    before: Number.POSITIVE_INFINITY,
    until: 0,
    note: '',
  }
  list.merge(nameOf({ jti: 'jti-1', issuer }), entry)
  assert.equal(reasonOf(list, token()), 'TOKEN_REVOKED')
})

test('names are told back as what they name', () => {
  const all: Revocable[] = [
    { jti: 'a\nb', issuer },
    { digest: 'x' },
    { sid: '', issuer },
    { key: 'k' },
    { certificate: 'ab' },
    { sub: 'a b', issuer },
    { consumer: 'c' },
  ]
  for (const what of all) assert.deepEqual(revocableNamed(nameOf(what)), what)
})

test('no two credentials share a name, whatever a token says of itself', () => {
  const hostile = token({ credentialId: 'x\nsub\nann', claims: { sid: 'y\n\nconsumer\n\nacme' } })
  const names = namesOf(hostile)
  for (const what of [
    { sub: 'acme', issuer },
    { consumer: 'acme' },
    { key: 'k-1' },
    { jti: 'sub\nann', issuer },
  ] as const)
    assert.ok(!names.includes(nameOf(what)))
})

test('a token without an id stays revoked when its ECDSA signature is changed into the other valid one', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = publicKey.export({ format: 'jwk' })
  const options = {
    issuer,
    audience: 'api',
    algorithms: ['ES256'],
    clockSkewMs: 0,
    jwks: JSON.stringify({ keys: [jwk] }),
  } as const
  const verifier = new TokenAuthenticator({ jwt: [options] }, host())
  const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const exp = Math.floor(Date.now() / 1_000) + 300
  const input = `${b64({ alg: 'ES256' })}.${b64({ iss: issuer, aud: 'api', sub: 'ann', exp })}`
  const signature = createSign('sha256').update(input).sign({ key: privateKey, dsaEncoding: 'ieee-p1363' })
  // FIPS 186-5: (r, n - s) is valid wherever (r, s) is.
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const s = BigInt(`0x${signature.subarray(32).toString('hex')}`)
  const other = Buffer.concat([
    signature.subarray(0, 32),
    Buffer.from((n - s).toString(16).padStart(64, '0'), 'hex'),
  ])
  const tokens = [signature, other].map((bytes) => `${input}.${bytes.toString('base64url')}`)
  const principals = await Promise.all(
    tokens.map(
      (text) =>
        verifier.authenticate(
          exchange({ request: { headers: { authorization: `Bearer ${text}` } } }),
        ) as Promise<Principal>,
    ),
  )
  const list = new Revocations()
  await list.revoke({ token: tokens[0] ?? '' })
  for (const principal of principals) assert.equal(reasonOf(list, principal as Principal), 'TOKEN_REVOKED')
  assert.notEqual(tokenDigest('opaque'), tokenDigest('opaque2'))
})

test('holds exactly what a plain model holds, over random changes of three nodes that hear of each other late', async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seeded(seed)
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
    const clock = { now: startMs }
    const nodes = [0, 1, 2].map(() => new Revocations({ now: () => clock.now }))
    const heard: { name: string; entry: Parameters<Revocations['merge']>[1]; to: Set<Revocations> }[] = []
    for (const node of nodes) {
      node.shareBy({
        async write(name, entry) {
          heard.push({ name, entry, to: new Set(nodes.filter((other) => other !== node)) })
          return true
        },
      })
    }
    // One writer at a time and everybody told before the next one: then the newest change is the one that holds.
    const model = new Map<string, { before: number; until: number; ends: number }>()
    const endsOf = (what: Revocable): number => model.get(nameOf(what))?.ends ?? 0
    const subjects: readonly Revocable[] = [
      { jti: 'jti-1', issuer },
      { sub: 'ann', issuer },
      { key: 'k-1' },
      { consumer: 'acme' },
    ]
    for (let step = 0; step < 40; step++) {
      const what = pick(subjects)
      const node = pick(nodes)
      const isPerson = 'sub' in what || 'consumer' in what
      const choice = random()
      if (choice < 0.3) {
        await node.lift(what)
        const held = model.get(nameOf(what))
        if (held !== undefined) model.set(nameOf(what), { ...held, before: 0, until: 0 })
      } else if (choice < 0.5 && isPerson) {
        const until = clock.now + 1_000 + Math.floor(random() * 100_000)
        await node.revoke(what, { until })
        model.set(nameOf(what), { before: 0, until, ends: Math.max(until, endsOf(what)) })
      } else {
        const expiresAt = clock.now + Math.floor(random() * 200_000)
        await node.revoke(what, { expiresAt })
        model.set(nameOf(what), {
          before: isPerson ? clock.now : Number.POSITIVE_INFINITY,
          until: 0,
          ends: Math.max(expiresAt + 60_000, endsOf(what)),
        })
      }
      // In any order, and some of it twice.
      for (const { name, entry, to } of heard.toSorted(() => random() - 0.5)) {
        for (const other of to) other.merge(name, entry)
        if (random() < 0.7) to.clear()
      }
      clock.now += Math.floor(random() * 30_000)
      for (const one of nodes) if (random() < 0.5) one.sweep()
      const issuedAt = clock.now - Math.floor(random() * 60_000)
      for (const [principal, subject] of [
        [token({ issuedAt, tokenDigest: 'none', claims: {} }), subjects.slice(0, 2)],
        [key({ issuedAt }), subjects.slice(2)],
      ] as const) {
        const expected = subject.some((one) => {
          const held = model.get(nameOf(one))
          return (
            held !== undefined && clock.now < held.ends && (issuedAt < held.before || clock.now < held.until)
          )
        })
        for (const [i, one] of nodes.entries())
          if (!(one.isRevoked(principal) && !expected && isPastEnd(model, subject, clock.now)))
            assert.equal(one.isRevoked(principal), expected, `seed ${seed}, step ${step}, node ${i}`)
      }
    }
  }
})

/** What has expired may still be held until it is swept: nobody can present it. */
function isPastEnd(
  model: ReadonlyMap<string, { ends: number }>,
  subjects: readonly Revocable[],
  now: number,
): boolean {
  return subjects.some((one) => (model.get(nameOf(one))?.ends ?? Number.POSITIVE_INFINITY) <= now)
}

test('a connection that outlives its certificate has no identity from then on', () => {
  const clock = { now: startMs }
  const certificates = new ConsumerCertificates(
    [{ id: 'acme', roles: [], scopes: [], keys: [], certificates: [{ san: 'dns:a.example' }] }],
    () => clock.now,
  )
  const clientCertificate = {
    subject: '',
    fingerprint: 'ab',
    alternativeNames: ['dns:a.example'],
    validFrom: startMs - 1,
    validTo: startMs + 1_000,
  }
  const x = exchange({ request: { clientCertificate } })
  assert.equal(certificates.authenticate(x)?.id, 'acme')
  clock.now += 1_000
  assert.equal(certificates.authenticate(x), undefined)
})
