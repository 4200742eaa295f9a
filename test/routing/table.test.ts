import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Row } from '../../src/core/route.ts'
import type { MatchQuery } from '../../src/routing/table.ts'
import { RouteClash } from '../../src/routing/table.ts'
import { ask, row, tableOf } from './rows.ts'

interface Case {
  readonly name: string
  readonly rows: readonly Row[]
  /** Request line, what else is asked with, and the id of the row that takes it. */
  readonly asked: readonly (readonly [line: string, id: string | undefined, more?: Partial<MatchQuery>])[]
}

const paths = (...templates: string[]): Row[] => templates.map((template) => row(template))

const cases: readonly Case[] = [
  {
    // transcoding.md, Routing: "A literal beats a variable, with backtracking; not the order of registration."
    name: 'takes a literal before a variable before "**", in any order of registration',
    rows: paths('/v1/**', '/v1/{id}', '/v1/me'),
    asked: [
      ['GET /v1/me', '/v1/me'],
      ['GET /v1/42', '/v1/{id}'],
      ['GET /v1/me/books', '/v1/**'],
    ],
  },
  {
    name: 'goes back to a variable when the literal leads nowhere',
    rows: paths('/v1/books/top/list', '/v1/{kind}/{id}', '/{any}/books/top'),
    asked: [
      ['GET /v1/books/top/list', '/v1/books/top/list'],
      ['GET /v1/books/top', '/v1/{kind}/{id}'],
      ['GET /v2/books/top', '/{any}/books/top'],
      ['GET /v1/books/top/other', undefined],
    ],
  },
  {
    name: 'goes back to the nearest "**" when nothing else leads to an end',
    rows: paths('/**', '/a/**', '/a/b/c', '/a/{x}/d'),
    asked: [
      ['GET /a/b/c', '/a/b/c'],
      ['GET /a/b/d', '/a/{x}/d'],
      ['GET /a/b/e', '/a/**'],
      ['GET /b/b/d', '/**'],
    ],
  },
  {
    // http.proto: "`**` matches zero or more URL path segments".
    name: 'lets "**" stand for no segment, behind the exact row',
    rows: paths('/v1/users/**', '/v1/orders/**', '/v1/orders'),
    asked: [
      ['GET /v1/users', '/v1/users/**'],
      ['GET /v1/users/', '/v1/users/**'],
      ['GET /v1/users/1/2/3', '/v1/users/**'],
      ['GET /v1/orders', '/v1/orders'],
      ['GET /v1/usersx', undefined],
      ['GET /v1', undefined],
    ],
  },
  {
    name: 'takes the root by "/" and by "/**"',
    rows: [row('/', { id: 'root', methods: ['GET'] }), row('/**', { id: 'rest' })],
    asked: [
      ['GET /', 'root'],
      ['POST /', 'rest'],
      ['GET /x', 'rest'],
    ],
  },
  {
    name: 'takes a path with a trailing slash by the row of the path without it',
    rows: paths('/v1/users', '/v1/users/{id}', '/v1/users/{id}:lock'),
    asked: [
      ['GET /v1/users/', '/v1/users'],
      ['GET /v1/users/1/', '/v1/users/{id}'],
      ['GET /v1/users/1:lock/', '/v1/users/{id}:lock'],
    ],
  },
  {
    // transcoding.md, Routing: "an unregistered `:x` belongs to the segment: ids such as `urn:isbn:1` must work".
    name: 'knows a verb from a colon in an id',
    rows: paths('/v1/{id}', '/v1/{id}:watch', '/v1/books:batch', '/v1/books', '/v2/**', '/v2/**:sync'),
    asked: [
      ['POST /v1/1:watch', '/v1/{id}:watch'],
      ['GET /v1/urn:isbn:1', '/v1/{id}'],
      ['GET /v1/urn:isbn:1:watch', '/v1/{id}:watch'],
      ['GET /v1/books:batch', '/v1/books:batch'],
      ['GET /v1/books:watch', '/v1/{id}:watch'],
      ['GET /v1/1:batch', '/v1/{id}'],
      ['GET /v1/a%3Awatch', '/v1/{id}'],
      ['GET /v1/1:', '/v1/{id}'],
      ['GET /v2/a:b/c:sync', '/v2/**:sync'],
      ['GET /v2:sync', '/v2/**:sync'],
      ['GET /v2/a:sync/c', '/v2/**'],
      ['GET /v2/c:watch', '/v2/**'],
    ],
  },
  {
    name: 'matches without ;parameters, so that they hide no protected row',
    rows: paths('/admin/**', '/{any}/x'),
    asked: [
      ['GET /admin;a=b/x', '/admin/**'],
      ['GET /admin;/x', '/admin/**'],
    ],
  },
  {
    name: 'takes the exact host before the longest wildcard before every host',
    rows: [
      row('/**', { id: 'every' }),
      row('/**', { id: 'short', hosts: ['*.example.com'] }),
      row('/**', { id: 'long', hosts: ['*.eu.example.com'] }),
      row('/**', { id: 'exact', hosts: ['api.eu.example.com', 'other.example'] }),
    ],
    asked: [
      ['GET /', 'exact', { host: 'api.eu.example.com' }],
      ['GET /', 'exact', { host: 'API.eu.example.com:8443' }],
      // RFC 3986 section 3.2.2: the final dot names the same host.
      ['GET /', 'exact', { host: 'api.eu.example.com.:80' }],
      ['GET /', 'exact', { host: 'other.example' }],
      ['GET /', 'long', { host: 'www.eu.example.com' }],
      ['GET /', 'short', { host: 'a.b.example.com' }],
      ['GET /', 'every', { host: 'example.com' }],
      ['GET /', 'every', { host: '.example.com' }],
      ['GET /', 'every', { host: 'badexample.com' }],
      ['GET /', 'every', { host: '[::1]:8080' }],
      ['GET /', 'every', { host: '' }],
    ],
  },
  {
    name: 'goes on to rows for every host where the rows of a host do not take the path',
    rows: [
      row('/a', { id: 'a', hosts: ['api.example'] }),
      row('/b', { id: 'b' }),
      row('/a', { id: 'a-all' }),
    ],
    asked: [
      ['GET /b', 'b', { host: 'api.example' }],
      ['GET /a', 'a', { host: 'api.example' }],
      ['GET /a', 'a-all', { host: 'www.example' }],
    ],
  },
  {
    name: 'takes methods one by one before a row for every method',
    rows: [
      row('/v1', { id: 'any' }),
      row('/v1', { id: 'read', methods: ['GET'] }),
      row('/v1', { id: 'write', methods: ['POST', 'PUT'] }),
    ],
    asked: [
      ['GET /v1', 'read'],
      ['PUT /v1', 'write'],
      ['DELETE /v1', 'any'],
    ],
  },
  {
    // RFC 9110 section 9.3.2: HEAD is GET without the content.
    name: 'takes HEAD by GET, and by the row that names it first of all',
    rows: [
      row('/a', { id: 'get', methods: ['GET'] }),
      row('/b', { id: 'get-b', methods: ['GET'] }),
      row('/b', { id: 'head-b', methods: ['HEAD'] }),
    ],
    asked: [
      ['HEAD /a', 'get'],
      ['HEAD /b', 'head-b'],
      ['GET /b', 'get-b'],
    ],
  },
  {
    name: 'takes the row with more header and query conditions that hold',
    rows: [
      row('/v1', { id: 'plain' }),
      row('/v1', { id: 'beta', headers: [{ name: 'x-beta', value: '*' }] }),
      row('/v1', {
        id: 'beta-eu',
        headers: [
          { name: 'x-beta', value: '*' },
          { name: 'x-region', value: 'eu' },
        ],
      }),
      row('/v1', { id: 'debug', query: [{ name: 'debug', value: '1' }] }),
      row('/v1', { id: 'get', methods: ['GET'] }),
    ],
    asked: [
      ['POST /v1', 'plain'],
      ['GET /v1', 'get'],
      ['GET /v1', 'beta', { headers: { 'x-beta': 'anything' } }],
      ['GET /v1', 'beta-eu', { headers: { 'x-beta': 'on', 'x-region': 'eu' } }],
      ['GET /v1', 'beta', { headers: { 'x-beta': 'on', 'x-region': 'us' } }],
      ['GET /v1?debug=1', 'debug'],
      ['GET /v1?debug=2', 'get'],
      ['GET /v1?debug=2&debug=1', 'debug'],
      ['GET /v1?debug=%31', 'debug'],
      ['GET /v1', 'get', { headers: { 'x-beta': '' } }],
    ],
  },
  {
    name: 'takes the higher priority between rows that match equally well, whatever their order',
    rows: [
      row('/v1', { id: 'low' }),
      row('/v1', { id: 'high', priority: 5 }),
      row('/v1/x', { id: 'literal' }),
      row('/v1/{y}', { id: 'variable', priority: 9 }),
    ],
    asked: [
      ['GET /v1', 'high'],
      ['GET /v1/x', 'literal'],
    ],
  },
  {
    name: 'takes a path that hides a slash only by a row that asks for it',
    rows: [row('/v1/{id}', { id: 'strict' }), row('/v1/**', { id: 'loose', encodedSlash: true })],
    asked: [
      ['GET /v1/a%2Fb', 'loose'],
      ['GET /v1/a%5Cb', 'loose'],
      ['GET /v1/ab', 'strict'],
    ],
  },
  {
    name: 'takes escapes in a template in any spelling',
    rows: paths('/caf%c3%a9/%7Eme'),
    asked: [
      ['GET /caf%C3%A9/~me', '/caf%c3%a9/%7Eme'],
      ['GET /caf%c3%a9/%7eme', '/caf%c3%a9/%7Eme'],
    ],
  },
]

for (const { name, rows, asked } of cases) {
  test(name, () => {
    for (const registered of [rows, rows.toReversed()]) {
      const table = tableOf(registered)
      for (const [line, id, more] of asked) assert.equal(table.match(ask(line, more)), id, line)
    }
  })
}

const allowed: readonly (readonly [name: string, rows: readonly Row[], line: string, methods: string[]])[] = [
  ['HEAD with GET', [row('/a', { methods: ['GET', 'POST'] })], 'PUT /a', ['GET', 'HEAD', 'POST']],
  [
    'those of all rows of the path',
    [row('/a', { methods: ['PUT'] }), row('/{x}', { methods: ['GET'] }), row('/**', { methods: ['PATCH'] })],
    'DELETE /a',
    ['GET', 'HEAD', 'PATCH', 'PUT'],
  ],
  ['nothing for an unknown path', [row('/a', { methods: ['GET'] })], 'PUT /b', []],
  [
    'nothing of a row whose other conditions fail',
    [row('/a', { methods: ['POST'], headers: [{ name: 'x-beta', value: '*' }] })],
    'GET /a',
    [],
  ],
  ['nothing of a row that refuses a hidden slash', [row('/{a}', { methods: ['POST'] })], 'GET /a%2Fb', []],
  [
    'those of the verb',
    [row('/{a}:x', { methods: ['POST'] }), row('/{a}/b', { methods: ['PUT'] })],
    'GET /1:x',
    ['POST'],
  ],
]

for (const [name, rows, line, methods] of allowed) {
  // RFC 9110 section 15.5.6: a 405 lists the methods of the resource in Allow.
  test(`Allow has ${name}`, () => {
    assert.deepEqual(tableOf(rows).allowedMethods(ask(line)), methods)
  })
}

test('explain lists the candidates in the order in which they are tried, with why they were refused', () => {
  const beta = [{ name: 'x-beta', value: '*' }]
  const rows = [
    row('/**', { id: 'last' }),
    row('/v1/{id}', { id: 'variable', methods: ['GET'] }),
    row('/v1/me', { id: 'header', headers: beta }),
    row('/v1/me', { id: 'method', methods: ['POST'] }),
    row('/v1/me', { id: 'query', query: [{ name: 'q', value: '1' }], priority: 1 }),
    row('/v2', { id: 'elsewhere' }),
  ]
  const seen = tableOf(rows).explain(ask('GET /v1/me'))
  assert.deepEqual(
    seen.map(({ row: { id }, refusal }) => [id, refusal]),
    [
      ['query', 'query'],
      ['header', 'header'],
      ['method', 'method'],
      ['variable', undefined],
      ['last', undefined],
    ],
  )
  const hidden = tableOf([row('/v1/{id}')]).explain(ask('GET /v1/a%2Fb'))
  assert.deepEqual(
    hidden.map(({ refusal }) => refusal),
    ['encodedSlash'],
  )
})

const clashes: readonly (readonly [name: string, a: Row, b: Row, clash: boolean])[] = [
  ['variables of other names', row('/v1/{a}', { id: 'a' }), row('/v1/{b}', { id: 'b' }), true],
  ['a variable and "*"', row('/v1/{a}', { id: 'a' }), row('/v1/*', { id: 'b' }), true],
  [
    'a multi-segment variable and its segments',
    row('/v1/{a=x/*}', { id: 'a' }),
    row('/v1/x/*', { id: 'b' }),
    true,
  ],
  ['escapes in two spellings', row('/%7e', { id: 'a' }), row('/~', { id: 'b' }), true],
  [
    'methods in common',
    row('/v1', { id: 'a', methods: ['GET', 'PUT'] }),
    row('/v1', { id: 'b', methods: ['PUT'] }),
    true,
  ],
  [
    'a host in common',
    row('/v1', { id: 'a', hosts: ['x.example', 'y.example'] }),
    row('/v1', { id: 'b', hosts: ['y.example'] }),
    true,
  ],
  [
    'the same conditions',
    row('/v1', { id: 'a', headers: [{ name: 'x', value: '1' }] }),
    row('/v1', { id: 'b', headers: [{ name: 'x', value: '1' }] }),
    true,
  ],
  [
    'other methods',
    row('/v1', { id: 'a', methods: ['GET'] }),
    row('/v1', { id: 'b', methods: ['PUT'] }),
    false,
  ],
  [
    'GET and HEAD',
    row('/v1', { id: 'a', methods: ['GET'] }),
    row('/v1', { id: 'b', methods: ['HEAD'] }),
    false,
  ],
  ['other hosts', row('/v1', { id: 'a', hosts: ['x.example'] }), row('/v1', { id: 'b' }), false],
  ['other priorities', row('/v1', { id: 'a' }), row('/v1', { id: 'b', priority: 1 }), false],
  ['other verbs', row('/v1', { id: 'a' }), row('/v1:x', { id: 'b' }), false],
  ['"*" and "**"', row('/v1/*', { id: 'a' }), row('/v1/**', { id: 'b' }), false],
  [
    'other values of a header',
    row('/v1', { id: 'a', headers: [{ name: 'x', value: '1' }] }),
    row('/v1', { id: 'b', headers: [{ name: 'x', value: '2' }] }),
    false,
  ],
  [
    'a header and a query parameter',
    row('/v1', { id: 'a', headers: [{ name: 'x', value: '1' }] }),
    row('/v1', { id: 'b', query: [{ name: 'x', value: '1' }] }),
    false,
  ],
]

for (const [name, a, b, clash] of clashes) {
  test(`rows with ${name} ${clash ? 'clash, and both are named' : 'stand beside each other'}`, () => {
    for (const [first, second] of [
      [a, b],
      [b, a],
    ] as const) {
      if (!clash) {
        assert.doesNotThrow(() => tableOf([first, second]))
        continue
      }
      assert.throws(
        () => tableOf([first, second]),
        (error) => {
          assert.ok(error instanceof RouteClash)
          assert.deepEqual(error.rows, [first, second])
          assert.ok(
            error.message.includes(`of route "${first.id}"`) &&
              error.message.includes(`of route "${second.id}"`),
          )
          return true
        },
      )
    }
  })
}

test('a row that names a host twice does not clash with itself', () => {
  assert.equal(
    tableOf([row('/a', { hosts: ['x.example', 'x.example'] })]).match(ask('GET /a', { host: 'x.example' })),
    '/a',
  )
})
