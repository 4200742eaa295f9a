import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { hashApiKey } from '../../../src/plugins/identity/api-key.ts'
import { rawExchange, startBackend, startGateway } from '../../world.ts'

const v = (name: string): string => `\${${name}}`

async function open(t: TestContext, routes: readonly object[], more: object = {}) {
  const backend = await startBackend(t)
  const gateway = await startGateway(t, {
    upstreams: { a: { targets: [{ url: backend.url }] } },
    routes: routes.map((route, i) => ({ id: `r${i}`, auth: 'none', ...route })),
    ...more,
  })
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(gateway.url + path, { redirect: 'manual', ...init })
  return { ...gateway, backend, ask }
}

/** What the backend was asked for; undefined when it was not. */
interface Rewritten {
  readonly name: string
  readonly route: object
  readonly asked: string
  readonly becomes: string
}

const rewritten: readonly Rewritten[] = [
  {
    name: 'a variable stands in the path',
    route: { path: '/v1/{id}/x', rewrite: { path: `/people/${v('path.id')}` } },
    asked: '/v1/42/x?a=1',
    becomes: '/people/42?a=1',
  },
  {
    name: 'escapes of a variable pass as they are, and are not decoded twice',
    route: { path: '/v1/{id}', rewrite: { path: `/p/${v('path.id')}/y` } },
    asked: '/v1/a%20b%C3%A9%23%3F',
    becomes: '/p/a%20b%C3%A9%23%3F/y',
  },
  {
    name: 'an encoded slash stays encoded where it is accepted',
    route: { path: '/v1/{id}', encodedSlash: true, rewrite: { path: `/p/${v('path.id')}` } },
    asked: '/v1/a%2Fb',
    becomes: '/p/a%2Fb',
  },
  {
    name: 'a variable of many segments keeps its slashes',
    route: { path: '/v1/{rest=**}', rewrite: { path: `/w/${v('path.rest')}` } },
    asked: '/v1/a/b%20c/d',
    becomes: '/w/a/b%20c/d',
  },
  {
    name: 'a variable of no segment makes no empty one',
    route: { path: '/v1/{rest=**}', rewrite: { path: `/w/${v('path.rest')}/x` } },
    asked: '/v1',
    becomes: '/w/x',
  },
  {
    name: 'a value of the query is one segment',
    route: { path: '/v1', rewrite: { path: `/w/${v('query.name')}` } },
    asked: '/v1?name=a%20b',
    becomes: '/w/a%20b?name=a%20b',
  },
  {
    name: 'a fallback stands in for what is missing',
    route: { path: '/v1', rewrite: { path: `/w/${v('query.name:-none')}` } },
    asked: '/v1',
    becomes: '/w/none',
  },
  {
    name: 'parameters are set, added and removed; the others stay byte for byte',
    route: {
      path: '/v1/{id}',
      rewrite: {
        query: { remove: ['debug'], set: { id: v('path.id'), by: v('query.who') }, add: { tag: 'a b&c' } },
      },
    },
    asked: '/v1/x%26y?b=%7e+1&debug=1&de%62ug=2&id=forged&id&c',
    becomes: '/v1/x%26y?b=%7e+1&c&id=x%26y&tag=a%20b%26c',
  },
  {
    name: 'a query that is empty in the end is left out',
    route: { path: '/v1', rewrite: { query: { remove: ['a'] } } },
    asked: '/v1?a=1',
    becomes: '/v1',
  },
]

for (const { name, route, asked, becomes } of rewritten) {
  test(`rewrite: ${name}`, async (t) => {
    const { ask } = await open(t, [{ upstream: 'a', ...route }])
    const reply = await ask(asked)
    const body = await reply.text()
    assert.equal(reply.status, 200, body)
    assert.equal(JSON.parse(body).url, becomes)
  })
}

// security.md: `..` in any disguise never reaches another prefix.
for (const value of [
  '..',
  '.',
  'a/b',
  '/etc',
  'a%2Fb',
  '%2e%2e',
  'a\\b',
  '．．',
  '..;x',
  'a／b',
  'a\r\nb',
  '',
  'x'.repeat(257),
]) {
  test(`rewrite: the value ${JSON.stringify(value.slice(0, 12))} does not become part of a path`, async (t) => {
    const { ask, backend } = await open(t, [
      { path: '/v1', upstream: 'a', rewrite: { path: `/public/${v('query.name')}` } },
    ])
    const reply = await ask(`/v1?name=${encodeURIComponent(value)}`)
    assert.equal(reply.status, 400)
    assert.equal(((await reply.json()) as { reason: string }).reason, 'INVALID_ARGUMENT')
    assert.equal(backend.requests.length, 0)
  })
}

test('rewrite: a dot before a value does not make a dot segment', async (t) => {
  const { ask, backend } = await open(t, [
    { path: '/v1/{rest=**}', upstream: 'a', rewrite: { path: `/public/..${v('path.rest')}` } },
  ])
  assert.equal((await ask('/v1')).status, 400)
  assert.equal(backend.requests.length, 0)
})

interface Redirected {
  readonly name: string
  readonly redirect: object
  readonly asked: string
  readonly location: string
  readonly status?: number
}

const redirected: readonly Redirected[] = [
  { name: 'to a path', redirect: { to: '/new' }, asked: '/old/42?a=1', location: '/new' },
  {
    name: 'to another host, with a variable, the query and a status',
    redirect: { to: `https://new.example/p/${v('path.id')}`, status: 308, keepQuery: true },
    asked: '/old/a%2Db%20c?x=1&y',
    location: 'https://new.example/p/a-b%20c?x=1&y',
    status: 308,
  },
  {
    name: 'with a query of its own, and values that cannot leave their parameter',
    redirect: { to: `/new?who=${v('path.id')}&n=${v('query.n')}#top`, keepQuery: true },
    asked: '/old/a&b=c?n=1%262',
    location: '/new?who=a%26b%3Dc&n=1%262&n=1%262#top',
  },
  {
    name: 'to a path that a value cannot make into a host',
    redirect: { to: `/${v('path.rest')}/${v('path.id')}` },
    asked: '/old/evil.example',
    location: '/evil.example',
  },
]

for (const { name, redirect, asked, location, status = 302 } of redirected) {
  test(`redirect ${name}`, async (t) => {
    const { ask } = await open(t, [{ path: '/old/{rest=**}/{id}', redirect }])
    const reply = await ask(asked)
    assert.equal(reply.status, status)
    assert.equal(reply.headers.get('location'), location)
    assert.equal(reply.headers.get('content-length'), '0')
  })
}

for (const name of [
  '//evil.example',
  '/\\evil.example',
  'https://evil.example',
  '\\evil.example',
  '@evil.example',
]) {
  test(`redirect: ${name} out of a query stays on this host`, async (t) => {
    const { ask, url } = await open(t, [{ path: '/old', redirect: { to: `/${v('query.to')}` } }])
    const reply = await ask(`/old?to=${encodeURIComponent(name)}`)
    if (reply.status === 400) return
    assert.equal(new URL(reply.headers.get('location') ?? '', url).origin, url)
  })
}

test('a static answer has plugins, identity and limits like any other', async (t) => {
  const key = 'a key of the tests'
  const { ask } = await open(
    t,
    [
      {
        path: '/me',
        auth: 'required',
        respond: { json: { id: v('user.id') } },
        plugins: [{ rateLimit: { limit: 1, window: '1m' } }],
      },
    ],
    { consumers: [{ id: 'acme', keys: [{ hash: hashApiKey(key) }] }] },
  )
  assert.equal((await ask('/me')).status, 401)
  const reply = await ask('/me', { headers: { 'X-API-Key': key } })
  assert.deepEqual(await reply.json(), { id: 'acme' })
  assert.equal((await ask('/me', { headers: { 'X-API-Key': key } })).status, 429)
})

test('values in JSON stay inside their text', async (t) => {
  const { ask } = await open(t, [
    {
      path: '/j/{id}',
      respond: { status: 201, json: { 'a"b': [`<${v('query.q')}> ${v('path.id')}`, 1, null, true, [], {}] } },
    },
  ])
  const value = '"},"x":"\\\n\u2028é\ud83d\ude00'
  const reply = await ask(`/j/4%222?q=${encodeURIComponent(value)}`)
  assert.equal(reply.status, 201)
  assert.equal(reply.headers.get('content-type'), 'application/json')
  assert.equal(reply.headers.get('etag'), null)
  assert.deepEqual(await reply.json(), { 'a"b': [`<${value}> 4"2`, 1, null, true, [], {}] })
})

test('a static answer that is the same for everybody has a tag, and 304 for who knows it', async (t) => {
  const { ask } = await open(t, [
    {
      path: '/page',
      respond: { headers: { 'Content-Type': 'text/html', 'Cache-Control': 'max-age=60' }, body: '<p>é</p>' },
    },
  ])
  const reply = await ask('/page')
  assert.equal(await reply.text(), '<p>é</p>')
  assert.equal(reply.headers.get('content-type'), 'text/html')
  assert.equal(reply.headers.get('content-length'), '9')
  const etag = reply.headers.get('etag') ?? ''
  assert.match(etag, /^"[\w-]{22}"$/)
  const head = await ask('/page', { method: 'HEAD' })
  assert.equal(head.headers.get('content-length'), '9')
  assert.equal(head.headers.get('etag'), etag)
  assert.equal(await head.text(), '')
  // RFC 9110 section 13.1.2: weak comparison, lists, `*`.
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await ask('/page', { headers: { 'If-None-Match': known } })
    assert.equal(again.status, 304, known)
    assert.equal(again.headers.get('etag'), etag)
    assert.equal(again.headers.get('cache-control'), 'max-age=60')
  }
  assert.equal((await ask('/page', { headers: { 'If-None-Match': '"other"' } })).status, 200)
  assert.equal((await ask('/page', { method: 'POST', headers: { 'If-None-Match': etag } })).status, 200)
})

test('a static answer of a file has its bytes', async (t) => {
  const { ask } = await open(t, [
    {
      path: '/logo',
      respond: { file: 'test/doors/doors.proto', headers: { 'Content-Type': 'text/x-proto' } },
    },
  ])
  const reply = await ask('/logo')
  assert.equal(reply.headers.get('content-type'), 'text/x-proto')
  assert.match(await reply.text(), /^syntax/)
})

test('a POST to a static answer keeps its connection', async (t) => {
  const { port } = await open(t, [{ path: '/mock', respond: { status: 202, body: 'ok' } }])
  const post = 'POST /mock HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi'
  const answers = await rawExchange(port, `${post}${post.replace('Host: a', 'Host: a\r\nConnection: close')}`)
  assert.equal(answers.match(/HTTP\/1\.1 202 /g)?.length, 2)
})

test('headers of a REST route: removed, renamed, set, with its variables', async (t) => {
  const { ask } = await open(t, [
    {
      path: '/v1/{id}',
      upstream: 'a',
      plugins: [
        {
          headers: {
            request: {
              remove: ['X-Debug'],
              rename: { 'X-Old': 'X-New' },
              set: { 'x-id': v('path.id'), 'content-type': 'text/x' },
            },
            response: { remove: ['Content-Type', 'via'], add: { 'X-Id': v('path.id') } },
          },
        },
      ],
    },
  ])
  const reply = await ask('/v1/a%20b', { headers: { 'X-DEBUG': '1', 'x-old': 'o', 'X-Id': 'forged' } })
  assert.equal(reply.headers.get('content-type'), null)
  assert.equal(reply.headers.get('via'), null)
  assert.equal(reply.headers.get('x-id'), 'a b')
  const { headers } = (await reply.json()) as { headers: Record<string, string> }
  assert.equal(headers['x-debug'], undefined)
  assert.equal(headers['x-new'], 'o')
  assert.equal(headers['x-old'], undefined)
  assert.equal(headers['x-id'], 'a b')
  assert.equal(headers['content-type'], 'text/x')
})

test('a client that leaves during a delay is let go', async (t) => {
  const { url, logged } = await open(t, [
    {
      path: '/slow',
      upstream: 'a',
      plugins: ['accessLog', { fault: { delay: { percent: 100, duration: '60s' } } }],
    },
  ])
  const controller = new AbortController()
  const asked = fetch(`${url}/slow`, { signal: controller.signal })
  const delayed = 'gateway_faults_injected_total{policy="r0",kind="delay"} 1'
  while (!(await (await fetch(`${url}/metrics`)).text()).includes(delayed)) await new Promise(setImmediate)
  controller.abort()
  await assert.rejects(asked)
  const line = await logged((entry) => entry['url.path'] === '/slow')
  assert.equal(line['http.response.status_code'], 499)
  assert.ok(Number(line['gateway.duration_ms']) < 30_000)
})

test('about as many requests meet a fault as its percentage says', async (t) => {
  const { ask } = await open(t, [
    { path: '/f', respond: {}, plugins: [{ fault: { abort: { percent: 30 } } }] },
  ])
  let failed = 0
  for (let i = 0; i < 400; i++) if ((await ask('/f')).status === 503) failed++
  // Six standard deviations (9.2) to both sides.
  assert.ok(failed > 65 && failed < 175, `${failed} of 400`)
})

test('an upgrade to a route of the gateway itself is answered, not switched', async (t) => {
  const { port } = await open(t, [
    { path: '/r', redirect: { to: '/x' } },
    { path: '/s', respond: { body: 'static' } },
  ])
  for (const [path, answer] of [
    ['/r', /^HTTP\/1\.1 302 /],
    ['/s', /^HTTP\/1\.1 200 .*static$/s],
  ] as const) {
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
    assert.match(await rawExchange(port, `GET ${path} HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n\r\n`), answer)
  }
})
