import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type OpenIdProvider, startOpenId } from '../services/openid.ts'
import { startGateway, type TestGateway } from '../world.ts'
import type { DoorBackend } from './door.ts'
import { everyDoor } from './grpc-doors.ts'

/** In the three lines that most people need, and those for opaque tokens. */
async function open(
  t: TestContext,
  backend: DoorBackend,
  { issuer, gateway }: OpenIdProvider,
  more: { readonly jwt?: object; readonly introspection?: object } = {},
): Promise<TestGateway> {
  return await startGateway(t, {
    auth: {
      jwt: [{ issuer, audience: 'api', algorithms: ['RS256'], jwksRefresh: '1s', ...more.jwt }],
      introspection: [{ issuer, ...gateway, audience: 'api', ...more.introspection }],
    },
    ...backend.config({ auth: 'required', authorize: { scopes: ['read'] } }),
  })
}

for (const door of everyDoor) {
  describe(`tokens of an OpenID provider at the ${door.name} door`, () => {
    test('of users and machines, as JWT and opaque, are accepted as they are', async (t) => {
      const openId = await startOpenId(t)
      const backend = await door.start(t)
      const { url } = await open(t, backend, openId)
      const userJwt = await openId.userToken('jwt', 'ann')
      const userOpaque = await openId.userToken('opaque', 'bob')
      for (const [token, user, name, roles] of [
        [userJwt.access, 'ann', 'Dr. ann', 'reader'],
        [userOpaque.access, 'bob', 'Dr. bob', 'reader'],
        [await openId.clientToken('jwt'), 'app', undefined, undefined],
      ] as const) {
        for (const time of ['first', 'second']) {
          const reply = await backend.ask(url, { Authorization: `Bearer ${token}` })
          assert.equal(reply.status, 200, `${user}, ${time} time: ${await reply.text()}`)
          const told = backend.seen.at(-1) ?? {}
          assert.deepEqual(
            [told['x-user-id'], told['x-user-name'], told['x-user-role'], told['x-user-issuer']],
            [user, name, roles, openId.issuer],
          )
        }
      }
      assert.equal(openId.asked.get('/token/introspection'), 1)
      const wrongScope = await openId.clientToken('jwt', 'write')
      const reply = await backend.ask(url, { Authorization: `Bearer ${wrongScope}` })
      assert.equal(backend.reason(await reply.text()), 'SCOPE_MISSING')
    })

    test('that are no access tokens, or were revoked, are refused', async (t) => {
      const openId = await startOpenId(t)
      const backend = await door.start(t)
      const { url } = await open(t, backend, openId, { introspection: { cacheFor: '0s' } })
      const user = await openId.userToken('opaque', 'ann')
      const ask = async (token: string): Promise<unknown> => {
        const reply = await backend.ask(url, { Authorization: `Bearer ${token}` })
        const body = await reply.text()
        return reply.status === 200 ? 200 : backend.reason(body)
      }
      assert.equal(await ask(user.access), 200)
      assert.equal(await ask(user.refresh), 'JWT_INVALID', 'a refresh token')
      assert.equal(await ask(`${user.access}x`), 'JWT_INVALID', 'an unknown token')
      await openId.revoke(user.access)
      assert.equal(await ask(user.access), 'JWT_INVALID', 'a revoked token')
      const reasons = new Set<unknown>()
      for (let i = 0; i < 70; i++) reasons.add(await ask(`made-up-${i}`))
      assert.deepEqual([...reasons], ['JWT_INVALID', 'TOO_MANY_ATTEMPTS'])
      assert.ok((openId.asked.get('/token/introspection') ?? 0) < 70)
    })

    test('are known, or unavailable, while it is down', async (t) => {
      const openId = await startOpenId(t)
      const backend = await door.start(t)
      const { url } = await open(t, backend, openId)
      const ask = async (token: string): Promise<unknown> => {
        const reply = await backend.ask(url, { Authorization: `Bearer ${token}` })
        const body = await reply.text()
        return reply.status === 200 ? 200 : backend.reason(body)
      }
      const known = (await openId.userToken('opaque', 'ann')).access
      const next = (await openId.userToken('opaque', 'bob')).access
      const jwt = await openId.clientToken('jwt')
      const nextJwt = await openId.clientToken('jwt')
      assert.deepEqual([await ask(known), await ask(jwt)], [200, 200])
      await openId.stop()
      assert.deepEqual([await ask(known), await ask(jwt), await ask(nextJwt)], [200, 200, 200])
      assert.equal(await ask(next), 'UNAVAILABLE')
    })

    test('are checked with its newest keys', async (t) => {
      const openId = await startOpenId(t)
      const backend = await door.start(t)
      const { url } = await open(t, backend, openId)
      const ask = async (token: string): Promise<number> => {
        const reply = await backend.ask(url, { Authorization: `Bearer ${token}` })
        await reply.text()
        return reply.status
      }
      const first = await openId.clientToken('jwt')
      assert.equal(await ask(first), 200)
      await openId.rotate('published')
      const second = await openId.clientToken('jwt')
      assert.equal(await ask(second), 200, 'by a new key')
      assert.equal(await ask(first), 200, 'by the key before')
      await openId.rotate('withdrawn')
      for (const [token, name] of [
        [first, 'first'],
        [second, 'second'],
      ] as const) {
        for (let tries = 0; (await ask(token)) !== 401; tries++) {
          assert.ok(tries < 600, `the ${name} token passes on`)
          await sleep(100)
        }
      }
      assert.equal(await ask(await openId.clientToken('jwt')), 200, 'by the newest key')
    })
  })
}

test('a provider that is down keeps the gateway from nothing but its tokens, and is shown', async (t) => {
  const [door] = everyDoor
  assert.ok(door)
  const openId = await startOpenId(t)
  const backend = await door.start(t)
  const token = await openId.clientToken('jwt')
  await openId.stop()
  const { url } = await open(t, backend, openId)
  const ask = async (): Promise<number> =>
    (await backend.ask(url, { Authorization: `Bearer ${token}` })).status
  assert.equal(await ask(), 503)
  assert.equal((await backend.ask(url)).status, 401)
  const report = async (): Promise<{ ready: boolean; detail: string | undefined }> => {
    const { ready, checks } = (await (await fetch(`${url}/readyz?verbose`)).json()) as {
      ready: boolean
      checks: { name: string; detail: string }[]
    }
    return { ready, detail: checks.find(({ name }) => name === `identity keys ${openId.issuer}`)?.detail }
  }
  const down = await report()
  assert.equal(down.ready, true)
  assert.match(down.detail ?? '', /ECONNREFUSED/)
  const gauge = `gateway_identity_provider_up{provider="keys ${openId.issuer}"}`
  assert.match(await (await fetch(`${url}/metrics`)).text(), new RegExp(`^${RegExp.escape(gauge)} 0$`, 'm'))
  await openId.start()
  for (let tries = 0; (await ask()) !== 200; tries++) {
    assert.ok(tries < 600, 'the provider is not found again')
    await sleep(100)
  }
  assert.deepEqual(await report(), { ready: true, detail: 'no trouble' })
  assert.match(await (await fetch(`${url}/metrics`)).text(), new RegExp(`^${RegExp.escape(gauge)} 1$`, 'm'))
})
