import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import type { LogEntry } from '../../src/request-log/log-entry.ts'
import { startBackend, startGateway } from '../world.ts'
import { readEvents } from './read-events.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

/** A gateway with two routes, one of which asks for a key, and some requests behind it. */
async function open(t: TestContext, more: object = {}) {
  const backend = await startBackend(t)
  const gateway = await startGateway(t, {
    consumers: [{ id: 'acme', name: 'Acme', keys: [{ hash: hashApiKey(createApiKey('test')) }] }],
    upstreams: { users: { targets: [{ url: backend.url }] } },
    routes: [
      { id: 'users', path: '/users/**', upstream: 'users', auth: 'none' },
      { id: 'secret', path: '/secret', upstream: 'users' },
    ],
    ...more,
  })
  const { url } = gateway
  const ask = async (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    await (await fetch(url + path, { method, headers })).text()
  const search = async (query: string) => {
    const response = await fetch(`${url}/admin/logs${query}`)
    return { status: response.status, headers: response.headers, body: (await response.json()) as Found }
  }
  /** Waits until so many requests have settled. */
  const settled = async (count: number): Promise<void> => {
    while (gateway.gateway.requestLog.ring.next < count) await sleep(5)
  }
  return { ...gateway, ask, search, settled }
}

interface Found {
  readonly items: readonly LogEntry[]
  readonly next: string | null
  readonly searched: { memory: { entries: number; since: string | null }; database: unknown }
  readonly errors?: readonly { field: string; detail: string }[]
  readonly reason?: string
}

describe('GET /admin/logs', () => {
  test('finds requests by everything that they are known by', async (t) => {
    const { ask, search, settled } = await open(t)
    await ask('/users/1', { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, 'X-Request-Id': 'one' })
    await ask('/users/2', {}, 'POST')
    await ask('/secret')
    await ask('/nowhere')
    await settled(4)
    const paths = async (query: string) => (await search(query)).body.items.map(({ path }) => path)
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ['', ['/nowhere', '/secret', '/users/2', '/users/1']],
      [`?traceId=${traceId}`, ['/users/1']],
      ['?requestId=one', ['/users/1']],
      ['?status=401', ['/secret']],
      ['?status=4xx', ['/nowhere', '/secret']],
      ['?status=402-404', ['/nowhere']],
      ['?status=5xx', []],
      ['?route=users', ['/users/2', '/users/1']],
      ['?route=unrouted', ['/nowhere']],
      ['?method=post', ['/users/2']],
      ['?upstream=users', ['/users/2', '/users/1']],
      ['?reason=NO_CREDENTIALS', ['/secret']],
      ['?protocol=grpc', []],
      ['?since=1h&route=secret', ['/secret']],
      ['?until=1h', []],
      ['?minDuration=1h', []],
      ['?status=2xx&method=GET', ['/users/1']],
      ['?consumer=nobody', []],
    ]
    for (const [query, expected] of cases) assert.deepEqual(await paths(query), expected, query)
  })

  test('gives one page after the other', async (t) => {
    const { ask, search, settled } = await open(t)
    for (let i = 0; i < 7; i++) await ask(`/users/${i}`)
    await settled(7)
    const paths: string[] = []
    let query = '?limit=3'
    for (let pages = 1; ; pages++) {
      const { body, headers } = await search(query)
      paths.push(...body.items.map(({ path }) => path))
      if (body.next === null) {
        assert.equal(pages, 3)
        assert.equal(headers.get('link'), null)
        break
      }
      assert.match(headers.get('link') ?? '', /rel="next"/)
      query = `?limit=3&cursor=${body.next}`
    }
    assert.deepEqual(
      paths,
      [6, 5, 4, 3, 2, 1, 0].map((i) => `/users/${i}`),
    )
  })

  test('says over what was searched', async (t) => {
    const { ask, search, settled } = await open(t, { observability: { requestLog: { entries: 2 } } })
    for (let i = 0; i < 5; i++) await ask(`/users/${i}`)
    await settled(5)
    const { searched, items } = (await search('')).body
    assert.equal(items.length, 2)
    assert.deepEqual(searched, { memory: { entries: 2, since: items[1]?.at }, database: null })
  })

  test('a request is there by its id and by its request id', async (t) => {
    const { ask, url, search, settled } = await open(t)
    await ask('/users/1', { 'X-Request-Id': 'one' })
    await settled(1)
    const [entry] = (await search('')).body.items
    for (const id of [entry?.id, 'one']) {
      const reply = await fetch(`${url}/admin/logs/${id}`)
      assert.deepEqual(await reply.json(), entry)
    }
    const missing = await fetch(`${url}/admin/logs/two`)
    assert.equal(missing.status, 404)
  })

  test('refuses what it does not understand, and says what', async (t) => {
    const { search } = await open(t)
    for (const [query, field] of [
      ['?status=4x', 'status'],
      ['?status=500-400', 'status'],
      ['?traceId=xyz', 'traceId'],
      ['?since=yesterday', 'since'],
      ['?cursor=7', 'cursor'],
      ['?limit=0', 'limit'],
      ['?rout=users', 'rout'],
    ] as const) {
      const { status, body } = await search(query)
      assert.equal(status, 400, query)
      assert.match(JSON.stringify(body.errors), new RegExp(field), query)
    }
  })

  test('says so where nothing is logged', async (t) => {
    const { search, ask } = await open(t, { observability: { requestLog: { entries: 0 } } })
    await ask('/users/1')
    const { status, body } = await search('')
    assert.equal(status, 404)
    assert.equal(body.reason, 'NOT_FOUND')
  })
})

describe('what is logged of a request', () => {
  test('no credential, cookie, query or body is', async (t) => {
    const { ask, url, search, settled } = await open(t, {
      auth: { apiKeys: { query: 'key' } },
    })
    await ask('/users/1?key=topsecret&q=topsecret', {
      Authorization: 'Bearer topsecret',
      Cookie: 'session=topsecret',
      'X-API-Key': 'topsecret',
    })
    await ask('/secret?key=topsecret', { 'X-API-Key': 'topsecret' })
    await (await fetch(`${url}/users/1`, { method: 'POST', body: 'topsecret' })).text()
    await settled(3)
    const { body } = await search('')
    assert.equal(body.items.length, 3)
    assert.doesNotMatch(JSON.stringify(body), /topsecret/)
  })
})

describe('GET /admin/logs:follow', () => {
  for (const [name, path, headers] of [
    ['its own path', '/logs:follow', {}],
    ['?follow=true', '/logs?follow=true', {}],
    ['Accept: text/event-stream', '/logs', { Accept: 'text/event-stream' }],
  ] as const)
    test(`tells of requests as they settle: ${name}`, async (t) => {
      const { ask, url } = await open(t)
      await ask('/users/before')
      const events = await readEvents<LogEntry>(t, `${url}/admin${path}`, headers)
      await ask('/users/1')
      await ask('/users/2')
      const first = await events.next()
      const second = await events.next()
      assert.deepEqual([first.event, first.data.path, second.data.path], ['request', '/users/1', '/users/2'])
    })

  test('tells only of those that fit', async (t) => {
    const { ask, url } = await open(t)
    const events = await readEvents<LogEntry>(t, `${url}/admin/logs:follow?status=4xx`)
    await ask('/users/1')
    await ask('/nowhere')
    assert.equal((await events.next()).data.path, '/nowhere')
  })

  test('ends when the gateway does', async (t) => {
    const { url, gateway } = await open(t)
    const events = await readEvents<LogEntry>(t, `${url}/admin/logs:follow`)
    await gateway.shutdown()
    assert.equal(await events.ended, true)
  })

  test('takes so many listeners and no more, and more when some have left', async (t) => {
    const { url } = await open(t)
    const streams = []
    for (let i = 0; i < 16; i++) streams.push(await readEvents(t, `${url}/admin/logs:follow`))
    const refused = await fetch(`${url}/admin/logs:follow`)
    assert.equal(refused.status, 429)
    assert.equal(((await refused.json()) as Found).reason, 'TOO_MANY_AT_ONCE')
    streams[0]?.close()
    for (;;) {
      const again = await fetch(`${url}/admin/logs:follow`)
      if (again.status === 200) {
        await again.body?.cancel()
        return
      }
      await again.text()
      await sleep(20)
    }
  })
})
