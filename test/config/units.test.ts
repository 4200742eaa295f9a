import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration, parseSize } from '../../src/core/units.ts'

const durations: readonly (readonly [text: string, ms: number | undefined])[] = [
  ['250ms', 250],
  ['5s', 5_000],
  ['1m', 60_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
  ['0s', 0],
  ['1.5s', 1_500],
  ['0.5ms', 1],
  ['5', undefined],
  ['5 s', undefined],
  ['-5s', undefined],
  ['5S', undefined],
  ['5s5s', undefined],
  ['.5s', undefined],
  ['1e3s', undefined],
  ['', undefined],
  ['s', undefined],
]

// conventions.md: durations `5s`, sizes `10mb`; 1kb is 1024 bytes.
const sizes: readonly (readonly [text: string, bytes: number | undefined])[] = [
  ['512b', 512],
  ['64kb', 65_536],
  ['10mb', 10_485_760],
  ['1gb', 1_073_741_824],
  ['1.5kb', 1_536],
  ['10MB', 10_485_760],
  ['0b', 0],
  ['10', undefined],
  ['10 mb', undefined],
  ['10mib', undefined],
  ['-1kb', undefined],
  ['', undefined],
]

for (const [text, ms] of durations) {
  test(`the duration "${text}" is ${ms === undefined ? 'refused' : `${ms} ms`}`, () => {
    assert.equal(parseDuration(text), ms)
  })
}

for (const [text, bytes] of sizes) {
  test(`the size "${text}" is ${bytes === undefined ? 'refused' : `${bytes} bytes`}`, () => {
    assert.equal(parseSize(text), bytes)
  })
}
