import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exchange } from '../../../src/core/exchange.ts'
import { Mistake } from '../../../src/core/mistake.ts'
import { compileCodec } from '../../../src/front-ends/grpc/codec/codec.ts'
import { compileRequest } from '../../../src/front-ends/grpc/compile-request.ts'
import { loadDescriptors } from '../../../src/front-ends/grpc/descriptors.ts'
import { textPlace } from '../../../src/text-place.ts'
import { testProtos } from './harness.ts'
import { kitchenProto } from './kitchen.ts'

const { registry } = loadDescriptors({ files: [kitchenProto], includeDirs: [testProtos] })
const everything = registry.getMessage('kitchen.v1.Everything')
assert.ok(everything !== undefined)
const place = textPlace(undefined, { protocol: 'rest', credentialHeaders: new Set() })
const options = { place, ignoreUnknown: false }
const v = (name: string): string => `\${query.${name}}`
const asked = (query: string) => ({ request: { query } }) as Exchange

interface Case {
  readonly name: string
  readonly written: Record<string, unknown>
  readonly query: string
  readonly becomes: object
}

/** protobuf.dev, "ProtoJSON Format": numbers and names of enums may be texts, true and false may not. */
const cases: readonly Case[] = [
  { name: 'a bool', written: { flag: v('f') }, query: 'f=true', becomes: { flag: true } },
  { name: 'a text that says true', written: { text: v('f') }, query: 'f=true', becomes: { text: 'true' } },
  { name: 'a number', written: { int64: v('n') }, query: 'n=12345678901', becomes: { int64: '12345678901' } },
  { name: 'an enum', written: { color: v('c') }, query: 'c=RED', becomes: { color: 'RED' } },
  {
    name: 'every value of a repeated field',
    written: { tags: v('t'), numbers: v('n') },
    query: 't=a&n=1&t=b&n=2',
    becomes: { tags: ['a', 'b'], numbers: [1, 2] },
  },
  {
    name: 'a value that is not there',
    written: { tags: v('t'), text: v('x'), flag: v('f') },
    query: '',
    becomes: {},
  },
  {
    name: 'messages in messages, lists and maps',
    written: {
      child: { flag: v('f'), child: { text: `<${v('t')}>` } },
      items: [{ sku: v('t') }],
      labels: { any: v('t') },
      at: v('at'),
      struct: { f: v('f') },
    },
    query: 'f=false&t=x&at=2026-01-01T00:00:00Z',
    becomes: {
      child: { child: { text: '<x>' } },
      items: [{ sku: 'x' }],
      labels: { any: 'x' },
      at: '2026-01-01T00:00:00Z',
      struct: { f: 'false' },
    },
  },
]

for (const { name, written, query, becomes } of cases) {
  test(`a request is made of ${name}`, () => {
    const made = compileRequest(written, everything, options)(asked(query))
    const style = { emitDefaults: false, protoNames: false, enumsAsNumbers: false, ignoreUnknown: false }
    const codec = compileCodec(everything, { ...style, registry })
    assert.deepEqual(JSON.parse(codec.toJson(codec.fromJson(JSON.stringify(made)))), becomes)
  })
}

test('a member that the message has not is refused with its place, unless such are passed over', () => {
  const written = { child: { items: [{ sku: 'a' }, { sko: 'b' }] } }
  assert.throws(
    () => compileRequest(written, everything, options),
    (error) => {
      assert.ok(error instanceof Mistake)
      assert.deepEqual(error.path, ['child', 'items', 1, 'sko'])
      return true
    },
  )
  const made = compileRequest(written, everything, { ...options, ignoreUnknown: true })(asked(''))
  assert.deepEqual(made, written)
})
