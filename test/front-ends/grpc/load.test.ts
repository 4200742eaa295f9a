import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { silentLog } from '../../../src/core/log.ts'
import { createGrpcFrontEnd } from '../../../src/front-ends/grpc/front-end.ts'
import { googleProtos, serviceOf, testProtos, upstreamOf } from './harness.ts'
import { kitchenName, kitchenProto } from './kitchen.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grpc-load-'))
})
after(() => rm(folder, { recursive: true }))

function load(file: string, service = 'a.S'): ReturnType<typeof createGrpcFrontEnd> {
  return createGrpcFrontEnd({
    protoFiles: [file],
    includeDirs: [testProtos],
    services: [serviceOf(service, upstreamOf(['http://127.0.0.1:1']))],
    limits: { bodyBytes: 1, messageBytes: 1 },
    log: silentLog,
  })
}

test('there is a row for each binding, under the name of its method', async () => {
  const { rows } = await load(kitchenProto, kitchenName)
  const bound = rows.filter((row) => row.template !== `/${row.id}`)
  const echo = bound.filter((row) => row.id === 'kitchen.v1.Kitchen/Echo')
  assert.deepEqual(
    echo.map((row) => [row.methods, row.template]),
    [
      [['POST'], '/v1/echo'],
      [['GET'], '/v1/echo'],
      [['PUT'], '/v1/echo/{text}'],
      [['POST'], '/v1/echo:items'],
      [['GET'], '/v1/deep/{child.child.text=shelves/*}/{int64}'],
      [['OPTIONS'], '/v1/echo'],
    ],
  )
  assert.equal(
    bound.some((row) => row.id.endsWith('Unbound')),
    false,
  )
  assert.equal(
    echo[0]?.origin,
    'test/front-ends/grpc/protos/kitchen/v1/kitchen.proto:18:3: kitchen.v1.Kitchen.Echo',
  )
  assert.deepEqual([echo[0]?.protocol, echo[0]?.encodedSlash, echo[0]?.policy.id], ['grpc', true, 'test'])
})

test('an unknown service is an error that names it and those that there are', async () => {
  await assert.rejects(
    load(kitchenProto, 'kitchen.v1.Kitchin'),
    /"kitchen\.v1\.Kitchin".*kitchen\.v1\.Kitchen/,
  )
})

const annotated = (rule: string): string => `syntax = "proto3"; package a;
import "google/api/annotations.proto";
message M { string text = 1; M child = 2; repeated string tags = 3; map<string, string> labels = 4; }
service S { rpc Do(M) returns (M) { option (google.api.http) = ${rule}; } }`

const broken: readonly [name: string, source: string, message: RegExp][] = [
  ['does not parse', 'syntax = "proto3";\n\nmessage {', /file\.proto:3:9: illegal/],
  [
    'imports what is not there',
    'syntax = "proto3"; import "no/where.proto";',
    /file\.proto:1:27: "no\/where\.proto" is not in any of/,
  ],
  [
    'uses an unknown type',
    'syntax = "proto3"; package a; message M { Nope x = 1; }',
    /file\.proto:1:43: .*Nope.*a\.M/,
  ],
  [
    'names an unknown field in a path',
    annotated('{get: "/v1/{nope}"}'),
    /file\.proto:4:13: a\.S\.Do: the path names "nope"/,
  ],
  [
    'names an unknown nested field in a path',
    annotated('{get: "/v1/{child.nope}"}'),
    /"child\.nope", which a\.M/,
  ],
  ['binds a repeated field by a path', annotated('{get: "/v1/{tags}"}'), /"tags" cannot be set by a path/],
  ['binds a message by a path', annotated('{get: "/v1/{child}"}'), /"child" cannot be set by a path/],
  ['binds a map by a path', annotated('{get: "/v1/{labels}"}'), /"labels" cannot be set by a path/],
  [
    'has an unknown body field',
    annotated('{post: "/v1/x", body: "nope"}'),
    /a\.S\.Do: body "nope" is no field of a\.M/,
  ],
  [
    'has a nested body field',
    annotated('{post: "/v1/x", body: "child.text"}'),
    /body "child\.text" is no field/,
  ],
  [
    'binds a field by path and body',
    annotated('{post: "/v1/{text}", body: "text"}'),
    /"text" is bound by path and body/,
  ],
  [
    'has an unknown response_body',
    annotated('{get: "/v1/x", response_body: "nope"}'),
    /response_body "nope" is no field/,
  ],
  ['has a bad template', annotated('{get: "/v1/{text"}'), /a\.S\.Do: Template "\/v1\/\{text", column/],
  [
    'nests additional bindings',
    annotated('{get: "/a" additional_bindings {get: "/b" additional_bindings {get: "/c"}}}'),
    /a\.S\.Do: an additional binding of google\.api\.http has additional ones/,
  ],
  [
    'has a rule without a pattern',
    annotated('{body: "*"}'),
    /a\.S\.Do: google\.api\.http needs exactly one of/,
  ],
]
for (const [name, source, message] of broken) {
  test(`a proto that ${name} is an error that says where`, async () => {
    const file = join(folder, 'file.proto')
    await writeFile(file, source)
    await assert.rejects(load(file), (error: Error) => {
      assert.match(error.message, message)
      return true
    })
  })
}

test('google/api is found without being in includeDirs, and services may be loaded from several files', async () => {
  const frontEnd = await createGrpcFrontEnd({
    protoFiles: [kitchenProto, join(googleProtos, 'google/pubsub/v1/schema.proto')],
    includeDirs: [testProtos],
    services: [
      serviceOf(kitchenName, upstreamOf(['http://127.0.0.1:1'])),
      serviceOf('google.pubsub.v1.SchemaService', upstreamOf(['http://127.0.0.1:1'])),
    ],
    limits: { bodyBytes: 1, messageBytes: 1 },
    log: silentLog,
  })
  assert.ok(frontEnd.rows.some((row) => row.id === 'google.pubsub.v1.SchemaService/GetSchema'))
  await frontEnd.close()
})
