import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LeastConnections } from '../../../src/traffic/balancing/least-connections.ts'
import { seeded } from '../../plugins/harness.ts'
import { type Target, targets } from './targets.ts'

const seed = 20_260_804

/** Of the targets with the least (active + 1) / weight, the first after the last one picked, all worked out afresh. */
function model(candidates: readonly Target[], last: number): number {
  const loads = candidates.map(({ active, effectiveWeight }) => (active + 1) / effectiveWeight)
  const least = Math.min(...loads)
  const ties = loads.flatMap((load, i) => (load === least ? [i] : []))
  return ties.find((i) => i > last) ?? (ties[0] as number)
}

test(`chooses as the slow model does in 300 random sets with attempts that come and go (seed ${seed})`, () => {
  const random = seeded(seed)
  for (let set = 0; set < 300; set++) {
    const weights = Array.from({ length: 1 + Math.floor(random() * 12) }, () => 1 + Math.floor(random() * 4))
    const all = targets(...weights)
    const balancer = new LeastConnections()
    let last = -1
    for (let pick = 0; pick < 100; pick++) {
      const expected = model(all, last)
      const chosen = balancer.pick(all)
      assert.equal(all.indexOf(chosen), expected)
      last = expected
      chosen.active++
      for (const target of all) if (target.active > 0 && random() < 0.3) target.active--
    }
  }
})

test('idle targets of equal weight take turns', () => {
  const all = targets(2, 2, 2)
  const balancer = new LeastConnections()
  const order = Array.from({ length: 7 }, () => all.indexOf(balancer.pick(all)))
  assert.deepEqual(order, [0, 1, 2, 0, 1, 2, 0])
})

test('those that tie take turns evenly, however many busy ones stand between them', () => {
  const all = targets(1, 1, 1, 1, 1, 1)
  for (const i of [0, 1, 3, 4]) (all[i] as Target).active = 5
  const balancer = new LeastConnections()
  const order = Array.from({ length: 6 }, () => all.indexOf(balancer.pick(all)))
  assert.deepEqual(order, [2, 5, 2, 5, 2, 5])
})

test('attempts that stay are spread by weight, to within one', () => {
  const weights = [1, 2, 3, 10]
  const all = targets(...weights)
  const balancer = new LeastConnections()
  for (let pick = 0; pick < 1_600; pick++) balancer.pick(all).active++
  all.forEach(({ active }, i) => {
    assert.ok(Math.abs(active - (weights[i] as number) * 100) <= 1, `${active} on #${i}`)
  })
})

test('a set that has shrunk below the last pick is no mistake', () => {
  const all = targets(1, 1, 1, 1)
  const balancer = new LeastConnections()
  for (let pick = 0; pick < 4; pick++) balancer.pick(all)
  const two = all.slice(0, 2)
  assert.deepEqual([balancer.pick(two), balancer.pick(two), balancer.pick(two)], [two[0], two[1], two[0]])
})
