import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { codecFor, wide } from './wide.ts'

// What a decoder has to bear by protobuf.dev, "Encoding". Field numbers are those of wide.proto.

const codec = codecFor(wide)

const printed: readonly [what: string, write: (w: BinaryWriter) => BinaryWriter, json: string][] = [
  [
    'the last of a field that comes twice',
    (w) => w.tag(1, 0).int32(1).tag(14, 2).string('a').tag(1, 0).int32(2),
    '{"anInt32":2,"aString":"a"}',
  ],
  ['a zero that comes last', (w) => w.tag(1, 0).int32(1).tag(1, 0).int32(0), '{}'],
  [
    'a message in two pieces, merged',
    (w) =>
      nested(
        nested(w, 17, (i) => i.tag(1, 0).int32(1).tag(30, 0).int32(1)),
        17,
        (i) => i.tag(14, 2).string('a').tag(30, 0).int32(2),
      ),
    '{"aWide":{"anInt32":1,"aString":"a","int32s":[1,2]}}',
  ],
  ['the last member of a oneof', (w) => w.tag(70, 0).int32(1).tag(71, 2).string('a'), '{"oneString":"a"}'],
  [
    'a oneof message after another member',
    (w) =>
      nested(
        nested(w, 74, (i) => i.tag(1, 0).int32(1))
          .tag(70, 0)
          .int32(5),
        74,
        (i) => i.tag(14, 2).string('a'),
      ),
    '{"oneWide":{"aString":"a"}}',
  ],
  [
    'a list in pieces',
    (w) => w.tag(43, 2).string('a').tag(1, 0).int32(1).tag(43, 2).string('b'),
    '{"anInt32":1,"strings":["a","b"]}',
  ],
  [
    'a packed list that is not packed, and both',
    (w) =>
      nested(w.tag(30, 0).int32(1), 30, (i) => i.int32(2).int32(-3))
        .tag(30, 0)
        .int32(4),
    '{"int32s":[1,2,-3,4]}',
  ],
  [
    'a list that is not packed by its declaration, packed',
    (w) => nested(w, 47, (i) => i.int32(1).int32(2)),
    '{"unpacked":[1,2]}',
  ],
  ['an empty packed list', (w) => w.tag(30, 2).uint32(0), '{}'],
  ['a key that comes twice', (w) => entry(entry(w, 50, 'a', 'x'), 50, 'a', 'y'), '{"stringMap":{"a":"y"}}'],
  [
    'a map entry without key and value',
    (w) => w.tag(50, 2).uint32(0).tag(51, 2).uint32(0).tag(61, 2).uint32(0).tag(62, 2).uint32(0),
    '{"stringMap":{"":""},"int32Map":{"0":"0"},"boolMap":{"false":""},"wideMap":{"":{}}}',
  ],
  [
    'a map entry whose value comes first',
    (w) => nested(w, 50, (i) => i.tag(2, 2).string('x').tag(1, 2).string('a')),
    '{"stringMap":{"a":"x"}}',
  ],
  [
    'an int32 of ten bytes, cut to 32 bits',
    (w) =>
      w
        .tag(1, 0)
        .int64(-1n)
        .tag(3, 0)
        .uint64(2n ** 40n + 5n),
    '{"anInt32":-1,"aUint32":5}',
  ],
  [
    'varints longer than needed',
    (w) =>
      w
        .tag(1, 0)
        .raw(Buffer.from('8580808000', 'hex'))
        .raw(Buffer.from('880085808000', 'hex').subarray(0, 0)),
    '{"anInt32":5}',
  ],
  ['a bool that is not 1', (w) => w.tag(13, 0).uint64(2n ** 63n), '{"aBool":true}'],
  [
    'a time whose parts come twice',
    (w) => nested(w, 90, (i) => i.tag(1, 0).int64(5n).tag(1, 0).int64(1n)),
    '{"time":"1970-01-01T00:00:01Z"}',
  ],
  [
    'an Any whose content is out of order',
    (w) =>
      nested(w, 96, (i) =>
        nested(i.tag(1, 2).string('x/wide.v1.Wide'), 2, (k) => k.tag(1, 0).int32(1).tag(1, 0).int32(2)),
      ),
    '{"any":{"@type":"x/wide.v1.Wide","anInt32":2}}',
  ],
  [
    'unknown fields and groups in groups',
    (w) =>
      w
        .tag(999, WireType.StartGroup)
        .tag(1, WireType.StartGroup)
        .tag(2, 5)
        .fixed32(1)
        .tag(1, WireType.EndGroup)
        .tag(999, WireType.EndGroup)
        .tag(1, 0)
        .int32(1),
    '{"anInt32":1}',
  ],
]
for (const [what, write, json] of printed) {
  test(`printed from the wire: ${what}`, () => {
    assert.deepEqual(JSON.parse(codec.toJson(write(new BinaryWriter()).finish())), JSON.parse(json))
  })
}

const refused: readonly [what: string, bytes: Uint8Array][] = [
  ['a tag alone', hex('08')],
  ['half a varint', hex('0880')],
  ['half a double', hex('6100000000')],
  ['half a string', hex('720561')],
  ['an unknown field that is cut off', hex('f23e0561')],
  ['field number 0', hex('0001')],
  ['wire type 6', hex('0e')],
  ['an end without a group', hex('0c')],
  ['a group without an end', hex('bb3e')],
  ['a group with another end', hex('bb3ec43e')],
  ['a tag of more than 32 bits', hex('8080808010')],
  ['a string that is no UTF-8', hex('7201ff')],
  ['a string of overlong UTF-8', hex('7202c080')],
  ['a surrogate in UTF-8', hex('7203eda080')],
  [
    'a Timestamp before year 1',
    nested(new BinaryWriter(), 90, (i) => i.tag(1, 0).int64(-62_135_596_801n)).finish(),
  ],
  ['a Timestamp with negative nanos', nested(new BinaryWriter(), 90, (i) => i.tag(2, 0).int32(-1)).finish()],
  [
    'a Duration of two signs',
    nested(new BinaryWriter(), 91, (i) => i.tag(1, 0).int64(1n).tag(2, 0).int32(-1)).finish(),
  ],
  [
    'a Duration that is too long',
    nested(new BinaryWriter(), 91, (i) => i.tag(1, 0).int64(315_576_000_001n)).finish(),
  ],
  [
    'a FieldMask without a form in camelCase',
    nested(new BinaryWriter(), 92, (i) => i.tag(1, 2).string('fooBar')).finish(),
  ],
  ['a Value of nothing', nested(new BinaryWriter(), 94, (i) => i).finish()],
  ['a Value that is NaN', nested(new BinaryWriter(), 94, (i) => i.tag(2, 1).double(Number.NaN)).finish()],
  ['an Any of unknown type', nested(new BinaryWriter(), 96, (i) => i.tag(1, 2).string('x/no.Such')).finish()],
]
for (const [what, bytes] of refused) {
  test(`refused from the wire: ${what}`, () => {
    assert.throws(() => codec.toJson(bytes), { name: 'WireFault' })
  })
}

function nested(w: BinaryWriter, field: number, write: (inner: BinaryWriter) => BinaryWriter): BinaryWriter {
  return write(w.tag(field, 2).fork()).join()
}

function entry(w: BinaryWriter, field: number, key: string, value: string): BinaryWriter {
  return nested(w, field, (i) => i.tag(1, 2).string(key).tag(2, 2).string(value))
}

function hex(text: string): Uint8Array {
  return Buffer.from(text, 'hex')
}
