import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { startKeyServer } from '../plugins/key-server.ts'
import { startRedis } from '../services/redis.ts'
import { startGateway } from '../world.ts'
import type { PlaceConfig } from './door.ts'
import { everyDoor } from './grpc-doors.ts'

const key = createApiKey('test')
const secret = 'a secret of the tests that is long enough'
const observed = ['requestId', 'accessLog', 'metrics']
const identity = {
  consumers: [
    { id: 'acme', name: 'Acme', roles: ['reader'], scopes: ['books'], keys: [{ hash: hashApiKey(key) }] },
  ],
  auth: { jwt: [{ issuer: 'https://issuer.example', audience: 'tests', algorithms: ['HS256'], secret }] },
}

for (const door of everyDoor) {
  describe(`every plugin at the ${door.name} door`, () => {
    /** A gateway with this door's backend behind it. */
    const open = async (t: Parameters<typeof startGateway>[0], place: PlaceConfig, more: object = {}) => {
      const backend = await door.start(t)
      const gateway = await startGateway(t, {
        plugins: observed,
        ...identity,
        ...backend.config(place),
        ...more,
      })
      return {
        ...gateway,
        backend,
        ask: (headers?: Record<string, string>) => backend.ask(gateway.url, headers),
      }
    }

    test('answers 200 and passes a request id and trace context on', async (t) => {
      const { ask, backend } = await open(t, { auth: 'none' })
      const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
      const reply = await ask({ 'X-Request-Id': 'mine-1', traceparent, tracestate: 'vendor=1' })
      assert.equal(reply.status, 200, await reply.text())
      assert.equal(reply.headers.get('x-request-id'), 'mine-1')
      assert.equal(reply.headers.get('x-trace-id'), '4bf92f3577b34da6a3ce929d0e0e4736')
      assert.match(reply.headers.get('x-response-time') ?? '', /^\d+(\.\d+)?ms$/)
      const [told] = backend.seen
      assert.equal(told?.['x-request-id'], 'mine-1')
      assert.match(
        told?.traceparent ?? '',
        /^00-4bf92f3577b34da6a3ce929d0e0e4736-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$/,
      )
      assert.equal(told?.tracestate, 'vendor=1')
    })

    test('makes a request id of its own when the client sends a bad one', async (t) => {
      const { ask } = await open(t, { auth: 'none' })
      const reply = await ask({ 'X-Request-Id': 'has spaces and "quotes"' })
      assert.match(
        reply.headers.get('x-request-id') ?? '',
        /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      )
    })

    test('writes one log line per exchange, without credentials', async (t) => {
      const { ask, logged, logs } = await open(t, {})
      await (await ask({ 'X-API-Key': key })).text()
      const line = await logged((entry) => entry['http.response.status_code'] === 200)
      assert.equal(line['gateway.protocol'], door.protocol)
      assert.equal(line['gateway.route'], door.routeId)
      assert.equal(line['gateway.consumer'], 'acme')
      assert.equal(line['gateway.upstream'], 'backend')
      assert.equal(line['gateway.attempts'], 1)
      assert.equal(logs.filter((entry) => entry['http.response.status_code'] !== undefined).length, 1)
      assert.ok(!JSON.stringify(logs).includes(key), 'a log line holds the key')
    })

    test('counts exchanges by route', async (t) => {
      const { ask, url } = await open(t, { auth: 'none' })
      for (let i = 0; i < 3; i++) await (await ask()).text()
      const metrics = await (await fetch(`${url}/metrics`)).text()
      const counted = new RegExp(
        `gateway_requests_total\\{protocol="${door.protocol}",route="${door.routeId}",method="\\w+",status="200"\\} 3`,
      )
      assert.match(metrics, counted)
    })

    test('lets an API key in and tells the backend who it belongs to', async (t) => {
      const { ask, backend } = await open(t, {})
      const reply = await ask({
        'X-API-Key': key,
        'X-User-ID': 'forged',
        'X-User-Role': 'admin',
        'X-Consumer': 'forged',
      })
      assert.equal(reply.status, 200, await reply.text())
      const [told] = backend.seen
      assert.equal(told?.['x-user-id'], 'acme')
      assert.equal(told?.['x-user-role'], 'reader')
      assert.equal(told?.['x-consumer'], 'acme')
      assert.equal(told?.['x-api-key'], undefined)
    })

    for (const [name, headers, reason] of [
      ['no credentials', {}, 'NO_CREDENTIALS'],
      ['an unknown key', { 'X-API-Key': createApiKey('test') }, 'KEY_INVALID'],
      ['a broken key', { 'X-API-Key': 'gwk_test_junk' }, 'KEY_INVALID'],
      ['a token that is none', { Authorization: 'Bearer junk' }, 'JWT_INVALID'],
    ] as const) {
      test(`refuses ${name} with 401 in its own words`, async (t) => {
        const { ask, backend } = await open(t, {})
        const reply = await ask(headers)
        assert.equal(reply.status, 401)
        assert.equal(backend.reason(await reply.text()), reason)
        assert.ok(reply.headers.get('www-authenticate'))
        assert.match(reply.headers.get('proxy-status') ?? '', /error=http_request_denied/)
        assert.equal(backend.seen.length, 0)
      })
    }

    test('believes a JWT of a configured issuer, and no expired one', async (t) => {
      const { ask, backend } = await open(t, {})
      const sign = (expires: number | string) =>
        new SignJWT({ roles: ['reader'], name: 'Ada' })
          .setProtectedHeader({ alg: 'HS256' })
          .setSubject('42')
          .setIssuer('https://issuer.example')
          .setAudience('tests')
          .setExpirationTime(expires)
          .sign(new TextEncoder().encode(secret))
      const good = await ask({ Authorization: `Bearer ${await sign('5m')}` })
      assert.equal(good.status, 200, await good.text())
      assert.equal(backend.seen[0]?.['x-user-id'], '42')
      assert.equal(backend.seen[0]?.authorization, undefined)
      const late = await ask({ Authorization: `Bearer ${await sign(Math.floor(Date.now() / 1000) - 3600)}` })
      assert.equal(late.status, 401)
      assert.equal(backend.reason(await late.text()), 'JWT_EXPIRED')
    })

    for (const alg of ['RS256', 'ES256', 'EdDSA']) {
      test(`verifies ${alg} with keys from a key set url`, async (t) => {
        const pair = await generateKeyPair(alg)
        const keyServer = await startKeyServer([{ ...(await exportJWK(pair.publicKey)), kid: 'one', alg }])
        t.after(() => keyServer.close())
        const issuer = {
          issuer: 'https://other.example',
          audience: 'tests',
          algorithms: [alg],
          jwksUri: keyServer.uri,
        }
        const { ask } = await open(t, {}, { auth: { jwt: [issuer] } })
        const token = await new SignJWT({})
          .setProtectedHeader({ alg, kid: 'one' })
          .setSubject('42')
          .setIssuer('https://other.example')
          .setAudience('tests')
          .setExpirationTime('5m')
          .sign(pair.privateKey)
        const reply = await ask({ Authorization: `Bearer ${token}` })
        assert.equal(reply.status, 200, await reply.text())
        const tampered = await ask({ Authorization: `Bearer ${token.slice(0, -8)}AAAAAAAA` })
        assert.equal(tampered.status, 401)
      })
    }

    test('refuses a caller without the role or the scope with 403', async (t) => {
      for (const [authorize, reason] of [
        [{ roles: ['admin'] }, 'ROLE_MISSING'],
        [{ scopes: ['books', 'secrets'] }, 'SCOPE_MISSING'],
      ] as const) {
        const { ask, backend } = await open(t, { authorize })
        const reply = await ask({ 'X-API-Key': key })
        assert.equal(reply.status, 403)
        assert.equal(backend.reason(await reply.text()), reason)
        assert.equal(backend.seen.length, 0)
      }
    })

    test('limits a consumer in memory, and says what is left', async (t) => {
      const { ask, backend } = await open(t, {
        plugins: [{ rateLimit: { name: 'few', limit: 2, window: '1m' } }],
      })
      const first = await ask({ 'X-API-Key': key })
      assert.equal(first.status, 200)
      assert.match(first.headers.get('ratelimit') ?? '', /^"few";r=1;t=\d+$/)
      assert.equal(first.headers.get('ratelimit-policy'), '"few";q=2;w=60')
      await ask({ 'X-API-Key': key })
      const third = await ask({ 'X-API-Key': key })
      assert.equal(third.status, 429)
      assert.equal(backend.reason(await third.text()), 'RATE_LIMITED')
      assert.ok(Number(third.headers.get('retry-after')) >= 1)
      assert.equal(backend.seen.length, 2)
    })

    test('limits by address and by route', async (t) => {
      for (const by of ['ip', 'route']) {
        const { ask } = await open(t, {
          auth: 'none',
          plugins: [{ rateLimit: { limit: 1, window: '1m', by } }],
        })
        assert.equal((await ask()).status, 200)
        assert.equal((await ask({ 'X-Forwarded-For': '203.0.113.9' })).status, 429)
      }
    })

    test('shares counts in Redis between two gateways', async (t) => {
      const redis = await startRedis()
      t.after(() => redis.stop())
      const backend = await door.start(t)
      const place = {
        auth: 'none',
        plugins: [{ rateLimit: { limit: 5, window: '1h', by: 'route' } }],
      } as const
      const config = { ...backend.config(place), stores: { redis: { url: redis.url } } }
      const gateways = [await startGateway(t, config), await startGateway(t, config)]
      for (const { logged } of gateways) await logged((line) => line.message === 'Redis is up')
      const statuses: number[] = []
      for (let i = 0; i < 10; i++) statuses.push((await backend.ask(gateways[i % 2]?.url ?? '')).status)
      assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429, 429, 429, 429])
    })

    for (const [onStoreError, expected] of [
      ['allow', [200, 200, 200]],
      ['deny', [503, 503, 503]],
      ['local', [200, 429, 429]],
    ] as const) {
      test(`when Redis is killed: ${onStoreError}`, async (t) => {
        const redis = await startRedis()
        t.after(() => redis.stop())
        const limit = { limit: 1, window: '1h', by: 'route', onStoreError, storeTimeout: '5s' }
        const place = { auth: 'none', plugins: [{ rateLimit: limit }] } as const
        const { ask, logged } = await open(t, place, { stores: { redis: { url: redis.url } } })
        await logged((line) => line.message === 'Redis is up')
        assert.equal((await ask()).status, 200)
        assert.equal((await ask()).status, 429)
        await redis.kill()
        await logged((line) => line.message === 'Redis is down')
        const statuses = [(await ask()).status, (await ask()).status, (await ask()).status]
        assert.deepEqual(statuses, expected)
      })
    }

    test('answers CORS preflights for its own method, and marks answers and refusals', async (t) => {
      const { ask, url, backend } = await open(
        t,
        {},
        { plugins: [{ cors: { allowOrigins: ['https://app.example'] } }] },
      )
      const { path, method } = backend.target
      const origin = { Origin: 'https://app.example' }
      const preflight = await fetch(url + path, {
        method: 'OPTIONS',
        headers: {
          ...origin,
          'Access-Control-Request-Method': method,
          'Access-Control-Request-Headers': 'x-api-key',
        },
      })
      assert.equal(preflight.status, 204)
      assert.equal(preflight.headers.get('access-control-allow-origin'), 'https://app.example')
      const refused = await ask(origin)
      assert.equal(refused.status, 401)
      assert.equal(refused.headers.get('access-control-allow-origin'), 'https://app.example')
      const stranger = await ask({ Origin: 'https://evil.example', 'X-API-Key': key })
      assert.equal(stranger.headers.get('access-control-allow-origin'), null)
    })

    test('refuses a method that its path does not take with 405 and Allow', async (t) => {
      const { url, backend } = await open(t, { auth: 'none' })
      const reply = await fetch(url + backend.target.path, { method: 'PATCH' })
      assert.equal(reply.status, 405)
      assert.ok(reply.headers.get('allow')?.includes(backend.target.method))
    })
  })
}
