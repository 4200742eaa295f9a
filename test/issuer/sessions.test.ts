import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import { folderOf } from '../config/files.ts'
import { redisForFile } from '../services/redis-for-file.ts'
import { startBackend, startGateway, type TestGateway } from '../world.ts'
import {
  bearer,
  cheapHash,
  type GrantBody,
  granted,
  issuerConfig,
  issuerName,
  logIn,
  passwords,
  post,
  reasonOf,
  refresh,
  sessionId,
  users,
} from './issuer-world.ts'

const { server: redis, client } = await redisForFile()

/** Two gateways in front of one backend: with Redis, or one that stands for both. */
interface Pair {
  readonly one: TestGateway
  readonly other: TestGateway
}

async function startPair(t: TestContext, shared: boolean, issuer: object = {}): Promise<Pair> {
  const backend = await startBackend(t)
  const file = folderOf(t, {})('keys.json')
  const config = {
    ...(shared && { stores: { redis: { url: redis.url } } }),
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'users', path: '/v1/users/**', methods: ['GET'], upstream: 'backend' }],
    auth: { issuer: issuerConfig({ keys: { file }, ...issuer }) },
  }
  const one = await startGateway(t, config)
  if (!shared) return { one, other: one }
  await client.flushall()
  const other = await startGateway(t, config)
  for (const { logged } of [one, other]) await logged((line) => line.message === 'Redis is up')
  return { one, other }
}

function use(url: string, { access_token: token }: Pick<GrantBody, 'access_token'>): Promise<Response> {
  return fetch(`${url}/v1/users/1`, { headers: bearer(token) })
}

/** Asks until the token is refused: the other gateway hears of it within some milliseconds. */
async function refused(url: string, grant: GrantBody): Promise<string> {
  const giveUpAt = Date.now() + 30_000
  for (;;) {
    assert.ok(Date.now() < giveUpAt, 'the token is still good after 30 s')
    const reply = await use(url, grant)
    if (reply.status === 401) return await reasonOf(reply)
    await reply.text()
  }
}

for (const shared of [false, true]) {
  describe(`sessions ${shared ? 'of two gateways that share Redis' : 'in memory'}`, () => {
    test('tokens of one gateway are good at the other', async (t) => {
      const { one, other } = await startPair(t, shared)
      const grant = await logIn(one.url)
      assert.equal((await use(other.url, grant)).status, 200)
      const next = await granted(await refresh(other.url, grant.refresh_token))
      assert.equal((await use(one.url, next)).status, 200)
      assert.equal(sessionId(next.access_token), sessionId(grant.access_token))
    })

    test('a refresh token that is used again ends its session and all access tokens of it, everywhere (RFC 9700 section 4.14.2)', async (t) => {
      const { one, other } = await startPair(t, shared)
      const bystander = await logIn(one.url)
      const stolen = await logIn(one.url)
      const second = await granted(await refresh(one.url, stolen.refresh_token))
      const third = await granted(await refresh(other.url, second.refresh_token))
      assert.equal((await use(other.url, third)).status, 200)
      const reply = await refresh(other.url, stolen.refresh_token)
      assert.equal(reply.status, 401)
      assert.equal(await reasonOf(reply), 'LOGIN_FAILED')
      if (shared) assert.equal((await client.keys('trivium:{sessions*:s:*')).length, 1)
      for (const { url } of [one, other]) {
        for (const grant of [stolen, second, third]) {
          assert.equal(await refused(url, grant), 'TOKEN_REVOKED')
          assert.equal((await refresh(url, grant.refresh_token)).status, 401)
        }
        assert.equal((await use(url, bystander)).status, 200)
      }
      assert.equal((await refresh(one.url, bystander.refresh_token)).status, 200)
      await other.logged(
        (line) =>
          line.message === 'a refresh token was used twice: its session has ended' &&
          line['user.id'] === 'user-1',
      )
    })

    test('of a hundred exchanges of one token at once one wins, and the session ends', async (t) => {
      const { one, other } = await startPair(t, shared)
      const grant = await logIn(one.url)
      const replies = await Promise.all(
        Array.from({ length: 100 }, (_, i) => refresh((i % 2 === 0 ? one : other).url, grant.refresh_token)),
      )
      const won = replies.filter(({ status }) => status === 200)
      assert.equal(won.length, 1)
      assert.ok(replies.every(({ status }) => status === 200 || status === 401))
      const next = await granted(won[0] as Response)
      assert.equal((await refresh(one.url, next.refresh_token)).status, 401)
      for (const { url } of [one, other]) assert.equal(await refused(url, next), 'TOKEN_REVOKED')
    })

    test('a user has so many sessions at a time; the oldest ends for a new one, and others keep theirs', async (t) => {
      const { one, other } = await startPair(t, shared, { sessionsPerUser: 2 })
      const bob = await logIn(one.url, 'bob')
      const grants = [await logIn(one.url), await logIn(other.url), await logIn(one.url)]
      const [oldest, ...rest] = grants as [GrantBody, ...GrantBody[]]
      for (const { url } of [one, other]) assert.equal(await refused(url, oldest), 'TOKEN_REVOKED')
      assert.equal((await refresh(one.url, oldest.refresh_token)).status, 401)
      for (const grant of [...rest, bob]) {
        assert.equal((await use(other.url, grant)).status, 200)
        assert.equal((await refresh(other.url, grant.refresh_token)).status, 200)
      }
    })

    test('a logout at one gateway holds at the other', async (t) => {
      const { one, other } = await startPair(t, shared)
      const grant = await logIn(one.url)
      assert.equal((await use(other.url, grant)).status, 200)
      assert.equal((await post(one.url, '/auth/logout', { refresh_token: grant.refresh_token })).status, 204)
      assert.equal(await refused(other.url, grant), 'TOKEN_REVOKED')
      assert.equal((await refresh(other.url, grant.refresh_token)).status, 401)
      // A token that is none, or is old, ends nothing and leaves no trace that strangers could fill the memory with.
      const before = one.gateway.identity.revocations.size
      for (let i = 0; i < 20; i++) {
        const junk = `gwr_${String(i).padStart(65, 'A')}`
        assert.equal((await post(one.url, '/auth/logout', { refresh_token: junk })).status, 204)
        assert.equal((await refresh(one.url, junk)).status, 401)
      }
      assert.equal(one.gateway.identity.revocations.size, before)
    })

    test('an administrator ends all that a user has, and a new login is good', async (t) => {
      const { one, other } = await startPair(t, shared)
      const grant = await logIn(one.url)
      await one.gateway.identity.revocations.revoke({ sub: 'user-1', issuer: issuerName })
      assert.equal(await refused(other.url, grant), 'TOKEN_REVOKED')
      assert.equal((await refresh(other.url, grant.refresh_token)).status, 401)
      assert.equal((await use(other.url, await logIn(other.url))).status, 200)
    })

    test('a token of one kind is none of the other', async (t) => {
      const { one } = await startPair(t, shared)
      const grant = await logIn(one.url)
      assert.equal((await refresh(one.url, grant.access_token)).status, 401)
      assert.equal((await use(one.url, { access_token: grant.refresh_token })).status, 401)
      assert.equal((await refresh(one.url, grant.refresh_token)).status, 200)
    })
  })
}

describe('the time of a session', () => {
  test('is not made longer by refreshes; its last access token ends with it', async (t) => {
    let now = Date.now()
    const config = { auth: { issuer: issuerConfig({ refreshTokenFor: '1h', accessTokenFor: '40m' }) } }
    const { url } = await startGateway(t, config, { now: () => now })
    const first = await logIn(url)
    assert.equal(first.expires_in, 2_400)
    now += 30 * 60_000
    const second = await granted(await refresh(url, first.refresh_token))
    assert.equal(second.expires_in, 1_800)
    now += 29 * 60_000
    const third = await granted(await refresh(url, second.refresh_token))
    assert.equal(third.expires_in, 60)
    now += 60_000
    assert.equal((await refresh(url, third.refresh_token)).status, 401)
  })

  test('is kept by Redis', async (t) => {
    const { one } = await startPair(t, true, { refreshTokenFor: '1h' })
    const grant = await logIn(one.url)
    const [key = ''] = await client.keys('trivium:{sessions*:s:*')
    const left = await client.pttl(key)
    assert.ok(left > 3_500_000 && left <= 3_600_000, String(left))
    await client.pexpire(key, 1_000_000)
    await granted(await refresh(one.url, grant.refresh_token))
    assert.ok((await client.pttl(key)) <= 1_000_000)
  })
})

describe('a change of the configuration', () => {
  async function startFrom(
    t: TestContext,
  ): Promise<TestGateway & { change(users: readonly object[]): Promise<void> }> {
    const backend = await startBackend(t)
    const path = folderOf(t, {})
    const write = (list: readonly object[]): void =>
      writeFileSync(
        path('gateway.yaml'),
        JSON.stringify({
          server: { listen: '127.0.0.1:0', shutdown: { drainDelay: '0s' } },
          upstreams: { backend: { targets: [{ url: backend.url }] } },
          routes: [{ id: 'users', path: '/v1/users/**', methods: ['GET'], upstream: 'backend' }],
          auth: { issuer: issuerConfig({ users: list }) },
        }),
      )
    write(users)
    const made = await startGateway(t, {}, { file: path('gateway.yaml') })
    const change = async (list: readonly object[]): Promise<void> => {
      write(list)
      assert.equal(await made.gateway.reload(), true)
    }
    return { ...made, change }
  }

  const [ann = {}, bob = {}] = users

  for (const [name, list] of [
    ['a user that is disabled', [{ ...ann, disabled: true }, bob]],
    ['a user that is taken out', [bob]],
  ] as const) {
    test(`${name} cannot refresh or log in, and the tokens are refused at once`, async (t) => {
      const { url, change } = await startFrom(t)
      const grant = await logIn(url)
      const bobs = await logIn(url, 'bob')
      assert.equal((await use(url, grant)).status, 200)
      await change(list)
      const reply = await use(url, grant)
      assert.equal(reply.status, 401)
      assert.equal(await reasonOf(reply), 'TOKEN_REVOKED')
      assert.equal((await refresh(url, grant.refresh_token)).status, 401)
      assert.equal((await post(url, '/auth/login', { username: 'ann', password: passwords.ann })).status, 401)
      assert.equal((await use(url, bobs)).status, 200)
      assert.equal((await refresh(url, bobs.refresh_token)).status, 200)
      // The session has ended for good, not only for as long as the user is not there.
      await change([ann, bob])
      assert.equal((await refresh(url, grant.refresh_token)).status, 401)
    })
  }

  test('a new password ends the sessions of the old one (ASVS 4.0 V3.3.3)', async (t) => {
    const { url, change } = await startFrom(t)
    const grant = await logIn(url)
    await change([{ ...ann, passwordHash: cheapHash('a new password') }, bob])
    const reply = await use(url, grant)
    assert.equal(await reasonOf(reply), 'TOKEN_REVOKED')
    assert.equal((await refresh(url, grant.refresh_token)).status, 401)
    const again = await post(url, '/auth/login', { username: 'ann', password: 'a new password' })
    assert.equal((await use(url, await granted(again))).status, 200)
  })

  test('new rights are in the next token; sessions and keys outlive a reload', async (t) => {
    const { url, change } = await startFrom(t)
    const grant = await logIn(url)
    await change([{ ...ann, roles: ['guest'], scopes: [] }, bob])
    assert.equal((await use(url, grant)).status, 200)
    const next = await granted(await refresh(url, grant.refresh_token))
    assert.equal(next.scope, '')
    const told = ((await (await use(url, next)).json()) as { headers: Record<string, string> }).headers
    assert.equal(told['x-user-role'], 'guest')
  })
})

describe('Redis', () => {
  test('holds no token and nothing that one could be made from', async (t) => {
    const { one } = await startPair(t, true)
    const grant = await logIn(one.url)
    const next = await granted(await refresh(one.url, grant.refresh_token))
    await post(one.url, '/auth/login', { username: 'ann', password: 'a wrong password' })
    let kept = ''
    for (const key of await client.keys('*')) {
      const type = await client.type(key)
      kept += `${key} ${type} `
      if (type === 'hash') kept += JSON.stringify(await client.hgetall(key))
      else if (type === 'zset') kept += JSON.stringify(await client.zrange(key, '0', '-1'))
      else if (type === 'string') kept += await client.get(key)
    }
    assert.match(kept, /:s:/)
    for (const { refresh_token, access_token } of [grant, next]) {
      for (const part of [refresh_token, refresh_token.slice(4, 26), refresh_token.slice(26), access_token])
        assert.equal(kept.includes(part), false)
    }
    for (const text of [passwords.ann, 'a wrong password', 'ann"'])
      assert.equal(kept.includes(text), false, text)
  })

  test('is gone: logins and refreshes are 503 at once, tokens are good, and nothing is lost when it is back', async (t) => {
    const { one } = await startPair(t, true)
    const grant = await logIn(one.url)
    redis.pause()
    try {
      const replies = await Promise.all([
        refresh(one.url, `gwr_${'A'.repeat(65)}`),
        post(one.url, '/auth/login', { username: 'bob', password: passwords.bob }),
        use(one.url, grant),
      ])
      assert.deepEqual(
        replies.map(({ status }) => status),
        [503, 503, 200],
      )
      const [first] = replies
      assert.equal(await reasonOf(first), 'UNAVAILABLE')
      assert.equal(first.headers.get('retry-after'), '1')
    } finally {
      redis.resume()
    }
    await client.ping()
    assert.equal((await refresh(one.url, grant.refresh_token)).status, 200)
  })
})

test('who is banned until later cannot log in, in the words for a wrong password; who was banned up to now can', async (t) => {
  const { one } = await startPair(t, false)
  const before = await logIn(one.url)
  const list = one.gateway.identity.revocations
  const ann = { sub: 'user-1', issuer: issuerName }
  await list.revoke(ann, { until: Date.now() + 3_600_000 })
  const told: unknown[] = []
  for (const password of [passwords.ann, 'not the one']) {
    const reply = await post(one.url, '/auth/login', { username: 'ann', password })
    told.push([reply.status, ((await reply.json()) as { detail: string }).detail])
  }
  assert.deepEqual(told[0], told[1])
  assert.equal(await reasonOf(await use(one.url, before)), 'TOKEN_REVOKED')
  await list.lift(ann)
  await list.revoke(ann)
  assert.equal((await use(one.url, await logIn(one.url))).status, 200)
})
