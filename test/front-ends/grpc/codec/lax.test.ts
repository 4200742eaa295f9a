import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf'
import { GatewayError } from '../../../../src/core/error.ts'
import { codecFor, registry, wide } from './wide.ts'

// Where @bufbuild/protobuf 2.17 and the codec part: what it takes and ProtoJSON does not, what it changes, and what it refuses. Each row
// says first what it does: when a new version does better, the row goes, and so does its line in the fuzz tests.

const codec = codecFor(wide)

const refusedHere: readonly [what: string, json: string, path: string][] = [
  ['a hexadecimal number in quotes', '{"anInt32":"0x10"}', 'anInt32'],
  ['a hexadecimal int64 in quotes', '{"anInt64":"0x10"}', 'anInt64'],
  ['a binary number in quotes', '{"aDouble":"0b11"}', 'aDouble'],
  ['a plus sign in quotes', '{"anInt32":"+1"}', 'anInt32'],
  ['a leading zero in quotes', '{"anInt32":"007"}', 'anInt32'],
  ['a leading zero in an int64', '{"anInt64":"007"}', 'anInt64'],
  ['a point without digits behind it', '{"aDouble":"1."}', 'aDouble'],
  ['a point without digits before it', '{"aFloat":".5"}', 'aFloat'],
  ['blanks around an int64', '{"anInt64":" 1 "}', 'anInt64'],
  ['a hexadecimal map key', '{"int32Map":{"0x10":"1"}}', 'int32Map'],
  ['an integer that only rounding makes whole', '{"anInt64":9007199254740993.5}', 'anInt64'],
  ['30 February', '{"time":"2023-02-30T00:00:00Z"}', 'time'],
  ['29 February of 1900', '{"time":"1900-02-29T00:00:00Z"}', 'time'],
  ['31 April', '{"time":"2023-04-31T00:00:00Z"}', 'time'],
  ['24 o’clock', '{"time":"2023-04-30T24:00:00Z"}', 'time'],
  ['something behind a duration', '{"duration":"1s, or two"}', 'duration'],
  ['blanks in base64', '{"aBytes":"AQ I="}', 'aBytes'],
  ['padding inside base64', '{"aBytes":"AQ==AQ=="}', 'aBytes'],
  ['too much padding', '{"aBytes":"AQI=="}', 'aBytes'],
  ['an infinite number in a Value', '{"value":1e999}', 'value'],
  ['half a surrogate pair as a key of a Struct', '{"struct":{"\\ud800":1}}', 'struct'],
  ['half a surrogate pair in a Value', '{"value":"\\ud800"}', 'value'],
  [
    'an Any of a type with JSON of its own, without its value',
    '{"any":{"@type":"a/google.protobuf.Struct","x":1}}',
    'any.x',
  ],
  [
    'an Any with something beside its value',
    '{"any":{"@type":"a/google.protobuf.Duration","value":"1s","x":1}}',
    'any.x',
  ],
]
for (const [what, json, path] of refusedHere) {
  test(`refused, though @bufbuild/protobuf takes it: ${what}`, () => {
    toBinary(wide, fromJson(wide, JSON.parse(json) as JsonValue, { registry }))
    assert.throws(
      () => codec.fromJson(json),
      (error: GatewayError) => error.violations[0]?.field === path,
    )
  })
}

const changed: readonly [what: string, json: string, printed: string][] = [
  ['an int64 beyond 2^53 without quotes', '{"anInt64":9007199254740993}', '{"anInt64":"9007199254740993"}'],
  [
    'a uint64 in an Any without quotes',
    '{"any":{"@type":"a/wide.v1.Wide","aUint64":9007199254740993}}',
    '{"any":{"@type":"a/wide.v1.Wide","aUint64":"9007199254740993"}}',
  ],
  [
    'the URL of an Any',
    '{"any":{"@type":"example.com/wide.v1.Wide"}}',
    '{"any":{"@type":"example.com/wide.v1.Wide"}}',
  ],
  ['a float32', '{"aFloat":0.1}', '{"aFloat":0.1}'],
  ['-0', '{"aDouble":-0}', '{"aDouble":-0}'],
  ['-0 in a Value', '{"value":-0}', '{"value":-0}'],
]
for (const [what, json, printed] of changed) {
  test(`kept, though @bufbuild/protobuf changes it: ${what}`, () => {
    const wire = toBinary(wide, fromJson(wide, JSON.parse(json) as JsonValue, { registry }))
    const message = fromBinary(wide, wire)
    assert.notEqual(JSON.stringify(toJson(wide, message, { registry })), printed)
    assert.equal(codec.toJson(codec.fromJson(json)), printed)
  })
}

const takenHere: readonly [what: string, json: string, printed: string][] = [
  ['an int64 in quotes with an exponent', '{"anInt64":"1e3"}', '{"anInt64":"1000"}'],
  ['an int64 in quotes with a fraction of nothing', '{"aUint64":"5.0"}', '{"aUint64":"5"}'],
  ['a key of int64 with an exponent', '{"int64Map":{"1e3":true}}', '{"int64Map":{"1000":true}}'],
  [
    'a null message beside another member of a oneof',
    '{"oneWide":null,"oneString":"a"}',
    '{"oneString":"a"}',
  ],
]
for (const [what, json, printed] of takenHere) {
  test(`taken, though @bufbuild/protobuf refuses it: ${what}`, () => {
    assert.throws(() => fromJson(wide, JSON.parse(json) as JsonValue, { registry }))
    assert.equal(codec.toJson(codec.fromJson(json)), printed)
  })
}

test('a key that comes twice, where JSON.parse keeps the last', () => {
  const json = '{"stringMap":{"a":"x","a":"y"}}'
  fromJson(wide, JSON.parse(json) as JsonValue)
  assert.throws(() => codec.fromJson(json), GatewayError)
})

test('a key with an escape, which V8 13.6 may take for the one before', () => {
  // JSON.parse compares what is written with what the last object of that shape had there: `a\` is the beginning of `a\n`.
  JSON.parse('{"\u20ac":1,"a\\\\":2}')
  const json = '{"stringMap":{"\u20ac":"1","a\\n":"2"}}'
  assert.equal(codec.toJson(codec.fromJson(json)), json)
})

const badWire: readonly [what: string, hex: string][] = [
  ['a string as an int32', '0a0161'],
  ['a varint as a message', '8a0101'.replace('8a01', '8801')],
  ['a submessage longer than what it is in', '8a010872'],
  ['a packed list that ends inside an item', 'f2010180'],
  ['a varint of eleven bytes', '08ffffffffffffffffffff01'],
]
for (const [what, hex] of badWire) {
  test(`refused on the wire: ${what}`, () => {
    assert.throws(() => codec.toJson(Buffer.from(hex, 'hex')), { name: 'WireFault' })
  })
}

test('an entry of a Struct without a value is refused, which for @bufbuild/protobuf is null', () => {
  const bytes = Buffer.from('ea05050a030a0161', 'hex')
  assert.deepEqual(toJson(wide, fromBinary(wide, bytes)), { struct: { a: null } })
  assert.throws(() => codec.toJson(bytes), { name: 'WireFault' })
})
