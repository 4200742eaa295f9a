import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBackend, startGateway } from '../../../world.ts'
import { type HouseOptions, openHouse, type Seen, sends, v } from './harness.ts'

const user = { name: 'user', rest: { upstream: 'rest', path: `/users/${v('path.id')}` } }
const orders = { name: 'orders', rest: { upstream: 'rest', path: '/orders', query: { of: v('path.id') } } }
const book = {
  name: 'book',
  grpc: { method: 'library.v1.LibraryService/GetBook', request: { book: v('path.id'), shelf: 1 } },
}
const account = {
  name: 'account',
  graphql: {
    operation: 'query Account($id: ID!) { user(id: $id) { id name } }',
    variables: { id: v('path.id') },
    at: 'user',
  },
}

function route(parts: readonly object[], more: object = {}): object {
  return { path: '/v1/home/{id}', methods: ['GET'], aggregate: { parts }, ...more }
}

test('REST, gRPC and GraphQL in one answer, each under its name', async (t) => {
  const { ask, seen, logged } = await openHouse(t, { routes: [route([user, orders, book, account])] })
  const { status, headers, json } = await ask('/v1/home/42?secret=1')
  assert.equal(status, 200)
  assert.equal(headers.get('x-gateway-completed'), 'true')
  assert.equal(headers.get('content-type'), 'application/json')
  assert.deepEqual(Object.keys(json), ['user', 'orders', 'book', 'account'])
  assert.equal(json.user.name, 'Ada')
  assert.equal(json.orders.length, 2)
  assert.deepEqual(json.book, { id: '42', shelf: '1', title: 'Kettle songs', tags: ['a', 'b'] })
  assert.deepEqual(json.account, { id: '42', name: 'User 42' })
  assert.deepEqual(
    seen
      .filter(({ backend }) => backend === 'rest')
      .map(({ what }) => what)
      .sort(),
    ['GET /orders?of=42', 'GET /users/42'],
  )
  const line = await logged((one) => one['gateway.route'] === 'r0')
  assert.deepEqual(String(line['gateway.upstream']).split(',').sort(), ['library', 'rest', 'shop'])
  assert.equal(line['gateway.attempts'], 4)
})

test('parts that depend on nothing run side by side: no backend answers before all are asked', async (t) => {
  const gate = Promise.withResolvers<void>()
  let asked = 0
  const before: HouseOptions['before'] = () => {
    if (++asked === 4) gate.resolve()
    return gate.promise
  }
  const { ask } = await openHouse(t, { routes: [route([user, orders, book, account])], before })
  assert.equal((await ask('/v1/home/42')).status, 200)
})

test('a part that depends on another is called with what that one answered, and not before', async (t) => {
  const answered: string[] = []
  const next = {
    name: 'book',
    dependsOn: ['user'],
    grpc: { method: 'library.v1.LibraryService/GetBook', request: { book: v('parts.user.book') } },
  }
  const last = {
    name: 'mail',
    dependsOn: ['book'],
    rest: {
      upstream: 'rest',
      method: 'POST',
      path: `/mail/${v('parts.user.address.city')}`,
      headers: { 'x-title': v('parts.book.title') },
      query: { tag: v('parts.book.tags.1'), none: v('parts.book.nothing') },
      body: { tags: v('parts.book.tags'), text: `for ${v('parts.user.name')}`, gone: v('parts.user.gone') },
    },
  }
  const { ask, seen } = await openHouse(t, {
    routes: [route([last, next, { ...user, select: ['id'] }])],
    before: async ({ what }) => {
      answered.push(what)
    },
  })
  const { json } = await ask('/v1/home/42')
  assert.deepEqual(Object.keys(json), ['mail', 'book', 'user'])
  assert.deepEqual(json.user, { id: '42' }, 'what is not selected is there for other parts all the same')
  assert.deepEqual(answered, ['GET /users/42', '{"book":"2"}', 'POST /mail/London?tag=b'])
  const mail = seen.at(-1) as Seen
  assert.deepEqual(JSON.parse(mail.body), { tags: ['a', 'b'], text: 'for Ada' })
  assert.equal(mail.headers['x-title'], 'Kettle songs')
  assert.equal(mail.headers['content-type'], 'application/json')
})

test('the JSON of the request stands in texts with its types', async (t) => {
  const part = {
    name: 'order',
    rest: {
      upstream: 'rest',
      method: 'POST',
      path: '/made',
      body: { all: v('request.body'), first: v('request.body.items.0.upc'), by: v('query.by') },
    },
  }
  const { ask, seen } = await openHouse(t, {
    routes: [{ path: '/v1/orders', methods: ['POST'], aggregate: { parts: [part] } }],
  })
  const text = '{"items":[{"upc":"7","n":12345678901234567890}],"__proto__":{"x":1}}'
  const told = await ask('/v1/orders?by=me', { ...sends(0), body: text })
  assert.deepEqual(told.json, { order: { made: true } })
  assert.equal(seen[0]?.body, `{"all":${text},"first":"7","by":"me"}`, 'to the last digit')

  const bad = await ask('/v1/orders', { ...sends(0), body: '{"a":' })
  assert.deepEqual([bad.status, bad.json.reason], [400, 'INVALID_BODY'])
  const deep = await ask('/v1/orders', { ...sends(0), body: '['.repeat(101) + ']'.repeat(101) })
  assert.deepEqual([deep.status, deep.json.reason], [400, 'INVALID_BODY'])
  const form = await ask('/v1/orders', { method: 'POST', body: new URLSearchParams({ a: '1' }) })
  assert.deepEqual([form.status, form.json.reason], [415, 'UNSUPPORTED_MEDIA_TYPE'])
  assert.equal(seen.length, 1)
})

test('an optional part that fails is left out, and the answer says so', async (t) => {
  const parts = [
    user,
    { name: 'news', optional: true, rest: { upstream: 'down', path: '/news' } },
    {
      name: 'more',
      optional: true,
      dependsOn: ['news'],
      rest: { upstream: 'rest', path: `/users/${v('parts.news.id')}` },
    },
    { ...book, grpc: { ...book.grpc, request: { book: 404 } }, optional: true },
    { ...account, optional: true, graphql: { operation: '{ fail(code: "CONFLICT") }' } },
  ]
  const { ask, seen, logged } = await openHouse(t, { routes: [route(parts)] })
  const { status, headers, json } = await ask('/v1/home/42')
  assert.equal(status, 200)
  assert.equal(headers.get('x-gateway-completed'), 'false')
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.deepEqual(Object.keys(json), ['user', 'errors'])
  const refused = {
    reason: 'UPSTREAM_REFUSED',
    status: 502,
    detail: 'Upstream "down" refused the connection.',
  }
  assert.deepEqual(json.errors, [
    { part: 'news', ...refused },
    { part: 'more', ...refused },
    {
      part: 'book',
      reason: 'PART_REFUSED',
      status: 404,
      detail: 'Upstream "library" answered NOT_FOUND: There is no book 404.',
    },
    { part: 'account', reason: 'SUBGRAPH_ERROR', status: 409, detail: 'It failed on purpose.' },
  ])
  assert.equal(seen.filter(({ backend }) => backend === 'rest').length, 1, 'what has no values is not called')
  const line = await logged((one) => one['gateway.route'] === 'r0')
  assert.equal(
    line['gateway.parts.failed'],
    'news: UPSTREAM_REFUSED, more: UPSTREAM_REFUSED, book: PART_REFUSED, account: SUBGRAPH_ERROR',
  )
  assert.equal(line.severity, 'info')
})

test('a part of GraphQL that is not whole is answered as far as it is', async (t) => {
  const graphql = { operation: '{ users { id } fail }' }
  const { ask } = await openHouse(t, {
    routes: [
      route([{ name: 'shop', graphql }]),
      route([{ name: 'shop', graphql: { ...graphql, partial: 'refuse' } }], { path: '/v2/home/{id}' }),
    ],
  })
  const { status, headers, json } = await ask('/v1/home/42')
  assert.equal(status, 200)
  assert.equal(headers.get('x-gateway-completed'), 'false')
  assert.deepEqual(json.shop, { users: [{ id: '1' }, { id: '2' }], fail: null })
  assert.deepEqual(json.errors, [
    { part: 'shop', reason: 'SUBGRAPH_ERROR', status: 502, detail: 'The subgraph failed.' },
  ])
  const refused = await ask('/v2/home/42')
  assert.deepEqual([refused.status, refused.json.detail], [502, 'Part "shop": The subgraph failed.'])
})

interface Failure {
  readonly name: string
  readonly part: object
  readonly status: number
  readonly reason: string
  readonly detail: RegExp
}

/** docs/aggregation.md, "When a part fails". */
const failures: readonly Failure[] = [
  {
    name: 'a backend that says 404',
    part: { rest: { upstream: 'rest', path: '/users/nobody' } },
    status: 404,
    reason: 'PART_REFUSED',
    detail: /^Part "p": Upstream "rest" answered 404\.$/,
  },
  {
    name: 'a backend that says 500',
    part: { rest: { upstream: 'rest', path: '/broken' } },
    status: 502,
    reason: 'PART_FAILED',
    detail: /answered 500\.$/,
  },
  {
    name: 'a proxy that wants to know the gateway (RFC 9110 section 15.5.8)',
    part: { rest: { upstream: 'rest', path: '/odd/proxy' } },
    status: 502,
    reason: 'PART_FAILED',
    detail: /answered 407\.$/,
  },
  {
    name: 'a redirect, which is not followed',
    part: { rest: { upstream: 'rest', path: '/odd/redirect' } },
    status: 502,
    reason: 'PART_FAILED',
    detail: /answered 302\.$/,
  },
  {
    name: 'a backend that is not there',
    part: { rest: { upstream: 'down', path: '/' } },
    status: 502,
    reason: 'UPSTREAM_REFUSED',
    detail: /^Part "p": Upstream "down" refused the connection\.$/,
  },
  {
    name: 'HTML',
    part: { rest: { upstream: 'rest', path: '/odd/html' } },
    status: 502,
    reason: 'UPSTREAM_BAD_ANSWER',
    detail: /is text\/html instead of JSON\.$/,
  },
  {
    name: 'JSON that is none',
    part: { rest: { upstream: 'rest', path: '/odd/cut' } },
    status: 502,
    reason: 'UPSTREAM_BAD_ANSWER',
    detail: /is no valid JSON\.$/,
  },
  {
    name: 'JSON that is nested too deep',
    part: { rest: { upstream: 'rest', path: '/odd/deep' } },
    status: 502,
    reason: 'UPSTREAM_BAD_ANSWER',
    detail: /is no valid JSON\.$/,
  },
  {
    name: 'bytes that are not UTF-8',
    part: { rest: { upstream: 'rest', path: '/odd/latin1' } },
    status: 502,
    reason: 'UPSTREAM_BAD_ANSWER',
    detail: /is not in UTF-8\.$/,
  },
  {
    name: 'an answer that is coded, which nobody asked for',
    part: { rest: { upstream: 'rest', path: '/odd/gzip' } },
    status: 502,
    reason: 'UPSTREAM_BAD_ANSWER',
    detail: /is coded \(gzip\)\.$/,
  },
  {
    name: 'more than answerBytes',
    part: { rest: { upstream: 'rest', path: '/odd/large' } },
    status: 502,
    reason: 'UPSTREAM_TOO_LARGE',
    detail: /has more than 1048576 bytes\.$/,
  },
  {
    name: 'more than answerBytes of GraphQL',
    part: { graphql: { operation: '{ large }' } },
    status: 502,
    reason: 'UPSTREAM_TOO_LARGE',
    detail: /has more than 1048576 bytes\.$/,
  },
  {
    name: 'more than answerBytes of gRPC',
    part: { grpc: { method: 'library.v1.LibraryService/GetBook', request: { book: 1000000 } } },
    status: 502,
    reason: 'UPSTREAM_TOO_LARGE',
    detail: /has more than 1048576 bytes\.$/,
  },
  {
    name: 'a list that is to be merged',
    part: { merge: true, rest: { upstream: 'rest', path: '/orders' } },
    status: 502,
    reason: 'UPSTREAM_BAD_ANSWER',
    detail: /is no object, and cannot be merged\.$/,
  },
  {
    name: 'a status of gRPC that clients understand',
    part: { grpc: { method: 'library.v1.LibraryService/GetBook', request: { book: 404 } } },
    status: 404,
    reason: 'PART_REFUSED',
    detail: /answered NOT_FOUND: There is no book 404\.$/,
  },
  {
    name: 'a status of gRPC that says that the backend failed',
    part: { grpc: { method: 'library.v1.LibraryService/GetBook', request: { book: 500 } } },
    status: 502,
    reason: 'PART_FAILED',
    detail: /answered INTERNAL: The shelf broke\.$/,
  },
  {
    name: 'a value that no message can take',
    part: { grpc: { method: 'library.v1.LibraryService/GetBook', request: { book: v('query.book') } } },
    status: 400,
    reason: 'INVALID_ARGUMENT',
    detail: /^Part "p": No library\.v1\.GetBookRequest can be made: "book" must be/,
  },
  {
    name: 'a path that lacks its value',
    part: { rest: { upstream: 'rest', path: `/users/${v('query.none')}` } },
    status: 400,
    reason: 'INVALID_ARGUMENT',
    detail: /"query\.none" is missing; the path needs it\.$/,
  },
  {
    name: 'null where the operation was to find something',
    part: { graphql: { operation: '{ user(id: "nobody") { id } }', at: 'user' } },
    status: 404,
    reason: 'NOT_FOUND',
    detail: /^Part "p": There is no such user\.$/,
  },
  {
    name: 'an error of a subgraph with a code of its own',
    part: { graphql: { operation: '{ fail(code: "FORBIDDEN") }' } },
    status: 403,
    reason: 'SUBGRAPH_ERROR',
    detail: /It failed on purpose\.$/,
  },
]

test('a required part that fails is the answer, and is named', async (t) => {
  const routes = failures.map(({ part }, index) => ({
    path: `/f/${index}`,
    aggregate: { parts: [user, { name: 'p', ...part }] },
  }))
  const { ask, logged } = await openHouse(t, {
    routes: routes.map((route) => JSON.parse(JSON.stringify(route).replace(v('path.id'), '42'))),
    rest: ({ url = '' }, res) => {
      const odd = oddAnswers[url.slice('/odd/'.length)]
      if (!url.startsWith('/odd/') || odd === undefined) return false
      res.writeHead(odd.status ?? 200, { 'Content-Type': 'application/json', ...odd.headers }).end(odd.body)
      return true
    },
  })
  for (const [index, { name, status, reason, detail }] of failures.entries()) {
    const told = await ask(`/f/${index}?book=war`)
    assert.equal(told.status, status, name)
    assert.equal(told.headers.get('content-type'), 'application/problem+json', name)
    assert.equal(told.json.reason, reason, name)
    assert.equal(told.json.status, status, name)
    assert.match(told.json.detail, detail, name)
    assert.ok(!told.text.includes('secret'), `${name}: nothing of what the backend said`)
    const line = await logged((one) => one['gateway.route'] === `r${index}`)
    assert.equal(line['gateway.error.reason'], reason, name)
  }
})

const oddAnswers: Readonly<
  Record<string, { status?: number; headers?: Record<string, string>; body: string | Buffer }>
> = {
  proxy: { status: 407, body: '' },
  redirect: { status: 302, headers: { Location: '/users/42' }, body: '' },
  html: { headers: { 'Content-Type': 'text/html' }, body: '<h1>secret</h1>' },
  cut: { body: '{"secret":' },
  deep: { body: '['.repeat(101) + ']'.repeat(101) },
  latin1: { body: Buffer.from('"\xe9"', 'latin1') },
  gzip: { headers: { 'Content-Encoding': 'gzip' }, body: 'secret' },
  large: { body: JSON.stringify('x'.repeat(1_048_575)) },
}

test('text and empty answers are taken where they are expected', async (t) => {
  const parts = [
    { name: 'note', rest: { upstream: 'rest', path: '/note', answer: 'text' } },
    { name: 'gone', rest: { upstream: 'rest', method: 'DELETE', path: '/note' } },
  ]
  const { ask } = await openHouse(t, {
    routes: [route(parts)],
    rest: ({ method }, res) => {
      if (method === 'DELETE') res.writeHead(204).end()
      else res.writeHead(200, { 'Content-Type': 'text/plain' }).end('two\nlines')
      return true
    },
  })
  assert.deepEqual((await ask('/v1/home/42')).json, { note: 'two\nlines', gone: null })
})

test('what is selected, also out of lists, and where it is put', async (t) => {
  const parts = [
    { ...user, merge: true, select: ['name', 'address.city', 'unknown'] },
    { ...orders, as: 'bought', select: ['items.upc', 'id'] },
    { ...book, select: ['title', 'tags', 'tags.none', 'title.none'] },
  ]
  const { ask } = await openHouse(t, { routes: [route(parts)] })
  assert.deepEqual((await ask('/v1/home/42')).json, {
    name: 'Ada',
    address: { city: 'London' },
    bought: [
      { items: [{ upc: '1' }, { upc: '2' }], id: '7' },
      { items: [], id: '8' },
    ],
    book: { title: 'Kettle songs', tags: ['a', 'b'] },
  })
})

test('of members that are alike the named wins, then the first part, whoever is faster', async (t) => {
  const bodies: Readonly<Record<string, string>> = {
    '/one': '{"a":1,"b":1,"named":1,"errors":1,"__proto__":{"x":1},"constructor":1}',
    '/two': '{"a":2,"c":2,"__proto__":{"x":2}}',
    '/three': '3',
  }
  const two = Promise.withResolvers<void>()
  const part = (name: string) => ({ name, rest: { upstream: 'rest', path: `/${name}` } })
  const { ask } = await openHouse(t, {
    routes: [
      route([
        { ...part('one'), merge: true },
        { ...part('two'), merge: true },
        { ...part('three'), as: 'named' },
      ]),
    ],
    before: ({ what }) => {
      if (what !== 'GET /one') return undefined
      return two.promise
    },
    rest: ({ url = '' }, res) => {
      res.setHeader('Content-Type', 'application/json')
      res.end(bodies[url], () => {
        if (url === '/two') two.resolve()
      })
      return true
    },
  })
  const { text } = await ask('/v1/home/42')
  assert.equal(text, '{"a":1,"b":1,"__proto__":{"x":1},"constructor":1,"c":2,"named":3}')
})

test('a part has its own time, and the whole has one', async (t) => {
  const never = new Promise(() => {})
  const slow = { name: 'slow', rest: { upstream: 'rest', path: '/slow' } }
  const { ask, logged } = await openHouse(t, {
    routes: [
      route([user, { ...slow, timeout: '50ms', optional: true }]),
      route([user, { ...slow, timeout: '50ms' }], { path: '/v2/home/{id}' }),
      route([user, { ...slow, optional: true }], { path: '/v3/home/{id}', timeout: '80ms' }),
      route([{ ...account, name: 'slow', timeout: '50ms', optional: true }], { path: '/v4/home/{id}' }),
      route([{ ...book, name: 'slow', timeout: '50ms', optional: true }], { path: '/v5/home/{id}' }),
    ],
    before: ({ what, backend }) =>
      (what === 'GET /slow' || backend !== 'rest' ? never : undefined) as Promise<unknown>,
  })
  for (const path of ['/v1', '/v3', '/v4', '/v5']) {
    const { status, json } = await ask(`${path}/home/42`)
    assert.equal(status, 200, path)
    const [error] = json.errors
    assert.deepEqual([error.part, error.reason, error.status], ['slow', 'UPSTREAM_TIMEOUT', 504], path)
  }
  const line = await logged((one) => one['gateway.route'] === 'r3')
  assert.equal(line['gateway.error.reason'], undefined, 'an answer without an optional part is no error')
  const required = await ask('/v2/home/42')
  assert.deepEqual([required.status, required.json.reason], [504, 'UPSTREAM_TIMEOUT'])
})

test('a client that leaves takes all calls with it, and none begins after', async (t) => {
  const closed: Promise<unknown>[] = []
  const asked = Promise.withResolvers<void>()
  const hang = (name: string) => ({ name, rest: { upstream: 'rest', path: `/hang/${name}` } })
  const { url, seen, logged } = await openHouse(t, {
    routes: [route([hang('a'), hang('b'), { ...user, dependsOn: ['a'] }])],
    rest: (req, res) => {
      closed.push(new Promise((resolve) => res.once('close', resolve)))
      if (closed.length === 2) asked.resolve()
      return req.url?.startsWith('/hang/') === true
    },
  })
  const leaving = new AbortController()
  const answer = fetch(`${url}/v1/home/42`, { signal: leaving.signal })
  await asked.promise
  leaving.abort()
  await assert.rejects(answer)
  await Promise.all(closed)
  const line = await logged((one) => one['gateway.route'] === 'r0')
  assert.equal(line['http.response.status_code'], 499)
  assert.equal(seen.length, 2)
})

test('a required part that fails ends the others', async (t) => {
  const closed = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const { ask } = await openHouse(t, {
    routes: [
      route([
        { name: 'hang', rest: { upstream: 'rest', path: '/hang' } },
        { name: 'broken', rest: { upstream: 'rest', path: '/broken' } },
      ]),
    ],
    before: ({ what }) => (what === 'GET /broken' ? asked.promise : undefined),
    rest: (req, res) => {
      if (req.url !== '/hang') return false
      res.once('close', closed.resolve)
      asked.resolve()
      return true
    },
  })
  assert.equal((await ask('/v1/home/42')).status, 502)
  await closed.promise
})

test('calls carry what the gateway says of the client, and its credentials only where the route forwards them', async (t) => {
  const parts = [user, book, account]
  const { ask, seen } = await openHouse(t, {
    routes: [route(parts), route(parts, { path: '/v2/home/{id}', forwardCredentials: true })],
  })
  const headers = {
    Authorization: 'Bearer x',
    Cookie: 'a=1',
    'Accept-Language': 'de',
    'X-Other': 'stays here',
    'X-User-ID': 'forged',
    'If-None-Match': '"x"',
  }
  for (const path of ['/v1', '/v2']) {
    seen.length = 0
    assert.equal((await ask(`${path}/home/42`, { headers })).status, 200)
    for (const { backend, headers: got } of seen) {
      assert.equal(got.authorization, path === '/v2' ? 'Bearer x' : undefined, `${path} ${backend}`)
      assert.ok(got.traceparent !== undefined && got['x-forwarded-for'] === '127.0.0.1', backend)
      for (const name of ['x-other', 'x-user-id', 'if-none-match']) assert.equal(got[name], undefined, name)
    }
    const rest = seen.find(({ backend }) => backend === 'rest') as Seen
    assert.equal(rest.headers['accept-language'], 'de')
    assert.equal(rest.headers.cookie, path === '/v2' ? 'a=1' : undefined)
  }
})

test('a value of a backend that would leave its segment is a bad answer, not a path', async (t) => {
  const parts = [
    user,
    { name: 'next', dependsOn: ['user'], rest: { upstream: 'rest', path: `/users/${v('parts.user.name')}` } },
  ]
  const { ask, seen } = await openHouse(t, {
    routes: [route(parts)],
    rest: (_req, res) => {
      res.setHeader('Content-Type', 'application/json')
      res.end('{"name":"../admin"}')
      return true
    },
  })
  const { status, json } = await ask('/v1/home/42')
  assert.deepEqual([status, json.reason], [502, 'UPSTREAM_BAD_ANSWER'])
  assert.equal(seen.length, 1)
})

test('retries, identity and limits are those of every call and route', async (t) => {
  let first = true
  const { ask, seen } = await openHouse(t, {
    routes: [route([user], { plugins: [{ rateLimit: { name: 'l', limit: 2, window: '1h', by: 'ip' } }] })],
    rest: (_req, res) => {
      if (!first) return false
      first = false
      res.destroy()
      return true
    },
  })
  assert.equal((await ask('/v1/home/42')).status, 200)
  assert.equal(seen.length, 2)
  assert.equal((await ask('/v1/home/42', { method: 'HEAD' })).status, 200)
  assert.equal((await ask('/v1/home/42')).status, 429)
})

for (const [what, headers, upstream, status] of [
  ['with Idempotency-Key is sent again', { 'Idempotency-Key': v('header.idempotency-key') }, {}, 200],
  ['without it is not', {}, {}, 502],
  [
    'with it is not where the upstream has no use for it',
    { 'Idempotency-Key': v('header.idempotency-key') },
    { retry: { idempotencyKey: false } },
    502,
  ],
] as const) {
  test(`a POST of a part ${what}`, async (t) => {
    const bad = await startBackend(t, (req) => void req.resume().once('end', () => req.socket.destroy()))
    const good = await startBackend(t, (_, res) => void res.end('{"paid":true}'))
    const targets = [bad, good].map((one) => ({ url: one.url }))
    const rest = { upstream: 'pay', method: 'POST', path: '/pay', headers, body: { sum: 1 } }
    const { url } = await startGateway(t, {
      upstreams: { pay: { targets, ...upstream } },
      routes: [
        {
          id: 'orders',
          path: '/v1/orders',
          methods: ['POST'],
          auth: 'none',
          aggregate: { parts: [{ name: 'pay', rest }] },
        },
      ],
    })
    const reply = await fetch(`${url}/v1/orders`, { method: 'POST', headers: { 'Idempotency-Key': 'k-1' } })
    assert.equal(reply.status, status)
    assert.equal(good.requests.length, status === 200 ? 1 : 0)
  })
}
