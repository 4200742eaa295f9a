import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { doors } from '../doors/door.ts'
import { startBackend, startGateway } from '../world.ts'

const key = createApiKey('test')
const consumers = [{ id: 'acme', keys: [{ hash: hashApiKey(key) }] }]
const auth = { apiKeys: { query: 'api_key', cookie: 'key' } }

interface Echo {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

const queries: readonly (readonly [string, string, string])[] = [
  ['alone', `?api_key=${key}`, ''],
  ['among others, which stay as they are', `?a=1&api_key=${key}&b=%20+&&c`, '?a=1&b=%20+&&c'],
  ['with its name in escapes', `?api%5Fkey=${key}&a`, '?a'],
  ['with the value in escapes', `?api_key=${encodeURIComponent(key).replace('g', '%67')}`, ''],
]

test('a key in the query is taken out of what goes on, and of Referer', async (t) => {
  const backend = await startBackend(t)
  const { url, logs, logged } = await startGateway(t, {
    auth,
    consumers,
    plugins: ['accessLog'],
    upstreams: { b: { targets: [{ url: backend.url }] } },
    routes: [
      { id: 'r', path: '/r', upstream: 'b' },
      { id: 'open', path: '/open', upstream: 'b', auth: 'none' },
      { id: 'on', path: '/on', upstream: 'b', forwardCredentials: true },
      { id: 'away', path: '/away', redirect: { to: '/r', keepQuery: true } },
    ],
  })
  const referer = `${url}/page?api_key=${key}`
  for (const [name, query, left] of queries) {
    for (const path of ['/r', '/open']) {
      const reply = await fetch(url + path + query, { headers: { Referer: referer } })
      assert.equal(reply.status, 200, name)
      const told = (await reply.json()) as Echo
      assert.equal(told.url, path + left, name)
      assert.equal(told.headers['x-consumer'], path === '/r' ? 'acme' : undefined)
      assert.equal(told.headers.referer, undefined)
    }
  }
  const on = (await (await fetch(`${url}/on?api_key=${key}`)).json()) as Echo
  assert.deepEqual([on.url, on.headers['x-consumer']], [`/on?api_key=${key}`, 'acme'])
  const away = await fetch(`${url}/away?a=1&api_key=${key}`, { redirect: 'manual' })
  assert.equal(away.headers.get('location'), '/r?a=1')
  for (const query of [`api_key=${key}&api_key=${key}`, `api_key=${key}&API_KEY=x&api_key=`]) {
    assert.equal((await fetch(`${url}/r?${query}`)).status, 400, query)
  }
  assert.equal((await fetch(`${url}/r?API_KEY=${key}`)).status, 401)
  assert.equal((await fetch(`${url}/r?api_key=%FF%`)).status, 401)
  await logged((line) => line['http.response.status_code'] === 401)
  assert.doesNotMatch(JSON.stringify(logs), /gwk_/)
})

test('without auth.apiKeys.query a parameter is only a parameter', async (t) => {
  const backend = await startBackend(t)
  const { url } = await startGateway(t, {
    consumers,
    upstreams: { b: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'r', path: '/r', upstream: 'b', auth: 'optional' }],
  })
  const told = (await (await fetch(`${url}/r?api_key=x`)).json()) as Echo
  assert.equal(told.url, '/r?api_key=x')
})

for (const door of doors.filter(({ name }) => !name.includes('HTTP/2'))) {
  test(`a key in the query is no parameter at the ${door.name} door`, async (t) => {
    const backend = await door.start(t)
    const { url } = await startGateway(t, { auth, consumers, ...backend.config({ auth: 'required' }) })
    const { path } = backend.target
    const query = `api_key=${key}${door.protocol === 'graphql' ? '&query=%7Bme%7Bid%7D%7D' : ''}`
    const headers = { 'Apollo-Require-Preflight': '1' }
    const reply = await fetch(`${url}${path}?${query}`, { headers })
    assert.equal(reply.status, 200, await reply.clone().text())
    assert.match(await reply.text(), /"42"/)
    assert.doesNotMatch(JSON.stringify(backend.seen), /gwk_/)
    assert.equal((await fetch(`${url}${path}?${query.replace(key, 'nobody')}`, { headers })).status, 401)
  })
}

test('a WebSocket may bring its key in the query or in a cookie of our own pages, for browsers set no headers', async (t) => {
  const backend = await startBackend(t)
  const upgrades: (string | undefined)[] = []
  backend.server.on('upgrade', (req, socket) => {
    upgrades.push(`${req.url} ${req.headers.cookie}`)
    const accept = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    socket.end(`${accept}Sec-WebSocket-Accept: ${req.headers['x-accept'] ?? 'x'}\r\n\r\n`)
  })
  const { url } = await startGateway(t, {
    auth,
    consumers,
    upstreams: { b: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'r', path: '/r', upstream: 'b' }],
  })
  const open = async (path: string, headers: Record<string, string>): Promise<void> => {
    const { request } = await import('node:http')
    const asked = request(`${url}${path}`, {
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    })
    asked.on('error', () => {})
    asked.end()
    await Promise.race([once(asked, 'response'), once(asked, 'upgrade'), sleep(5_000)])
    asked.destroy()
  }
  await open(`/r?a=1&api_key=${key}`, {})
  await open('/r', { Cookie: `a=b; key=${key}; c=d`, Origin: url })
  await open('/r', { Cookie: `key=${key}`, Origin: 'https://evil.example' })
  await open('/r', { Cookie: `key=${key}` })
  assert.deepEqual(upgrades, ['/r?a=1 undefined', '/r a=b; c=d'])
})

test('a header with a key that is sent twice is refused, whatever the second holds', async (t) => {
  const { url } = await startGateway(t, {
    consumers,
    routes: [{ id: 'r', path: '/r', respond: { status: 200 } }],
  })
  const { request } = await import('node:http')
  const statusOf = async (keys: readonly string[]): Promise<number> => {
    const sent = keys.flatMap((value) => ['X-API-Key', value])
    const asked = request(`${url}/r`, { headers: ['Host', 'a.example', ...sent] }).end()
    const [reply] = await once(asked, 'response')
    reply.resume()
    return reply.statusCode
  }
  assert.equal(await statusOf([key]), 200)
  for (const second of [key, 'x', '']) assert.equal(await statusOf([key, second]), 400, second)
})
