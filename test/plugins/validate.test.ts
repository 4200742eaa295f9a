import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { validate } from '../../src/plugins/validate/validate.ts'
import { textPlace } from '../../src/text-place.ts'
import { exchange, host } from './harness.ts'

const place = textPlace('/v1/users/{id}', { protocol: 'rest', credentialHeaders: new Set() })

function plugin(options: object) {
  return validate.create(validate.options.parse(options), { ...host(), place })
}

interface Sent {
  readonly body?: string | Buffer
  readonly type?: string
  readonly query?: string
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string>
}

/** `field: detail` of each violation, the reason of another refusal, or nothing. */
async function ask(
  options: object,
  { body, type = 'application/json', headers, ...request }: Sent,
): Promise<string[]> {
  const x = exchange({
    plugins: [plugin(options)],
    request: { method: 'POST', ...request, headers: { 'content-type': type, ...headers } },
  })
  x.sentBody = Buffer.from(body ?? '')
  await x.run()
  if (x.error === undefined) return []
  if (x.error.reason !== 'INVALID_ARGUMENT') return [x.error.reason]
  return x.error.violations.map(({ field, detail }) => `${field}: ${detail}`)
}

/** The product of https://json-schema.org/learn/getting-started-step-by-step. */
const product = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://example.com/product.schema.json',
  title: 'Product',
  type: 'object',
  properties: {
    productId: { description: 'The unique identifier for a product', type: 'integer' },
    productName: { type: 'string' },
    price: { type: 'number', exclusiveMinimum: 0 },
    tags: { type: 'array', items: { type: 'string' }, minItems: 1, uniqueItems: true },
    dimensions: {
      type: 'object',
      properties: { length: { type: 'number' }, width: { type: 'number' }, height: { type: 'number' } },
      required: ['length', 'width', 'height'],
    },
  },
  required: ['productId', 'productName', 'price'],
}
const good = {
  productId: 1,
  productName: 'An ice sculpture',
  price: 12.5,
  tags: ['cold', 'ice'],
  dimensions: { length: 7, width: 12, height: 9.5 },
}

describe('bodies by JSON Schema', () => {
  const cases: readonly [string, unknown, string[]][] = [
    ['the example of the tutorial', good, []],
    [
      'what is required is missing',
      { productId: 1 },
      ["#: must have required property 'productName'", "#: must have required property 'price'"],
    ],
    ['a text for a number', { ...good, productId: '1' }, ['#/productId: must be integer']],
    ['a bound', { ...good, price: 0 }, ['#/price: must be > 0']],
    ['an empty list', { ...good, tags: [] }, ['#/tags: must NOT have fewer than 1 items']],
    ['items twice', { ...good, tags: ['ice', 'ice'] }, ['#/tags: must NOT have duplicate items']],
    [
      'deep inside',
      { ...good, dimensions: { length: 7, width: 'x', height: 9.5 } },
      ['#/dimensions/width: must be number'],
    ],
    ['a list for an object', [], ['#: must be object']],
    ['nothing', null, ['#: must be object']],
    ['a member of every object', { ...good, toString: 1 }, []],
  ]
  for (const [name, value, expected] of cases) {
    test(name, async () => {
      assert.deepEqual(await ask({ body: product }, { body: JSON.stringify(value) }), expected)
    })
  }

  test('members that are not known are named as pointers, with their odd characters (RFC 6901)', async () => {
    const schema = { type: 'object', properties: { a: {} }, additionalProperties: false }
    assert.deepEqual(await ask({ body: schema }, { body: '{"a":1,"b/~c":2,"__proto__":3}' }), [
      '#/b~1~0c: is not known here',
      '#/__proto__: is not known here',
    ])
  })

  test('what was asked for is told, what was sent is not', async () => {
    const schema = { properties: { role: { enum: ['reader', 'writer'] }, v: { const: 2 } } }
    assert.deepEqual(await ask({ body: schema }, { body: '{"role":"hunter2","v":"hunter2"}' }), [
      '#/role: must be one of "reader", "writer"',
      '#/v: must be 2',
    ])
  })

  test('equal items are equal whatever the order of their members (JSON Schema core 4.2.2)', async () => {
    const schema = { uniqueItems: true }
    assert.deepEqual(await ask({ body: schema }, { body: '[{"a":1,"b":2},{"b":2.0,"a":1}]' }), [
      '#: must NOT have duplicate items',
    ])
    assert.deepEqual(await ask({ body: schema }, { body: '[1,"1",true,[1],{"0":1}]' }), [])
  })

  test('of a body with very many mistakes some are told', async () => {
    const schema = { items: { type: 'string' } }
    assert.equal((await ask({ body: schema }, { body: JSON.stringify(new Array(200).fill(1)) })).length, 20)
    assert.equal((await ask({ body: schema }, { body: JSON.stringify(new Array(50_000).fill(1)) })).length, 1)
  })

  test('each pattern is one of its own, found anywhere in the text', async () => {
    const schema = {
      properties: { a: { pattern: '^a$' }, b: { pattern: 'b' }, c: { pattern: String.raw`^\u0063\d{2}$` } },
    }
    assert.deepEqual(await ask({ body: schema }, { body: '{"a":"b","b":"a","c":"c1"}' }), [
      '#/a: must match pattern "^a$"',
      '#/b: must match pattern "b"',
      String.raw`#/c: must match pattern "^\u0063\d{2}$"`,
    ])
    assert.deepEqual(await ask({ body: schema }, { body: '{"a":"a","b":"abc","c":"c12"}' }), [])
  })

  test('a schema may come from a file, as JSON or YAML', async () => {
    assert.deepEqual(
      await ask({ body: JSON.stringify(product) }, { body: '{}' }).then((found) => found.length),
      3,
    )
    assert.deepEqual(await ask({ body: 'type: array' }, { body: '{}' }), ['#: must be array'])
  })

  const refused: readonly [string, Sent, string[]][] = [
    ['no body', {}, ['#: a body is required']],
    ['another type', { body: '{}', type: 'text/plain' }, ['UNSUPPORTED_MEDIA_TYPE']],
    ['a form', { body: 'a=1', type: 'application/x-www-form-urlencoded' }, ['UNSUPPORTED_MEDIA_TYPE']],
    ['another charset', { body: '{}', type: 'application/json; charset=utf-16' }, ['UNSUPPORTED_MEDIA_TYPE']],
    ['packed', { body: '{}', headers: { 'content-encoding': 'gzip' } }, ['UNSUPPORTED_MEDIA_TYPE']],
    ['no JSON', { body: '{"a":' }, ['INVALID_BODY']],
    ['something behind it', { body: '{} {}' }, ['INVALID_BODY']],
    ['a byte order mark', { body: '\uFEFF{}' }, ['INVALID_BODY']],
    ['no UTF-8', { body: Buffer.from('{"a":"\xff"}', 'latin1') }, ['INVALID_BODY']],
    ['a member twice', { body: '{"a":1,"a":2}' }, ['INVALID_BODY']],
    ['a member twice, spelled otherwise', { body: '{"a":1,"\\u0061":2}' }, ['INVALID_BODY']],
    ['too deep', { body: '['.repeat(101) + ']'.repeat(101) }, ['INVALID_BODY']],
    ['far too deep', { body: '['.repeat(200_000) + ']'.repeat(200_000) }, ['INVALID_BODY']],
    ['too long', { body: ' '.repeat(1_048_577) }, ['BODY_TOO_LARGE']],
    ['JSON by its suffix', { body: '{}', type: 'application/merge-patch+json' }, []],
  ]
  for (const [name, sent, expected] of refused) {
    test(name, async () => assert.deepEqual(await ask({ body: true }, sent), expected))
  }
})

const formats = [
  'email',
  'uri',
  'uri-reference',
  'uri-template',
  'hostname',
  'ipv4',
  'ipv6',
  'date-time',
  'date',
  'duration',
  'uuid',
  'json-pointer',
  'regex',
  'url',
  'time',
  'byte',
  'iso-time',
  'iso-date-time',
  'relative-json-pointer',
]
/** Each is tried, and what fits none passes even so. */
const everyFormat = { allOf: formats.map((format) => ({ anyOf: [{ format }, {}] })) }

describe('what could keep the process busy does not', () => {
  /** Far above what linear work takes, far below what backtracking would. */
  const enoughMs = 5_000
  for (const [name, schema, body] of [
    ['a pattern that goes back', { pattern: '^(a+)+$' }, 'a'.repeat(100_000)],
    ['a pattern of alternatives', { pattern: '^(a|a|a)*b$' }, 'a'.repeat(100_000)],
    ['patterns of members', { patternProperties: { '^(a*)*$': false } }, { [`${'a'.repeat(50_000)}!`]: 1 }],
    ['unique items', { uniqueItems: true }, Array.from({ length: 50_000 }, (_, i) => ({ i }))],
    ...['a', '1', '%', '/', 'a.', '1:', '-', '{', '0.', 'a@', 'P1', ' '].map(
      (piece) => [`formats of ${JSON.stringify(piece)}`, everyFormat, `${piece.repeat(50_000)}!`] as const,
    ),
  ] as const) {
    test(name, async () => {
      const started = performance.now()
      await ask({ body: schema }, { body: JSON.stringify(body) })
      assert.ok(performance.now() - started < enoughMs, `${performance.now() - started} ms`)
    })
  }
})

describe('queries, headers and paths', () => {
  const options = {
    query: {
      type: 'object',
      properties: {
        limit: { type: 'integer', maximum: 100 },
        tag: { type: 'array', items: { type: 'string' } },
        deep: { type: 'boolean' },
      },
      required: ['limit'],
      additionalProperties: false,
    },
    headers: { properties: { 'x-tenant': { pattern: '^[a-z]+$' } }, required: ['x-tenant'] },
  }
  const headers = { 'x-tenant': 'shop' }
  const cases: readonly [string, Sent, string[]][] = [
    ['numbers, lists and booleans', { query: 'limit=10&tag=a&tag=b&deep=true', headers }, []],
    ['a list of one', { query: 'limit=10&tag=a', headers }, []],
    ['a number that is none', { query: 'limit=ten', headers }, ['query/limit: must be integer']],
    [
      'a number that JSON would write otherwise',
      { query: 'limit=0x10', headers },
      ['query/limit: must be number'],
    ],
    ['with a zero before it', { query: 'limit=010', headers }, ['query/limit: must be number']],
    ['with a blank before it', { query: 'limit=%2010', headers }, ['query/limit: must be number']],
    ['above its bound', { query: 'limit=1000', headers }, ['query/limit: must be <= 100']],
    ['twice where once is meant', { query: 'limit=1&limit=2', headers }, ['query/limit: must be integer']],
    ['one that is not known', { query: 'limit=1&x=1', headers }, ['query/x: is not known here']],
    ['none', { headers }, ["query: must have required property 'limit'"]],
    [
      'a name of every object',
      { query: 'limit=1&__proto__=1', headers },
      ['query/__proto__: is not known here'],
    ],
    [
      'a header',
      { query: 'limit=1', headers: { 'x-tenant': 'Shop' } },
      ['headers/x-tenant: must match pattern "^[a-z]+$"'],
    ],
  ]
  for (const [name, sent, expected] of cases) {
    test(name, async () => assert.deepEqual(await ask(options, sent), expected))
  }
})

test('the configuration is refused with what is wrong in it', () => {
  for (const [options, message] of [
    [{ body: { type: 'strange' } }, /body: .*type/],
    [{ body: { typo: 1 } }, /body: .*unknown keyword.*typo/],
    [{ body: { pattern: '(?=a)b' } }, /body: .*"\(\?=a\)b" cannot be matched in linear time/],
    [{ body: { pattern: String.raw`(a)\1` } }, /cannot be matched in linear time/],
    [{ body: { $ref: 'https://example.com/other.json' } }, /can't resolve reference/],
    [{ body: { format: 'strange' } }, /unknown format "strange"/],
    [{ body: 'just a text' }, /body: is no JSON Schema/],
    [{ path: { properties: { nobody: {} } } }, /path: the path of this route has no variable "nobody"/],
    [{ openapi: 'a: 1' }, /openapi: is of version undefined; 3.0 and 3.1 are read/],
    [
      { openapi: 'openapi: 3.1.0\npaths: {/a: {get: {parameters: [{$ref: other.yaml#/a}]}}}' },
      /leads out of the document/,
    ],
    [
      { openapi: 'openapi: 3.1.0\npaths: {/a: {get: {parameters: [{$ref: "#/a"}]}}}' },
      /there is nothing at "#\/a"/,
    ],
  ] as const) {
    assert.throws(() => plugin(options), message, JSON.stringify(options))
  }
  const graphql = textPlace(undefined, { protocol: 'graphql', credentialHeaders: new Set() })
  assert.throws(
    () => validate.create(validate.options.parse({ body: true }), { ...host(), place: graphql }),
    /REST/,
  )
  for (const [options, message] of [
    [{}, 'checks nothing'],
    [{ body: true, openapi: 'x' }, 'stands beside openapi'],
    [{ basePath: '/v1', body: true }, 'is for openapi'],
    [{ query: true, bodyRequired: false }, 'is for `body`'],
  ] as const) {
    const { error } = validate.options.safeParse(options)
    assert.ok(
      error?.issues.some((issue) => issue.message.includes(message)),
      message,
    )
  }
})
