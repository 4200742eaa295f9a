import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeHuffman } from '../../../../src/front-ends/grpc/http2/huffman.ts'

test('every Huffman code is that of RFC 7541 appendix B: the code is complete and all symbols come back', () => {
  const codes = canonicalCodes()
  for (const [symbol, [code, length]] of codes) {
    const bits = code.toString(2).padStart(length, '0')
    const padded = bits.padEnd(Math.ceil(length / 8) * 8, '1')
    const bytes = Buffer.from(padded.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? [])
    assert.equal(decodeHuffman(bytes, 0, bytes.length), String.fromCharCode(symbol))
  }
  assert.equal(codes.size, 256)
})

/** Where the codes of each length begin, with the symbols that have it: appendix B read by length, spelled in ranges. */
function canonicalCodes(): Map<number, readonly [code: number, length: number]> {
  const codes = new Map<number, readonly [number, number]>()
  for (const [length, first, symbols] of appendixB) {
    for (const [i, symbol] of symbols.entries()) codes.set(symbol, [first + i, length])
  }
  return codes
}

// biome-ignore format: a table
const appendixB: readonly (readonly [length: number, first: number, symbols: readonly number[]])[] = [
  [5, 0x0, [48, 49, 50, 97, 99, 101, 105, 111, 115, 116]],
  [6, 0x14, [32, 37, 45, 46, 47, 51, 52, 53, 54, 55, 56, 57, 61, 65, 95, 98, 100, 102, 103, 104, 108, 109, 110, 112, 114, 117]],
  [7, 0x5c, [58, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 89, 106, 107, 113, 118, 119, 120, 121, 122]],
  [8, 0xf8, [38, 42, 44, 59, 88, 90]],
  [10, 0x3f8, [33, 34, 40, 41, 63]],
  [11, 0x7fa, [39, 43, 124]],
  [12, 0xffa, [35, 62]],
  [13, 0x1ff8, [0, 36, 64, 91, 93, 126]],
  [14, 0x3ffc, [94, 125]],
  [15, 0x7ffc, [60, 96, 123]],
  [19, 0x7fff0, [92, 195, 208]],
  [20, 0xfffe6, [128, 130, 131, 162, 184, 194, 224, 226]],
  [21, 0x1fffdc, [153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230]],
  [22, 0x3fffd2, [129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196, 198, 228, 232, 233]],
  [23, 0x7fffd8, [1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239]],
  [24, 0xffffea, [9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237]],
  [25, 0x1ffffec, [199, 207, 234, 235]],
  [26, 0x3ffffe0, [192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255]],
  [27, 0x7ffffde, [203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254]],
  [28, 0xfffffe2, [2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220, 249]],
  [30, 0x3ffffffc, [10, 13, 22]],
]
