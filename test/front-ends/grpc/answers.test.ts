import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ServiceOptions } from '../../../src/front-ends/grpc/service-options.ts'
import { type House, plainJson } from './harness.ts'
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

test('Empty is {}', async () => {
  const { status, text, headers } = await house.ask('GET', '/v1/nothing')
  assert.deepEqual(
    [status, text, headers['content-type'], headers['content-length']],
    [200, '{}', 'application/json', '2'],
  )
})

test('HEAD is answered like GET, without a body', async () => {
  const { status, text, headers } = await house.ask('HEAD', '/v1/nothing')
  assert.deepEqual([status, text, headers['content-length']], [200, '', '2'])
})

for (const [path, expected] of [
  ['/v1/part/child?flag=true', '{"text":"c"}'],
  ['/v1/part/items?flag=true', '[{"sku":"s"}]'],
  ['/v1/part/text?flag=true', '"t"'],
  ['/v1/part/child', '{}'],
  ['/v1/part/items', '[]'],
  ['/v1/part/text', '""'],
] as const) {
  test(`response_body of ${path} is ${expected}`, async () => {
    assert.equal((await house.ask('GET', path)).text, expected)
  })
}

const styles: readonly [
  name: string,
  json: Partial<ServiceOptions['json']>,
  query: string,
  expected: object,
][] = [
  [
    'protoNames keeps the names of the proto',
    { protoNames: true },
    'renamed=x&some_long_name=y',
    { renamed: 'x', some_long_name: 'y' },
  ],
  ['enumsAsNumbers writes numbers', { enumsAsNumbers: true }, 'color=RED', { color: 1 }],
]
for (const [name, json, query, expected] of styles) {
  test(name, async () => {
    const styled = await kitchenHouse(kitchen.url, { more: { json: { ...plainJson, ...json } } })
    const answer = await styled.ask('GET', `/v1/echo?${query}`)
    await styled.close()
    assert.deepEqual(answer.json, expected)
  })
}

test('emitDefaults writes fields without presence, and none that has it', async () => {
  const styled = await kitchenHouse(kitchen.url, { more: { json: { ...plainJson, emitDefaults: true } } })
  const { json } = await styled.ask('GET', '/v1/echo')
  await styled.close()
  assert.deepEqual(
    [json.text, json.int64, json.tags, json.labels, json.color],
    ['', '0', [], {}, 'COLOR_UNSPECIFIED'],
  )
  for (const absent of ['maybe', 'child', 'left', 'right', 'wrapped'])
    assert.equal(absent in json, false, absent)
})

test('an unknown enum number is written as a number', async () => {
  assert.deepEqual((await house.ask('GET', '/v1/echo?color=99')).json, { color: 99 })
})

test('the exchange tells which method answered what', async () => {
  await house.ask('GET', '/v1/fail/5')
  assert.deepEqual(house.settled.at(-1)?.attributes, {
    'rpc.service': 'kitchen.v1.Kitchen',
    'rpc.method': 'Fail',
    'rpc.grpc.status_code': 5,
  })
})
