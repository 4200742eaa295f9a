import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { validate } from '../../src/plugins/validate/validate.ts'
import { textPlace } from '../../src/text-place.ts'
import { exchange, host } from './harness.ts'

const place = textPlace('/v1/**', { protocol: 'rest', credentialHeaders: new Set() })

interface Sent {
  readonly method?: string
  readonly path: string
  readonly query?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

function asker(openapi: string, options: object = {}) {
  const plugin = validate.create(validate.options.parse({ openapi, ...options }), { ...host(), place })
  return async ({ body = '', headers, ...request }: Sent): Promise<string[]> => {
    const x = exchange({
      plugins: [plugin],
      request: { ...request, headers: { 'content-type': 'application/json', ...headers } },
    })
    x.sentBody = Buffer.from(body)
    await x.run()
    if (x.error === undefined) return []
    if (x.error.reason !== 'INVALID_ARGUMENT')
      return [`${x.error.reason} ${x.error.headers.join(' ')}`.trim()]
    return x.error.violations.map(({ field, detail }) => `${field}: ${detail}`)
  }
}

const shop = `
openapi: 3.1.0
info: {title: Shop, version: "1"}
paths:
  /orders:
    parameters: [{$ref: "#/components/parameters/tenant"}]
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
        - {name: status, in: query, required: true, schema: {$ref: "#/components/schemas/Statuses"}, explode: false}
    post:
      requestBody: {$ref: "#/components/requestBodies/Order"}
  /orders/mine: {get: {}}
  /orders/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {}
    delete: {}
  /files/report-{name}.{ext}:
    get:
      parameters:
        - {name: name, in: path, required: true, schema: {type: string, pattern: "^[a-z]+$"}}
        - {name: ext, in: path, required: true, schema: {enum: [csv, pdf]}}
  /upload:
    put: {requestBody: {content: {image/png: {schema: {type: string}}}}}
  /notes:
    post: {requestBody: {content: {application/json: {schema: {type: object, required: [text]}}}}}
components:
  parameters:
    tenant: {name: X-Tenant, in: header, required: true, schema: {type: string, minLength: 2}}
  schemas:
    Statuses: {type: array, items: {enum: [open, paid]}}
    Item: {type: object, required: [sku], properties: {sku: {type: string}, parts: {type: array, items: {$ref: "#/components/schemas/Item"}}}}
    Order:
      type: object
      required: [items]
      properties: {items: {type: array, minItems: 1, items: {$ref: "#/components/schemas/Item"}}, note: {type: [string, "null"]}}
      unevaluatedProperties: false
  requestBodies:
    Order: {required: true, content: {application/json; charset=utf-8: {schema: {$ref: "#/components/schemas/Order"}}}}
`

describe('requests by an OpenAPI 3.1 document', () => {
  const ask = asker(shop, { basePath: '/v1' })
  const headers = { 'x-tenant': 'acme' }
  const post = { method: 'POST', path: '/v1/orders', headers }
  const cases: readonly [string, Sent, string[]][] = [
    ['what fits', { path: '/v1/orders', query: 'limit=5&status=open,paid', headers }, []],
    [
      'a header of the path item is missing',
      { path: '/v1/orders', query: 'status=open' },
      ['header.X-Tenant: is required'],
    ],
    [
      'a header that is too short',
      { path: '/v1/orders', query: 'status=open', headers: { 'x-tenant': 'a' } },
      ['header.X-Tenant: must NOT have fewer than 2 characters'],
    ],
    ['a parameter is missing', { path: '/v1/orders', headers }, ['query.status: is required']],
    [
      'an item of a list',
      { path: '/v1/orders', query: 'status=open,lost', headers },
      ['query.status/1: must be one of "open", "paid"'],
    ],
    [
      'out of its bounds',
      { path: '/v1/orders', query: 'status=open&limit=0', headers },
      ['query.limit: must be >= 1'],
    ],
    ['a variable of the path', { path: '/v1/orders/7' }, []],
    ['a variable of the wrong type', { path: '/v1/orders/seven' }, ['path.id: must be integer']],
    ['the concrete path first', { path: '/v1/orders/mine' }, []],
    [
      'and the other one for a method that the first has not',
      { path: '/v1/orders/mine', method: 'DELETE' },
      ['path.id: must be integer'],
    ],
    ['parts of a segment', { path: '/v1/files/report-sales.csv' }, []],
    [
      'parts of a segment that do not fit',
      { path: '/v1/files/report-sales2.exe' },
      ['path.name: must match pattern "^[a-z]+$"', 'path.ext: must be one of "csv", "pdf"'],
    ],
    ['an encoded letter is the letter', { path: '/v1/%6Frders/7' }, []],
    ['HEAD where there is GET', { path: '/v1/orders/7', method: 'HEAD' }, []],
    ['a path that there is not', { path: '/v1/order' }, ['ROUTE_NOT_FOUND']],
    ['a path below', { path: '/v1/orders/7/items' }, ['ROUTE_NOT_FOUND']],
    ['an empty variable', { path: '/v1/orders/' }, ['ROUTE_NOT_FOUND']],
    ['without the base path', { path: '/orders/7' }, ['ROUTE_NOT_FOUND']],
    [
      'a method that there is not',
      { path: '/v1/orders/7', method: 'PATCH' },
      ['METHOD_NOT_ALLOWED Allow GET, DELETE'],
    ],
    ['a body', { ...post, body: '{"items":[{"sku":"a","parts":[{"sku":"b"}]}],"note":null}' }, []],
    [
      'a body that refers to itself',
      { ...post, body: '{"items":[{"sku":"a","parts":[{}]}]}' },
      ["#/items/0/parts/0: must have required property 'sku'"],
    ],
    [
      'a member too many',
      { ...post, body: '{"items":[{"sku":"a"}],"total":1}' },
      ['#/total: is not known here'],
    ],
    ['no body', post, ['#: a body is required']],
    ['no body where it may be missing', { method: 'POST', path: '/v1/notes' }, []],
    [
      'a body where it may be missing',
      { method: 'POST', path: '/v1/notes', body: '{}' },
      ["#: must have required property 'text'"],
    ],
    [
      'a body of another type than JSON is not looked into',
      { method: 'PUT', path: '/v1/upload', headers: { 'content-type': 'image/png' }, body: 'PNG' },
      [],
    ],
    [
      'a type that the document has not',
      { method: 'PUT', path: '/v1/upload', body: '{}' },
      ['UNSUPPORTED_MEDIA_TYPE Accept-Post image/png'],
    ],
    [
      'XML for JSON',
      { ...post, headers: { ...headers, 'content-type': 'text/xml' }, body: '<a/>' },
      ['UNSUPPORTED_MEDIA_TYPE Accept-Post application/json; charset=utf-8'],
    ],
  ]
  for (const [name, sent, expected] of cases) {
    test(name, async () => assert.deepEqual(await ask({ method: 'GET', ...sent }), expected))
  }
})

/** The array of the table of OpenAPI 3.1.1 section 4.8.12.4, "Style Examples". */
const styles: readonly [string, object, string][] = [
  ['form, exploded', {}, 'color=blue&color=black&color=brown'],
  ['form', { explode: false }, 'color=blue,black,brown'],
  ['spaceDelimited', { style: 'spaceDelimited', explode: false }, 'color=blue%20black%20brown'],
  ['pipeDelimited', { style: 'pipeDelimited', explode: false }, 'color=blue%7Cblack%7Cbrown'],
]
for (const [name, style, query] of styles) {
  test(`a list in a query: ${name}`, async () => {
    const schema = { type: 'array', items: { enum: ['blue', 'black', 'brown'] }, minItems: 3 }
    const parameters = [{ name: 'color', in: 'query', schema, ...style }]
    const ask = asker(JSON.stringify({ openapi: '3.1.0', paths: { '/a': { get: { parameters } } } }))
    assert.deepEqual(await ask({ path: '/a', query }), [])
    assert.deepEqual(await ask({ path: '/a', query: query.replace('black', 'red') }), [
      'query.color/1: must be one of "blue", "black", "brown"',
    ])
  })
}

test('a list in a path and in a header is separated by commas (style simple)', async () => {
  const schema = { type: 'array', items: { enum: ['blue', 'black'] } }
  const parameters = [
    { name: 'color', in: 'path', required: true, schema },
    { name: 'X-Color', in: 'header', schema },
  ]
  const ask = asker(JSON.stringify({ openapi: '3.1.0', paths: { '/{color}': { get: { parameters } } } }))
  assert.deepEqual(await ask({ path: '/blue,black', headers: { 'x-color': 'black' } }), [])
  assert.deepEqual(await ask({ path: '/blue%2Cred', headers: { 'x-color': 'blue,green' } }), [
    'path.color/1: must be one of "blue", "black"',
    'header.X-Color/1: must be one of "blue", "black"',
  ])
})

test('schemas of OpenAPI 3.0 have their own words for null and bounds', async () => {
  const schema = {
    type: 'object',
    properties: {
      name: { type: 'string', nullable: true },
      kind: { type: 'string', nullable: true, enum: ['a'] },
      price: { type: 'number', minimum: 0, exclusiveMinimum: true },
      rate: { type: 'number', maximum: 1, exclusiveMaximum: false },
      // Data that looks like a schema.
      flag: { enum: [{ nullable: true, type: 'x' }] },
    },
  }
  const post = { requestBody: { content: { 'application/json': { schema } } } }
  const ask = asker(JSON.stringify({ openapi: '3.0.3', paths: { '/a': { post } } }))
  const send = (body: string): Promise<string[]> => ask({ method: 'POST', path: '/a', body })
  assert.deepEqual(
    await send('{"name":null,"kind":null,"price":0.1,"rate":1,"flag":{"nullable":true,"type":"x"}}'),
    [],
  )
  assert.deepEqual(await send('{"name":1,"kind":"b","price":0,"rate":2}'), [
    '#/name: must be string,null',
    '#/kind: must be one of "a", null',
    '#/price: must be > 0',
    '#/rate: must be <= 1',
  ])
})
