import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { openHouse, sends, v } from './harness.ts'

const user = {
  operation: 'query User($id: ID!) { user(id: $id) { id name } }',
  variables: { id: v('path.id') },
  at: 'user',
}

test('a route answers with what an operation says', async (t) => {
  const { ask, seen, logged } = await openHouse(t, {
    routes: [{ path: '/v2/users/{id}', methods: ['GET'], graphqlOperation: user }],
  })
  const { status, headers, text } = await ask('/v2/users/42')
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'application/json')
  assert.equal(headers.get('x-gateway-completed'), 'true')
  assert.equal(text, '{"id":"42","name":"User 42"}')
  assert.equal(seen.length, 1)
  const line = await logged((one) => one['gateway.route'] === 'r0')
  assert.equal(line['graphql.operation.name'], 'User')
  assert.equal(line['graphql.operation.type'], 'query')
  assert.equal(line['gateway.protocol'], 'rest')
  assert.equal((await ask('/v2/users/42', { method: 'HEAD' })).text, '')
})

test('null where something was looked for is a 404', async (t) => {
  const { ask } = await openHouse(t, { routes: [{ path: '/v2/users/{id}', graphqlOperation: user }] })
  const { status, json } = await ask('/v2/users/nobody')
  assert.deepEqual([status, json.reason, json.code], [404, 'NOT_FOUND', 'F40401'])
  assert.equal(json.detail, 'There is no such user.')
})

interface VariableCase {
  readonly name: string
  /** The type of the field's argument of that name. */
  readonly argument: string
  readonly type: string
  readonly written: unknown
  readonly query?: string
  readonly body?: unknown
  /** What the backend was asked with; a text: the refusal's detail. */
  readonly becomes: unknown
}

/** GraphQL specification section 3: how inputs of each type are written. */
const variables: readonly VariableCase[] = [
  {
    name: 'an Int of a query',
    argument: 'int',
    type: 'Int',
    written: v('query.n'),
    query: 'n=-7',
    becomes: { int: -7 },
  },
  {
    name: 'no Int',
    argument: 'int',
    type: 'Int',
    written: v('query.n'),
    query: 'n=7.5',
    becomes: '"query.n" is no whole number of 32 bits.',
  },
  {
    name: 'an empty Int',
    argument: 'int',
    type: 'Int',
    written: v('query.n'),
    query: 'n=',
    becomes: '"query.n" is no whole number of 32 bits.',
  },
  {
    name: 'more than 32 bits',
    argument: 'int',
    type: 'Int',
    written: v('query.n'),
    query: 'n=2147483648',
    becomes: '"query.n" is no whole number of 32 bits.',
  },
  { name: 'a value that is not there', argument: 'int', type: 'Int', written: v('query.n'), becomes: {} },
  {
    name: 'a value that is not there, and a default of the operation',
    argument: 'int',
    type: 'Int! = 3',
    written: v('query.n'),
    becomes: { int: 3 },
  },
  { name: 'a fallback', argument: 'int', type: 'Int!', written: v('query.n:-5'), becomes: { int: 5 } },
  {
    name: 'a value that is needed',
    argument: 'int',
    type: 'Int!',
    written: v('query.n'),
    becomes: '"query.n" is missing.',
  },
  {
    name: 'a Float',
    argument: 'float',
    type: 'Float',
    written: v('query.n'),
    query: 'n=2.5e3',
    becomes: { float: 2500 },
  },
  {
    name: 'no Float',
    argument: 'float',
    type: 'Float',
    written: v('query.n'),
    query: 'n=Infinity',
    becomes: '"query.n" is no number.',
  },
  {
    name: 'a Boolean',
    argument: 'flag',
    type: 'Boolean',
    written: v('query.f'),
    query: 'f=false',
    becomes: { flag: false },
  },
  {
    name: 'no Boolean',
    argument: 'flag',
    type: 'Boolean',
    written: v('query.f'),
    query: 'f=1',
    becomes: '"query.f" is neither true nor false.',
  },
  {
    name: 'a text that looks like a number',
    argument: 'text',
    type: 'String',
    written: v('query.t'),
    query: 't=007',
    becomes: { text: '007' },
  },
  {
    name: 'a text made of several values',
    argument: 'text',
    type: 'String',
    written: `${v('query.t')} of ${v('request.method')}`,
    query: 't=a',
    becomes: { text: 'a of POST' },
  },
  { name: 'an ID', argument: 'id', type: 'ID', written: v('query.t'), query: 't=7', becomes: { id: '7' } },
  {
    name: 'a name of an enum',
    argument: 'kind',
    type: 'Kind',
    written: v('query.k'),
    query: 'k=USED',
    becomes: { kind: 'USED' },
  },
  {
    name: 'no name of an enum',
    argument: 'kind',
    type: 'Kind',
    written: v('query.k'),
    query: 'k=used',
    becomes: '"query.k" is not one of Kind.',
  },
  {
    name: 'a list of a parameter that is repeated',
    argument: 'ints',
    type: '[Int!]',
    written: v('query.n'),
    query: 'n=1&n=2',
    becomes: { ints: [1, 2] },
  },
  {
    name: 'a list of a parameter that is not there',
    argument: 'ints',
    type: '[Int!]',
    written: v('query.n'),
    becomes: {},
  },
  {
    name: 'a list with one that does not fit',
    argument: 'ints',
    type: '[Int!]',
    written: v('query.n'),
    query: 'n=1&n=b',
    becomes: '"query.n" is no whole number of 32 bits.',
  },
  {
    name: 'a list that is written out',
    argument: 'ints',
    type: '[Int!]',
    written: [1, v('query.n')],
    query: 'n=2',
    becomes: { ints: [1, 2] },
  },
  {
    name: 'an object out of texts',
    argument: 'filter',
    type: 'Filter',
    written: { word: v('query.w'), kinds: v('query.k'), max: v('query.m') },
    query: 'w=a&k=NEW&k=USED',
    becomes: { filter: { word: 'a', kinds: ['NEW', 'USED'], max: 7 } },
  },
  {
    name: 'the body as an object',
    argument: 'filter',
    type: 'Filter!',
    written: v('request.body'),
    body: { word: 'b', nested: { word: 'c', max: 1 } },
    becomes: { filter: { word: 'b', max: 7, nested: { word: 'c', max: 1 } } },
  },
  {
    name: 'a member of the body',
    argument: 'int',
    type: 'Int',
    written: v('request.body.a.0'),
    body: { a: [3] },
    becomes: { int: 3 },
  },
  {
    name: 'a member of the body that is a text, and no Int',
    argument: 'int',
    type: 'Int',
    written: v('request.body.a'),
    body: { a: '3' },
    becomes: 'Variable "$v" got invalid value "3"; Int cannot represent non-integer value: "3"',
  },
  {
    name: 'a member that the type has not',
    argument: 'filter',
    type: 'Filter',
    written: v('request.body'),
    body: { word: 'b', no: 1 },
    becomes:
      'Variable "$v" got invalid value { word: "b", no: 1 }; Field "no" is not defined by type "Filter".',
  },
  {
    name: 'null in the body',
    argument: 'int',
    type: 'Int',
    written: v('request.body.a'),
    body: { a: null },
    becomes: { int: null },
  },
  {
    name: 'a body that is needed',
    argument: 'filter',
    type: 'Filter!',
    written: v('request.body'),
    becomes: '"request.body" is missing.',
  },
  {
    name: 'any JSON of a scalar',
    argument: 'any',
    type: 'Json',
    written: { a: v('request.body'), b: [1] },
    body: [true],
    becomes: { any: { a: [true], b: [1] } },
  },
  {
    name: 'a value that is written out',
    argument: 'float',
    type: 'Float',
    written: 2,
    becomes: { float: 2 },
  },
]

test('texts become what the operation declares', async (t) => {
  const routes = variables.map(({ argument, type, written }, index) => ({
    path: `/v/${index}`,
    methods: ['POST'],
    graphqlOperation: {
      operation: `query ($v: ${type}) { echo(${argument}: $v) }`,
      variables: { v: written },
      at: 'echo',
    },
  }))
  const { ask } = await openHouse(t, { routes })
  for (const [index, { name, query = '', body, becomes }] of variables.entries()) {
    const { status, json } = await ask(
      `/v/${index}?${query}`,
      body === undefined ? { method: 'POST' } : sends(body),
    )
    if (typeof becomes === 'string') {
      assert.deepEqual([status, json.reason, json.detail], [400, 'INVALID_ARGUMENT', becomes], name)
    } else {
      assert.equal(status, 200, `${name}: ${JSON.stringify(json)}`)
      assert.deepEqual(JSON.parse(json), becomes, name)
    }
  }
})

test('a mutation of a POST, with the status that was configured', async (t) => {
  const { ask, seen } = await openHouse(t, {
    routes: [
      {
        path: '/v2/users/{id}',
        methods: ['PUT', 'PATCH'],
        graphqlOperation: {
          operation: 'mutation Rename($id: ID!, $name: String!) { rename(id: $id, name: $name) { id name } }',
          variables: { id: v('path.id'), name: v('request.body.name') },
          at: 'rename',
          status: 201,
        },
      },
    ],
  })
  const { status, json } = await ask('/v2/users/7', sends({ name: 'Grace' }, 'PUT'))
  assert.deepEqual([status, json], [201, { id: '7', name: 'Grace' }])
  assert.equal((await ask('/v2/users/7', sends({}, 'PUT'))).json.detail, '"request.body.name" is missing.')
  assert.equal(seen.length, 1)
})

test('one operation out of several, and all of its data', async (t) => {
  const { ask } = await openHouse(t, {
    routes: [
      {
        path: '/v2/users',
        graphqlOperation: {
          operation:
            'query One { user(id: 1) { id } } query All { users { ...F } } fragment F on User { name }',
          operationName: 'All',
        },
      },
    ],
  })
  assert.deepEqual((await ask('/v2/users')).json, { users: [{ name: 'Ada' }, { name: 'Alan' }] })
})

/** docs/aggregation.md, "When an operation fails". */
test('errors have the status of their reason, and a partial answer names them', async (t) => {
  const never = new Promise(() => {})
  const operation = (text: string, more: object = {}) => ({ operation: text, ...more })
  const routes = [
    { path: '/down', graphqlOperation: operation('{ users { id } }', {}), timeout: '50ms' },
    { path: '/code', graphqlOperation: operation('{ fail(code: "UNAUTHENTICATED") }', { at: 'fail' }) },
    { path: '/own', graphqlOperation: operation('{ fail(code: "TEAPOT") }') },
    { path: '/masked', graphqlOperation: operation('{ fail }', { at: 'fail' }) },
    { path: '/some', graphqlOperation: operation('{ user(id: 1) { id secret } }', { at: 'user' }) },
    {
      path: '/none',
      graphqlOperation: operation('{ user(id: 1) { id secret } }', { at: 'user', partial: 'refuse' }),
    },
    { path: '/list', graphqlOperation: operation('{ users { id secret } }', { at: 'users', errorsAs: 'x' }) },
    { path: '/named', graphqlOperation: operation('{ users { id } fail }', { errorsAs: 'failed' }) },
  ]
  const { ask, logged } = await openHouse(t, {
    routes,
    before: ({ what }) => (what === '{users{id}}' ? never : undefined) as Promise<unknown> | undefined,
  })
  const refused = async (path: string) => {
    const { status, json } = await ask(path)
    return [status, json.reason, json.detail]
  }
  assert.deepEqual(await refused('/down'), [
    504,
    'UPSTREAM_TIMEOUT',
    'Upstream "shop" did not answer in time.',
  ])
  assert.deepEqual(await refused('/code'), [401, 'SUBGRAPH_ERROR', 'It failed on purpose.'])
  assert.deepEqual(await refused('/own'), [502, 'SUBGRAPH_ERROR', 'It failed on purpose.'])
  assert.deepEqual(await refused('/masked'), [502, 'SUBGRAPH_ERROR', 'The subgraph failed.'])
  assert.deepEqual(await refused('/none'), [403, 'SUBGRAPH_ERROR', 'Only admins may see this.'])
  assert.equal(
    (await logged((line) => line['gateway.route'] === 'r0'))['gateway.error.reason'],
    'UPSTREAM_TIMEOUT',
  )

  const some = await ask('/some')
  assert.equal(some.status, 200)
  assert.equal(some.headers.get('x-gateway-completed'), 'false')
  const secret = { reason: 'SUBGRAPH_ERROR', status: 403, detail: 'Only admins may see this.' }
  assert.deepEqual(some.json, { id: '1', secret: null, errors: [{ path: 'user.secret', ...secret }] })
  const list = await ask('/list')
  assert.deepEqual(list.json, [
    { id: '1', secret: null },
    { id: '2', secret: null },
  ])
  assert.equal(list.headers.get('x-gateway-completed'), 'false')
  const named = await ask('/named')
  assert.equal(named.json.failed[0].path, 'fail')
})

test('a body that nobody reads does not cost the connection, even when it comes late', async (t) => {
  const { ask, port } = await openHouse(t, {
    routes: [{ path: '/v2/users/{id}', methods: ['POST'], graphqlOperation: user }],
  })
  await ask('/v2/users/1', { method: 'POST' })
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write('POST /v2/users/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n')
  const answer = once(socket, 'data')
  // Long enough for who does not wait to answer before it.
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.write('anything')
  const [bytes] = await answer
  assert.match(String(bytes), /^HTTP\/1\.1 200 /)
  assert.doesNotMatch(String(bytes), /connection: close/i)
})

test('the policy of the route counts, not that of the endpoint; credentials go to subgraphs as the route says', async (t) => {
  const { ask, seen } = await openHouse(t, {
    routes: [
      { path: '/v2/users/{id}', graphqlOperation: user, auth: 'optional', forwardCredentials: false },
      { path: '/v3/users/{id}', graphqlOperation: user, forwardCredentials: true },
    ],
    more: { consumers: [{ id: 'c', keys: [{ hash: `sha256:${'0'.repeat(64)}` }] }] },
  })
  assert.equal((await ask('/v2/users/1', { headers: { 'X-API-Key': 'wrong' } })).status, 401)
  assert.equal(seen.length, 0)
  assert.equal((await ask('/v3/users/1', { headers: { Authorization: 'Bearer x' } })).status, 200)
  assert.equal(seen[0]?.headers.authorization, 'Bearer x')
  assert.ok(seen[0]?.headers.traceparent !== undefined)
})
