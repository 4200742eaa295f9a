import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, survives } from './hostile.ts'
import {
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  grpc,
  hex,
  okHead,
  okTrailers,
  types,
  windowUpdate,
  words,
} from './raw-server.ts'

// What breaks a call: it ends, with RST_STREAM where the server is not done with it, and the connection goes on.

const head = frame(types.headers, END_HEADERS, 1, okHead)

/** The code of RST_STREAM is undefined where none is due. */
const cases: readonly (readonly [
  name: string,
  failure: string,
  code: number | undefined,
  bytes: readonly Uint8Array[],
])[] = [
  ['WINDOW_UPDATE of 0 on the stream', 'protocol', 1, [windowUpdate(1, 0)]],
  ['WINDOW_UPDATE beyond 2^31 - 1 on the stream', 'protocol', 3, [windowUpdate(1, 0x7fff_ffff)]],
  ['GOAWAY below the call', 'refusedStream', undefined, [frame(7, 0, 0, words(0, 0))]],
  [
    'a flood of interim answers',
    'protocol',
    11,
    [...Array.from({ length: 200 }, () => frame(1, END_HEADERS, 1, block(':status', '103')))],
  ],
  [
    'a header list above the limit',
    'tooLarge',
    8,
    [
      frame(
        1,
        END_HEADERS,
        1,
        Buffer.concat([okHead, ...Array.from({ length: 300 }, (_, i) => block(`x-${i}`, 'v'))]),
      ),
    ],
  ],
  [
    'a HPACK bomb',
    'tooLarge',
    8,
    [
      frame(
        1,
        END_HEADERS,
        1,
        Buffer.concat([hex('4001617f 811e'), Buffer.alloc(3_968, 'v'), Buffer.alloc(12_000, 0xbe)]),
      ),
    ],
  ],
  ['DATA before HEADERS', 'protocol', 1, [frame(0, 0, 1, grpc('x'))]],
  ['no :status', 'protocol', 1, [frame(1, END_HEADERS, 1, block('content-type', 'application/grpc'))]],
  [
    'an unknown pseudo-header',
    'protocol',
    1,
    [frame(1, END_HEADERS, 1, Buffer.concat([okHead, block(':x', '1')]))],
  ],
  [':status twice', 'protocol', 1, [frame(1, END_HEADERS, 1, block(':status', '200', ':status', '200'))]],
  [
    'an upper-case header',
    'protocol',
    1,
    [frame(1, END_HEADERS, 1, Buffer.concat([okHead, block('X-A', '1')]))],
  ],
  [
    'a header with a line feed',
    'protocol',
    1,
    [frame(1, END_HEADERS, 1, Buffer.concat([okHead, block('x-a', '1\r\nx-b: 2')]))],
  ],
  [
    'transfer-encoding',
    'protocol',
    1,
    [frame(1, END_HEADERS, 1, Buffer.concat([okHead, block('transfer-encoding', 'chunked')]))],
  ],
  ['two heads', 'protocol', 1, [head, head]],
  [
    'trailers with :status',
    'protocol',
    undefined,
    [head, frame(1, END_HEADERS | END_STREAM, 1, block(':status', '200', 'grpc-status', '0'))],
  ],
  [
    'an interim answer that ends',
    'protocol',
    undefined,
    [frame(1, END_HEADERS | END_STREAM, 1, block(':status', '100'))],
  ],
  ['a flag that gRPC does not know', 'protocol', 8, [head, frame(0, 0, 1, grpc('x', 2))]],
  ['a compressed message that was not announced', 'protocol', 8, [head, frame(0, 0, 1, grpc('x', 1))]],
  ['a message of 4 GB', 'tooLarge', 8, [head, grpcPrefix(0xffff_ffff)]],
  [
    'two messages for a unary call',
    'protocol',
    8,
    [head, frame(0, 0, 1, Buffer.concat([grpc('a'), grpc('b')]))],
  ],
  [
    'no message for a unary call',
    'protocol',
    undefined,
    [head, frame(1, END_HEADERS | END_STREAM, 1, okTrailers)],
  ],
  [
    'half a message',
    'protocol',
    undefined,
    [head, frame(0, 0, 1, grpc('abc').subarray(0, 6)), frame(1, END_HEADERS | END_STREAM, 1, okTrailers)],
  ],
  ['no trailers', 'protocol', undefined, [head, frame(0, END_STREAM, 1, grpc('abc'))]],
  [
    'trailers without grpc-status',
    'protocol',
    undefined,
    [head, frame(1, END_HEADERS | END_STREAM, 1, block('x', 'y'))],
  ],
  ['RST_STREAM with REFUSED_STREAM', 'refusedStream', undefined, [frame(3, 0, 1, words(7))]],
  ['RST_STREAM with CANCEL', 'reset', undefined, [frame(3, 0, 1, words(8))]],
  ['RST_STREAM with REFUSED_STREAM after a head', 'reset', undefined, [head, frame(3, 0, 1, words(7))]],
]
for (const [name, failure, code, bytes] of cases) {
  test(`${name}: the call ends (${failure}), and the next one goes well`, async () => {
    await survives(({ write }) => write(...bytes), {
      failure,
      told: async (server) => {
        if (code !== undefined) assert.equal(await codeOf(server, types.rstStream), code)
      },
    })
  })
}

test('half a frame and the end of the connection: the call was reset', async () => {
  await survives(({ socket }) => void socket.end(head.subarray(0, 20)), { failure: 'reset' })
})

test('the end of the connection: the call was reset', async () => {
  await survives(({ socket }) => void socket.end(), { failure: 'reset' })
})

test('a reset of the connection: the call was reset', async () => {
  await survives(({ socket }) => void socket.resetAndDestroy(), { failure: 'reset' })
})

function grpcPrefix(length: number): Buffer {
  return frame(types.data, 0, 1, Buffer.concat([Buffer.from([0]), words(length)]))
}
