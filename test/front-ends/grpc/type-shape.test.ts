import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { create, createFileRegistry } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { builtInFiles } from '../../../src/front-ends/grpc/built-in-files.ts'
import { describeFiles } from '../../../src/front-ends/grpc/describe-files.ts'
import { readProtos } from '../../../src/front-ends/grpc/proto-files.ts'
import { shapeOf } from '../../../src/front-ends/grpc/type-shape.ts'
import { googleProtos } from './harness.ts'

/** @bufbuild/protobuf has these as protoc compiled them. */
const byProtoc = createFileRegistry(create(FileDescriptorSetSchema, { file: [...builtInFiles] }))

/** Under a package of another name, because the parser has its own copies of some. */
const folder = mkdtempSync(join(tmpdir(), 'type-shape-'))
const names = readdirSync(join(googleProtos, 'google/protobuf')).filter((name) =>
  builtInFiles.some((file) => file.name === `google/protobuf/${name}`),
)
for (const name of names) {
  const text = readFileSync(join(googleProtos, 'google/protobuf', name), 'utf8')
  const renamed = text.replaceAll('"google/protobuf/', '"').replaceAll('google.protobuf', 'copied.protobuf')
  writeFileSync(join(folder, name), renamed)
}
const { root } = readProtos({ files: names.map((name) => join(folder, name)), includeDirs: [folder] })
rmSync(folder, { recursive: true })
const known = createFileRegistry(create(FileDescriptorSetSchema, { file: [...builtInFiles] }))
const byUs = createFileRegistry(
  create(FileDescriptorSetSchema, { file: [...builtInFiles, ...describeFiles(root, known)] }),
)

let compared = 0
for (const desc of byProtoc) {
  if (desc.kind === 'extension') continue
  const copy = desc.typeName.replace('google.', 'copied.')
  const parsed = byUs.getMessage(copy) ?? byUs.getEnum(copy)
  // google-proto-files may be older than @bufbuild/protobuf.
  if (parsed === undefined) continue
  compared++
  test(`${desc.typeName} has one shape, whether protoc or we have compiled it`, () => {
    const shape = shapeOf(parsed).replaceAll('copied.', 'google.')
    assert.deepEqual(shape.split('\n').sort(), shapeOf(desc).split('\n'))
  })
}

test('most of them were compared', () => assert.ok(compared > 30, String(compared)))
