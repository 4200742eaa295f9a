import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, survives } from './hostile.ts'
import {
  ACK,
  END_HEADERS,
  frame,
  hex,
  okHead,
  PADDED,
  settings,
  types,
  windowUpdate,
  words,
} from './raw-server.ts'

// What breaks the rules of a connection: it ends with GOAWAY and the right code (RFC 9113 section 7), and only it.

const head = frame(types.headers, END_HEADERS, 1, okHead)

function flood(piece: Uint8Array, times = 20_000): Uint8Array {
  return Buffer.concat(Array.from({ length: times }, () => piece))
}

const cases: readonly (readonly [name: string, code: number, bytes: readonly Uint8Array[]])[] = [
  ['garbage', 6, [Buffer.alloc(1_000, 0xee)]],
  ['HTTP/1.1', 6, [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')]],
  ['a frame above the limit', 6, [frame(0, 0, 1, Buffer.alloc(16_385))]],
  ['DATA on stream 0', 1, [frame(0, 0, 0, Buffer.alloc(1))]],
  ['HEADERS on stream 0', 1, [frame(1, END_HEADERS, 0, okHead)]],
  ['DATA on an idle stream', 1, [frame(0, 0, 99, Buffer.alloc(1))]],
  ['HEADERS on an idle stream', 1, [frame(1, END_HEADERS, 99, okHead)]],
  ['HEADERS on an even stream', 1, [frame(1, END_HEADERS, 2, okHead)]],
  ['RST_STREAM on an idle stream', 1, [frame(3, 0, 99, words(8))]],
  ['RST_STREAM on stream 0', 1, [frame(3, 0, 0, words(8))]],
  ['RST_STREAM of a wrong length', 6, [frame(3, 0, 1, Buffer.alloc(3))]],
  ['PUSH_PROMISE', 1, [frame(5, END_HEADERS, 1, Buffer.alloc(4))]],
  ['PING of a wrong length', 6, [frame(6, 0, 0, Buffer.alloc(7))]],
  ['PING on a stream', 1, [frame(6, 0, 1, Buffer.alloc(8))]],
  ['SETTINGS on a stream', 1, [frame(4, 0, 1)]],
  ['SETTINGS of a wrong length', 6, [frame(4, 0, 0, Buffer.alloc(5))]],
  ['SETTINGS with ACK and a payload', 6, [frame(4, ACK, 0, Buffer.alloc(6))]],
  ['ENABLE_PUSH 1', 1, [settings([2, 1])]],
  ['INITIAL_WINDOW_SIZE above 2^31 - 1', 3, [settings([4, 0x8000_0000])]],
  ['MAX_FRAME_SIZE below 16,384', 1, [settings([5, 16_383])]],
  ['MAX_FRAME_SIZE above 2^24 - 1', 1, [settings([5, 0x100_0000])]],
  ['WINDOW_UPDATE of 0 on the connection', 1, [windowUpdate(0, 0)]],
  ['WINDOW_UPDATE beyond 2^31 - 1 on the connection', 3, [windowUpdate(0, 0x7fff_ffff)]],
  ['WINDOW_UPDATE on an idle stream', 1, [windowUpdate(77, 1)]],
  ['WINDOW_UPDATE of a wrong length', 6, [frame(8, 0, 1, Buffer.alloc(5))]],
  ['GOAWAY that is too short', 6, [frame(7, 0, 0, Buffer.alloc(7))]],
  ['GOAWAY on a stream', 1, [frame(7, 0, 1, Buffer.alloc(8))]],
  ['GOAWAY that goes up again', 1, [head, frame(7, 0, 0, words(1, 0)), frame(7, 0, 0, words(3, 0))]],
  ['CONTINUATION without HEADERS', 1, [frame(9, END_HEADERS, 1, okHead)]],
  ['another frame within a header block', 1, [frame(1, 0, 1, okHead), frame(6, 0, 0, Buffer.alloc(8))]],
  ['CONTINUATION of another stream', 1, [frame(1, 0, 1, okHead), frame(9, END_HEADERS, 3)]],
  [
    'a flood of CONTINUATION',
    11,
    [frame(1, 0, 1, okHead), ...Array.from({ length: 10_000 }, () => frame(9, 0, 1))],
  ],
  [
    'a flood of CONTINUATION with content',
    11,
    [frame(1, 0, 1, okHead), ...Array.from({ length: 50 }, () => frame(9, 0, 1, Buffer.alloc(16_384)))],
  ],
  ['a flood of PING', 11, [...Array.from({ length: 20_000 }, () => frame(6, 0, 0, Buffer.alloc(8)))]],
  ['a flood of SETTINGS', 11, [...Array.from({ length: 20_000 }, () => settings([3, 100]))]],
  ['a flood of SETTINGS with ACK', 11, [...Array.from({ length: 20_000 }, () => frame(4, ACK, 0))]],
  ['a flood of empty DATA', 11, [head, ...Array.from({ length: 20_000 }, () => frame(0, 0, 1))]],
  ['a flood of PRIORITY', 11, [...Array.from({ length: 20_000 }, () => frame(2, 0, 1, Buffer.alloc(5)))]],
  ['a flood of unknown frames', 11, [...Array.from({ length: 20_000 }, () => frame(99, 0, 1))]],
  ['a wrong HPACK index', 9, [frame(1, END_HEADERS, 1, hex('ffff03'))]],
  ['bad Huffman', 9, [frame(1, END_HEADERS, 1, hex('00016184ffffffff'))]],
  ['a HPACK table above the limit', 9, [frame(1, END_HEADERS, 1, hex('3fe21f88'))]],
  ['more padding than payload', 1, [head, frame(0, PADDED, 1, Buffer.from([9, 0]))]],
  ['padding without payload', 1, [head, frame(0, PADDED, 1)]],
  ['HEADERS with priority and no room for it', 6, [frame(1, END_HEADERS | 32, 1, Buffer.alloc(4))]],
]
for (const [name, code, bytes] of cases) {
  test(`${name}: GOAWAY with code ${code}, and the next call goes well`, async () => {
    await survives(({ write }) => write(...bytes), {
      failure: 'protocol',
      told: async (server) => assert.equal(await codeOf(server, types.goaway), code),
    })
  })
}

test('a flood of RST_STREAM: GOAWAY with code 11', async () => {
  await survives(({ write }) => write(flood(frame(3, 0, 1, words(8)))), {
    failure: 'reset',
    told: async (server) => assert.equal(await codeOf(server, types.goaway), 11),
  })
})
