import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashText } from '../../../src/traffic/balancing/hash.ts'
import { seeded } from '../../plugins/harness.ts'

/** Vectors of MurmurHash3_x86_32 with an even number of bytes, as UTF-16LE (https://stackoverflow.com/a/31929528). */
const vectors: readonly (readonly [bytes: string, seed: number, hash: number])[] = [
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['ffffffff', 0, 0x76293b50],
  ['21436587', 0, 0xf55b516b],
  ['21436587', 0x5082edee, 0x2362f9de],
  ['2143', 0, 0xa0f7b07a],
  ['00000000', 0, 0x2362f9de],
  ['0000', 0, 0x30f4c306],
]

for (const [bytes, seed, hash] of vectors) {
  test(`the bytes "${bytes}" with seed ${seed} have the hash 0x${hash.toString(16)}`, () => {
    assert.equal(hashText(Buffer.from(bytes, 'hex').toString('utf16le'), seed), hash)
  })
}

test('every bit of a text changes every bit of the hash in about half the cases (avalanche)', () => {
  const random = seeded(20_260_803)
  const texts = 4_000
  for (const length of [1, 2, 7, 24]) {
    for (let bit = 0; bit < length * 7; bit++) {
      const flips = new Array<number>(32).fill(0)
      for (let text = 0; text < texts; text++) {
        const codes = Array.from({ length }, () => Math.floor(random() * 65_536))
        const before = hashText(String.fromCharCode(...codes))
        const place = Math.floor(bit / 7)
        codes[place] = (codes[place] as number) ^ (1 << (bit % 7))
        const changed = before ^ hashText(String.fromCharCode(...codes))
        for (let out = 0; out < 32; out++) flips[out] = (flips[out] as number) + ((changed >>> out) & 1)
      }
      // Six standard deviations: 6 * sqrt(4000 / 4) = 190.
      for (const [out, count] of flips.entries()) {
        assert.ok(Math.abs(count - texts / 2) < 190, `length ${length}, bit ${bit} -> ${out}: ${count}`)
      }
    }
  }
})

test('100,000 texts in a row have hardly more equal hashes than random numbers would', () => {
  const hashes = new Set(Array.from({ length: 100_000 }, (_, i) => hashText(`user-${i}`)))
  // n^2 / 2^33 = 1.2 are expected.
  assert.ok(100_000 - hashes.size <= 8, `${100_000 - hashes.size}`)
})
