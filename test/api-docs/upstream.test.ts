import assert from 'node:assert/strict'
import { test } from 'node:test'
import { folderOf } from '../config/files.ts'
import { startBackend, startGateway } from '../world.ts'
import { callers, documentOf, type Json, operationsOf } from './world.ts'

const user = {
  type: 'object',
  properties: { id: { type: 'string' }, boss: { $ref: '#/components/schemas/User' } },
}
const answer = (schema: object) => ({
  '200': { description: 'It.', content: { 'application/json': { schema } } },
})
const userRef = { $ref: '#/components/schemas/User' }
const operation = { responses: answer(userRef) }

const users = {
  openapi: '3.1.0',
  info: { title: 'Users', version: '1' },
  servers: [{ url: 'http://users.internal:8001/api' }],
  tags: [{ name: 'people', description: 'Who is here.' }],
  security: [{ internalKey: [] }],
  paths: {
    '/users/{userId}': {
      parameters: [{ $ref: '#/components/parameters/UserId' }],
      get: { ...operation, operationId: 'getUser', summary: 'Read a user', tags: ['people'] },
      delete: operation,
    },
    '/users': {
      post: {
        operationId: 'makeUser',
        requestBody: { $ref: '#/components/requestBodies/User' },
        responses: { '201': { $ref: '#/components/responses/Made' }, '429': { description: 'Slow down.' } },
        callbacks: { made: { 'http://internal.example/{$request.body#/id}': { post: operation } } },
      },
    },
    '/internal/dump': { get: { responses: answer({ $ref: '#/components/schemas/Secret' }) } },
    '/users/audit': { get: { ...operation, 'x-internal': true } },
  },
  components: {
    schemas: { User: user, Secret: { type: 'object' } },
    parameters: {
      UserId: { name: 'userId', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } },
    },
    requestBodies: { User: { content: { 'application/json': { schema: userRef } } } },
    responses: { Made: { description: 'Made.', headers: { Location: { schema: { type: 'string' } } } } },
    securitySchemes: { internalKey: { type: 'apiKey', in: 'header', name: 'x-internal' } },
  },
}

const orders = `
openapi: 3.0.3
info: {title: Orders, version: '2'}
paths:
  /orders/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 0, exclusiveMinimum: true}}]
      responses: {'200': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}}
components:
  schemas:
    User:
      type: object
      properties:
        name: {type: string, nullable: true, example: Ada}
        kind: {type: string, nullable: true, enum: [a, b]}
        first: {nullable: true, allOf: [{$ref: '#/components/schemas/User'}]}
        nullable: {type: boolean}
`

test('upstreams bring their own documents, by the paths and under the rules of their routes', async (t) => {
  const file = folderOf(t, { 'users.json': JSON.stringify(users), 'orders.yaml': orders })
  const upstream = (name: string) => ({
    targets: [{ url: 'http://127.0.0.1:1' }],
    openapi: { file: file(name) },
  })
  const { url } = await startGateway(t, {
    ...callers,
    upstreams: { users: upstream('users.json'), orders: upstream('orders.yaml') },
    routes: [
      {
        id: 'people',
        path: '/v1/people/**',
        methods: ['GET', 'POST'],
        upstream: 'users',
        bodyBytes: '1kb',
        rewrite: { stripPrefix: '/v1/people', prefix: '/api/users' },
        authorize: { roles: ['reader'] },
      },
      {
        id: 'orders',
        path: '/v1/orders/**',
        upstream: 'orders',
        rewrite: { stripPrefix: '/v1' },
        auth: 'none',
      },
    ],
  })
  const document = await documentOf(url)
  const { schemas } = document.components
  await t.test('those that the routes let through, and no other', () => {
    assert.deepEqual(operationsOf(document), [
      'GET /v1/orders/{id}',
      'GET /v1/people/{userId}',
      'POST /v1/people',
    ])
    assert.doesNotMatch(JSON.stringify(document), /internal|Secret|callbacks/)
  })
  await t.test('two services may have a schema of one name', () => {
    const names = Object.keys(schemas).filter((name) => name.endsWith('User'))
    assert.deepEqual(names, ['orders.User', 'users.User'])
    assert.equal(schemas['users.User'].properties.boss.$ref, '#/components/schemas/users.User')
  })
  await t.test('what it says stays; what the gateway asks and answers is added', () => {
    const { get } = document.paths['/v1/people/{userId}']
    assert.deepEqual([get.summary, get.operationId, get.tags], ['Read a user', 'people_getUser', ['people']])
    assert.equal(get.parameters[0].schema.format, 'uuid')
    assert.deepEqual(get.security, [{ apiKey: [] }, { bearer: [] }])
    assert.deepEqual(Object.keys(get.responses), '200 400 401 403 404 429 502 503 504'.split(' '))
    assert.ok(document.tags.some(({ description }: Json) => description === 'Who is here.'))
    const { post } = document.paths['/v1/people']
    assert.equal(post.responses['429'].description, 'Slow down.')
    assert.match(post.description, /at most 1kb/)
    assert.equal(post.requestBody.$ref, '#/components/requestBodies/users.User')
    assert.ok(document.components.responses['users.Made'].headers.Location)
  })
  await t.test('OpenAPI 3.0 becomes 3.1', () => {
    const { name, kind, first, nullable } = schemas['orders.User'].properties
    assert.deepEqual(name, { type: ['string', 'null'], example: 'Ada' })
    assert.deepEqual(kind, { type: ['string', 'null'], enum: ['a', 'b', null] })
    assert.deepEqual(first, {
      anyOf: [{ allOf: [{ $ref: '#/components/schemas/orders.User' }] }, { type: 'null' }],
    })
    assert.deepEqual(nullable, { type: 'boolean' })
    const [id] = document.paths['/v1/orders/{id}'].get.parameters
    assert.deepEqual(id.schema, { type: 'integer', exclusiveMinimum: 0 })
  })
})

test('two routes of one upstream share its components', async (t) => {
  const file = folderOf(t, { 'users.json': JSON.stringify(users) })
  const { url } = await startGateway(t, {
    upstreams: {
      users: {
        targets: [{ url: 'http://127.0.0.1:1' }],
        openapi: { file: file('users.json'), basePath: '' },
      },
    },
    routes: ['a', 'b'].map((id) => ({
      id,
      path: `/${id}/**`,
      methods: ['GET'],
      upstream: 'users',
      auth: 'none',
      rewrite: { stripPrefix: `/${id}` },
    })),
  })
  const document = await documentOf(url)
  assert.deepEqual(Object.keys(document.components.schemas), ['Problem', 'users.Secret', 'users.User'])
  assert.equal(document.paths['/b/users/{userId}'].get.operationId, 'b_getUser')
})

const deep = (depth: number): Json => (depth === 0 ? {} : { a: deep(depth - 1) })
const withSchema = (schema: unknown) => ({
  ...users,
  components: { ...users.components, schemas: { User: schema } },
})
const withGet = (get: unknown) => ({ ...users, paths: { '/users': { get } } })

/** What a file may not be, and the words of the refusal. */
const hostile: readonly (readonly [name: string, text: string | object, message: RegExp])[] = [
  ['no document', 'nothing', /users\.json: is no OpenAPI document/],
  ['broken JSON', '{"openapi": ', /is no JSON/],
  ['broken YAML', 'a: [', /is no YAML/],
  ['Swagger 2', { swagger: '2.0', paths: {} }, /is of Swagger 2\.0; convert it to OpenAPI 3/],
  ['a version to come', { openapi: '4.0.0', paths: {} }, /is of OpenAPI 4\.0\.0; 3\.0 and 3\.1 are read/],
  ['no paths', { openapi: '3.1.0' }, /paths: is no object/],
  [
    'too large',
    { ...users, info: { title: 'x'.repeat(3_000_000) } },
    /has more than 2097152 bytes \(maxBytes\)/,
  ],
  ['too many values', { ...users, info: { title: Array(300_000).fill(0) } }, /has more than 200000 values/],
  ['too deep', withSchema({ default: deep(200) }), /is nested deeper than 100/],
  [
    'a bomb of aliases',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghi'].map((one, i) => `${one}: &${one} [${Array(9).fill(`*${String.fromCharCode(97 + i)}`)}]`).join('\n')}\n`,
    /is no YAML: Excessive alias count/,
  ],
  [
    'an alias that holds itself',
    'openapi: 3.1.0\npaths: &p {/a: *p}\n',
    /is nested deeper than 100|is no YAML/,
  ],
  [
    '__proto__',
    JSON.stringify(users).replace('"Secret":', '"__proto__":'),
    /components\.schemas: "__proto__" is no name that is taken/,
  ],
  [
    '__proto__ in YAML',
    'openapi: 3.1.0\npaths: {}\n__proto__: {a: 1}\n',
    /"__proto__" is no name that is taken/,
  ],
  [
    'a reference to a file',
    withSchema({ $ref: 'file:///etc/passwd' }),
    /"file:\/\/\/etc\/passwd" leads out of the document; bundle it into one file/,
  ],
  [
    'a reference to another host',
    withSchema({ $ref: 'http://169.254.169.254/latest' }),
    /leads out of the document/,
  ],
  [
    'an outer reference below `default`',
    withSchema({ properties: { default: { $ref: 'other.json' } } }),
    /leads out of the document/,
  ],
  [
    'a reference to nothing',
    withGet({ responses: answer({ $ref: '#/components/schemas/Nobody' }) }),
    /there is nothing at "#\/components\/schemas\/Nobody"/,
  ],
  [
    'a reference to what all objects have',
    withGet({ responses: answer({ $ref: '#/components/schemas/constructor' }) }),
    /there is nothing at/,
  ],
  [
    'references in a circle',
    {
      ...users,
      components: { ...users.components, schemas: { User: { $ref: '#/components/schemas/B' }, B: userRef } },
    },
    /refers to itself/,
  ],
  [
    'a path that refers to itself',
    { ...users, paths: { '/a': { $ref: '#/paths/~1a' } } },
    /paths\.\/a: "#\/paths\/~1a" refers to itself/,
  ],
  ['an operation that is a text', withGet('x'), /paths\.\/users\.get: is no object/],
  [
    'a schema that is a text',
    withGet({ responses: answer('x' as never) }),
    /responses\.200\.content\.application\/json\.schema: is no object/,
  ],
  ['parameters that are no list', withGet({ parameters: {}, responses: {} }), /parameters: is no list/],
  [
    'a parameter without a name',
    withGet({ parameters: [{ in: 'query' }], responses: {} }),
    /parameters\.0: has no "name"/,
  ],
  [
    'a parameter of nowhere',
    withGet({ parameters: [{ name: 'a', in: 'body' }], responses: {} }),
    /\.in: is no place of a parameter/,
  ],
  ['a status that is none', withGet({ responses: { fine: { description: '' } } }), /"fine" is no status/],
  [
    'a keyword of the wrong type',
    withSchema({ required: true }),
    /components\.schemas\.User\.required: is no list of texts/,
  ],
  ['a type that is none', withSchema({ type: 5 }), /User\.type: is no text/],
  [
    'a keyword that all objects have',
    withSchema({ constructor: { a: 1 }, properties: [] }),
    /User\.properties: is no object/,
  ],
  ['tags that are numbers', withGet({ tags: [1], responses: {} }), /tags\.0: is no text/],
]

for (const [name, text, message] of hostile)
  test(`${name}: refused when configuration loads`, async (t) => {
    const file = folderOf(t, { 'users.json': typeof text === 'string' ? text : JSON.stringify(text) })
    const openapi = { file: file('users.json') }
    const config = {
      upstreams: { users: { targets: [{ url: 'http://127.0.0.1:1' }], openapi } },
      routes: [{ id: 'users', path: '/**', upstream: 'users', auth: 'none' }],
    }
    await assert.rejects(startGateway(t, config), message)
    assert.equal(({} as Json).a, undefined)
  })

for (const [openapi, message] of [
  [{}, /says nowhere where the document is: file or path/],
  [{ file: 'a', path: '/a' }, /excludes file/],
  [{ file: 'a', refresh: '1m' }, /is for path: files are watched/],
  [{ path: 'https://elsewhere.example/a' }, /expected a path such as/],
  [{ file: 'nowhere.json' }, /cannot be read/],
] as const)
  test(`openapi: ${JSON.stringify(openapi)} is refused`, async (t) => {
    const config = { upstreams: { users: { targets: [{ url: 'http://127.0.0.1:1' }], openapi } } }
    await assert.rejects(startGateway(t, config), message)
  })

test('a document of the upstream itself is kept up to date; the last good one stays', async (t) => {
  let told: () => { status?: number; body: string; headers?: Record<string, string> }
  told = () => ({ status: 503, body: '' })
  const backend = await startBackend(t, (_, res) => {
    const { status = 200, body, headers } = told()
    res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body)
  })
  const { url, logged } = await startGateway(t, {
    upstreams: {
      users: {
        targets: [{ url: backend.url }],
        openapi: { path: '/openapi.json?v=3', refresh: '1s', maxBytes: '10kb' },
      },
    },
    routes: [{ id: 'users', path: '/api/**', methods: ['GET'], upstream: 'users', auth: 'none' }],
  })
  const reason = (words: RegExp) => logged((line) => words.test(String(line.reason)))
  const described = async (path: string) => {
    while (!operationsOf(await documentOf(url)).includes(path))
      await new Promise((resolve) => setTimeout(resolve, 50))
  }
  /** What `/readyz?verbose` says of the document. */
  const checked = async (): Promise<Json> => {
    const { checks } = (await (await fetch(`${url}/readyz?verbose`)).json()) as Json
    return checks.find(({ name }: Json) => name === 'openapi users')
  }
  await described('GET /api/{segment_rest}')
  await reason(/answered 503|UPSTREAM|not/)
  const { ok, required, detail } = await checked()
  assert.deepEqual([ok, required], [false, false])
  assert.match(detail, /^upstream "users": ./)
  told = () => ({ body: JSON.stringify(users) })
  await described('GET /api/users/{userId}')
  const [first] = backend.requests
  assert.equal(first?.url, '/openapi.json?v=3')
  for (const [bad, words] of [
    [{ body: '{"openapi": "3.1.0", "paths": {"/a": 1}}' }, /paths\.\/a: is no object/],
    [{ body: JSON.stringify({ ...users, info: 'x'.repeat(20_000) }) }, /more than 10240 bytes/],
    [
      { status: 302, body: '', headers: { Location: 'http://127.0.0.1:1/' } },
      /answered 302, and is not followed elsewhere/,
    ],
    [{ body: 'openapi: 3.1.0' }, /is no JSON/],
  ] as const) {
    told = () => bad
    await reason(words)
    while (!words.test((await checked()).detail)) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.ok(operationsOf(await documentOf(url)).includes('GET /api/users/{userId}'))
  }
  const { '/users': _, ...paths } = users.paths
  told = () => ({ body: JSON.stringify({ ...users, paths: { ...paths, '/users/new': { get: operation } } }) })
  await described('GET /api/users/new')
  assert.deepEqual(await checked(), {
    name: 'openapi users',
    ok: true,
    required: false,
    detail: 'no trouble',
  })
})
