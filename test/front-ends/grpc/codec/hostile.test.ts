import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { create, createFileRegistry } from '@bufbuild/protobuf'
import { BinaryWriter } from '@bufbuild/protobuf/wire'
import {
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt'
import { GatewayError } from '../../../../src/core/error.ts'
import { referenceCodec } from '../../../../src/front-ends/grpc/codec/reference-codec.ts'
import { loadDescriptors } from '../../../../src/front-ends/grpc/descriptors.ts'
import { testProtos } from '../harness.ts'
import { kitchenProto } from '../kitchen.ts'
import { codecFor, wide } from './wide.ts'

const codec = codecFor(wide)

test('a million items go both ways within two seconds and 256 MiB', () => {
  const before = process.memoryUsage().rss
  const startedAt = performance.now()
  for (const item of ['1', '""', '{}']) {
    const name = { '1': 'int32s', '""': 'strings', '{}': 'wides' }[item]
    const json = `{"${name}":[${`${item},`.repeat(999_999)}${item}]}`
    assert.equal(codec.toJson(codec.fromJson(Buffer.from(json))), json)
  }
  assert.ok(performance.now() - startedAt < 2_000, `${performance.now() - startedAt} ms`)
  assert.ok(process.memoryUsage().rss - before < 256 * 2 ** 20)
})

test('a hundred thousand keys are told apart without looking at each pair', () => {
  const json = `{"stringMap":{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":"v"`).join(',')}}}`
  const startedAt = performance.now()
  assert.equal(codec.toJson(codec.fromJson(json)), json)
  assert.ok(performance.now() - startedAt < 1_000)
  assert.throws(() => codec.fromJson(json.replace('"k99999"', '"k5"')))
})

test('strings of 4 MiB, plain, escaped and not of ASCII, go both ways', () => {
  for (const part of ['abcdefgh', '\n', 'ü€🎉']) {
    const json = JSON.stringify({ aString: part.repeat((4 * 2 ** 20) / part.length) })
    assert.equal(codec.toJson(codec.fromJson(json)), json)
  }
})

test('numbers of four million digits are read or refused within a second', () => {
  const startedAt = performance.now()
  const digits = '9'.repeat(4_000_000)
  assert.throws(() => codec.fromJson(`{"anInt64":${digits}}`))
  assert.throws(() => codec.fromJson(`{"anInt64":"0.${'0'.repeat(4_000_000)}1"}`))
  assert.equal(codec.toJson(codec.fromJson(`{"anInt64":1.${'0'.repeat(4_000_000)}}`)), '{"anInt64":"1"}')
  assert.equal(codec.toJson(codec.fromJson(`{"aDouble":0.${digits}}`)), '{"aDouble":1}')
  assert.ok(performance.now() - startedAt < 1_000)
})

test('JSON of 100 levels passes, deeper is refused, however it is nested', () => {
  const of = (open: string, inner: string, close: string, count: number): string =>
    open.repeat(count) + inner + close.repeat(count)
  assert.ok(codec.fromJson(of('{"aWide":', '{}', '}', 99)).length > 0)
  assert.ok(codec.fromJson(`{"value":${of('[', '', ']', 99)}}`).length > 0)
  for (const deep of [
    of('{"aWide":', '{}', '}', 100),
    `{"value":${of('[', '', ']', 100)}}`,
    `{"value":${'['.repeat(1_000_000)}`,
    of('{"any":{"@type":"x/wide.v1.Wide","any":', '{}', '}}', 1_000),
  ])
    assert.throws(() => codec.fromJson(deep), { reason: 'INVALID_BODY' })
  assert.throws(() => codecFor(wide, { ignoreUnknown: true }).fromJson(`{"nope":${'['.repeat(1_000_000)}`), {
    reason: 'INVALID_BODY',
  })
})

test('messages of 100 levels print, deeper ones and groups are refused', () => {
  const deep = (count: number): Uint8Array => {
    let bytes: Uint8Array = new Uint8Array(0)
    for (let i = 1; i < count; i++) bytes = new BinaryWriter().tag(17, 2).bytes(bytes).finish()
    return bytes
  }
  assert.match(codec.toJson(deep(100)), /^(\{"aWide":){99}\{\}/)
  assert.throws(() => codec.toJson(deep(101)), { name: 'WireFault' })
  assert.throws(() => codec.toJson(Buffer.from('bb3e'.repeat(100_000), 'hex')), { name: 'WireFault' })
})

test('Anys in Anys, each out of order, do not double the work at each level', () => {
  let bytes: Uint8Array = new Uint8Array(0)
  for (let i = 0; i < 45; i++) {
    const any = new BinaryWriter().tag(1, 2).string('x/wide.v1.Wide').tag(2, 2).bytes(bytes).finish()
    bytes = new BinaryWriter().tag(1, 0).int32(1).tag(96, 2).bytes(any).tag(1, 0).int32(2).finish()
  }
  const startedAt = performance.now()
  try {
    codec.toJson(bytes)
  } catch (error) {
    assert.match(String(error), /out of order/)
  }
  assert.ok(performance.now() - startedAt < 1_000)
})

test('names that would be code are only names', () => {
  const names = [
    '__proto__',
    'constructor',
    '"); process.exit(7); ("',
    '`+process.exit(7)+`',
    '\u2028*/process.exit(7)/*',
    "'];//",
  ]
  // @bufbuild/protobuf lets these be words only.
  const identifiers = ['__proto__', 'constructor', 'let', 'toString', 'f', 'hasOwnProperty']
  const registry = createFileRegistry(
    create(FileDescriptorSetSchema, {
      file: [
        {
          name: 'evil.proto',
          package: 'evil',
          syntax: 'proto3',
          messageType: [
            {
              name: 'M',
              field: names.map((jsonName, i) => ({
                name: identifiers[i] ?? '',
                jsonName,
                number: i + 1,
                label: Label.OPTIONAL,
                type: Type.STRING,
              })),
            },
          ],
        },
      ],
    }),
  )
  const desc = registry.getMessage('evil.M')
  assert.ok(desc)
  for (const protoNames of [false, true]) {
    const evil = codecFor(desc, { registry, protoNames, emitDefaults: true })
    const json = `{${(protoNames ? identifiers : names).map((name, i) => `${JSON.stringify(name)}:"${i}"`).join(',')}}`
    assert.equal(evil.toJson(evil.fromJson(json)), json)
    assert.equal(({} as { x?: unknown }).x, undefined)
  }
})

test('a fault leaves nothing behind for the next message', () => {
  for (const bad of [
    '{"wides":[{"aString":"',
    '{"any":{"@type":"x/wide.v1.Wide","nope":1}}',
    `{"value":${'['.repeat(101)}`,
  ])
    assert.throws(() => codec.fromJson(bad))
  assert.throws(() => codec.fromJson('{"@type":"x"}'))
  assert.throws(() => codec.toJson(Buffer.from('8a010572', 'hex')))
  assert.equal(codec.toJson(codec.fromJson('{"anInt32":1}')), '{"anInt32":1}')
})

test('where code generation is forbidden, @bufbuild/protobuf does the work behind the same face', () => {
  // Not from .proto files: protobufjs, which reads them, generates code itself.
  const script = `
    const { createCodecs } = await import(${JSON.stringify(codecModule)})
    const { createRegistry } = await import(${JSON.stringify(import.meta.resolve('@bufbuild/protobuf'))})
    const { TypeSchema, Int64ValueSchema } = await import(${JSON.stringify(import.meta.resolve('@bufbuild/protobuf/wkt'))})
    const codecs = createCodecs({ registry: createRegistry() })
    const [type, long] = [codecs(TypeSchema), codecs(Int64ValueSchema)]
    const field = TypeSchema.fields.find((one) => one.name === 'fields')
    let refusal
    try { type.fromJson('{"name":1}') } catch (error) { refusal = [error.reason, error.violations[0].field] }
    console.log(JSON.stringify([long.toJson(long.fromJson('9007199254740993')), type.toJson(type.fromJson('[{"number":5}]', { field })), refusal]))`
  const run = (...flags: string[]): unknown =>
    JSON.parse(
      execFileSync(process.execPath, [...flags, '--input-type=module', '--eval', script], {
        encoding: 'utf8',
      }),
    )
  const same = ['"9007199254740993"', '{"fields":[{"number":5}]}']
  assert.deepEqual(run(), [...same, ['INVALID_ARGUMENT', 'name']])
  assert.deepEqual(run('--disallow-code-generation-from-strings'), [...same, ['INVALID_ARGUMENT', 'name']])
})

const faults: readonly [json: string, path: string][] = [
  ['{"nope":1}', 'nope'],
  ['{"int32":"x"}', 'int32'],
  ['{"child":{"child":{"flag":3}}}', 'child.child.flag'],
  ['{"items":[{},{"sku":1}]}', 'items[1].sku'],
  ['{"colors":["RED","BLUE"]}', 'colors[1]'],
  ['{"labels":{"a":"b","c":1}}', 'labels["c"]'],
  ['{"at":"yesterday"}', 'at'],
  ['{"__proto__":1}', '__proto__'],
]
for (const [json, path] of faults) {
  test(`without generated code, the fault of ${json} is at ${path}`, () => {
    const { registry } = loadDescriptors({ files: [kitchenProto], includeDirs: [testProtos] })
    const desc = registry.getMessage('kitchen.v1.Everything')
    assert.ok(desc !== undefined)
    const style = { emitDefaults: false, protoNames: false, enumsAsNumbers: false, ignoreUnknown: false }
    const codec = referenceCodec(desc, { ...style, registry })
    assert.throws(
      () => codec.fromJson(json),
      (error) => error instanceof GatewayError && error.violations[0]?.field === path,
    )
  })
}

const codecModule = import.meta.resolve('../../../../src/front-ends/grpc/codec/codec.ts')
