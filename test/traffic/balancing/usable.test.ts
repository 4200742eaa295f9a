import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Selectable, usable } from '../../../src/traffic/balancing/usable.ts'
import { seeded } from '../../plugins/harness.ts'

interface Named extends Selectable {
  readonly name: string
}

/** `a b! c0 e# | d`: a to e of priority 0, b of it down, c with weight 0, e with an open circuit; d of priority 1. */
function groups(text: string): Named[] {
  return text.split('|').flatMap((group, priority) =>
    group
      .trim()
      .split(' ')
      .filter((word) => word !== '')
      .map((word) => ({
        name: word.charAt(0),
        weight: word.includes('0') ? 0 : 100,
        priority: priority * 10,
        available: () => !/[!#]/.test(word),
        admits: () => !word.includes('#'),
      })),
  )
}

const cases: readonly (readonly [rule: string, targets: string, percent: number, usable: string])[] = [
  ['all of the first group', 'a b | c', 0, 'ab'],
  ['those of it that are available', 'a b! | c', 0, 'a'],
  ['one available target is a group', 'a! b! c! d | e', 0, 'd'],
  ['the next group when the first has none', 'a! b! | c d', 0, 'cd'],
  ['the third when the second has none either', 'a! | b! | c', 0, 'c'],
  ['weight 0 drains', 'a b0 c', 0, 'ac'],
  ['a group that drains makes way for the next', 'a0 b0 | c', 0, 'c'],
  ['a draining target does not keep its group up', 'a0 b! | c', 0, 'c'],
  ['none when all drain', 'a0 b0 | c0', 50, ''],
  ['none when all are down: 0 never ignores health', 'a! b! | c!', 0, ''],
  ['none of none', '', 50, ''],
  ['at the threshold the group serves as it is', 'a b!', 50, 'a'],
  ['below it health is ignored', 'a b! c!', 50, 'abc'],
  ['all down: health is ignored', 'a! b!', 50, 'ab'],
  ['100 %: one that is down is enough', 'a b c!', 100, 'abc'],
  ['100 %: none is down', 'a b', 100, 'ab'],
  ['draining targets do not count for the share', 'a b0 c0', 50, 'a'],
  ['nor do they come back in a panic', 'a! b! c0', 50, 'ab'],
  ['a next group that has enough goes before a panic', 'a b! c! | d', 50, 'd'],
  ['panic of the first group with an available target', 'a! b! | c d! e!', 50, 'cde'],
  ['panic of the first group when all is down', 'a! b! | c!', 50, 'ab'],
  ['an open circuit is as good as down', 'a b# | c', 0, 'a'],
  ['and counts for the share', 'a b# c#', 50, 'a'],
  ['but a panic does not ask where a circuit is open', 'a! b# c!', 50, 'ac'],
  ['none when all circuits are open', 'a# b# | c#', 50, ''],
]

for (const [rule, text, panicThresholdPercent, expected] of cases) {
  test(`${rule}: "${text}" at ${panicThresholdPercent} % -> "${expected}"`, () => {
    const found = usable(groups(text), { now: 0, panicThresholdPercent, previous: [] })
    assert.equal(found.map(({ name }) => name).join(''), expected)
  })
}

test('asks for health at the time that it is given', () => {
  const target = { weight: 1, priority: 0, available: (now: number) => now >= 1_000, admits: () => true }
  assert.deepEqual(usable([target], { now: 999, panicThresholdPercent: 0, previous: [] }), [])
  assert.deepEqual(usable([target], { now: 1_000, panicThresholdPercent: 0, previous: [] }), [target])
})

test('gives the same array as long as the set is the same, and the right one when it is not (seed 20260807)', () => {
  const random = seeded(20_260_807)
  const all = Array.from({ length: 4 }, (_, i) => {
    const health = { up: true }
    return { health, weight: 1, priority: i >> 1, available: () => health.up, admits: () => true }
  })
  let previous: readonly (typeof all)[0][] = []
  let same = 0
  for (let round = 0; round < 5_000; round++) {
    for (const { health } of all) if (random() < 0.1) health.up = !health.up
    const fresh = usable(all, { now: 0, panicThresholdPercent: 0, previous: [] })
    const found = usable(all, { now: 0, panicThresholdPercent: 0, previous })
    assert.deepEqual(found, fresh)
    const unchanged = previous.length === fresh.length && fresh.every((target, i) => target === previous[i])
    assert.equal(found === previous, unchanged)
    if (unchanged) same++
    previous = found
  }
  assert.ok(same > 1_000 && same < 4_900, `${same}`)
})
