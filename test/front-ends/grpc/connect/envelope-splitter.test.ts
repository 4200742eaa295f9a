import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EnvelopeSplitter } from '../../../../src/front-ends/grpc/connect/envelope-splitter.ts'
import { frame } from '../../../../src/front-ends/grpc/native/message-frame.ts'

const messages = ['', 'a', '', 'hello', 'x'.repeat(300), '', 'end']
const body = Buffer.concat(messages.map((text, index) => frame(index % 2, Buffer.from(text))))

function split(splitter: EnvelopeSplitter, size: number): [text: string, compressed: boolean][] {
  const found: [string, boolean][] = []
  for (let at = 0; at < body.length; at += size) {
    for (const message of splitter.push(body.subarray(at, at + size)))
      found.push([message.toString(), splitter.compressed])
  }
  return found
}

for (const size of [1, 2, 4, 5, 6, 7, 100, body.length]) {
  test(`a body in pieces of ${size} bytes is cut into the same messages`, () => {
    const splitter = new EnvelopeSplitter(300)
    assert.deepEqual(
      split(splitter, size),
      messages.map((text, index) => [text, index % 2 === 1]),
    )
    splitter.finish()
  })
  test(`in pieces of ${size} bytes a message above the limit is refused`, () => {
    assert.throws(() => split(new EnvelopeSplitter(299), size), { reason: 'BODY_TOO_LARGE' })
  })
}

test('a body that ends within a head or a message is refused', () => {
  for (const part of [1, 4, 5, 7]) {
    const splitter = new EnvelopeSplitter(100)
    for (const _ of splitter.push(frame(0, Buffer.from('hello')).subarray(0, part))) assert.fail()
    assert.throws(() => splitter.finish(), { reason: 'INVALID_BODY' })
  }
})
