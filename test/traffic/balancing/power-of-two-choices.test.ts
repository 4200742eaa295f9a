import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BalancingPolicy, createBalancer } from '../../../src/traffic/balancing/balancer.ts'
import { seeded } from '../../plugins/harness.ts'
import { countPicks, type Target, targets } from './targets.ts'

const seed = 20_260_805

/** The most attempts on one of 1,000 targets after 100,000 that stay. */
function worst(policy: BalancingPolicy): number {
  const all = targets(...Array.from({ length: 1_000 }, () => 1))
  const balancer = createBalancer(policy, seeded(seed))
  for (let pick = 0; pick < 100_000; pick++) balancer.pick(all, 0, 0).active++
  return Math.max(...all.map(({ active }) => active))
}

test(`the worst load is a few above the mean, where a random choice is dozens above (seed ${seed})`, () => {
  // 100 is the mean. Two choices: ln ln 1000 / ln 2 + O(1), Berenbrink et al. 2000; one choice: about sqrt(2 * 100 * ln 1000) = 37.
  const two = worst('p2c')
  const one = worst('random')
  assert.ok(two <= 106, `${two}`)
  assert.ok(one >= 120, `${one}`)
})

test('of two targets the busier one is never chosen', () => {
  const [busy, free] = targets(1, 1) as [Target, Target]
  busy.active = 1
  assert.deepEqual(
    countPicks(createBalancer('p2c', seeded(seed)), [busy, free], { picks: 1_000 }),
    [0, 1_000],
  )
})

test('compares attempts per weight: 3 on a weight of 4 are fewer than 1 on a weight of 1', () => {
  const [light, heavy] = targets(1, 4) as [Target, Target]
  light.active = 1
  heavy.active = 3
  const counts = countPicks(createBalancer('p2c', seeded(seed)), [light, heavy], { picks: 100 })
  assert.deepEqual(counts, [0, 100])
})

test('attempts that stay are spread by weight', () => {
  const weights = [1, 2, 3, 4]
  const all = targets(...weights)
  const balancer = createBalancer('p2c', seeded(seed))
  for (let pick = 0; pick < 10_000; pick++) balancer.pick(all, 0, 0).active++
  all.forEach(({ active }, i) => {
    const due = (weights[i] as number) * 1_000
    assert.ok(Math.abs(active / due - 1) < 0.02, `${active} instead of ${due}`)
  })
})

test('draws two different ones: the busiest of three is never chosen, each of the others is', () => {
  const [busy, ...others] = targets(1, 1, 1) as [Target, ...Target[]]
  busy.active = 10
  const counts = countPicks(createBalancer('p2c', seeded(seed)), [busy, ...others], {
    picks: 3_000,
  })
  assert.equal(counts[0], 0)
  assert.ok(
    counts.slice(1).every((count) => count > 1_000),
    counts.join(' '),
  )
})

test('the greatest random number that there is leads to a candidate', () => {
  const all = targets(0.1, 0.2, 0.7, 65_535)
  for (const policy of ['random', 'p2c', 'peakEwma'] as const) {
    const balancer = createBalancer(policy, () => 1 - 2 ** -53)
    assert.ok(all.includes(balancer.pick(all, 0, 0)))
  }
})
