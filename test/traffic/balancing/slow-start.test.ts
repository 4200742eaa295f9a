import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slowStartFactor } from '../../../src/traffic/balancing/slow-start.ts'

const cases: readonly (readonly [ageMs: number, windowMs: number, factor: number])[] = [
  [0, 10_000, 0.1],
  [5_000, 10_000, 0.55],
  [10_000, 10_000, 1],
  [1e9, 10_000, 1],
  [Number.POSITIVE_INFINITY, 10_000, 1],
  [0, 0, 1],
  [5, 0, 1],
  [-1, 10_000, 0.1],
  [-1, 0, 1],
]

for (const [ageMs, windowMs, factor] of cases) {
  test(`after ${ageMs} ms of ${windowMs} the weight counts ${factor}`, () => {
    assert.equal(slowStartFactor(ageMs, windowMs), factor)
  })
}
