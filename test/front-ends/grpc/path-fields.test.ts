import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { fromBinary, toJson } from '@bufbuild/protobuf'
import type { Violation } from '../../../src/core/error.ts'
import { type Binding, compileBinding } from '../../../src/front-ends/grpc/binding.ts'
import { compileCodec } from '../../../src/front-ends/grpc/codec/codec.ts'
import { loadDescriptors } from '../../../src/front-ends/grpc/descriptors.ts'
import { appendPathFields, pathGoesLast } from '../../../src/front-ends/grpc/path-fields.ts'
import { testProtos } from './harness.ts'

const descriptors = loadDescriptors({
  files: [join(testProtos, 'kitchen/v1/kitchen.proto')],
  includeDirs: [testProtos],
})
const { registry } = descriptors

test('what the path says beats the body, a default too', () => {
  const binding = bindingOf('Echo', '/x/{text}/{int64}/{flag}/{color}/{float}')
  const body = read(binding, '{"text":"a","int64":5,"flag":true,"color":"RED","float":1.5,"tags":["t"]}')
  const violations: Violation[] = []
  const bytes = appendPathFields(body, binding, { values: ['', '0', 'false', '0', '-0.5'], violations })
  const json = toJson(binding.method.desc.input, fromBinary(binding.method.desc.input, bytes))
  assert.deepEqual([json, violations], [{ float: -0.5, tags: ['t'] }, []])
})

test('values that do not fit are all named', () => {
  const binding = bindingOf('Echo', '/x/{int32}/{uint64}/{float}/{color}')
  const violations: Violation[] = []
  appendPathFields(new Uint8Array(0), binding, { values: ['2147483648', '-1', '1e39', 'BLUE'], violations })
  assert.deepEqual(
    violations.map(({ field }) => field),
    ['int32', 'uint64', 'float', 'color'],
  )
})

for (const [what, method, template] of [
  ['inside a message', 'Echo', '/x/{child.text}'],
  ['of a oneof', 'Echo', '/x/{left}'],
  ['that is a wrapper', 'Echo', '/x/{wrapped}'],
  ['of proto2', 'Old', '/x/{level}'],
] as const) {
  test(`a field ${what} is not simply written behind`, () => {
    assert.equal(pathGoesLast(bindingOf(method, template)), false)
  })
}

function bindingOf(name: string, template: string): Binding {
  const method = descriptors.methodsOf('kitchen.v1.Kitchen').find(({ desc }) => desc.name === name)
  assert.ok(method)
  return compileBinding(method, { verb: 'POST', template, body: '*', responseBody: '' })
}

function read({ method }: Binding, json: string): Uint8Array {
  const style = {
    emitDefaults: false,
    protoNames: false,
    enumsAsNumbers: false,
    ignoreUnknown: false,
    registry,
  }
  return compileCodec(method.desc.input, style).fromJson(json)
}
