import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RoundRobin } from '../../../src/traffic/balancing/round-robin.ts'
import { seeded } from '../../plugins/harness.ts'
import { countPicks, targets } from './targets.ts'

const seed = 20_260_802

/** nginx's rule (https://github.com/nginx/nginx/commit/52327e0), with whole numbers. */
function model(weights: readonly number[], picks: number): number[] {
  const current = weights.map(() => 0)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return Array.from({ length: picks }, () => {
    weights.forEach((weight, i) => {
      current[i] = (current[i] as number) + weight
    })
    const best = current.indexOf(Math.max(...current))
    current[best] = (current[best] as number) - total
    return best
  })
}

test('weights 5, 1, 1 give a a b a c a a, again and again', () => {
  const candidates = targets(5, 1, 1)
  const balancer = new RoundRobin()
  const order = Array.from({ length: 21 }, () => 'abc'.charAt(candidates.indexOf(balancer.pick(candidates))))
  assert.equal(order.join(''), 'aabacaa'.repeat(3))
})

test(`follows the rule of nginx pick by pick for 200 random sets (seed ${seed})`, () => {
  const random = seeded(seed)
  for (let set = 0; set < 200; set++) {
    const weights = Array.from({ length: 1 + Math.floor(random() * 20) }, () =>
      Math.ceil(random() ** 4 * 65_535),
    )
    const candidates = targets(...weights)
    const balancer = new RoundRobin()
    const chosen = Array.from({ length: 400 }, () => candidates.indexOf(balancer.pick(candidates)))
    assert.deepEqual(chosen, model(weights, 400), weights.join(' '))
  }
})

test('a whole turn gives each target exactly its weight', () => {
  const weights = [7, 1, 4, 100, 12]
  assert.deepEqual(countPicks(new RoundRobin(), targets(...weights), { picks: 124 }), weights)
})

test('a target that comes back after a long time gets its share, no burst', () => {
  const all = targets(1, 1, 1, 1)
  const [back, ...others] = all as [(typeof all)[0], ...typeof all]
  const balancer = new RoundRobin()
  countPicks(balancer, all, { picks: 1_001 })
  countPicks(balancer, others, { picks: 100_000 })
  const first = Array.from({ length: 40 }, () => balancer.pick(all))
  for (let start = 0; start + 8 <= first.length; start++) {
    const turns = first.slice(start, start + 8).filter((target) => target === back).length
    assert.ok(turns >= 1 && turns <= 3, `${turns} of the 8 picks from ${start}`)
  }
})

test('what the two that are left of a hundred had got before is no reason for a burst', () => {
  const hundred = targets(...Array.from({ length: 100 }, () => 1))
  for (let before = 0; before < 100; before++) {
    const balancer = new RoundRobin()
    countPicks(balancer, hundred, { picks: before })
    const left = [hundred[0], hundred[99]] as typeof hundred
    const [one, other] = countPicks(balancer, left, { picks: 10 }) as [number, number]
    assert.ok(Math.abs(one - other) <= 2, `after ${before}: ${one} to ${other}`)
  }
})

test(`shares hold while targets come and go at every pick (seed ${seed})`, () => {
  const random = seeded(seed)
  const all = targets(1, 2, 3, 4, 10)
  const balancer = new RoundRobin()
  const due = all.map(() => 0)
  const got = all.map(() => 0)
  for (let pick = 0; pick < 20_000; pick++) {
    // The set that retries ask for: all but the one that failed.
    const without = random() < 0.5 ? Math.floor(random() * all.length) : -1
    const candidates = all.filter((_, i) => i !== without)
    const total = candidates.reduce((sum, { effectiveWeight }) => sum + effectiveWeight, 0)
    for (const target of candidates) {
      const i = all.indexOf(target)
      due[i] = (due[i] as number) + target.effectiveWeight / total
    }
    const i = all.indexOf(balancer.pick(candidates))
    got[i] = (got[i] as number) + 1
  }
  all.forEach((target, i) => {
    const off = Math.abs((got[i] as number) / (due[i] as number) - 1)
    assert.ok(off < 0.02, `${target.url}: ${got[i]} instead of ${due[i]}`)
  })
})

test('a weight that grows at every pick gives shares that grow, without a burst', () => {
  const [steady, warming] = targets(100, 10) as [ReturnType<typeof targets>[0], ReturnType<typeof targets>[0]]
  const all = [steady, warming]
  const balancer = new RoundRobin()
  const share = Array.from({ length: 9 }, () => {
    let turns = 0
    let due = 0
    for (let pick = 0; pick < 100; pick++) {
      warming.effectiveWeight += 0.1
      due += warming.effectiveWeight / (100 + warming.effectiveWeight)
      if (balancer.pick(all) === warming) turns++
    }
    return [turns, due] as const
  })
  for (const [turns, due] of share) assert.ok(Math.abs(turns - due) <= 2, `${turns} instead of ${due}`)
})
