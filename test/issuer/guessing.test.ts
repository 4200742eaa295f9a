import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GatewayError } from '../../src/core/error.ts'
import { AttemptCounts } from '../../src/issuer/attempt-counts.ts'
import { type AttemptLimits, type Attempts, attemptKeys } from '../../src/issuer/attempts.ts'
import { MemoryAttempts } from '../../src/issuer/memory-attempts.ts'
import { RedisAttempts } from '../../src/issuer/redis-attempts.ts'
import { redisForFile } from '../services/redis-for-file.ts'
import { startGateway } from '../world.ts'
import { issuerConfig, issuerName, passwords, post } from './issuer-world.ts'

/** Long waits: no test is so slow that one ends by itself. */
const limits: AttemptLimits = {
  perUserAndAddress: 5,
  perAddress: 12,
  perUser: 20,
  delayMs: 600_000,
  maxDelayMs: 4_000_000,
  forgetAfterMs: 50_000_000,
}

/** One way to count, and how its waits are made to end. */
interface Store {
  readonly attempts: Attempts
  pass(ms: number): Promise<void>
}

/** How long the next attempt has to wait, in seconds; 0: it was let through and counted. */
async function attempt({ attempts }: Store, name: string, address: string): Promise<number> {
  try {
    await attempts.begin(attemptKeys(name, address))
    return 0
  } catch (error) {
    if (!(error instanceof GatewayError) || error.reason !== 'TOO_MANY_ATTEMPTS') throw error
    return Math.ceil((error.retryAfterMs ?? 0) / 1_000)
  }
}

async function fail(
  store: Store,
  times: number,
  who: (i: number) => readonly [string, string],
): Promise<void> {
  for (let i = 0; i < times; i++) assert.equal(await attempt(store, ...who(i)), 0, `attempt ${i}`)
}

const { server: redis, client } = await redisForFile()

const stores: Readonly<Record<string, () => Promise<Store>>> = {
  memory: async () => {
    let now = 1_000_000_000_000
    return {
      attempts: new MemoryAttempts(limits, { counts: new AttemptCounts(), now: () => now }),
      pass: async (ms) => {
        now += ms
      },
    }
  },
  Redis: async () => {
    await client.flushall()
    return {
      attempts: new RedisAttempts(client, issuerName, limits),
      // Its clock is not ours: what it has noted is moved back instead.
      pass: async (ms) => {
        for (const key of await client.keys('trivium:{logins:*')) {
          const left = await client.pttl(key)
          if (left <= ms) await client.del(key)
          else await client.pexpire(key, left - ms)
          const until = await client.hget(key, 'waitUntil').catch(() => null)
          if (until !== null && left > ms) await client.hset(key, 'waitUntil', Number(until) - ms)
        }
      },
    }
  },
}

for (const [name, open] of Object.entries(stores)) {
  describe(`failed logins counted in ${name}`, () => {
    const near = (actual: number, seconds: number, what: string): void =>
      assert.ok(actual <= seconds && actual > seconds - 60, `${what}: ${actual} s`)

    test('of one user from one address: five, then waits that double up to the longest', async () => {
      const store = await open()
      await fail(store, 5, () => ['ann', '192.0.2.1'])
      for (const seconds of [600, 1_200, 2_400, 4_000, 4_000]) {
        near(await attempt(store, 'ann', '192.0.2.1'), seconds, `wait of ${seconds}`)
        // What is refused is not counted.
        near(await attempt(store, 'ann', '192.0.2.1'), seconds, `wait of ${seconds}, again`)
        await store.pass(seconds * 1_000)
        assert.equal(await attempt(store, 'ann', '192.0.2.1'), 0)
      }
    })

    test('others at the address and the user elsewhere are let through', async () => {
      const store = await open()
      await fail(store, 5, () => ['ann', '192.0.2.1'])
      assert.ok((await attempt(store, 'ann', '192.0.2.1')) > 0)
      assert.equal(await attempt(store, 'bob', '192.0.2.1'), 0)
      assert.equal(await attempt(store, 'ann', '192.0.2.2'), 0)
    })

    test('of many users from one address', async () => {
      const store = await open()
      await fail(store, 12, (i) => [`user-${i}`, '192.0.2.1'])
      near(await attempt(store, 'another', '192.0.2.1'), 600, 'from there')
      assert.equal(await attempt(store, 'another', '192.0.2.2'), 0)
    })

    test('from one network of IPv6, whose addresses one host may choose from (RFC 6177)', async () => {
      const store = await open()
      await fail(store, 12, (i) => [`user-${i}`, `2001:db8:1:2::${i.toString(16)}`])
      assert.ok((await attempt(store, 'another', '2001:db8:1:2:ffff::1')) > 0)
      assert.equal(await attempt(store, 'another', '2001:db8:1:3::1'), 0)
    })

    test('of one user from everywhere: 30 s at the most, and not where the user has logged in before', async () => {
      const store = await open()
      const home = attemptKeys('ann', '198.51.100.1')
      await store.attempts.begin(home)
      await store.attempts.succeeded(home)
      await fail(store, 20, (i) => ['ann', `192.0.2.${i}`])
      for (let i = 0; i < 3; i++) {
        near(await attempt(store, 'ann', '203.0.113.1'), 30, 'a stranger')
        await store.pass(30_000)
        assert.equal(await attempt(store, 'ann', `203.0.113.${10 + i}`), 0)
      }
      assert.ok((await attempt(store, 'ann', '203.0.113.1')) > 0)
      assert.equal(await attempt(store, 'ann', '198.51.100.1'), 0, 'the user at home')
      assert.equal(await attempt(store, 'bob', '203.0.113.1'), 0, 'another user')
    })

    test('a success clears those of the user there, and takes back only itself from the address', async () => {
      const store = await open()
      const mallory = attemptKeys('mallory', '192.0.2.1')
      await fail(store, 4, () => ['ann', '192.0.2.1'])
      await store.attempts.begin(attemptKeys('ann', '192.0.2.1'))
      await store.attempts.succeeded(attemptKeys('ann', '192.0.2.1'))
      await fail(store, 5, () => ['ann', '192.0.2.1'])
      // Nine failures of the address by now: with an account of one's own they are not wiped out.
      for (let i = 0; i < 3; i++) {
        assert.equal(await attempt(store, `user-${i}`, '192.0.2.1'), 0)
        if (i === 2) break
        await store.attempts.begin(mallory)
        await store.attempts.succeeded(mallory)
      }
      near(await attempt(store, 'user-9', '192.0.2.1'), 600, 'the address')
    })

    test('a hundred at once are counted before any has failed', async () => {
      const store = await open()
      const all = await Promise.all(Array.from({ length: 100 }, () => attempt(store, 'ann', '192.0.2.1')))
      assert.equal(all.filter((wait) => wait === 0).length, 5)
    })

    test('failures are forgotten in the end', async () => {
      const store = await open()
      await fail(store, 5, () => ['ann', '192.0.2.1'])
      await store.pass(limits.forgetAfterMs + 700_000)
      await fail(store, 5, () => ['ann', '192.0.2.1'])
    })
  })
}

test('names that nobody has take a bounded amount of memory, and no count of a busy one is lost to them', async () => {
  const counts = new AttemptCounts()
  const attempts = new MemoryAttempts({ ...limits, perAddress: 10_000_000 }, { counts, now: () => 1 })
  const busy = attemptKeys('ann', '192.0.2.1')
  for (let i = 0; i < 5; i++) await attempts.begin(busy)
  for (let i = 0; i < 130_000; i++) await attempts.begin(attemptKeys(`x${i}`, '192.0.2.9'))
  assert.ok(counts.size <= 100_001, String(counts.size))
  await assert.rejects(attempts.begin(busy), { reason: 'TOO_MANY_ATTEMPTS' })
})

describe('guessing at a gateway', () => {
  const trusted = { server: { trustedProxies: ['127.0.0.1/32'] } }
  const guess = (url: string, username: string, password: string, headers = {}): Promise<Response> =>
    post(url, '/auth/login', { username, password }, headers)

  test('users that there are and users that there are not are slowed down alike; the right password tells nothing then', async (t) => {
    const { url } = await startGateway(t, {
      ...trusted,
      auth: { issuer: issuerConfig({ lockout: { delay: '10m' } }) },
    })
    for (const [username, address] of [
      ['ann', '192.0.2.1'],
      ['nobody', '192.0.2.2'],
      ['eve', '192.0.2.3'],
    ] as const) {
      const from = { 'X-Forwarded-For': address }
      for (let i = 0; i < 5; i++)
        assert.equal((await guess(url, username, 'wrong', from)).status, 401, username)
      for (const password of ['wrong', passwords.ann]) {
        const refused = await guess(url, username, password, from)
        assert.equal(refused.status, 429, username)
        assert.match(refused.headers.get('retry-after') ?? '', /^(600|59\d)$/)
        const body = (await refused.json()) as Record<string, unknown>
        assert.equal(body.reason, 'TOO_MANY_ATTEMPTS')
        assert.equal(body.detail, 'Too many failed logins: wait before the next one.')
      }
    }
    assert.equal((await guess(url, 'ann', passwords.ann, { 'X-Forwarded-For': '192.0.2.9' })).status, 200)
  })

  test('no other spelling of the name, no header and no connection gains a guess', async (t) => {
    const { url } = await startGateway(t, { auth: { issuer: issuerConfig({ lockout: { delay: '10m' } }) } })
    const spellings = ['ann', 'ANN', 'Ann', 'ａｎｎ', 'aNN']
    for (const name of spellings) assert.equal((await guess(url, name, 'wrong')).status, 401)
    const headers: Record<string, string>[] = [
      { 'X-Forwarded-For': '192.0.2.7' },
      { Forwarded: 'for=192.0.2.7' },
      { 'X-Real-IP': '192.0.2.7' },
      { 'True-Client-IP': '192.0.2.7', 'CF-Connecting-IP': '192.0.2.7' },
      { Connection: 'close' },
    ]
    for (const more of headers)
      for (const name of spellings) assert.equal((await guess(url, name, passwords.ann, more)).status, 429)
  })

  test('counts are one for gateways that share Redis, and for a gateway that starts anew', async (t) => {
    await client.flushall()
    const config = {
      stores: { redis: { url: redis.url } },
      auth: { issuer: issuerConfig({ lockout: { delay: '10m' } }) },
    }
    const gateways = [await startGateway(t, config), await startGateway(t, config)]
    for (const { logged } of gateways) await logged((line) => line.message === 'Redis is up')
    for (let i = 0; i < 5; i++)
      assert.equal((await guess(gateways[i % 2]?.url ?? '', 'ann', 'wrong')).status, 401)
    for (const { url } of [...gateways, await startGateway(t, config)]) {
      const refused = await guess(url, 'ann', passwords.ann)
      assert.ok([429, 503].includes(refused.status), String(refused.status))
    }
  })

  test('a reload forgets no failure', async (t) => {
    const { url, gateway } = await startGateway(t, {
      auth: { issuer: issuerConfig({ lockout: { delay: '10m' } }) },
    })
    for (let i = 0; i < 5; i++) await guess(url, 'ann', 'wrong')
    assert.equal(await gateway.reload(), true)
    assert.equal((await guess(url, 'ann', passwords.ann)).status, 429)
  })

  test('is counted in metrics by reason, without names', async (t) => {
    const { url } = await startGateway(t, {
      plugins: ['metrics'],
      auth: { issuer: issuerConfig({ lockout: { delay: '10m' } }) },
    })
    for (let i = 0; i < 6; i++) await guess(url, 'hunter2-typed-as-name', 'wrong')
    const text = await (await fetch(`${url}/metrics`)).text()
    assert.match(text, /gateway_auth_failures_total\{reason="LOGIN_FAILED"\} 5/)
    assert.match(text, /gateway_auth_failures_total\{reason="TOO_MANY_ATTEMPTS"\} 1/)
    assert.equal(text.includes('hunter2'), false)
  })
})
