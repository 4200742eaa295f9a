import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { startBackend, startGateway, type TestBackend, type TestGateway } from '../world.ts'
import type { Door, DoorBackend, PlaceConfig } from './door.ts'
import { everyDoor } from './grpc-doors.ts'

interface World extends TestGateway {
  readonly backend: DoorBackend
  readonly service: TestBackend
}

/** A gateway with a door's backend, and a service that is asked before it. */
async function open(
  t: TestContext,
  door: Door,
  {
    decide,
    options = {},
    place = { auth: 'none' },
    more = {},
  }: {
    readonly decide: RequestListener
    readonly options?: object
    readonly place?: PlaceConfig
    readonly more?: object
  },
): Promise<World> {
  const service = await startBackend(t, decide)
  const backend = await door.start(t)
  const forwardAuth = { upstream: 'authz', path: '/verify', responseHeaders: ['X-Tenant'], ...options }
  const config = backend.config({ ...place, plugins: [{ forwardAuth }] }) as { upstreams: object }
  const authz = { targets: [{ url: service.url }], retry: { attempts: 1 } }
  const gateway = await startGateway(t, {
    plugins: ['accessLog'],
    ...more,
    ...config,
    upstreams: { ...config.upstreams, authz },
  })
  return { ...gateway, backend, service }
}

const yes: RequestListener = (_req, res) => res.setHeader('X-Tenant', 'acme').end()

for (const door of everyDoor) {
  describe(`forwardAuth at the ${door.name} door`, () => {
    test('a yes lets the request pass, and only the service says what it says', async (t) => {
      const { url, backend, service } = await open(t, door, { decide: yes })
      const headers = {
        Authorization: 'Bearer t',
        'X-TENANT': 'evil',
        'X.Tenant': 'evil',
        'Grpc-Metadata-X-Tenant': 'evil',
        'X-Secret': 's',
        'X-User-ID': 'root',
      }
      const reply = await backend.ask(url, headers)
      assert.equal(reply.status, 200, await reply.text())
      assert.equal(backend.seen[0]?.['x-tenant'], 'acme')
      assert.equal(backend.seen[0]?.['x.tenant'], undefined)
      const [asked] = service.requests
      assert.ok(asked)
      assert.equal(`${asked.method} ${asked.url}`, 'GET /verify')
      assert.equal(asked.headers.authorization, 'Bearer t')
      assert.equal(asked.headers['x-forwarded-for'], '127.0.0.1')
      assert.equal(asked.headers['x-forwarded-host'], new URL(url).host)
      assert.equal(asked.headers['x-gateway-route'], door.routeId)
      for (const name of ['x-secret', 'x-tenant', 'x-user-id', 'content-length'])
        assert.equal(asked.headers[name], undefined, name)
    })

    const refusals: readonly [string, RequestListener, number, string, string?][] = [
      [
        '401',
        (_q, s) => s.writeHead(401, { 'WWW-Authenticate': 'Bearer realm="x"' }).end('secret'),
        401,
        'NO_CREDENTIALS',
        'Bearer realm="x"',
      ],
      [
        '401 without a challenge',
        (_q, s) => s.writeHead(401).end(),
        401,
        'NO_CREDENTIALS',
        'Bearer realm="trivium"',
      ],
      ['403', (_q, s) => s.writeHead(403).end('secret'), 403, 'POLICY_REFUSED'],
      ['404', (_q, s) => s.writeHead(404).end(), 403, 'POLICY_REFUSED'],
      ['429', (_q, s) => s.writeHead(429, { 'Retry-After': '7' }).end(), 429, 'RATE_LIMITED'],
      ['500', (_q, s) => s.writeHead(500).end(), 503, 'UNAVAILABLE'],
      ['a connection that breaks off', (q) => q.socket.destroy(), 503, 'UNAVAILABLE'],
      ['silence', () => {}, 503, 'UNAVAILABLE'],
    ]
    for (const [name, decide, status, reason, challenge] of refusals) {
      test(`${name} is ${status} ${reason}, and no backend hears of it`, async (t) => {
        const { url, backend } = await open(t, door, { decide, options: { timeout: '300ms' } })
        const reply = await backend.ask(url)
        const body = await reply.text()
        assert.equal(reply.status, status, body)
        assert.equal(backend.reason(body), reason)
        assert.equal(reply.headers.get('www-authenticate'), challenge ?? null)
        if (status === 429) assert.equal(reply.headers.get('retry-after'), '7')
        assert.doesNotMatch(body, /secret/)
        assert.equal(backend.seen.length, 0)
      })
    }

    test('a redirect is for clients of REST; to others it is 401', async (t) => {
      const decide: RequestListener = (_q, s) =>
        s
          .writeHead(302, {
            Location: 'https://login.example/',
            'Set-Cookie': ['a=1', 'b=2'],
            'X-Inside': '1',
          })
          .end()
      const { url, backend } = await open(t, door, { decide })
      const ask = door.protocol === 'rest' && !door.name.includes('HTTP/2')
      const reply = ask
        ? await fetch(url + backend.target.path, { redirect: 'manual' })
        : await backend.ask(url)
      if (door.protocol === 'rest') {
        assert.equal(reply.status, 302)
        assert.equal(reply.headers.get('location'), 'https://login.example/')
        assert.equal(reply.headers.get('x-inside'), null)
        if (ask) assert.deepEqual(reply.headers.getSetCookie(), ['a=1', 'b=2'])
      } else {
        assert.equal(reply.status, 401)
        assert.equal(backend.reason(await reply.text()), 'NO_CREDENTIALS')
      }
      assert.equal(backend.seen.length, 0)
    })

    test('onError allow lets pass while the service fails, without what only it says', async (t) => {
      const decide: RequestListener = (_q, s) => s.writeHead(503).end()
      const { url, backend } = await open(t, door, { decide, options: { onError: 'allow' } })
      const reply = await backend.ask(url, { 'X-Tenant': 'evil', 'Grpc-Metadata-X-Tenant': 'evil' })
      assert.equal(reply.status, 200, await reply.text())
      assert.equal(backend.seen[0]?.['x-tenant'], undefined)
    })

    test('a yes is kept for whoever asks the same, and for nobody else', async (t) => {
      const decide: RequestListener = (q, s) =>
        q.headers.authorization === 'Bearer bad' ? s.writeHead(403).end() : yes(q, s)
      const { url, backend, service } = await open(t, door, { decide, options: { cacheFor: '1h' } })
      const statuses: number[] = []
      for (const Authorization of [
        'Bearer a',
        'Bearer a',
        'Bearer b',
        'Bearer bad',
        'Bearer bad',
        'Bearer a',
      ]) {
        const reply = await backend.ask(url, { Authorization })
        await reply.text()
        statuses.push(reply.status)
      }
      assert.deepEqual(statuses, [200, 200, 200, 403, 403, 200])
      assert.deepEqual(
        service.requests.map((asked) => asked.headers.authorization),
        ['Bearer a', 'Bearer b', 'Bearer bad', 'Bearer bad'],
      )
      assert.deepEqual(
        backend.seen.map((told) => told['x-tenant']),
        ['acme', 'acme', 'acme', 'acme'],
      )
    })

    test('who calls may be what the service says', async (t) => {
      const decide: RequestListener = (_q, s) => s.setHeader('X-Auth-User', 'ann').end()
      const { url, backend, logged } = await open(t, door, { decide, options: { user: 'X-Auth-User' } })
      const reply = await backend.ask(url, { 'X-User-ID': 'root' })
      assert.equal(reply.status, 200, await reply.text())
      assert.equal(backend.seen[0]?.['x-user-id'], 'ann')
      await logged((line) => line['user.id'] === 'ann')
    })
  })
}

const [rest] = everyDoor as readonly [Door]

test('the service is told what the gateway knows of the caller, whom identity has refused before', async (t) => {
  const key = createApiKey('test')
  const consumers = [{ id: 'shop', roles: ['r'], keys: [{ hash: hashApiKey(key) }] }]
  const { url, backend, service } = await open(t, rest, { decide: yes, place: {}, more: { consumers } })
  assert.equal((await backend.ask(url)).status, 401)
  assert.equal(service.requests.length, 0)
  assert.equal((await backend.ask(url, { 'x-api-key': key })).status, 200)
  assert.equal(service.requests[0]?.headers['x-user-id'], 'shop')
  assert.equal(service.requests[0]?.headers['x-api-key'], undefined)
})

test('requests that ask the same at a time are one question, and the leaving of the first is nothing to the others', async (t) => {
  const answers: (() => void)[] = []
  const decide: RequestListener = (q, s) => void answers.push(() => yes(q, s))
  const { url, service, logged } = await open(t, rest, {
    decide,
    options: { cacheFor: '1h', timeout: '30s' },
  })
  const first = new AbortController()
  const gone = fetch(`${url}/v1/users/42`, { signal: first.signal }).catch(() => 'gone')
  while (service.requests.length < 1) await new Promise((resolve) => setTimeout(resolve, 5))
  const others = [1, 2, 3].map(() => fetch(`${url}/v1/users/42`))
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.equal(service.requests.length, 1)
  first.abort()
  assert.equal(await gone, 'gone')
  await logged((line) => line['http.response.status_code'] === 499)
  let done = false
  const all = Promise.all(others).then((replies) => {
    done = true
    return replies.map(({ status }) => status)
  })
  while (!done) {
    // That of the first goes nowhere.
    for (const answer of answers.splice(0)) answer()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.deepEqual(await all, [200, 200, 200])
})

test('an answer that says no-store is kept for nobody', async (t) => {
  const decide: RequestListener = (_q, s) => s.setHeader('Cache-Control', 'private, no-store').end()
  const { url, backend, service } = await open(t, rest, { decide, options: { cacheFor: '1h' } })
  for (let i = 0; i < 3; i++) assert.equal((await backend.ask(url)).status, 200)
  assert.equal(service.requests.length, 3)
})

test('cacheBy names what the answer depends on; who lacks it is always asked about', async (t) => {
  const { url, backend, service } = await open(t, rest, {
    decide: yes,
    options: { cacheFor: '1h', cacheBy: ['header:X-Session', 'path'] },
  })
  for (const headers of [
    { 'X-Session': 'a', Authorization: '1' },
    { 'X-Session': 'a', Authorization: '2' },
    { 'X-Session': 'b' },
    {},
    {},
  ])
    assert.equal((await backend.ask(url, headers)).status, 200)
  assert.equal(service.requests.length, 4)
})

test('what the service is asked about is the path that is routed, in its one spelling', async (t) => {
  const { url, service } = await open(t, rest, { decide: yes })
  assert.equal((await fetch(`${url}/v1/users/%34%32?a=%20`)).status, 200)
  assert.equal(service.requests[0]?.headers['x-forwarded-uri'], '/v1/users/42?a=%20')
  assert.equal(service.requests[0]?.headers['x-forwarded-method'], 'GET')
  assert.equal(service.requests[0]?.headers['x-forwarded-proto'], 'http')
})
