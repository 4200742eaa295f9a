import { test } from 'node:test'
import { type Case, runCases } from './cases.ts'
import { startWorld } from './world.ts'

const names: readonly Case[] = [
  { rule: 'http.proto: a field of the message', ask: 'GET /query?text=a', request: { text: 'a' } },
  {
    rule: 'ProtoJSON: the original name',
    ask: 'GET /query?some_long_name=a',
    request: { some_long_name: 'a' },
  },
  { rule: 'ProtoJSON: lowerCamelCase', ask: 'GET /query?someLongName=a', request: { some_long_name: 'a' } },
  { rule: 'ProtoJSON: json_name', ask: 'GET /query?customName=a', request: { renamed: 'a' } },
  {
    rule: 'http.proto: a field of a nested message',
    ask: 'GET /query?child.text=a',
    request: { child: { text: 'a' } },
  },
  {
    rule: 'names in any mix',
    ask: 'GET /query?child.child.someLongName=a',
    request: { child: { child: { some_long_name: 'a' } } },
  },
  {
    rule: 'several fields of one nested message',
    ask: 'GET /query?child.text=a&child.int32=1',
    request: { child: { text: 'a', int32: 1 } },
  },
  { rule: 'http.proto: a repeated field', ask: 'GET /query?tags=a&tags=b', request: { tags: ['a', 'b'] } },
  { rule: 'a single value for a repeated field', ask: 'GET /query?tags=a', request: { tags: ['a'] } },
  {
    rule: 'a repeated field of a nested message',
    ask: 'GET /query?child.tags=a&child.tags=b',
    request: { child: { tags: ['a', 'b'] } },
  },
  {
    rule: 'both names of a repeated field, in their order',
    ask: 'GET /query?numbers=1&numbers=2&numbers=3',
    request: { numbers: [1, 2, 3] },
  },
  { rule: 'an empty query', ask: 'GET /query?', request: {} },
  { rule: 'empty parts', ask: 'GET /query?&&text=a&', request: { text: 'a' } },
  { rule: 'a name without a value', ask: 'GET /query?wrapped_text', request: { wrapped_text: {} } },
  { rule: 'WHATWG URL 5.1: + is a blank', ask: 'GET /query?text=a+b%2Bc', request: { text: 'a b+c' } },
  { rule: 'an escaped name', ask: 'GET /query?some%5Flong%5Fname=a', request: { some_long_name: 'a' } },
  { rule: 'a value with "="', ask: 'GET /query?text=a=b', request: { text: 'a=b' } },
  { rule: 'nothing is decoded twice', ask: 'GET /query?text=%2525', request: { text: '%25' } },
  { rule: 'a member of a oneof', ask: 'GET /query?right=0', request: { right: 0 } },
]

const values: readonly Case[] = [
  { rule: 'ProtoJSON: bool', ask: 'GET /query?flag=true', request: { flag: true } },
  { rule: 'ProtoJSON: int32', ask: 'GET /query?int32=-1', request: { int32: -1 } },
  { rule: 'ProtoJSON: uint32', ask: 'GET /query?uint32=4294967295', request: { uint32: 4294967295 } },
  {
    rule: 'ProtoJSON: int64 is exact',
    ask: 'GET /query?int64=-9223372036854775808',
    request: { int64: '-9223372036854775808' },
  },
  { rule: 'ProtoJSON: double', ask: 'GET /query?double=1e300', request: { double: 1e300 } },
  { rule: 'ProtoJSON: NaN', ask: 'GET /query?double=NaN', request: { double: null } },
  { rule: 'ProtoJSON: Infinity', ask: 'GET /query?float=-Infinity', request: { float: null } },
  { rule: 'ProtoJSON: bytes in base64url', ask: 'GET /query?data=_-8', request: { data: '/+8=' } },
  { rule: 'ProtoJSON: bytes in base64', ask: 'GET /query?data=%2F%2B8%3D', request: { data: '/+8=' } },
  { rule: 'ProtoJSON: enum by name', ask: 'GET /query?color=RED', request: { color: 'RED' } },
  { rule: 'ProtoJSON: enum by number', ask: 'GET /query?color=1', request: { color: 'RED' } },
  { rule: 'ProtoJSON: proto3 enums are open', ask: 'GET /query?color=99', request: { color: 99 } },
  {
    rule: 'a repeated enum, both ways',
    ask: 'GET /query?colors=RED&colors=2',
    request: { colors: ['RED', 'GREEN'] },
  },
  { rule: 'presence of an optional field', ask: 'GET /query?maybe=0', request: { maybe: 0 } },
  {
    rule: 'ProtoJSON: Int64Value',
    ask: 'GET /query?wrapped=9007199254740993',
    request: { wrapped: { value: '9007199254740993' } },
  },
  {
    rule: 'ProtoJSON: StringValue, of nothing',
    ask: 'GET /query?wrapped_text=',
    request: { wrapped_text: {} },
  },
  {
    rule: 'ProtoJSON: Timestamp',
    ask: 'GET /query?at=1970-01-01T01:00:01.5%2B01:00',
    request: { at: { seconds: '1', nanos: 500_000_000 } },
  },
  {
    rule: 'ProtoJSON: Duration',
    ask: 'GET /query?wait=-1.5s',
    request: { wait: { seconds: '-1', nanos: -500_000_000 } },
  },
  {
    rule: 'ProtoJSON: FieldMask',
    ask: 'GET /query?mask=text,child.someLongName',
    request: { mask: { paths: ['text', 'child.some_long_name'] } },
  },
  {
    rule: 'grpc-gateway: FieldMask by proto names',
    ask: 'GET /query?mask=some_long_name',
    request: { mask: { paths: ['some_long_name'] } },
  },
  {
    rule: 'grpc-gateway: Struct as JSON',
    ask: 'GET /query?struct=%7B%22a%22:true%7D',
    request: { struct: { fields: { a: { boolValue: true } } } },
  },
  {
    rule: 'grpc-gateway: Value as JSON',
    ask: 'GET /query?value=%5B1%5D',
    request: { value: { listValue: { values: [{ numberValue: 1 }] } } },
  },
]

const refused: readonly Case[] = [
  {
    rule: 'unknown parameters are refused',
    ask: 'GET /query?nope=1',
    status: 400,
    method: 'none',
    says: /"nope": there is no such field/,
  },
  { rule: 'unknown nested ones too', ask: 'GET /query?child.nope=1', status: 400, says: /"child\.nope"/ },
  {
    rule: 'http.proto: a message is no parameter',
    ask: 'GET /query?child=1',
    status: 400,
    says: /"child": cannot be set/,
  },
  {
    rule: 'http.proto: a map is no parameter',
    ask: 'GET /query?labels=1',
    status: 400,
    says: /"labels": cannot be set/,
  },
  {
    rule: 'http.proto: a repeated message is no parameter',
    ask: 'GET /query?items=1',
    status: 400,
    says: /"items": cannot be set/,
  },
  {
    rule: 'http.proto: nothing below a repeated message',
    ask: 'GET /query?items.sku=1',
    status: 400,
    says: /"items\.sku"/,
  },
  {
    rule: 'grpc-gateway: too many values',
    ask: 'GET /query?text=a&text=b',
    status: 400,
    says: /"text": is given more than once/,
  },
  {
    rule: '... under both of its names too',
    ask: 'GET /query?someLongName=a&some_long_name=b',
    status: 400,
    says: /more than once/,
  },
  {
    rule: 'two members of a oneof',
    ask: 'GET /query?left=a&right=1',
    status: 400,
    says: /"right": belongs to a oneof/,
  },
  { rule: 'no integer', ask: 'GET /query?int32=', status: 400, says: /"int32"/ },
  { rule: 'no integer', ask: 'GET /query?int32=0x10', status: 400, says: /"int32"/ },
  { rule: 'no such bit', ask: 'GET /query?uint32=4294967296', status: 400, says: /"uint32"/ },
  { rule: 'no bool', ask: 'GET /query?flag=TRUE', status: 400, says: /"flag"/ },
  { rule: 'no number', ask: 'GET /query?double=1,5', status: 400, says: /"double"/ },
  { rule: 'no float', ask: 'GET /query?float=1e300', status: 400, says: /"float"/ },
  { rule: 'no base64', ask: 'GET /query?data=*', status: 400, says: /"data"/ },
  { rule: 'no enum value', ask: 'GET /query?color=red', status: 400, says: /"color"/ },
  { rule: 'no 30 February', ask: 'GET /query?at=2026-02-30T00:00:00Z', status: 400, says: /"at"/ },
  { rule: 'no duration', ask: 'GET /query?wait=1', status: 400, says: /"wait"/ },
  { rule: 'no JSON', ask: 'GET /query?struct=%7B', status: 400, says: /"struct"/ },
  { rule: 'no UTF-8', ask: 'GET /query?text=%ff', status: 400, method: 'none' },
  {
    rule: 'all that is wrong at once',
    ask: 'GET /query?int32=a&flag=b&nope=c',
    status: 400,
    says: /"nope".*"int32".*"flag"/,
  },
]

// google/api/http.proto: "all fields which are not bound by the path pattern become ... query parameters", less those of the body.
const elsewhere: readonly Case[] = [
  {
    rule: 'http.proto: a path-bound field is no parameter',
    ask: 'GET /single/a?text=b',
    status: 400,
    method: 'none',
    says: /"text": is set by the path/,
  },
  {
    rule: 'http.proto: nor by its other name',
    ask: 'GET /then/docs/c?someLongName=b',
    status: 400,
    says: /"someLongName"/,
  },
  { rule: 'http.proto: other fields are', ask: 'GET /single/a?int32=1', request: { text: 'a', int32: 1 } },
  {
    rule: 'a sibling of a nested path-bound field',
    ask: 'GET /nested/a/1?child.tags=x',
    request: { child: { int32: 1, tags: ['x'], child: { text: 'a' } } },
  },
  {
    rule: 'http.proto: body "*" leaves no parameters',
    ask: 'POST /whole/a?int32=1',
    body: {},
    status: 400,
    method: 'none',
    says: /"int32"/,
  },
  {
    rule: 'http.proto: the body field is no parameter',
    ask: 'POST /part/a?child.int32=1',
    body: {},
    status: 400,
    says: /"child\.int32"/,
  },
  {
    rule: 'http.proto: fields beside the body field are',
    ask: 'POST /part/a?int32=1',
    body: {},
    request: { int32: 1, child: { text: 'a' } },
  },
]

for (const [name, cases] of Object.entries({ names, values, refused, elsewhere })) {
  test(`parameters: ${name}`, async (t) => runCases(t, await startWorld(t), cases))
}

test('parameters: a service that ignores what it does not know', async (t) => {
  await runCases(t, await startWorld(t, { json: { ignoreUnknown: true } }), [
    { rule: 'unknown', ask: 'GET /query?nope=1&text=a', request: { text: 'a' } },
    { rule: 'unknown below a message', ask: 'GET /query?child.nope=1', request: {} },
    { rule: 'known, but wrong', ask: 'GET /query?nope=1&int32=a', status: 400, says: /"int32"/ },
    { rule: 'known, but bound by the path', ask: 'GET /single/a?text=b', status: 400, says: /"text"/ },
    {
      rule: 'unknown in a body',
      ask: 'POST /whole/a',
      body: { nope: 1, int32: 2 },
      request: { text: 'a', int32: 2 },
    },
  ])
})
