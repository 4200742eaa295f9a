import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { attackedIssuers, genuine } from '../plugins/token-attacks.ts'
import { rawExchange, startBackend, startGateway, type TestGateway } from '../world.ts'
import type { DoorBackend } from './door.ts'
import { everyDoor } from './grpc-doors.ts'

const app = 'https://app.example'
const token = await genuine()
const inCookie = `__Host-token=${token}`

async function open(
  t: TestContext,
  backend: DoorBackend,
  { tokens, place }: { readonly tokens?: object; readonly place?: object } = {},
): Promise<TestGateway> {
  return await startGateway(t, {
    auth: { jwt: attackedIssuers, tokens: { cookie: '__Host-token', allowedOrigins: [app], ...tokens } },
    ...backend.config({ auth: 'required', ...place }),
  })
}

/** What a browser says of the page that a request comes from (Fetch Metadata section 2.1, RFC 6454 section 7.3), and whether it may write. */
const pages: readonly [string, Readonly<Record<string, string>>, boolean][] = [
  ['its own page', { 'Sec-Fetch-Site': 'same-origin', Origin: 'https://gateway.example' }, true],
  ['its own page, as browsers without Fetch Metadata say it', { Origin: 'own' }, true],
  ['a page of an allowed origin', { 'Sec-Fetch-Site': 'cross-site', Origin: app }, true],
  ['a page of an allowed origin, without Fetch Metadata', { Origin: app }, true],
  ['somebody who typed the address', { 'Sec-Fetch-Site': 'none' }, true],
  ['a page of another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }, false],
  ['a page of another site, without Fetch Metadata', { Origin: 'https://evil.example' }, false],
  ['a page of a neighbour', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://blog.gateway.example' }, false],
  ['a page that may not say where it is', { Origin: 'null' }, false],
  ['a page of an origin that begins alike', { Origin: `${app}.evil.example` }, false],
  ['a page of an allowed host without TLS', { Origin: 'http://app.example' }, false],
  ['a page of the gateway on another port', { Origin: 'http://127.0.0.1:1' }, false],
  ['two origins', { Origin: `${app}, ${app}` }, false],
  ['an unknown word', { 'Sec-Fetch-Site': 'Same-Origin' }, false],
  ['nobody knows whom', {}, false],
]

for (const door of everyDoor) {
  describe(`a token in a cookie at the ${door.name} door`, () => {
    test('says who the caller is, and does not reach the backend', async (t) => {
      const backend = await door.start(t)
      const { url } = await open(t, backend)
      const reply = await backend.ask(url, {
        Cookie: `theme=dark; ${inCookie}; __Host-token2=b`,
        'Sec-Fetch-Site': 'same-origin',
      })
      assert.equal(reply.status, 200, await reply.text())
      assert.equal(backend.seen[0]?.['x-user-id'], 'ann')
      const { cookie } = backend.seen[0] ?? {}
      assert.equal(cookie, door.protocol === 'rest' ? 'theme=dark; __Host-token2=b' : undefined)
    })

    for (const [who, headers, mayWrite] of pages) {
      test(`${mayWrite ? 'changes something for' : 'changes nothing for'} ${who}`, async (t) => {
        const backend = await door.start(t)
        const { url } = await open(t, backend)
        const isSafe = backend.target.method === 'GET'
        const own = headers.Origin === 'own' ? { Origin: url } : {}
        const reply = await backend.ask(url, { Cookie: inCookie, ...headers, ...own })
        const body = await reply.text()
        assert.equal(reply.status, mayWrite || isSafe ? 200 : 400, body)
        if (!mayWrite && !isSafe) assert.equal(backend.reason(body), 'CSRF_REFUSED')
        assert.equal(backend.seen.length, mayWrite || isSafe ? 1 : 0)
      })
    }

    test('two cookies of the name are refused', async (t) => {
      const backend = await door.start(t)
      const { url } = await open(t, backend)
      for (const cookie of [
        `${inCookie}; ${inCookie}`,
        `__Host-token=; ${inCookie}`,
        `${inCookie};__Host-token =x`,
        `${inCookie}; a=b;\t__Host-token=x`,
      ]) {
        const reply = await backend.ask(url, { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' })
        assert.equal(backend.reason(await reply.text()), 'JWT_INVALID', cookie)
      }
      assert.equal(backend.seen.length, 0)
    })

    test('what only looks like it is none', async (t) => {
      const backend = await door.start(t)
      const { url } = await open(t, backend)
      for (const cookie of [
        `__host-token=${token}`,
        `Host-token=${token}`,
        `x__Host-token=${token}`,
        `a="; __Host-token"=${token}`,
        `=__Host-token=${token}`,
        '__Host-token=',
        '__Host-token',
      ]) {
        const reply = await backend.ask(url, { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' })
        assert.equal(backend.reason(await reply.text()), 'NO_CREDENTIALS', cookie)
      }
    })

    test('one that is not valid is refused where a token is optional', async (t) => {
      const backend = await door.start(t)
      const { url } = await open(t, backend, { place: { auth: 'optional' } })
      for (const cookie of [`__Host-token="${token}"`, '__Host-token=x', `${inCookie}x`]) {
        const reply = await backend.ask(url, { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' })
        assert.equal(backend.reason(await reply.text()), 'JWT_INVALID', cookie)
      }
    })

    test('the one in the header decides', async (t) => {
      const backend = await door.start(t)
      const { url } = await open(t, backend)
      const headers = { Cookie: '__Host-token=x', Authorization: `Bearer ${await genuine({ sub: 'bob' })}` }
      const reply = await backend.ask(url, headers)
      assert.equal(reply.status, 200, await reply.text())
      assert.equal(backend.seen[0]?.['x-user-id'], 'bob')
    })

    test('a token stands alone in a header of another name, and does not reach the backend', async (t) => {
      const backend = await door.start(t)
      const { url } = await open(t, backend, {
        tokens: { header: 'X-Access-Token', cookie: undefined, allowedOrigins: [] },
      })
      const reply = await backend.ask(url, { 'X-Access-Token': token })
      assert.equal(reply.status, 200, await reply.text())
      assert.equal(backend.seen[0]?.['x-user-id'], 'ann')
      assert.equal(backend.seen[0]?.['x-access-token'], undefined)
      for (const [headers, reason] of [
        [{ Authorization: `Bearer ${token}` }, 'NO_CREDENTIALS'],
        [{ 'X-Access-Token': `Bearer ${token}` }, 'JWT_INVALID'],
        [{ 'X-Access-Token': `${token}, ${token}` }, 'JWT_INVALID'],
      ] as const) {
        assert.equal(backend.reason(await (await backend.ask(url, headers)).text()), reason)
      }
    })
  })
}

const echo = {
  auth: { jwt: attackedIssuers, tokens: { cookie: 'token' } },
  routes: [{ id: 'echo', path: '/**', upstream: 'echo', auth: 'optional', forwardCredentials: false }],
}

test('a WebSocket of another site gets nowhere with the cookie', async (t) => {
  const backend = await startBackend(t)
  const upstreams = { echo: { targets: [{ url: backend.url }] } }
  const { port } = await startGateway(t, { ...echo, upstreams })
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'
  const head = `GET /socket HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\n${upgrade}`
  const answer = await rawExchange(port, `${head}Cookie: token=${token}\r\n\r\n`)
  assert.match(answer, /^HTTP\/1\.1 400 .*CSRF_REFUSED/s)
  assert.equal(backend.requests.length, 0)
})

test('an emptied Cookie is left out, and a route that forwards credentials passes it whole', async (t) => {
  const backend = await startBackend(t)
  const upstreams = { echo: { targets: [{ url: backend.url }] } }
  for (const [forwardCredentials, passed] of [
    [false, undefined],
    [true, `token=${token}`],
  ] as const) {
    const routes = [{ ...echo.routes[0], forwardCredentials }]
    const { url } = await startGateway(t, { ...echo, routes, upstreams })
    await (await fetch(`${url}/a`, { headers: { Cookie: `token=${token}` } })).text()
    assert.equal(backend.requests.at(-1)?.headers.cookie, passed)
  }
})

test('the cookie stays here on routes without identity, too', async (t) => {
  const backend = await startBackend(t)
  const upstreams = { echo: { targets: [{ url: backend.url }] } }
  const { url } = await startGateway(t, {
    ...echo,
    upstreams,
    routes: [{ id: 'open', path: '/**', upstream: 'echo', auth: 'none' }],
  })
  const headers = { Cookie: `a=1; token=${token}; b=2` }
  await (await fetch(`${url}/a`, { method: 'POST', headers, body: '{}' })).text()
  assert.equal(backend.requests[0]?.headers.cookie, 'a=1; b=2')
})

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
  test(`${method} with the cookie needs a page that may`, async (t) => {
    const backend = await startBackend(t)
    const upstreams = { echo: { targets: [{ url: backend.url }] } }
    const { url } = await startGateway(t, { ...echo, upstreams })
    const ask = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await fetch(`${url}/a`, { method, headers: { Cookie: `token=${token}`, ...headers } })).status
    assert.equal(await ask({ 'Sec-Fetch-Site': 'cross-site' }), 400)
    assert.equal(await ask({}), 400)
    assert.equal(backend.requests.length, 0)
    assert.equal(await ask({ 'Sec-Fetch-Site': 'same-origin' }), 200)
  })
}
