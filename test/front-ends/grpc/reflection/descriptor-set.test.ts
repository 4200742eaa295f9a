import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { SourceCodeInfo_LocationSchema, SourceCodeInfoSchema } from '@bufbuild/protobuf/wkt'
import { descriptorSetSource } from '../../../../src/front-ends/grpc/descriptor-set.ts'
import { combine } from '../../../../src/front-ends/grpc/descriptors.ts'
import { compile, setOf } from './compile.ts'

const shared = `syntax = "proto3"; package a;
message Thing { string name = 1; int64 size = 2; repeated string tags = 3; map<string, Thing> parts = 4; optional int32 rank = 5; }
enum Colour { COLOUR_UNSPECIFIED = 0; RED = 1; }`
const service = `syntax = "proto3"; package a; import "shared.proto"; import "google/api/annotations.proto";
import "google/protobuf/timestamp.proto";
message Ask { string name = 1; google.protobuf.Timestamp at = 2; }
service Things {
  rpc Get(Ask) returns (Thing) {
    option (google.api.http) = { get: "/v1/{name=things/*}" additional_bindings { post: "/v1/things:get" body: "*" } };
  }
  rpc Put(Thing) returns (Thing) { option (google.api.http) = { custom { kind: "PURGE" path: "/v1/things" } response_body: "parts" }; }
  rpc Plain(Ask) returns (stream Thing);
}`
const files = compile({ 'shared.proto': shared, 'service.proto': service })
const whole = setOf(files)

test('a descriptor set gives services with their annotations', () => {
  const { methodsOf, registry } = combine([descriptorSetSource({ name: 'a.binpb', bytes: whole })])
  const [get, put, plain] = methodsOf('a.Things')
  assert.deepEqual(get?.bindings, [
    { verb: 'GET', template: '/v1/{name=things/*}', body: '', responseBody: '' },
    { verb: 'POST', template: '/v1/things:get', body: '*', responseBody: '' },
  ])
  assert.deepEqual(put?.bindings, [
    { verb: 'PURGE', template: '/v1/things', body: '', responseBody: 'parts' },
  ])
  assert.deepEqual([plain?.bindings, plain?.desc.methodKind], [[], 'server_streaming'])
  assert.equal(get?.origin, 'a.binpb: service.proto: a.Things.Get')
  assert.equal(registry.getMessage('a.Ask')?.fields[1]?.message?.typeName, 'google.protobuf.Timestamp')
})

test('files may stand in any order in a set', () => {
  const { methodsOf } = combine([descriptorSetSource({ name: 'a.binpb', bytes: setOf(files.toReversed()) })])
  assert.equal(methodsOf('a.Things').length, 3)
})

test('comments are read from source_code_info, notes to colleagues left out', () => {
  const [first, ...rest] = compile({ 'shared.proto': shared, 'service.proto': service })
  const commented = [first, ...rest].flatMap((file) => file ?? [])
  const at = (path: number[], leadingComments: string) =>
    create(SourceCodeInfo_LocationSchema, { path, leadingComments, span: [0, 0, 0] })
  for (const file of commented) {
    const location =
      file.name === 'shared.proto'
        ? [
            at([4, 0], ' A thing.\n'),
            at([4, 0, 2, 1], ' How large. (-- sic --)\n'),
            at([5, 0, 2, 1], ' Like [Thing][a.Thing].'),
          ]
        : [at([6, 0], ' Serves things.'), at([6, 0, 2, 2], ' Many.')]
    file.sourceCodeInfo = create(SourceCodeInfoSchema, { location })
  }
  const { comments } = descriptorSetSource({ name: 'a.binpb', bytes: setOf(commented) })
  assert.deepEqual(Object.fromEntries(comments), {
    'a.Thing': 'A thing.',
    'a.Thing.size': 'How large.',
    'a.Colour.RED': 'Like Thing.',
    'a.Things': 'Serves things.',
    'a.Things.Plain': 'Many.',
  })
})

const broken: readonly [name: string, bytes: Uint8Array, message: RegExp][] = [
  [
    'lacks an import',
    setOf(files.filter(({ name }) => name !== 'shared.proto')),
    /^a\.binpb: lacks "shared\.proto", which "service\.proto" imports; .*--include_imports/,
  ],
  [
    'is cut off',
    whole.subarray(0, whole.length - 7),
    /^a\.binpb: is cut off, or no descriptor set; make it with/,
  ],
  ['is text', Buffer.from('syntax = "proto3";\n'), /^a\.binpb: is cut off, or no descriptor set/],
  ['is JSON', Buffer.from('{"file":[]}'), /^a\.binpb: is cut off, or no descriptor set/],
  ['is random', Buffer.from('ff00ff00ff00', 'hex'), /^a\.binpb: is cut off, or no descriptor set/],
  ['is empty', new Uint8Array(), /^a\.binpb: is empty; make it with protoc --include_imports/],
  [
    'names a type that is nowhere',
    setOf(
      compile({ 'shared.proto': shared }).map((file) => {
        const field = file.messageType[0]?.field[3]
        if (field !== undefined) field.typeName = '.a.Nowhere'
        return file
      }),
    ),
    /^a\.binpb: .*Nowhere/,
  ],
]
for (const [name, bytes, message] of broken) {
  test(`a set that ${name} is an error that names it and says what to do`, () => {
    assert.throws(() => descriptorSetSource({ name: 'a.binpb', bytes }), { message })
  })
}

test('what two sources define alike is one, what they define differently an error that names both', () => {
  const one = descriptorSetSource({ name: 'one.binpb', bytes: whole })
  assert.equal(
    combine([one, descriptorSetSource({ name: 'two.binpb', bytes: whole })]).methodsOf('a.Things').length,
    3,
  )
  const changes: readonly [from: string, to: string, message: RegExp][] = [
    [
      'int64 size = 2',
      'int32 size = 2',
      /message a\.Thing .*one\.binpb \(shared\.proto\).*two\.binpb \(shared\.proto\).*int64 size = 2/,
    ],
    ['size = 2', 'size = 9', /message a\.Thing/],
    ['optional int32 rank', 'int32 rank', /message a\.Thing/],
    ['RED = 1', 'RED = 2', /enum a\.Colour/],
    ['repeated string tags', 'string tags', /message a\.Thing/],
  ]
  for (const [from, to, message] of changes) {
    const bytes = setOf(compile({ 'shared.proto': shared.replace(from, to) }))
    const other = descriptorSetSource({ name: 'two.binpb', bytes })
    assert.throws(() => combine([one, other]), { message }, to)
  }
})
