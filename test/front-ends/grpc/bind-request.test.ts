import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { House } from './harness.ts'
import { kitchenHouse, startKitchen } from './kitchen.ts'

let kitchen: Awaited<ReturnType<typeof startKitchen>>
let house: House

before(async () => {
  kitchen = await startKitchen()
  house = await kitchenHouse(kitchen.url)
})
after(async () => {
  await house.close()
  kitchen.close()
})

const accepted: readonly [name: string, query: string, expected: object][] = [
  ['a string', 'text=a%20b+c%2Fd', { text: 'a b c/d' }],
  ['a field by its camelCase name', 'someLongName=x', { someLongName: 'x' }],
  ['a field by its proto name', 'some_long_name=x', { someLongName: 'x' }],
  ['a field by its json_name', 'customName=x', { customName: 'x' }],
  ['a field with a json_name by its proto name', 'renamed=x', { customName: 'x' }],
  [
    'a nested field',
    'child.child.text=x&child.some_long_name=y',
    { child: { child: { text: 'x' }, someLongName: 'y' } },
  ],
  ['a repeated field, once', 'tags=a', { tags: ['a'] }],
  ['a repeated field, twice', 'tags=a&tags=b', { tags: ['a', 'b'] }],
  ['an enum by name', 'color=RED', { color: 'RED' }],
  ['an enum by number', 'color=2', { color: 'GREEN' }],
  ['a repeated enum by name and number', 'colors=RED&colors=2', { colors: ['RED', 'GREEN'] }],
  ['a bool', 'flag=true', { flag: true }],
  ['an int64 beyond 2^53', 'int64=-9223372036854775808', { int64: '-9223372036854775808' }],
  ['a uint64 beyond 2^63', 'uint64=18446744073709551615', { uint64: '18446744073709551615' }],
  ['a double', 'double=-1.5e3', { double: -1500 }],
  ['NaN', 'double=NaN', { double: 'NaN' }],
  ['bytes in base64url', 'data=_-8', { data: '/+8=' }],
  ['a Timestamp', 'at=2024-02-29T12:00:00Z', { at: '2024-02-29T12:00:00Z' }],
  ['a Duration', 'wait=1.5s', { wait: '1.500s' }],
  ['a FieldMask in camelCase', 'mask=text,someLongName', { mask: 'text,someLongName' }],
  ['a FieldMask by proto names', 'mask=text,some_long_name', { mask: 'text,someLongName' }],
  ['a wrapper', 'wrapped=5&wrapped_text=x', { wrapped: '5', wrappedText: 'x' }],
  ['presence of a default', 'maybe=0', { maybe: 0 }],
]
for (const [name, query, expected] of accepted) {
  test(`a query sets ${name}`, async () => {
    const { status, json } = await house.ask('GET', `/v1/echo?${query}`)
    assert.equal(status, 200, JSON.stringify(json))
    assert.deepEqual(json, expected)
  })
}

const refused: readonly [name: string, query: string, field: string][] = [
  ['an unknown parameter', 'nope=1', 'nope'],
  ['a field of a scalar', 'text.more=1', 'text.more'],
  ['__proto__', '__proto__=1', '__proto__'],
  ['constructor', 'constructor.name=1', 'constructor.name'],
  ['a bool that is not true or false', 'flag=1', 'flag'],
  ['an integer with a fraction', 'int32=1.0', 'int32'],
  ['a hexadecimal integer', 'int64=0x10', 'int64'],
  ['an int32 out of range', 'int32=2147483648', 'int32'],
  ['a negative uint32', 'uint32=-1', 'uint32'],
  ['an uint64 out of range', 'uint64=18446744073709551616', 'uint64'],
  ['an empty integer', 'int32=', 'int32'],
  ['an unknown enum name', 'color=BLUE', 'color'],
  ['a float beyond its range', 'float=1e39', 'float'],
  ['bytes that are not base64', 'data=%25%25', 'data'],
  ['a Timestamp that is none', 'at=yesterday', 'at'],
  ['a singular field twice', 'text=a&text=b', 'text'],
  ['two members of a oneof', 'left=a&right=1', 'right'],
  ['a map', 'labels=x', 'labels'],
  ['a message', 'child=x', 'child'],
  ['a field inside a repeated message', 'items.sku=x', 'items.sku'],
  ['a path of 101 names', `${'child.'.repeat(100)}text=x`, `${'child.'.repeat(100)}text`],
]
for (const [name, query, field] of refused) {
  test(`a query with ${name} is refused as 400 that names it`, async () => {
    const { status, json } = await house.ask('GET', `/v1/echo?${query}`)
    assert.equal(status, 400)
    assert.equal(json.code, 3)
    const badRequest = json.details.find((one: { '@type': string }) =>
      one['@type'].endsWith('google.rpc.BadRequest'),
    )
    assert.deepEqual(
      badRequest.fieldViolations.map((violation: { field: string }) => violation.field),
      [field],
    )
  })
}

test('a query with an escape that is no UTF-8 is refused as 400', async () => {
  assert.equal((await house.ask('GET', '/v1/echo?text=%ff')).status, 400)
})

test('faults of the body and of parameters are named at once', async () => {
  const { status, json } = await house.ask('POST', '/v1/echo:items?flag=2&nope=1', { body: [{ sku: 1 }] })
  assert.equal(status, 400)
  const fields = json.details[1].fieldViolations.map((one: { field: string }) => one.field)
  assert.deepEqual(fields, ['items[0].sku', 'nope', 'flag'])
  const body = await house.ask('POST', '/v1/echo:items', { body: [{ sku: 1 }] })
  assert.match(body.json.message, /^The body does not fit: "items\[0\]\.sku"/)
})

test('all wrong parameters are named at once', async () => {
  const { json } = await house.ask('GET', '/v1/echo?nope=1&flag=2&int32=x')
  assert.equal(json.details[1].fieldViolations.length, 3)
})

test('a service that ignores unknown parameters and fields still gets the known ones, and nothing of any depth', async () => {
  const tolerant = await kitchenHouse(kitchen.url, {
    more: { json: { emitDefaults: false, protoNames: false, enumsAsNumbers: false, ignoreUnknown: true } },
  })
  const query = await tolerant.ask('GET', '/v1/echo?nope=1&text=a')
  const body = await tolerant.ask('POST', '/v1/echo', { body: { nope: 1, text: 'a' } })
  const deep = await tolerant.ask('POST', '/v1/echo', {
    body: `{"nope": ${'['.repeat(100)}${']'.repeat(100)}}`,
  })
  await tolerant.close()
  assert.equal(deep.status, 400)
  assert.deepEqual([query.json, body.json], [{ text: 'a' }, { text: 'a' }])
})

test('path beats body, and a nested variable keeps %2F and its slashes', async () => {
  const put = await house.ask('PUT', '/v1/echo/a%2Fb?flag=true', { body: { text: 'inner' } })
  assert.deepEqual(put.json, { text: 'a/b', flag: true, child: { text: 'inner' } })
  const deep = await house.ask('GET', '/v1/deep/shelves/a%2Fb%20c/17?child.flag=true')
  assert.deepEqual(deep.json, { child: { flag: true, child: { text: 'shelves/a%2Fb c' } }, int64: '17' })
})

test('a path variable that does not fit its field is refused as 400 that names it', async () => {
  const { status, json } = await house.ask('GET', '/v1/deep/shelves/a/seventeen')
  assert.equal(status, 400)
  assert.match(json.message, /"int64": must be an integer/)
})

for (const [name, method, path, field] of [
  ['bound by the path', 'PUT', '/v1/echo/a?text=b', 'text'],
  ['inside the body field', 'PUT', '/v1/echo/a?child.text=b', 'child.text'],
  ['bound by the path, nested', 'GET', '/v1/deep/shelves/a/1?child.child.text=b', 'child.child.text'],
  ['of any name when the body is the whole message', 'POST', '/v1/echo?flag=true', 'flag'],
] as const) {
  test(`a query cannot set a field ${name}`, async () => {
    const { status, json } = await house.ask(method, path, method === 'GET' ? {} : { body: {} })
    assert.equal(status, 400)
    assert.equal(json.details[1].fieldViolations[0].field, field)
  })
}

test('a body field may be a list', async () => {
  const { json } = await house.ask('POST', '/v1/echo:items', { body: [{ sku: 'a' }, { sku: 'b' }] })
  assert.deepEqual(json, { items: [{ sku: 'a' }, { sku: 'b' }] })
})

test('a custom kind is a method', async () => {
  assert.equal((await house.ask('OPTIONS', '/v1/echo')).status, 200)
})

test('an absent body is an empty message', async () => {
  assert.deepEqual((await house.ask('POST', '/v1/echo')).json, {})
})

const whole = {
  text: 'grüße 🎉',
  flag: true,
  int32: -5,
  int64: '9007199254740993',
  uint64: '18446744073709551615',
  double: 1.25,
  data: 'AP8=',
  color: 'GREEN',
  tags: ['a', 'b'],
  numbers: [1, 2],
  items: [{ sku: 's', parts: { p: { sku: 'q' } }, more: { number: 3 } }],
  child: { child: { flag: true } },
  labels: { a: 'b', __proto__x: 'c' },
  maybe: 0,
  customName: 'n',
  someLongName: 'l',
  at: '2024-02-29T12:00:00.123456789Z',
  wait: '-1.500s',
  mask: 'text,someLongName',
  wrapped: '0',
  wrappedText: '',
  struct: { a: [1, null, { b: true }] },
  value: null,
  any: { '@type': 'type.googleapis.com/kitchen.v1.CountReply', number: 4 },
  left: '',
  colors: ['RED'],
  palette: { '1': 'RED', '-2': 'GREEN' },
}

test('a body of every kind of field comes back as it was', async () => {
  const { status, json } = await house.ask('POST', '/v1/echo', { body: whole })
  assert.equal(status, 200, JSON.stringify(json))
  assert.deepEqual(json, whole)
})

const big = '9007199254740993'
for (const [name, path, body, expected] of [
  ['of a message', '/v1/echo', `{"int64": ${big}}`, { int64: big }],
  [
    'of a nested message',
    '/v1/echo',
    `{"child": {"uint64": 18446744073709551615}}`,
    { child: { uint64: '18446744073709551615' } },
  ],
  ['of a wrapper', '/v1/echo', `{"wrapped": ${big}}`, { wrapped: big }],
  ['of a double', '/v1/echo', `{"double": ${big}}`, { double: 9007199254740992 }],
  ['of a Struct', '/v1/echo', `{"struct": {"a": [${big}]}}`, { struct: { a: [9007199254740992] } }],
  [
    'in a list beside a key __proto__',
    '/v1/echo',
    `{"labels": {"__proto__": "${big}"}}`,
    JSON.parse(`{"labels": {"__proto__": "${big}"}}`),
  ],
] as const) {
  test(`an unquoted integer beyond 2^53 ${name} is as exact as its field`, async () => {
    assert.deepEqual((await house.ask('POST', path, { body })).json, expected)
  })
}

test('an unquoted integer beyond 2^53 is no string', async () => {
  assert.equal((await house.ask('POST', '/v1/echo', { body: `{"text": ${big}}` })).status, 400)
})

test('__proto__ is a map key like any other and touches nothing', async () => {
  const { text } = await house.ask('POST', '/v1/echo', { body: '{"labels": {"__proto__": "x"}}' })
  assert.equal(text, '{"labels":{"__proto__":"x"}}')
  assert.equal(({} as { x?: string }).x, undefined)
})

const badBodies: readonly [name: string, body: string | Buffer][] = [
  ['no JSON', '{'],
  ['trailing data', '{} {}'],
  ['a list for a message', '[]'],
  ['null', 'null'],
  ['an unknown field', '{"nope": 1}'],
  ['__proto__ as a field', '{"__proto__": {"text": "x"}}'],
  ['a number for a string', '{"text": 1}'],
  ['a string for a bool', '{"flag": "true"}'],
  ['an unknown enum name', '{"color": "BLUE"}'],
  ['an int32 out of range', '{"int32": 2147483648}'],
  ['a uint64 below zero', '{"uint64": "-1"}'],
  ['a field by both of its names', '{"someLongName": "a", "some_long_name": "b"}'],
  ['two members of a oneof', '{"left": "a", "right": 1}'],
  ['an Any of unknown type', '{"any": {"@type": "type.googleapis.com/acme.X"}}'],
  ['a bad Timestamp', '{"at": "2024-13-01T00:00:00Z"}'],
  ['a null in a list', '{"tags": [null]}'],
  ['invalid UTF-8', Buffer.from('{"text":"\xff"}', 'latin1')],
  ['101 levels of a known message', `${'{"child":'.repeat(101)}{}${'}'.repeat(101)}`],
  ['100,000 levels of nothing known', `{"struct": ${'['.repeat(100_000)}`],
]
for (const [name, body] of badBodies) {
  test(`a body with ${name} is refused as 400`, async () => {
    const { status, json } = await house.ask('POST', '/v1/echo', { body })
    assert.equal(status, 400, JSON.stringify(json))
    assert.equal(json.code, 3)
  })
}

test('the refusal of a body names the path of the fault', async () => {
  const { json } = await house.ask('POST', '/v1/echo', { body: '{"child": {"flag": "yes"}}' })
  assert.match(json.message, /"child\.flag" must be true or false/)
  assert.equal(json.details[1].fieldViolations[0].field, 'child.flag')
})

test('nesting of 90 levels passes', async () => {
  const { status } = await house.ask('POST', '/v1/echo', {
    body: `${'{"child":'.repeat(90)}{}${'}'.repeat(90)}`,
  })
  assert.equal(status, 200)
})

test('a message above messageBytes is refused as 413, and so is a body above bodyBytes', async () => {
  const message = await house.ask('POST', '/v1/echo', { body: { text: 'x'.repeat(65_537) } })
  const body = await house.ask('POST', '/v1/echo', { body: { text: 'x'.repeat(262_145) } })
  assert.deepEqual([message.status, message.json.code, body.status], [413, 8, 413])
})

test('a body that is not JSON by its type, or is coded, is refused as 415', async () => {
  const xml = await house.ask('POST', '/v1/echo', { body: '<a/>', headers: { 'content-type': 'text/xml' } })
  const gzip = await house.ask('POST', '/v1/echo', { body: '{}', headers: { 'content-encoding': 'gzip' } })
  const charset = await house.ask('POST', '/v1/echo', {
    body: '{}',
    headers: { 'content-type': 'Application/JSON; charset=utf-8' },
  })
  assert.deepEqual([xml.status, gzip.status, charset.status], [415, 415, 200])
})

test('HttpBody takes and gives raw bytes with their own type', async () => {
  const { headers, text } = await house.ask('POST', '/v1/files/a.txt', {
    body: 'plain words',
    headers: { 'content-type': 'text/plain' },
  })
  assert.equal(text, 'a.txt:plain words')
  assert.equal(headers['content-type'], 'text/plain')
})

test('proto2 keeps its required fields, presence and closed enums', async () => {
  const full = { name: 'n', level: 0, plain: [1], packed: [2, 3], mood: 'BAD' }
  assert.deepEqual((await house.ask('POST', '/v1/old', { body: full })).json, full)
  assert.equal((await house.ask('POST', '/v1/old', { body: { level: 1 } })).status, 400)
  assert.equal((await house.ask('POST', '/v1/old', { body: { name: 'n', mood: 3 } })).status, 400)
})
