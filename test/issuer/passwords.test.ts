import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLog } from '../../src/core/log.ts'
import { AccessTokens } from '../../src/issuer/access-tokens.ts'
import { AttemptCounts } from '../../src/issuer/attempt-counts.ts'
import { attemptKeys } from '../../src/issuer/attempts.ts'
import { HashTurns } from '../../src/issuer/hash-turns.ts'
import { Issuer } from '../../src/issuer/issuer.ts'
import { KeyRing } from '../../src/issuer/key-ring.ts'
import { KeysInMemory } from '../../src/issuer/key-storage.ts'
import { MemoryAttempts } from '../../src/issuer/memory-attempts.ts'
import { MemorySessions } from '../../src/issuer/memory-sessions.ts'
import {
  costOf,
  hashPassword,
  isPasswordOf,
  type PasswordHash,
  parsePasswordHash,
  writePasswordHash,
} from '../../src/issuer/password-hash.ts'
import { Users } from '../../src/issuer/users.ts'
import { startBackend, startGateway } from '../world.ts'
import { cheapHash, issuerConfig, passwords, post, users } from './issuer-world.ts'

describe('password hashes', () => {
  const unpadded = (hex: string): string => Buffer.from(hex, 'hex').toString('base64').replace(/=+$/, '')
  // RFC 7914 section 12, the third vector, written in PHC format.
  const rfc7914 = `$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$${unpadded(
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
  )}`
  // Of the reference implementation (phc-winner-argon2, test.c): "password", "somesalt", 2 passes over 64 MiB, version 0x13.
  const argon2 = `$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$${unpadded(
    '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7',
  )}`

  test('of others are checked: the vector of RFC 7914, one of the reference implementation of Argon2id', async () => {
    assert.equal(await isPasswordOf(parsePasswordHash(rfc7914), 'pleaseletmein'), true)
    assert.equal(await isPasswordOf(parsePasswordHash(rfc7914), 'pleaseletmeout'), false)
    assert.equal(await isPasswordOf(parsePasswordHash(argon2), 'password'), true)
    assert.equal(await isPasswordOf(parsePasswordHash(argon2), 'passwords'), false)
  })

  test('of our own have a salt of their own, and are written so that they are read back', async () => {
    const [one, other] = [await hashPassword('a password'), await hashPassword('a password')]
    assert.notDeepEqual(one.salt, other.salt)
    assert.match(writePasswordHash(one), /^\$scrypt\$ln=17,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    assert.deepEqual(parsePasswordHash(writePasswordHash(one)), one)
    assert.equal(await isPasswordOf(one, 'a password'), true)
  })

  const tail = '$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  for (const [name, text, says] of [
    ['a password in clear', 'hunter2', /PHC format/],
    ['bcrypt', '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW', /PHC format/],
    ['a bare SHA-256', `sha256:${'0'.repeat(64)}`, /PHC format/],
    ['Argon2i', `$argon2i$v=19$m=65536,t=2,p=1${tail}`, /PHC format/],
    ['an old version of Argon2', `$argon2id$v=16$m=65536,t=2,p=1${tail}`, /PHC format/],
    ['scrypt that is too cheap', `$scrypt$ln=13,r=8,p=1${tail}`, /too weak/],
    ['scrypt without work', `$scrypt$ln=20,r=8,p=0${tail}`, /too weak/],
    ['scrypt of 512 MiB', `$scrypt$ln=19,r=8,p=1${tail}`, /too costly/],
    ['scrypt of 99 doublings', `$scrypt$ln=99,r=999,p=999${tail}`, /too costly/],
    ['scrypt of many turns', `$scrypt$ln=18,r=8,p=99${tail}`, /too costly/],
    ['Argon2id that is too cheap', `$argon2id$v=19$m=8,t=1,p=1${tail}`, /too weak/],
    ['Argon2id in one pass over little', `$argon2id$v=19$m=19456,t=1,p=1${tail}`, /too weak/],
    ['Argon2id of 1 GiB', `$argon2id$v=19$m=1048576,t=1,p=1${tail}`, /too costly/],
    ['Argon2id of many passes', `$argon2id$v=19$m=65536,t=99,p=1${tail}`, /too costly/],
    ['a short salt', '$scrypt$ln=14,r=8,p=1$AAAA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc', /salt/],
    ['a short digest', '$scrypt$ln=14,r=8,p=1$c29tZXNhbHQ$AAAA', /digest/],
  ] as const) {
    test(`that are not taken: ${name}`, () => {
      assert.throws(() => parsePasswordHash(text), says)
    })
  }
})

/** An issuer whose hashes are counted instead of computed. */
function counted(
  entries = users,
  changes: { counts?: AttemptCounts; isPasswordOf?: () => Promise<boolean> } = {},
): { issuer: Issuer; hashes: { cost: string; password: string }[] } {
  const hashes: { cost: string; password: string }[] = []
  const now = Date.now
  const list = entries.map((entry) => ({ roles: [], scopes: [], disabled: false, ...entry }))
  const keys = new KeyRing({
    storage: new KeysInMemory(),
    algorithm: 'ES256',
    rotateEveryMs: 1e10,
    keptForMs: 0,
    now,
    log: silentLog,
  })
  const limits = {
    perUserAndAddress: 1e6,
    queueTimeoutMs: 60_000,
    perAddress: 1e6,
    perUser: 1e6,
    delayMs: 1,
    maxDelayMs: 1,
    forgetAfterMs: 1e6,
  }
  const issuer = new Issuer({
    users: new Users(list),
    sessions: new MemorySessions(now),
    attempts: new MemoryAttempts(limits, { counts: changes.counts ?? new AttemptCounts(), now }),
    turns: new HashTurns({ atOnce: 1, queue: 10, queueTimeoutMs: 60_000, perAddress: 10 }),
    tokens: new AccessTokens({ issuer: 'x', audience: 'x', validForMs: 60_000, keys, now }),
    revocations: { isRevoked: () => false, revoke: async () => {} },
    sessionForMs: 3_600_000,
    sessionsPerUser: 10,
    now,
    log: silentLog,
    isPasswordOf: async (hash: PasswordHash, password: string) => {
      hashes.push({ cost: costOf(hash), password })
      return await (changes.isPasswordOf?.() ?? isPasswordOf(hash, password))
    },
  })
  return { issuer, hashes }
}

test('every login costs one hash of the same kind, whether the user is there, disabled, without a password or not', async () => {
  const { issuer, hashes } = counted([...users, { name: 'dan', passwordHash: '' }] as typeof users)
  const asking = { address: '192.0.2.1', signal: new AbortController().signal }
  for (const username of ['ann', 'eve', 'dan', 'nobody', 'another']) {
    await assert.rejects(issuer.login({ username, password: 'wrong password' }, asking), {
      reason: 'LOGIN_FAILED',
    })
  }
  assert.deepEqual(
    hashes.map(({ cost }) => cost),
    Array.from({ length: 5 }, () => '$scrypt$ln=14,r=8,p=1'),
  )
  await assert.rejects(issuer.login({ username: 'eve', password: passwords.eve }, asking), {
    reason: 'LOGIN_FAILED',
  })
  assert.equal(hashes.length, 6)
  // What cannot be a password costs none.
  for (const password of ['', '\0', 'x'.repeat(1_025), '\ud800'])
    await assert.rejects(issuer.login({ username: 'ann', password }, asking), { reason: 'INVALID_ARGUMENT' })
  assert.equal(hashes.length, 6)
})

describe('turns of hashing', () => {
  const signal = new AbortController().signal

  test('are so many at a time, in order; what is too much is refused at once', async () => {
    const turns = new HashTurns({ atOnce: 2, queue: 3, queueTimeoutMs: 60_000, perAddress: 100 })
    const begun: number[] = []
    const ends: (() => void)[] = []
    const work = (i: number) => (): Promise<number> => {
      begun.push(i)
      return new Promise((resolve) => ends.push(() => resolve(i)))
    }
    const taken = Array.from({ length: 5 }, (_, i) => turns.take(`a${i}`, signal, { work: work(i) }))
    await assert.rejects(turns.take('a9', signal, { work: work(9) }), { reason: 'OVERLOADED', status: 503 })
    assert.deepEqual(begun, [0, 1])
    for (let i = 0; i < 5; i++) {
      ends[i]?.()
      assert.equal(await taken[i], i)
      await sleep(0)
      assert.ok(begun.length - (i + 1) <= 2)
    }
    assert.deepEqual(begun, [0, 1, 2, 3, 4])
    assert.equal(await turns.take('a0', signal, { work: async () => 'room' }), 'room')
  })

  test('of one address are a few, so that it cannot take them all', async () => {
    const turns = new HashTurns({ atOnce: 1, queue: 100, queueTimeoutMs: 60_000, perAddress: 2 })
    const held = Promise.withResolvers<void>()
    const taken = [
      turns.take('a', signal, { work: () => held.promise }),
      turns.take('a', signal, { work: () => held.promise }),
    ]
    await assert.rejects(turns.take('a', signal, { work: async () => {} }), { reason: 'TOO_MANY_ATTEMPTS' })
    const other = turns.take('b', signal, { work: async () => 'b' })
    held.resolve()
    await Promise.all(taken)
    assert.equal(await other, 'b')
    await turns.take('a', signal, { work: async () => {} })
  })

  test('that do not come in time are given up', async () => {
    const turns = new HashTurns({ atOnce: 1, queue: 9, queueTimeoutMs: 1, perAddress: 9 })
    const held = Promise.withResolvers<void>()
    const first = turns.take('a', signal, { work: () => held.promise })
    await assert.rejects(turns.take('a', signal, { work: async () => assert.fail('it was hashed') }), {
      reason: 'OVERLOADED',
    })
    held.resolve()
    await first
    assert.equal(await turns.take('a', signal, { work: async () => 'next' }), 'next')
  })

  test('are not for clients that went away while they waited; one that fails hands its turn on', async () => {
    const turns = new HashTurns({ atOnce: 1, queue: 100, queueTimeoutMs: 60_000, perAddress: 100 })
    const held = Promise.withResolvers<void>()
    const first = turns.take('a', signal, { work: () => held.promise })
    const leaving = new AbortController()
    let hashed = 0
    const gone = turns.take('a', leaving.signal, { work: async () => hashed++ })
    const next = turns.take('a', signal, { work: async () => 'next' })
    leaving.abort()
    await assert.rejects(gone, { reason: 'CLIENT_GONE' })
    await assert.rejects(turns.take('a', AbortSignal.abort(), { work: async () => hashed++ }), {
      reason: 'CLIENT_GONE',
    })
    held.reject(new Error('no'))
    await assert.rejects(first, /no/)
    assert.equal(await next, 'next')
    assert.equal(hashed, 0)
  })
})

test('a flood of logins from many addresses is refused beyond the queue, and others are served all the while', async (t) => {
  const backend = await startBackend(t)
  const { url } = await startGateway(t, {
    server: { trustedProxies: ['127.0.0.1/32'] },
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'open', path: '/open', upstream: 'backend', auth: 'none' }],
    auth: { issuer: issuerConfig({ hashing: { atOnce: 1, queue: 4 } }) },
  })
  const flood = Array.from({ length: 200 }, (_, i) => {
    const from = { 'X-Forwarded-For': `192.0.${i >> 8}.${i & 255}` }
    return post(url, '/auth/login', { username: `user-${i}`, password: 'wrong' }, from)
  })
  let answered = 0
  const floodEnded = Promise.all(flood)
  let over = false
  void floodEnded.then(() => {
    over = true
  })
  while (!over) {
    const reply = await fetch(`${url}/open`)
    assert.equal(reply.status, 200)
    await reply.text()
    answered++
  }
  const statuses = (await floodEnded).map(({ status }) => status)
  const hashed = statuses.filter((status) => status === 401).length
  assert.ok(hashed >= 1, String(hashed))
  assert.equal(statuses.filter((status) => status === 503).length, 200 - hashed)
  assert.ok(statuses.includes(503))
  assert.ok(answered >= hashed, `${answered} others were served while ${hashed} passwords were hashed`)
  assert.equal((await post(url, '/auth/login', { username: 'ann', password: passwords.ann })).status, 200)
})

test('a flood from one address is refused with 429, and leaves room for others', async (t) => {
  const { url } = await startGateway(t, {
    server: { trustedProxies: ['127.0.0.1/32'] },
    auth: { issuer: issuerConfig({ hashing: { atOnce: 1, queue: 20 } }) },
  })
  const flood = Array.from({ length: 60 }, (_, i) =>
    post(
      url,
      '/auth/login',
      { username: `user-${i}`, password: 'wrong' },
      { 'X-Forwarded-For': '192.0.2.1' },
    ),
  )
  const reply = await post(
    url,
    '/auth/login',
    { username: 'ann', password: passwords.ann },
    { 'X-Forwarded-For': '192.0.2.2' },
  )
  assert.equal(reply.status, 200)
  const statuses = new Set((await Promise.all(flood)).map(({ status }) => status))
  assert.deepEqual([...statuses].sort(), [401, 429])
})

test('parameters that differ are warned of: the time of a login would tell them', async (t) => {
  const [ann] = users
  const other = { name: 'zoe', passwordHash: cheapHash('x').replace('p=1', 'p=2') }
  const { logs } = await startGateway(t, { auth: { issuer: issuerConfig({ users: [ann, other] }) } })
  assert.ok(logs.some(({ message }) => String(message).startsWith('passwords are hashed in several ways')))
})

test('who is turned away because too many log in has not failed', async () => {
  const held = Promise.withResolvers<boolean>()
  const counts = new AttemptCounts()
  const { issuer } = counted(users, { counts, isPasswordOf: () => held.promise })
  const asking = { address: '2001:db8::1', signal: new AbortController().signal }
  const all = Array.from({ length: 40 }, () => issuer.login({ username: 'ann', password: 'wrong' }, asking))
  // Ten may wait or be looked at.
  const turnedAway = await Promise.allSettled(all.slice(10))
  for (const { reason } of turnedAway as PromiseRejectedResult[])
    assert.equal(reason.reason, 'TOO_MANY_ATTEMPTS')
  held.resolve(false)
  await Promise.allSettled(all)
  const keys = attemptKeys('ann', '2001:db8::1')
  assert.equal(counts.find(keys.address)?.failures, 10)
})
