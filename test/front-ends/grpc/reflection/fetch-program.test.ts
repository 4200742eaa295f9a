import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FastChannel } from '../../../../src/front-ends/grpc/http2/fast-channel.ts'
import {
  fetchProgram,
  type ReflectedProgram,
} from '../../../../src/front-ends/grpc/reflection/fetch-program.ts'
import { compile } from './compile.ts'
import { type Reflecting, startReflecting } from './reflecting-backend.ts'

const files = compile({
  'base.proto': 'syntax = "proto3"; package a; message Base { string id = 1; }',
  'thing.proto': 'syntax = "proto3"; package a; import "base.proto"; message Thing { Base base = 1; }',
  'service.proto': `syntax = "proto3"; package a; import "thing.proto"; import "google/api/annotations.proto";
service Things { rpc Get(Thing) returns (Thing) { option (google.api.http) = { get: "/v1/things" }; } }`,
})

async function fetchFrom(
  t: TestContext,
  reflecting: Partial<Reflecting>,
  { services = ['a.Things'], timeoutMs = 10_000 } = {},
): Promise<{ program: ReflectedProgram; asked: readonly string[] }> {
  const backend = await startReflecting(t, { files, versions: ['v1'], ...reflecting })
  const channel = new FastChannel(backend.url, { maxMessageBytes: 1_000_000 })
  t.after(() => channel.close())
  const program = await fetchProgram(channel, { services, timeoutMs })
  return { program, asked: backend.asked }
}

test('what a service imports is asked for, file by file, but what is built in', async (t) => {
  const { program, asked } = await fetchFrom(t, {})
  assert.deepEqual(
    program.files.map(({ name }) => name),
    ['base.proto', 'service.proto', 'thing.proto'],
  )
  assert.deepEqual(asked, ['v1 symbol a.Things', 'v1 file thing.proto', 'v1 file base.proto'])
  assert.deepEqual([[...program.services], [...program.missing]], [['a.Things'], []])
})

test('a backend that sends all at once is asked once, for the same program', async (t) => {
  const [all, one] = await Promise.all([fetchFrom(t, { withImports: true }), fetchFrom(t, {})])
  assert.deepEqual(all.asked, ['v1 symbol a.Things'])
  assert.equal(all.program.digest, one.program.digest)
})

test('v1alpha is asked where v1 is UNIMPLEMENTED', async (t) => {
  const { program, asked } = await fetchFrom(t, { versions: ['v1alpha'] })
  assert.equal(program.files.length, 3)
  assert.equal(asked[0], 'v1alpha symbol a.Things')
})

test('an import that the backend does not have is left out', async (t) => {
  const { program } = await fetchFrom(t, { files: files.filter(({ name }) => name !== 'base.proto') })
  assert.deepEqual(program.files.find(({ name }) => name === 'thing.proto')?.dependency, [])
})

test('a service that the backend does not have is missing, and what it has is said', async (t) => {
  const { program } = await fetchFrom(t, {}, { services: ['a.Things', 'a.Other'] })
  assert.deepEqual([...program.services], ['a.Things'])
  assert.match(
    program.missing.get('a.Other') ?? '',
    /^does not describe a\.Other \(not here\); it has a\.Things$/,
  )
})

const failing: readonly [name: string, reflecting: Partial<Reflecting>, message: RegExp][] = [
  ['has no reflection', { versions: [] }, /^does not serve reflection/],
  [
    'sends what is no descriptor',
    { instead: { file_descriptor_response: { file_descriptor_proto: [Buffer.from('ff', 'hex')] } } },
    /^sent a file descriptor that does not parse$/,
  ],
  [
    'never comes to an end of imports',
    { withImports: false, instead: { file_descriptor_response: { file_descriptor_proto: [endless()] } } },
    /^imports more than 2000 files$/,
  ],
]
for (const [name, reflecting, message] of failing) {
  test(`a backend that ${name} is an error that says so`, async (t) => {
    await assert.rejects(fetchFrom(t, reflecting), { message })
  })
}

test('a backend that is not there, or does not answer, is an error in time', async (t) => {
  const channel = new FastChannel('http://127.0.0.1:1', { maxMessageBytes: 1_000 })
  await assert.rejects(fetchProgram(channel, { services: ['a.Things'], timeoutMs: 5_000 }))
  channel.close()
  const silent = await startReflecting(t, { files, versions: ['v1'], silent: true })
  const open = new FastChannel(silent.url, { maxMessageBytes: 1_000 })
  await assert.rejects(fetchProgram(open, { services: ['a.Things'], timeoutMs: 300 }), {
    message: 'did not answer in time',
  })
  open.close()
})

/** A file `x` that imports 2,001 others. */
function endless(): Buffer {
  const field = (number: number, text: string): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, text.length]), Buffer.from(text)])
  const imports = Array.from({ length: 2_001 }, (_, i) => field(3, `i${i}`))
  return Buffer.concat([field(1, 'x'), ...imports])
}
