import assert from 'node:assert/strict'
import { test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { type Instead, startServices, v } from './harness.ts'

/** HTTP answers. */
function http(matches: RegExp, code: number, body: string, type = 'application/json'): Instead {
  return ({ what }, { http: res }) => {
    if (res === undefined || !matches.test(what)) return false
    res.writeHead(code, { 'content-type': type }).end(body)
    return true
  }
}

function grpc(name: string, error: object | null, message?: object): Instead {
  return ({ what }, { grpc: answer }) => {
    if (what !== name) return false
    answer?.(error, message)
    return true
  }
}

interface Case {
  readonly name: string
  readonly query: string
  readonly instead?: Instead
  readonly data: unknown
  readonly errors: readonly {
    readonly path: readonly (string | number)[]
    readonly code: string
    readonly message?: string | RegExp
  }[]
}

const cases: readonly Case[] = [
  {
    name: '404 of a field that does not say null is NOT_FOUND, without the body',
    query: '{ a: person(id: 404) { name } b: person(id: 1) { name } }',
    data: { a: null, b: { name: 'Ada' } },
    errors: [{ path: ['a'], code: 'NOT_FOUND', message: 'Upstream "people" answered 404.' }],
  },
  ...(
    [
      [400, 'BAD_USER_INPUT'],
      [401, 'UNAUTHENTICATED'],
      [403, 'FORBIDDEN'],
      [409, 'CONFLICT'],
      [422, 'BAD_USER_INPUT'],
      [429, 'RATE_LIMITED'],
    ] as const
  ).map(([code, word]) => ({
    name: `${code} is ${word}`,
    query: '{ person(id: 1) { name } }',
    instead: http(/./, code, '{"secret":1}'),
    data: { person: null },
    errors: [{ path: ['person'], code: word, message: `Upstream "people" answered ${code}.` }],
  })),
  ...[418, 301, 204].map((code) => ({
    name: code === 204 ? 'an empty answer is null' : `${code} is masked`,
    query: '{ person(id: 1) { name } }',
    instead: http(/./, code, ''),
    data: { person: null },
    errors:
      code === 204
        ? []
        : [{ path: ['person'], code: 'INTERNAL_SERVER_ERROR', message: 'The subgraph failed.' }],
  })),
  {
    name: '500 of one call leaves the others alone',
    query: '{ a: person(id: 1) { name notes { text } } b: person(id: 2) { name } }',
    instead: http(/people\/1\/notes/, 500, '{"stack":"at secret.ts"}'),
    data: { a: null, b: { name: 'Alan' } },
    errors: [{ path: ['a', 'notes'], code: 'INTERNAL_SERVER_ERROR', message: 'The subgraph failed.' }],
  },
  {
    name: 'a gRPC status says what the backend said, where it is about the request',
    query: '{ item(id: "1") { id } }',
    instead: grpc('GetItem', { code: status.FAILED_PRECONDITION, details: 'Not on Sundays.' }),
    data: { item: null },
    errors: [
      {
        path: ['item'],
        code: 'BAD_USER_INPUT',
        message: 'Upstream "catalog" answered FAILED_PRECONDITION: Not on Sundays.',
      },
    ],
  },
  {
    name: 'what a backend says of its own faults is masked',
    query: '{ item(id: "1") { id } }',
    instead: grpc('GetItem', { code: status.INTERNAL, details: 'password is hunter2' }),
    data: { item: null },
    errors: [{ path: ['item'], code: 'INTERNAL_SERVER_ERROR', message: 'The subgraph failed.' }],
  },
  {
    name: 'no JSON is no answer',
    query: '{ person(id: 1) { name } }',
    instead: http(/./, 200, '<html>', 'text/html'),
    data: { person: null },
    errors: [{ path: ['person'], code: 'SERVICE_UNAVAILABLE', message: /is text\/html instead of JSON/ }],
  },
  {
    name: 'half an answer is no answer',
    query: '{ person(id: 1) { name } }',
    instead: http(/./, 200, '{"name":'),
    data: { person: null },
    errors: [{ path: ['person'], code: 'SERVICE_UNAVAILABLE', message: /no valid JSON/ }],
  },
  {
    name: 'a text where an object is expected does not fit, and is not told',
    query: '{ person(id: 1) { name } }',
    instead: http(/./, 200, '"hunter2"'),
    data: { person: null },
    errors: [
      {
        path: ['person'],
        code: 'SERVICE_UNAVAILABLE',
        message: 'What the service answered for "person" does not fit its type.',
      },
    ],
  },
  {
    name: 'wrong types are errors at their fields, and are not told',
    query: '{ search(text: "x") { name age } }',
    instead: http(
      /./,
      200,
      '{"data":{"people":[{"key":1,"name":{"a":1}},{"key":2,"name":"B","age":"hunter2"}]}}',
    ),
    data: null,
    errors: [
      {
        path: ['search', 0, 'name'],
        code: 'SERVICE_UNAVAILABLE',
        message: 'What the service answered for "name" does not fit its type.',
      },
    ],
  },
  {
    name: 'a number too large for Int is an error at its field',
    query: '{ person(id: 1) { name age } }',
    instead: http(/./, 200, '{"key":1,"name":"A","age":3000000000}'),
    data: { person: { name: 'A', age: null } },
    errors: [{ path: ['person', 'age'], code: 'SERVICE_UNAVAILABLE' }],
  },
  {
    name: 'null for non-null goes up to the nearest field that may be null',
    query: '{ person(id: 1) { name } }',
    instead: http(/./, 200, '{"key":1,"name":null}'),
    data: { person: null },
    errors: [
      {
        path: ['person', 'name'],
        code: 'SERVICE_UNAVAILABLE',
        message: 'Cannot return null for non-nullable field Person.name.',
      },
    ],
  },
  {
    name: 'an object where a list is expected does not fit',
    query: '{ person(id: 1) { notes { text } } }',
    instead: http(/notes/, 200, '{"text":"x"}'),
    data: { person: null },
    errors: [{ path: ['person', 'notes'], code: 'SERVICE_UNAVAILABLE' }],
  },
  {
    name: 'members named __proto__ and constructor are members like others',
    query: '{ person(id: 1) { name age } }',
    instead: http(/./, 200, '{"__proto__":{"name":"P","age":1},"key":1,"name":"A","constructor":1}'),
    data: { person: { name: 'A', age: null } },
    errors: [],
  },
  {
    name: 'an enum value that the schema has not is an error at its field',
    query: '{ item(id: "1") { id kind } }',
    instead: grpc('GetItem', null, { id: 1, kind: 9 }),
    data: { item: { id: '1', kind: null } },
    errors: [{ path: ['item', 'kind'], code: 'SERVICE_UNAVAILABLE' }],
  },
  {
    name: 'an entity that a batch does not have is an error where it does not say null',
    query: '{ items { title owner { name } } }',
    instead: http(/./, 200, '{"data":{"people":[{"key":"2","name":"Alan"}]}}'),
    data: {
      items: [
        { title: 'Hammer', owner: null },
        { title: 'Ball', owner: { name: 'Alan' } },
        { title: 'Rope', owner: null },
      ],
    },
    errors: [
      { path: ['items', 0, 'owner'], code: 'NOT_FOUND' },
      { path: ['items', 2, 'owner'], code: 'NOT_FOUND' },
    ],
  },
  {
    name: 'a batch that is no list fails for each of its objects',
    query: '{ items { title owner { name } } }',
    instead: http(/./, 200, '{"data":{"people":"none"}}'),
    data: {
      items: [
        { title: 'Hammer', owner: null },
        { title: 'Ball', owner: null },
        { title: 'Rope', owner: null },
      ],
    },
    errors: [0, 1, 2].map((i) => ({ path: ['items', i, 'owner'], code: 'SERVICE_UNAVAILABLE' })),
  },
  {
    name: 'an argument that the message cannot take is the fault of who sent it',
    query: '{ item(id: "x") { id } }',
    data: { item: null },
    errors: [{ path: ['item'], code: 'BAD_USER_INPUT', message: /"id" must be an integer/ }],
  },
]

for (const { name, query: text, instead, data, errors } of cases) {
  test(name, async (t) => {
    const { query } = await startServices(t, instead === undefined ? {} : { instead })
    const answer = await query(text)
    assert.deepEqual(answer.data, data)
    const told = answer.errors.toSorted((a, b) => String(a.path).localeCompare(String(b.path)))
    assert.deepEqual(
      told.map(({ path, extensions }) => ({ path, code: extensions.code })),
      errors.map(({ path, code }) => ({ path, code })),
      JSON.stringify(told),
    )
    errors.forEach(({ message }, i) => {
      if (message instanceof RegExp) assert.match(told[i]?.message ?? '', message)
      else if (message !== undefined) assert.equal(told[i]?.message, message)
    })
    assert.doesNotMatch(JSON.stringify(answer), /hunter2|secret/)
  })
}

test('nobody there: an error with the reason at the field, and the answer of the others', async (t) => {
  const { query, logged } = await startServices(t, {
    instead: ({ what }, { http: res }) => {
      if (res === undefined || !what.includes('/1')) return false
      res.destroy()
      return true
    },
    upstream: { retry: { attempts: 1 } },
  })
  const { data, errors } = await query('{ a: person(id: 1) { name } b: person(id: 2) { name } }')
  assert.deepEqual(data, { a: null, b: { name: 'Alan' } })
  assert.deepEqual(
    errors.map(({ path, extensions }) => [path, extensions.reason, extensions.serviceName]),
    [[['a'], 'UPSTREAM_RESET', 'people']],
  )
  await logged((line) => line['graphql.operation.type'] === 'query')
})

test('a backend that never answers costs the time of its upstream, and no more', async (t) => {
  const { query } = await startServices(t, {
    instead: ({ what }) => what.startsWith('GET /people/1') || what === 'GetItem',
    upstream: { timeouts: { request: '300ms' }, retry: { attempts: 1 } },
  })
  const { data, errors } = await query('{ person(id: 1) { name } item(id: "1") { id } }')
  assert.deepEqual(data, { person: null, item: null })
  assert.deepEqual(errors.map(({ extensions }) => extensions.code).toSorted(), ['TIMEOUT', 'TIMEOUT'])
})

test('queries are tried again, whatever method they take; mutations only where that is the same', async (t) => {
  const failing = new Map<string, number>()
  const { query, asked } = await startServices(t, {
    instead: ({ what }, answer) => {
      const seen = failing.get(what) ?? 0
      failing.set(what, seen + 1)
      if (seen > 0) return false
      answer.http?.writeHead(503).end()
      answer.grpc?.({ code: status.UNAVAILABLE, details: 'not yet' })
      return true
    },
    targets: 2,
    upstream: { retry: { attempts: 2, backoff: { base: '1ms', max: '2ms' } } },
  })
  const read = await query('{ person(id: 1) { name } item(id: "1") { title } }')
  assert.deepEqual(read.errors, [])
  const written = await query(
    'mutation { rename(id: 1, to: { name: "B" }) { name } addItem(item: { title: "x" }) { id } }',
  )
  assert.deepEqual(
    written.errors.map(({ path }) => path),
    [['addItem']],
  )
  const count = (what: string): number => asked.filter((one) => one.what === what).length
  assert.deepEqual(['GET /people/1', 'GetItem', 'PUT /people/1', 'AddItem'].map(count), [2, 2, 2, 1])
})

test('the error policy of the subgraph holds for its calls', async (t) => {
  const { query } = await startServices(t, {
    instead: http(/./, 403, ''),
    subgraphs: {
      people: {
        upstream: 'people',
        schema: 'test/front-ends/graphql/services/people.graphql',
        resolvers: (await import('./harness.ts')).personResolvers,
        errors: { messages: 'none', maskedMessage: 'No.', showStatus: true },
        headers: { request: { forward: ['x-tenant'] } },
      },
    },
  })
  const { errors } = await query('{ person(id: 1) { name } }')
  assert.equal(errors[0]?.message, 'No.')
  assert.equal(errors[0]?.extensions.subgraphStatus, 403)
})

interface Attack {
  readonly name: string
  /** The id that a client sends. */
  readonly id: string
  /** What the backend is asked; undefined: nothing, and the client is told why. */
  readonly asks?: string
}

/** RFC 3986 section 3.3 and 5.2.4 (dot segments), OWASP path traversal; what one variable is must stay one segment. */
const attacks: readonly Attack[] = [
  { name: 'a path below', id: '1/notes' },
  { name: 'a path above', id: '../admin' },
  { name: 'dots', id: '..' },
  { name: 'one dot', id: '.' },
  { name: 'an encoded slash', id: '..%2fadmin' },
  { name: 'a double encoding', id: '%252e%252e%252f' },
  { name: 'a backslash', id: '..\\admin' },
  { name: 'a full-width slash', id: '..／admin' },
  { name: 'a query', id: '1?admin=true' },
  { name: 'a fragment', id: '1#x' },
  { name: 'parameters of a path', id: '1;admin=true' },
  { name: 'a header', id: '1\r\nX-Admin: 1' },
  { name: 'a NUL', id: '1\u0000' },
  { name: 'nothing', id: '' },
  { name: 'a long one', id: 'x'.repeat(300) },
  { name: 'another host', id: '@evil.example', asks: 'GET /people/%40evil.example' },
  {
    name: 'a template',
    id: `${v('header.authorization')}`,
    asks: 'GET /people/%24%7Bheader.authorization%7D',
  },
  { name: 'an ampersand', id: '1&admin=true', asks: 'GET /people/1%26admin%3Dtrue' },
]

test('no argument gets out of the segment of the path that it stands in', async (t) => {
  const { query, asked } = await startServices(t)
  for (const { name, id, asks } of attacks) {
    asked.length = 0
    const { errors } = await query('query($id: ID!) { person(id: $id) { name } }', { id })
    assert.equal(errors[0]?.extensions.code, asks === undefined ? 'BAD_USER_INPUT' : 'NOT_FOUND', name)
    assert.deepEqual(
      asked.map(({ what }) => what),
      asks === undefined ? [] : [asks],
      name,
    )
  }
})

test('no argument becomes another parameter, another item of a list, or another member of a body', async (t) => {
  const { query, asked } = await startServices(t)
  const text = 'a&admin=true\r\nX: 1#?'
  await query('query($t: String!) { search(text: $t, tags: [$t]) { name } }', { t: text })
  const url = new URL((asked[0]?.what ?? '').split(' ')[1] ?? '', 'http://x')
  assert.deepEqual(
    [...url.searchParams],
    [
      ['q', text],
      ['tag', text],
    ],
  )
  asked.length = 0
  const to = { name: '","admin":true,"x":"' }
  await query('mutation($to: PersonInput!) { rename(id: 1, to: $to) { name } }', { to })
  assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), to)
})

test('a key with a comma is not two keys of a batch', async (t) => {
  const { query, asked } = await startServices(t, {
    instead: ({ what }, { http: res }) => {
      if (!what.startsWith('GET /people?q')) return false
      res?.writeHead(200, { 'content-type': 'application/json' })
      res?.end('{"data":{"people":[{"key":9,"name":"x","friendKey":"1,2"}]}}')
      return true
    },
  })
  const { errors } = await query('{ search(text: "x") { friend { name } } }')
  assert.deepEqual(
    errors.map(({ extensions }) => extensions.reason),
    ['UPSTREAM_BAD_ANSWER'],
  )
  assert.equal(asked.length, 1)
})

test('a value of a header cannot end it', async (t) => {
  const { query, asked } = await startServices(t)
  await query('{ whoami { tenant } }', {}, { 'x-tenant': 'a\u00e9b' })
  assert.equal(asked.length, 1)
  assert.match(String(asked[0]?.headers['x-tenant']), /^[ -~]*$/)
})
