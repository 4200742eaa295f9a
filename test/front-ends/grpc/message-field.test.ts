import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadDescriptors } from '../../../src/front-ends/grpc/descriptors.ts'
import { cutField, isCuttable } from '../../../src/front-ends/grpc/message-field.ts'
import { compileRendering } from '../../../src/front-ends/grpc/render-reply.ts'
import { testProtos } from './harness.ts'
import { kitchenProto } from './kitchen.ts'

const { registry } = loadDescriptors({ files: [kitchenProto], includeDirs: [testProtos] })
const everything = registry.getMessage('kitchen.v1.Everything')
const child = everything?.field.child

test('a part of an answer that comes twice is merged, as the encoding asks', () => {
  assert.ok(everything !== undefined && child !== undefined && isCuttable(child))
  const text = Buffer.from([(everything.field.text?.number ?? 0) * 8 + 2, 1, 0x61])
  const flag = Buffer.from([(everything.field.flag?.number ?? 0) * 8, 1])
  const tag = (bytes: Buffer): Buffer => {
    const head: number[] = []
    for (let rest = child.number * 8 + 2; ; rest >>>= 7) {
      head.push(rest > 127 ? (rest & 127) | 128 : rest)
      if (rest <= 127) break
    }
    return Buffer.concat([Buffer.from([...head, bytes.length]), bytes])
  }
  const answer = Buffer.concat([tag(text), text, tag(flag)])
  const style = { emitDefaults: false, protoNames: false, enumsAsNumbers: false }
  const { render } = compileRendering(everything, child, { style, registry })
  assert.deepEqual(JSON.parse(String(render(answer).body)), { text: 'a', flag: true })
  assert.equal(cutField(text, child), undefined)
  assert.throws(() => render(answer.subarray(0, answer.length - 1)), /is no kitchen\.v1\.Everything/)
})
