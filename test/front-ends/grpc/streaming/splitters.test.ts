import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ArraySplitter } from '../../../../src/front-ends/grpc/streaming/array-splitter.ts'
import type { ElementSplitter } from '../../../../src/front-ends/grpc/streaming/element-splitter.ts'
import { LineSplitter } from '../../../../src/front-ends/grpc/streaming/line-splitter.ts'

type Case = readonly [body: string, elements: readonly string[] | RegExp]

const arrays: readonly Case[] = [
  ['', []],
  ['[]', []],
  [' [\r\n\t] \n', []],
  ['[1]', ['1']],
  ['[{"a":1},{"b":[1,2,{"c":"]"}]}]', ['{"a":1}', '{"b":[1,2,{"c":"]"}]}']],
  ['["a\\"],[b","\\\\",[[]]]', ['"a\\"],[b"', '"\\\\"', '[[]]']],
  ['[{"ü€😀":"😀,"} , null]', ['{"ü€😀":"😀,"} ', 'null']],
  ['[1}]', ['1}']],
  ['[1 2]', ['1 2']],
  ['{"a":1}', /must be a JSON array/],
  ['[1,]', /element is missing/],
  ['[,1]', /element is missing/],
  ['[1,,2]', /element is missing/],
  ['[1] [2]', /more behind/],
  ['[1],', /more behind/],
  ['[', /ends within/],
  ['[{"a":1},{"b', /ends within/],
  ['[1,', /ends within/],
  ['["]', /ends within/],
  ['["\\', /ends within/],
  ['["0123456789012345678901234567890123456789"]', /larger than 32 bytes/],
]
const lines: readonly Case[] = [
  ['', []],
  ['\n \r\n\n', []],
  ['1\n2\n', ['1', '2']],
  ['1\r\n\n{"a": "ü😀"}', ['1\r', '{"a": "ü😀"}']],
  ['[1,\n2]', ['[1,', '2]']],
  ['1\n01234567890123456789012345678901234', /larger than 32 bytes/],
]

for (const [kind, cases, open] of [
  ['array', arrays, () => new ArraySplitter(32)],
  ['lines', lines, () => new LineSplitter(32)],
] as const) {
  for (const [body, expected] of cases) {
    for (const pieceBytes of [1, 2, 3, 7, 1_000]) {
      test(`${kind}: ${JSON.stringify(body)} in pieces of ${pieceBytes}`, () => {
        const read = (): string[] => split(open(), Buffer.from(body), pieceBytes)
        if (expected instanceof RegExp) assert.throws(read, expected)
        else assert.deepEqual(read(), expected)
      })
    }
  }
}

test('an element that comes in tiny pieces is joined in linear time', () => {
  const body = Buffer.alloc(1_000_000, 'a')
  body.write('["')
  body.write('"]', body.length - 2)
  const startedAt = performance.now()
  const [element] = split(new ArraySplitter(2_000_000), body, 1)
  assert.equal(element?.length, body.length - 2)
  assert.ok(performance.now() - startedAt < 5_000)
})

function split(splitter: ElementSplitter, body: Buffer, pieceBytes: number): string[] {
  const elements: string[] = []
  for (let at = 0; at < body.length; at += pieceBytes) {
    for (const element of splitter.push(body.subarray(at, at + pieceBytes))) elements.push(element.toString())
  }
  const last = splitter.finish()
  return last === undefined ? elements : [...elements, last.toString()]
}
