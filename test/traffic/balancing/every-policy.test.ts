import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BalancingPolicy, createBalancer } from '../../../src/traffic/balancing/balancer.ts'
import { seeded } from '../../plugins/harness.ts'
import { countPicks, outsideBound, type Target, targets } from './targets.ts'

const seed = 20_260_801

/** What a policy does with weights while nothing is under way: the shares it gives, by which it is held. */
const policies: readonly (readonly [BalancingPolicy, shares: 'byWeight' | 'heaviestWhenIdle'])[] = [
  ['roundRobin', 'byWeight'],
  ['random', 'byWeight'],
  ['consistentHash', 'byWeight'],
  ['leastConnections', 'heaviestWhenIdle'],
  ['p2c', 'heaviestWhenIdle'],
  ['peakEwma', 'byWeight'],
]

const weightings: readonly (readonly [name: string, weights: readonly number[]])[] = [
  ['one target', [100]],
  ['two equal ones', [1, 1]],
  ['5, 1, 1', [5, 1, 1]],
  ['1, 2, 3, 4', [1, 2, 3, 4]],
  ['the extremes 1 and 65,535', [1, 65_535]],
  ['weights of a slow start', [100, 10.5, 33.3]],
]

for (const [policy, idle] of policies) {
  const hashes = () => {
    const random = seeded(seed + 1)
    return () => Math.floor(random() * 2 ** 32)
  }

  for (const [name, weights] of weightings) {
    // peakEwma compares two candidates that are drawn by weight: with two targets both are drawn every time, and one that is unknown and idle
    // costs nothing whatever its weight, so that the first drawn wins.
    if (idle !== 'byWeight') continue
    if (policy === 'peakEwma' && weights.length > 2) continue
    test(`${policy} shares by weight: ${name}`, () => {
      const counts = countPicks(createBalancer(policy, seeded(seed)), targets(...weights), {
        picks: 50_000,
        hash: hashes(),
      })
      assert.deepEqual(outsideBound(counts, weights), [])
    })
  }

  test(`${policy} picks candidates only, whatever happens to them (seed ${seed})`, () => {
    const random = seeded(seed)
    const balancer = createBalancer(policy, seeded(seed + 2))
    const all = targets(...Array.from({ length: 12 }, () => 1 + Math.floor(random() ** 8 * 65_535)))
    const underWay: Target[] = []
    for (let round = 0; round < 500; round++) {
      const some = all.filter(() => random() < 0.5)
      const candidates = some.length === 0 ? all.slice(0, 1) : some
      for (let pick = 0; pick < 20; pick++) {
        const now = round * 1_000 + pick
        const chosen = balancer.pick(candidates, Math.floor(random() * 2 ** 32), now)
        assert.ok(candidates.includes(chosen))
        chosen.active++
        underWay.push(chosen)
        if (random() < 0.6) {
          const done = underWay.splice(Math.floor(random() * underWay.length), 1)[0] as Target
          done.active--
          done.latency.observe(random() * 5_000, now)
        }
        if (random() < 0.1) chosen.effectiveWeight = 1 + random() * 65_534
      }
    }
  })

  test(`${policy} reaches each of 1,000 targets that are under way in turn`, () => {
    const thousand = targets(...Array.from({ length: 1_000 }, () => 100))
    const balancer = createBalancer(policy, seeded(seed))
    const hash = hashes()
    for (let pick = 0; pick < 20_000; pick++) balancer.pick(thousand, hash(), 0).active++
    const counts = thousand.map(({ active }) => active)
    assert.ok(Math.min(...counts) > 0, `least ${Math.min(...counts)}`)
    assert.deepEqual(
      outsideBound(
        counts,
        thousand.map(() => 1),
      ),
      [],
    )
  })

  test(`${policy} with the same seed and the same questions chooses the same`, () => {
    const [one, other] = [0, 1].map(() => {
      const balancer = createBalancer(policy, seeded(seed))
      const own = targets(3, 1, 7, 2)
      const hash = hashes()
      return Array.from({ length: 2_000 }, () => own.indexOf(balancer.pick(own, hash(), 0)))
    })
    assert.deepEqual(one, other)
  })
}
