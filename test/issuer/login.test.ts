import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { startBackend, startGateway } from '../world.ts'
import {
  bearer,
  type GrantBody,
  granted,
  issuerConfig,
  issuerName,
  logIn,
  passwords,
  post,
  reasonOf,
  refresh,
} from './issuer-world.ts'

const route = { id: 'users', path: '/v1/users/**', methods: ['GET'], upstream: 'backend' }

describe('the own issuer', () => {
  test('gives a token for a password that the gateway itself and any client of its key set accept', async (t) => {
    const backend = await startBackend(t)
    const { url } = await startGateway(t, {
      upstreams: { backend: { targets: [{ url: backend.url }] } },
      routes: [{ ...route, authorize: { roles: ['admin'], scopes: ['write'] } }],
      auth: { issuer: issuerConfig() },
    })
    const reply = await post(url, '/auth/login', { username: 'ann', password: passwords.ann })
    assert.equal(reply.headers.get('cache-control'), 'no-store')
    assert.equal(reply.headers.get('content-type'), 'application/json')
    const grant = (await reply.json()) as GrantBody
    assert.deepEqual(Object.keys(grant), [
      'access_token',
      'token_type',
      'expires_in',
      'refresh_token',
      'scope',
    ])
    assert.equal(grant.token_type, 'Bearer')
    assert.equal(grant.expires_in, 1_800)
    assert.equal(grant.scope, 'read write')
    assert.match(grant.refresh_token, /^gwr_[\w-]{65}$/)

    const keys = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`))
    const { payload, protectedHeader } = await jwtVerify(grant.access_token, keys, {
      issuer: issuerName,
      audience: 'api',
      typ: 'at+jwt',
      requiredClaims: ['sub', 'iat', 'exp', 'jti', 'sid', 'client_id'],
    })
    assert.equal(protectedHeader.alg, 'ES256')
    const { sub, name, roles, scope, iat = 0, exp = 0 } = payload
    assert.deepEqual(
      { sub, name, roles, scope },
      { sub: 'user-1', name: 'Ann Example', roles: ['admin'], scope: 'read write' },
    )
    assert.ok(exp - iat >= 1_800 && exp - iat < 1_801, String(exp - iat))

    const asked = await fetch(`${url}/v1/users/1`, { headers: bearer(grant.access_token) })
    assert.equal(asked.status, 200, await asked.clone().text())
    const told = ((await asked.json()) as { headers: Record<string, string> }).headers
    assert.equal(told['x-user-id'], 'user-1')
    assert.equal(told['x-user-issuer'], issuerName)
    assert.equal(told.authorization, undefined)
  })

  test('refreshes: new tokens, the same session, the rights that the user has now', async (t) => {
    const { url } = await startGateway(t, { auth: { issuer: issuerConfig() } })
    const first = await logIn(url)
    const second = await granted(await refresh(url, first.refresh_token))
    const third = await granted(await refresh(url, second.refresh_token))
    const claims = [first, second, third].map(({ access_token }) => decodeJwt(access_token))
    assert.equal(new Set(claims.map(({ sid }) => sid)).size, 1)
    assert.equal(new Set(claims.map(({ jti }) => jti)).size, 3)
    assert.equal(new Set([first, second, third].map(({ refresh_token }) => refresh_token)).size, 3)
  })

  for (const [algorithm, alg] of [
    ['ES256', 'ES256'],
    ['EdDSA', 'EdDSA'],
    ['RS256', 'RS256'],
  ] as const) {
    test(`signs by ${algorithm}, and publishes no private part`, async (t) => {
      const backend = await startBackend(t)
      const { url } = await startGateway(t, {
        upstreams: { backend: { targets: [{ url: backend.url }] } },
        routes: [route],
        auth: { issuer: issuerConfig({ algorithm }) },
      })
      const { access_token } = await logIn(url)
      assert.equal(decodeProtectedHeader(access_token).alg, alg)
      assert.equal((await fetch(`${url}/v1/users/1`, { headers: bearer(access_token) })).status, 200)
      const reply = await fetch(`${url}/.well-known/jwks.json`)
      assert.equal(reply.headers.get('cache-control'), 'public, max-age=300')
      const { keys } = (await reply.json()) as { keys: Record<string, unknown>[] }
      assert.equal(keys.length, 1)
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'signsFrom'])
        assert.equal(keys[0]?.[secret], undefined)
      assert.equal(keys[0]?.kid, decodeProtectedHeader(access_token).kid)
    })
  }

  test('logs out by refresh token or by access token, as often as one likes, and always says 204', async (t) => {
    const backend = await startBackend(t)
    const { url } = await startGateway(t, {
      upstreams: { backend: { targets: [{ url: backend.url }] } },
      routes: [route],
      auth: { issuer: issuerConfig() },
    })
    const use = (token: string): Promise<Response> => fetch(`${url}/v1/users/1`, { headers: bearer(token) })
    for (const by of ['refresh', 'access', 'both'] as const) {
      const { access_token, refresh_token } = await logIn(url)
      assert.equal((await use(access_token)).status, 200)
      const body = by === 'access' ? {} : { refresh_token }
      const headers = by === 'refresh' ? {} : bearer(access_token)
      for (let times = 0; times < 2; times++)
        assert.equal((await post(url, '/auth/logout', body, headers)).status, 204, by)
      const refused = await use(access_token)
      assert.equal(refused.status, 401, by)
      assert.equal(await reasonOf(refused), 'TOKEN_REVOKED', by)
      const again = await refresh(url, refresh_token)
      assert.equal(again.status, 401, by)
      assert.equal(await reasonOf(again), 'LOGIN_FAILED', by)
    }
    const other = await logIn(url)
    const nothing = await fetch(`${url}/auth/logout`, { method: 'POST' })
    assert.equal(nothing.status, 204)
    for (const headers of [bearer('junk'), bearer(`${other.access_token}x`), { Authorization: 'Basic eDp5' }])
      assert.equal((await post(url, '/auth/logout', {}, headers)).status, 204)
    assert.equal((await use(other.access_token)).status, 200)
  })

  test('is not there where nothing asks for it', async (t) => {
    const { url } = await startGateway(t, { auth: {} })
    for (const path of ['/auth/login', '/auth/refresh', '/auth/logout', '/.well-known/jwks.json'])
      assert.equal((await post(url, path, {})).status, 404, path)
  })
})

for (const [place, tokens, sent] of [
  [
    'a header of another name',
    { header: 'X-Access-Token' },
    (token: string) => ({ 'X-Access-Token': token }),
  ],
  [
    'a cookie',
    { cookie: 'session' },
    (token: string) => ({ Cookie: `session=${token}`, 'Sec-Fetch-Site': 'same-origin' }),
  ],
] as const) {
  test(`a logout by the access token alone ends the session where tokens come in ${place}`, async (t) => {
    const { url } = await startGateway(t, {
      auth: { issuer: issuerConfig(), tokens },
      routes: [{ id: 'r', path: '/r', respond: { status: 200 } }],
    })
    const { access_token: token, refresh_token: next } = await logIn(url)
    const use = async (): Promise<number> => (await fetch(`${url}/r`, { headers: sent(token) })).status
    assert.equal(await use(), 200)
    assert.equal((await post(url, '/auth/logout', {}, sent(token))).status, 204)
    assert.equal(await use(), 401)
    assert.equal((await refresh(url, next)).status, 401)
  })
}
