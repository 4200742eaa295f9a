import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf'
import { GatewayError } from '../../../../src/core/error.ts'
import { codecFor, old, wide } from './wide.ts'

// ProtoJSON by its sources: "table" is the table of protobuf.dev/programming-guides/json, the names in capitals are tests of
// protobuf's own conformance suite (conformance/binary_json_conformance_suite.cc), the rest names its file.

const codec = codecFor(wide)

const accepted: readonly [source: string, json: string, printed: string][] = [
  ['HelloWorld', '{"aString":"Hello, World!"}', '{"aString":"Hello, World!"}'],
  ['FieldNameInSnakeCase', '{"an_int32":1}', '{"anInt32":1}'],
  ['table: json_name', '{"customName":"a"}', '{"customName":"a"}'],
  ['table: the original name beside json_name', '{"renamed":"a"}', '{"customName":"a"}'],
  ['FieldNameEscaped', '{"\\u0061nInt32":1}', '{"anInt32":1}'],
  ['a json_name of any characters', '{"a b/ü":"x"}', '{"a b/ü":"x"}'],
  ['a field called constructor', '{"constructor":"y"}', '{"constructor":"y"}'],
  ['Int32FieldMaxValue', '{"anInt32":2147483647}', '{"anInt32":2147483647}'],
  ['Int32FieldMinValue', '{"anInt32":-2147483648}', '{"anInt32":-2147483648}'],
  ['Int32FieldFloatTrailingZero', '{"anInt32":100000.000}', '{"anInt32":100000}'],
  ['Int32FieldExponentialFormat', '{"anInt32":1e5}', '{"anInt32":100000}'],
  ['Int32FieldMaxFloatValue', '{"anInt32":2.147483647e9}', '{"anInt32":2147483647}'],
  ['Int32FieldMinFloatValue', '{"anInt32":-2.147483648e9}', '{"anInt32":-2147483648}'],
  ['Int32FieldStringValue', '{"anInt32":"2147483647"}', '{"anInt32":2147483647}'],
  ['Int32FieldStringValueEscaped', '{"anInt32":"2\\u003147483647"}', '{"anInt32":2147483647}'],
  ['Int32FieldQuotedExponentialValue', '{"anInt32":"1e5"}', '{"anInt32":100000}'],
  ['Int64FieldMaxValue', '{"anInt64":"9223372036854775807"}', '{"anInt64":"9223372036854775807"}'],
  ['Int64FieldMinValue', '{"anInt64":"-9223372036854775808"}', '{"anInt64":"-9223372036854775808"}'],
  ['Int64FieldMaxValueNotQuoted', '{"anInt64":9223372036854775807}', '{"anInt64":"9223372036854775807"}'],
  ['Int64FieldMinValueNotQuoted', '{"anInt64":-9223372036854775808}', '{"anInt64":"-9223372036854775808"}'],
  ['Uint64FieldMaxValueNotQuoted', '{"aUint64":18446744073709551615}', '{"aUint64":"18446744073709551615"}'],
  ['an int64 beyond 2^53 as a fraction', '{"anInt64":9007199254740993.0}', '{"anInt64":"9007199254740993"}'],
  ['an int64 by exponent', '{"anInt64":1e3,"aSint64":-12.50e2}', '{"anInt64":"1000","aSint64":"-1250"}'],
  [
    'a fixed64 and an sfixed64',
    '{"aFixed64":18446744073709551615,"aSfixed64":-1}',
    '{"aFixed64":"18446744073709551615","aSfixed64":"-1"}',
  ],
  ['Uint32FieldMaxFloatValue', '{"aUint32":4.294967295e9}', '{"aUint32":4294967295}'],
  ['BoolFieldTrue', '{"aBool":true}', '{"aBool":true}'],
  ['FloatFieldMinPositiveValue', '{"aFloat":1.175494e-38}', '{"aFloat":1.175494e-38}'],
  ['FloatFieldMaxNegativeValue', '{"aFloat":-3.402823e38}', '{"aFloat":-3.402823e+38}'],
  ['FloatFieldNan', '{"aFloat":"NaN"}', '{"aFloat":"NaN"}'],
  ['FloatFieldNegativeInfinity', '{"aFloat":"-Infinity"}', '{"aFloat":"-Infinity"}'],
  ['a float32 prints as short as it can', '{"aFloat":0.1}', '{"aFloat":0.1}'],
  ['a float32 that needs nine digits', '{"aFloat":16777.217}', '{"aFloat":16777.217}'],
  ['FloatFieldQuotedValue', '{"aFloat":"1"}', '{"aFloat":1}'],
  ['DoubleFieldMinPositiveValue', '{"aDouble":2.22507e-308}', '{"aDouble":2.22507e-308}'],
  ['DoubleFieldQuotedExponentialValue', '{"aDouble":"1.25e-1"}', '{"aDouble":0.125}'],
  ['-0 is no default', '{"aDouble":-0,"aFloat":-0.0}', '{"aDouble":-0,"aFloat":-0}'],
  ['DoubleFieldInfinity', '{"aDouble":"Infinity"}', '{"aDouble":"Infinity"}'],
  ['EnumField', '{"aColor":"GREEN"}', '{"aColor":"GREEN"}'],
  ['EnumFieldWithAlias', '{"aColor":"CRIMSON"}', '{"aColor":"RED"}'],
  ['EnumFieldNumericValueNonZero', '{"aColor":1}', '{"aColor":"RED"}'],
  ['EnumFieldUnknownValue', '{"aColor":123}', '{"aColor":123}'],
  ['StringField', '{"aString":"Hello world!"}', '{"aString":"Hello world!"}'],
  ['StringFieldUnicode', '{"aString":"谷歌"}', '{"aString":"谷歌"}'],
  ['StringFieldEscape', '{"aString":"\\"\\\\\\/\\b\\f\\n\\r\\t"}', '{"aString":"\\"\\\\/\\b\\f\\n\\r\\t"}'],
  ['StringFieldUnicodeEscape', '{"aString":"\\u8C37\\u6B4C"}', '{"aString":"谷歌"}'],
  ['StringFieldSurrogatePair', '{"aString":"\\uD83D\\uDE01"}', '{"aString":"😁"}'],
  [
    'control characters print as escapes',
    '{"aString":"\\u0000\\u001f\\u007f"}',
    '{"aString":"\\u0000\\u001f\\u007f"}'.replace('\\u007f', '\u007f'),
  ],
  ['BytesField', '{"aBytes":"AQI="}', '{"aBytes":"AQI="}'],
  ['BytesFieldBase64Url', '{"aBytes":"-_"}', '{"aBytes":"+w=="}'],
  ['bytes with an escaped slash', '{"aBytes":"\\/w=="}', '{"aBytes":"/w=="}'],
  ['MessageField', '{"aWide":{"anInt32":1}}', '{"aWide":{"anInt32":1}}'],
  ['an empty message is present', '{"aWide":{}}', '{"aWide":{}}'],
  ['OneofFieldNullFirst', '{"oneInt32":null,"oneString":"test"}', '{"oneString":"test"}'],
  ['OneofFieldNullSecond', '{"oneString":"test","oneInt32":null}', '{"oneString":"test"}'],
  [
    'OneofFieldNullFirst, a message',
    '{"oneWide":null,"oneColor":null,"oneString":"test"}',
    '{"oneString":"test"}',
  ],
  ['OneofZeroUint32', '{"oneInt32":0}', '{"oneInt32":0}'],
  ['OneofZeroEnum', '{"oneColor":"COLOR_UNSPECIFIED"}', '{"oneColor":"COLOR_UNSPECIFIED"}'],
  ['a null is a NullValue in a oneof', '{"oneNull":null}', '{"oneNull":null}'],
  ['a null is a Value in a oneof', '{"oneValue":null}', '{"oneValue":null}'],
  [
    'AllFieldAcceptNull',
    '{"anInt32":null,"aString":null,"aWide":null,"int32s":null,"stringMap":null,"time":null,"aColor":null}',
    '{}',
  ],
  [
    'table: defaults are left out',
    '{"anInt32":0,"aString":"","aBool":false,"aBytes":"","int32s":[],"stringMap":{}}',
    '{}',
  ],
  [
    'presence of a default',
    '{"maybeInt32":0,"maybeString":"","maybeBool":false,"maybeBytes":"","maybeDouble":0,"maybeUint64":"0"}',
    '{"maybeInt32":0,"maybeString":"","maybeBool":false,"maybeBytes":"","maybeDouble":0,"maybeUint64":"0"}',
  ],
  ['PrimitiveRepeatedField', '{"int32s":[1,2,3,-4]}', '{"int32s":[1,2,3,-4]}'],
  ['EnumRepeatedField', '{"colors":["RED","GREEN",2]}', '{"colors":["RED","GREEN","GREEN"]}'],
  ['StringRepeatedField', '{"strings":["Hello"," world","!"]}', '{"strings":["Hello"," world","!"]}'],
  ['MessageRepeatedField', '{"wides":[{"anInt32":1234},{}]}', '{"wides":[{"anInt32":1234},{}]}'],
  ['a repeated NullValue', '{"nulls":[null,"NULL_VALUE",0]}', '{"nulls":[null,null,null]}'],
  ['Int32MapField', '{"int32Map":{"1":2,"3":4}}', '{"int32Map":{"1":"2","3":"4"}}'],
  ['BoolMapField', '{"boolMap":{"true":"a","false":"b"}}', '{"boolMap":{"true":"a","false":"b"}}'],
  [
    'Uint64 map keys',
    '{"fixed64Map":{"18446744073709551615":-1}}',
    '{"fixed64Map":{"18446744073709551615":-1}}',
  ],
  [
    'MessageMapField',
    '{"wideMap":{"hello":{"anInt32":1234},"world":{"anInt32":5678}}}',
    '{"wideMap":{"hello":{"anInt32":1234},"world":{"anInt32":5678}}}',
  ],
  ['a map key __proto__', '{"stringMap":{"__proto__":"x"}}', '{"stringMap":{"__proto__":"x"}}'],
  [
    'a map of wrappers and of nulls',
    '{"wrappedMap":{"a":0},"nullMap":{"b":null},"valueMap":{"c":null}}',
    '{"wrappedMap":{"a":0},"nullMap":{"b":null},"valueMap":{"c":null}}',
  ],
  [
    'OptionalWrapperTypesWithNonDefaultValue',
    '{"int64Value":"1","boolValue":true,"bytesValue":"AQ=="}',
    '{"int64Value":"1","boolValue":true,"bytesValue":"AQ=="}',
  ],
  [
    'OptionalInt32Wrapper',
    '{"int32Value":0,"stringValue":"","doubleValue":0}',
    '{"int32Value":0,"stringValue":"","doubleValue":0}',
  ],
  ['WrapperTypesWithNullValue', '{"int32Value":null,"stringValue":null}', '{}'],
  ['RepeatedInt64Wrapper', '{"int64Values":[0,"1"]}', '{"int64Values":["0","1"]}'],
  ['DurationMinValue', '{"duration":"-315576000000.999999999s"}', '{"duration":"-315576000000.999999999s"}'],
  ['DurationMaxValue', '{"duration":"315576000000.999999999s"}', '{"duration":"315576000000.999999999s"}'],
  ['DurationHas3FractionalDigits', '{"duration":"1.010s"}', '{"duration":"1.010s"}'],
  ['DurationHas6FractionalDigits', '{"duration":"1.000010s"}', '{"duration":"1.000010s"}'],
  ['DurationHasZeroFractionalDigit', '{"duration":"1.000000000s"}', '{"duration":"1s"}'],
  ['DurationNegativeNanos', '{"duration":"-0.5s"}', '{"duration":"-0.500s"}'],
  ['TimestampMinValue', '{"time":"0001-01-01T00:00:00Z"}', '{"time":"0001-01-01T00:00:00Z"}'],
  [
    'TimestampMaxValue',
    '{"time":"9999-12-31T23:59:59.999999999Z"}',
    '{"time":"9999-12-31T23:59:59.999999999Z"}',
  ],
  ['TimestampWithPositiveOffset', '{"time":"1970-01-01T08:00:01+08:00"}', '{"time":"1970-01-01T00:00:01Z"}'],
  ['TimestampWithNegativeOffset', '{"time":"1969-12-31T16:00:01-08:00"}', '{"time":"1970-01-01T00:00:01Z"}'],
  [
    'TimestampHas6FractionalDigits',
    '{"time":"1970-01-01T00:00:00.01001Z"}',
    '{"time":"1970-01-01T00:00:00.010010Z"}',
  ],
  ['29 February of a leap year', '{"time":"2000-02-29T23:59:59Z"}', '{"time":"2000-02-29T23:59:59Z"}'],
  [
    'a time before 1970 with a fraction',
    '{"time":"1969-12-31T23:59:59.5Z"}',
    '{"time":"1969-12-31T23:59:59.500Z"}',
  ],
  ['FieldMask', '{"mask":"foo,barBaz.quxQuux"}', '{"mask":"foo,barBaz.quxQuux"}'],
  ['EmptyFieldMask', '{"mask":""}', '{"mask":""}'],
  [
    'Struct',
    '{"struct":{"n":null,"i":1234,"b":true,"d":1.5,"s":"x","l":[1,"2",[]],"o":{"__proto__":0}}}',
    '{"struct":{"n":null,"i":1234,"b":true,"d":1.5,"s":"x","l":[1,"2",[]],"o":{"__proto__":0}}}',
  ],
  ['ValueAcceptNull', '{"value":null}', '{"value":null}'],
  ['ValueAcceptInteger', '{"value":9007199254740993}', '{"value":9007199254740992}'],
  ['RepeatedValue', '{"values":[["a"],null,{"b":1}]}', '{"values":[["a"],null,{"b":1}]}'],
  ['RepeatedListValue', '{"lists":[[],["a"]]}', '{"lists":[[],["a"]]}'],
  [
    'Any',
    '{"any":{"@type":"type.googleapis.com/wide.v1.Wide","anInt32":12345}}',
    '{"any":{"@type":"type.googleapis.com/wide.v1.Wide","anInt32":12345}}',
  ],
  [
    'AnyUnorderedTypeTag',
    '{"any":{"anInt32":12345,"@type":"type.googleapis.com/wide.v1.Wide"}}',
    '{"any":{"@type":"type.googleapis.com/wide.v1.Wide","anInt32":12345}}',
  ],
  [
    'AnyNested',
    '{"any":{"@type":"type.googleapis.com/google.protobuf.Any","value":{"@type":"type.googleapis.com/wide.v1.Wide","anInt32":1}}}',
    '{"any":{"@type":"type.googleapis.com/google.protobuf.Any","value":{"@type":"type.googleapis.com/wide.v1.Wide","anInt32":1}}}',
  ],
  [
    'AnyWithWktValue',
    '{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1.5s"}}',
    '{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1.500s"}}',
  ],
  [
    'AnyWithInt32ValueWrapper',
    '{"any":{"value":0,"@type":"type.googleapis.com/google.protobuf.Int32Value"}}',
    '{"any":{"@type":"type.googleapis.com/google.protobuf.Int32Value","value":0}}',
  ],
  ['AnyWithNoType', '{"any":{}}', '{"any":{}}'],
  ['Empty', '{"empty":{}}', '{"empty":{}}'],
  ['the largest field number', '{"last":1}', '{"last":1}'],
  ['RFC 8259: blanks', ' \t\r\n{ "anInt32" :\n1 } ', '{"anInt32":1}'],
]
for (const [source, json, printed] of accepted) {
  test(`taken and printed: ${source}`, () => {
    const wire = codec.fromJson(Buffer.from(json))
    assert.equal(codec.toJson(wire), printed)
    // What is printed is read again as the same, and the wire is what @bufbuild/protobuf reads.
    const again = toBinary(wide, fromBinary(wide, codec.fromJson(printed)))
    assert.deepEqual(again, toBinary(wide, fromBinary(wide, wire)))
  })
}

const refused: readonly [source: string, json: string | Buffer, path: string][] = [
  ['table: unknown fields', '{"nope":1}', 'nope'],
  ['__proto__ where it is no field', '{"aWide":{"empty":{"__proto__":1}}}', 'aWide.empty.__proto__'],
  ['FieldNameDuplicate', '{"anInt32":1,"anInt32":2}', 'anInt32'],
  ['FieldNameDuplicateDifferentCasing1', '{"an_int32":1,"anInt32":2}', 'anInt32'],
  ['a field twice, once null', '{"anInt32":null,"an_int32":2}', 'an_int32'],
  ['Int32FieldTooLarge', '{"anInt32":2147483648}', 'anInt32'],
  ['Int32FieldTooSmall', '{"anInt32":-2147483649}', 'anInt32'],
  ['Uint32FieldTooLarge', '{"aUint32":4294967296}', 'aUint32'],
  ['a negative uint32', '{"aFixed32":-1}', 'aFixed32'],
  ['Int64FieldTooLarge', '{"anInt64":"9223372036854775808"}', 'anInt64'],
  ['Int64FieldTooSmall', '{"anInt64":"-9223372036854775809"}', 'anInt64'],
  ['Uint64FieldTooLarge', '{"aUint64":"18446744073709551616"}', 'aUint64'],
  ['a negative uint64', '{"aFixed64":-1}', 'aFixed64'],
  ['Int32FieldNotInteger', '{"anInt32":0.5}', 'anInt32'],
  ['Int64FieldNotInteger', '{"anInt64":"0.5"}', 'anInt64'],
  ['Int32FieldStringValuePartiallyNumeric', '{"anInt32":"12abc"}', 'anInt32'],
  ['Int32FieldEmptyString', '{"anInt32":""}', 'anInt32'],
  ['Int32FieldLeadingSpace', '{"anInt32":" 1"}', 'anInt32'],
  ['Int32FieldTrailingSpace', '{"anInt32":"1 "}', 'anInt32'],
  ['Int32FieldPlusSign', '{"anInt32":+1}', 'anInt32'],
  ['Int32FieldLeadingZero', '{"anInt32":01}', 'anInt32'],
  ['Int32FieldNegativeWithLeadingZero', '{"anInt32":-01}', 'anInt32'],
  ['an integer of a billion digits', '{"anInt64":1e1000000000}', 'anInt64'],
  ['BoolFieldIntegerZero', '{"aBool":0}', 'aBool'],
  ['BoolFieldDoubleQuotedTrue', '{"aBool":"true"}', 'aBool'],
  ['BoolFieldCamelCaseTrue', '{"aBool":True}', 'aBool'],
  ['FloatFieldTooLarge', '{"aFloat":3.502823e+38}', 'aFloat'],
  ['DoubleFieldTooLarge', '{"aDouble":"1.89769e+308"}', 'aDouble'],
  ['FloatFieldNanNotQuoted', '{"aFloat":NaN}', 'aFloat'],
  ['FloatFieldInfinityNotQuoted', '{"aFloat":Infinity}', 'aFloat'],
  ['EnumFieldNotQuoted', '{"aColor":RED}', 'aColor'],
  ['EnumFieldUnknownName', '{"aColor":"BLUE"}', 'aColor'],
  ['an enum of a fraction', '{"aColor":1.5}', 'aColor'],
  ['a number of an enum in quotes', '{"aColor":"1"}', 'aColor'],
  ['StringFieldNotAString', '{"aString":12345}', 'aString'],
  ['StringFieldUnpairedHighSurrogate', '{"aString":"\\uD800"}', 'aString'],
  ['StringFieldUnpairedLowSurrogate', '{"aString":"\\uDC00"}', 'aString'],
  ['StringFieldSurrogateInWrongOrder', '{"aString":"\\uDE01\\uD83D"}', 'aString'],
  ['StringFieldInvalidEscape', '{"aString":"\\x"}', 'aString'],
  ['a control character in a string', '{"aString":"a\nb"}', 'aString'],
  ['BytesFieldInvalidBase64Characters', '{"aBytes":"!!!!"}', 'aBytes'],
  ['OneofFieldDuplicate', '{"oneInt32":1,"oneString":"test"}', 'oneString'],
  ['RepeatedFieldPrimitiveElementIsNull', '{"int32s":[1,null,2]}', 'int32s[1]'],
  ['RepeatedFieldMessageElementIsNull', '{"wides":[{},{},null]}', 'wides[2]'],
  ['a null in a list of wrappers', '{"int64Values":[null]}', 'int64Values[0]'],
  ['RepeatedFieldTrailingComma', '{"int32s":[1,2,3,]}', 'int32s[3]'],
  ['RepeatedFieldWrongElementType', '{"strings":["a",1]}', 'strings[1]'],
  ['a map value that is null', '{"stringMap":{"a b":null}}', 'stringMap["a b"]'],
  ['a key twice', '{"stringMap":{"a":"x","\\u0061":"y"}}', 'stringMap["a"]'],
  ['a number as a key twice', '{"int32Map":{"1":"1","1.0":"2"}}', 'int32Map["1.0"]'],
  ['a key that is no number', '{"aWide":{"int64Map":{"x":true}}}', 'aWide.int64Map'],
  ['a key that is no bool', '{"boolMap":{"1":"x"}}', 'boolMap'],
  ['MapFieldValueIsNull', '{"wideMap":{"k":null}}', 'wideMap["k"]'],
  ['DurationMissingS', '{"duration":"1"}', 'duration'],
  ['DurationJsonInputTooLarge', '{"duration":"315576000001s"}', 'duration'],
  ['TimestampJsonInputTooLarge', '{"time":"10000-01-01T00:00:00Z"}', 'time'],
  ['TimestampJsonInputTooSmall', '{"time":"0000-01-01T00:00:00Z"}', 'time'],
  ['a time out of range by its offset', '{"time":"0001-01-01T00:00:00+00:01"}', 'time'],
  ['TimestampJsonInputMissingZ', '{"time":"0001-01-01T00:00:00"}', 'time'],
  ['TimestampJsonInputMissingT', '{"time":"0001-01-01 00:00:00Z"}', 'time'],
  ['TimestampJsonInputLowercaseZ', '{"time":"0001-01-01T00:00:00z"}', 'time'],
  ['TimestampJsonInputLowercaseT', '{"time":"0001-01-01t00:00:00Z"}', 'time'],
  ['FieldMaskInvalidCharacter', '{"mask":"foo_bar"}', 'mask'],
  ['StructInvalid', '{"struct":1}', 'struct'],
  ['AnyUnknownType', '{"any":{"@type":"type.googleapis.com/no.Such"}}', 'any'],
  ['an Any without a type', '{"any":{"anInt32":1}}', 'any'],
  ['a fault inside an Any', '{"any":{"anInt32":"x","@type":"a/wide.v1.Wide"}}', 'any.anInt32'],
  [
    'a fault deep inside',
    '{"wides":[{},{"wideMap":{"k":{"times":["x"]}}}]}',
    'wides[1].wideMap["k"].times[0]',
  ],
  ['a fault in a Struct', '{"struct":{"a":[1,{"b c":nul}]}}', 'struct["a"][1]["b c"]'],
  ['trailing data', '{}{}', ''],
  ['ObjectTrailingComma', '{"anInt32":1,}', 'anInt32'],
  ['a name without quotes', '{anInt32:1}', ''],
  ['single quotes', "{'anInt32':1}", ''],
  ['a comment', '{/**/}', ''],
  ['a list for a message', '[]', ''],
  ['null for a message', 'null', ''],
  ['nothing at all', '', ''],
  ['a byte order mark', '\ufeff{}', ''],
  ['half an object', '{"aWide":{"aString":"x"', 'aWide.aString'],
]
for (const [source, json, path] of refused) {
  test(`refused with its path: ${source}`, () => {
    assert.throws(
      () => codec.fromJson(typeof json === 'string' ? Buffer.from(json) : json),
      (error: unknown) => {
        assert.ok(error instanceof GatewayError, String(error))
        assert.equal(error.entry.status, 400)
        assert.equal(error.violations[0]?.field, path)
        if (path !== '') assert.ok(error.message.includes(`"${path}"`), error.message)
        return true
      },
    )
  })
}

test('a text that is no UTF-8 is refused, as bytes and as a string', () => {
  assert.throws(() => codec.fromJson(Buffer.from('{"aString":"\xff"}', 'latin1')), { reason: 'INVALID_BODY' })
  assert.throws(() => codec.fromJson('{"aString":"\ud800"}'), { reason: 'INVALID_BODY' })
})

test('unknown fields and names of enum values are passed over where that is wanted, and are JSON all the same', () => {
  const tolerant = codecFor(wide, { ignoreUnknown: true })
  const wire = tolerant.fromJson(
    '{"nope":[1,{"a":"\\n"},true,null,-1.5e3],"aColor":"BLUE","colors":["RED","BLUE"],"uint32Map":{"1":"BLUE","2":"RED"},"oneColor":"BLUE"}',
  )
  assert.equal(tolerant.toJson(wire), '{"colors":["RED"],"uint32Map":{"2":"RED"}}')
  for (const bad of ['{"nope":[1,]}', '{"nope":tru}', '{"nope":"\\x"}', '{"nope":01}', '{"nope":{"a"}}'])
    assert.throws(() => tolerant.fromJson(bad), { reason: 'INVALID_BODY' }, bad)
})

test('one field of a message may be read alone, and its faults have its name', () => {
  const field = (name: string) => wide.fields.find((one) => one.name === name)
  const read = (name: string, json: string): string =>
    codec.toJson(codec.fromJson(json, { field: field(name) }))
  assert.equal(read('wides', '[{"aBool":true}]'), '{"wides":[{"aBool":true}]}')
  assert.equal(read('an_int64', ' 9007199254740993 '), '{"anInt64":"9007199254740993"}')
  assert.equal(read('string_map', '{"a":"b"}'), '{"stringMap":{"a":"b"}}')
  assert.equal(read('a_wide', 'null'), '{}')
  assert.throws(() => read('an_int64', '1, "aString": "x"'), { reason: 'INVALID_BODY' })
  assert.throws(
    () => read('wides', '[{},{"aBool":1}]'),
    (error: GatewayError) => error.violations[0]?.field === 'wides[1].aBool',
  )
})

test('the styles: defaults, proto names, enums as numbers', () => {
  const wire = codec.fromJson('{"aColor":"GREEN","renamed":"x","maybeInt32":0}')
  const style = { protoNames: true, enumsAsNumbers: true }
  assert.equal(codecFor(wide, style).toJson(wire), '{"a_color":2,"renamed":"x","maybe_int32":0}')
  const shown = JSON.parse(codecFor(wide, { emitDefaults: true }).toJson(wire))
  assert.equal(shown.anInt64, '0')
  assert.deepEqual(
    [shown.strings, shown.stringMap, shown.aBool, shown.aBytes, shown.aNull],
    [[], {}, false, '', null],
  )
  for (const absent of ['aWide', 'maybeString', 'oneInt32', 'time'])
    assert.equal(absent in shown, false, absent)
})

test('proto2: required fields, groups, closed enums, unpacked lists', () => {
  const legacy = codecFor(old)
  const json =
    '{"name":"n","level":0,"plain":[1,2],"packed":[3],"mood":"BAD","part":{"number":1,"old":{"name":""}},"piece":[{"text":"a"},{}]}'
  assert.equal(legacy.toJson(legacy.fromJson(json)), json)
  const wrong = (text: string): string => {
    try {
      legacy.fromJson(text)
      return 'taken'
    } catch (error) {
      return error instanceof GatewayError ? (error.violations[0]?.field ?? '') : String(error)
    }
  }
  assert.deepEqual(
    ['{}', '{"name":null}', '{"name":"n","mood":3}', '{"name":"n","part":{"old":{}}}'].map(wrong),
    ['', '', 'mood', 'part.old'],
  )
  assert.equal(legacy.fromJson('{"level":1}', { partial: true }).length, 2)
  assert.throws(() => legacy.toJson(Buffer.from([0x10, 1])), /required field name is missing/)
  // An unknown number of a closed enum is an unknown field.
  assert.equal(legacy.toJson(Buffer.from([0x0a, 0, 0x28, 9])), '{"name":""}')
})

test('a codec for a well-known type alone', () => {
  const one = (name: string, json: string): string => {
    const desc = wide.fields.find((field) => field.name === name)?.message as DescMessage
    const alone = codecFor(desc)
    return alone.toJson(alone.fromJson(json))
  }
  assert.equal(one('time', '"1970-01-01T00:00:00Z"'), '"1970-01-01T00:00:00Z"')
  assert.equal(one('int64_value', '9007199254740993'), '"9007199254740993"')
  assert.equal(one('struct', '{"a":[1]}'), '{"a":[1]}')
  assert.equal(one('value', '[null]'), '[null]')
  assert.equal(one('empty', '{}'), '{}')
})
