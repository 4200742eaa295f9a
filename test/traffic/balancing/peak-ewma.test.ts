import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBalancer } from '../../../src/traffic/balancing/balancer.ts'
import { PeakEwma } from '../../../src/traffic/balancing/peak-ewma.ts'
import { seeded } from '../../plugins/harness.ts'
import { countPicks, type Target, targets } from './targets.ts'

const seed = 20_260_806

interface Load {
  /** Milliseconds that an answer of each target takes; each answers any number at once. */
  readonly serviceMs: readonly number[]
  readonly requests: number
  /** Milliseconds between two requests. */
  readonly everyMs: number
}

/** Requests at a steady pace against targets with fixed times, on a clock of its own. What was picked, and the most at once. */
function simulate(all: readonly Target[], { serviceMs, requests, everyMs }: Load) {
  const balancer = createBalancer('peakEwma', seeded(seed))
  const counts = all.map(() => 0)
  const most = all.map(() => 0)
  const underWay: { until: number; i: number }[] = []
  for (let request = 0; request < requests; request++) {
    const now = request * everyMs
    for (let k = underWay.length - 1; k >= 0; k--) {
      const { until, i } = underWay[k] as { until: number; i: number }
      if (until > now) continue
      underWay.splice(k, 1)
      ;(all[i] as Target).active--
      ;(all[i] as Target).latency.observe(serviceMs[i] as number, until)
    }
    const target = balancer.pick(all, 0, now)
    const i = all.indexOf(target)
    target.active++
    counts[i] = (counts[i] as number) + 1
    most[i] = Math.max(most[i] as number, target.active)
    underWay.push({ until: now + (serviceMs[i] as number), i })
  }
  return { counts, most }
}

test(`a target ten times as slow gets a tenth or less of what the others get (seed ${seed})`, () => {
  const { counts } = simulate(targets(1, 1, 1, 1), {
    serviceMs: [20, 20, 20, 200],
    requests: 20_000,
    everyMs: 2,
  })
  const [one, other, third, slow] = counts as [number, number, number, number]
  assert.ok(slow <= Math.min(one, other, third) / 10, counts.join(' '))
  assert.ok(slow > 0)
})

test('targets that are equally fast share alike', () => {
  const { counts } = simulate(targets(1, 1, 1), { serviceMs: [20, 20, 20], requests: 9_000, everyMs: 5 })
  for (const count of counts) assert.ok(Math.abs(count - 3_000) < 300, counts.join(' '))
})

test('a new target is tried at once, and by one attempt at a time until it has answered', () => {
  const all = targets(1, 1, 1)
  for (const { latency } of all.slice(1)) latency.observe(10, 0)
  const { counts, most } = simulate(all, { serviceMs: [5_000, 10, 10], requests: 2_000, everyMs: 1 })
  assert.equal(counts[0], 1)
  assert.equal(most[0], 1)
})

test('targets of which nothing is known at all share by attempts', () => {
  const all = targets(1, 1, 1)
  const balancer = createBalancer('peakEwma', seeded(seed))
  for (let pick = 0; pick < 3_000; pick++) balancer.pick(all, 0, 0).active++
  for (const { active } of all) assert.ok(Math.abs(active - 1_000) <= 5, `${active}`)
})

test('a target that was slow and has been away is not flooded when it comes back', () => {
  const all = targets(1, 1, 1)
  const [back] = all as [Target, ...Target[]]
  back.latency.observe(1, -300_000)
  for (const { latency } of all.slice(1)) latency.observe(10, 0)
  const { most } = simulate(all, { serviceMs: [3_000, 10, 10], requests: 2_000, everyMs: 1 })
  assert.equal(most[0], 1)
})

test('twice the weight makes up for twice the latency', () => {
  const [light, heavy] = targets(1, 2) as [Target, Target]
  const policy = () => createBalancer('peakEwma', seeded(seed))
  light.latency.observe(10, 0)
  heavy.latency.observe(19, 0)
  assert.deepEqual(countPicks(policy(), [light, heavy], { picks: 1 }), [0, 1])
  heavy.latency.observe(21, 0)
  assert.deepEqual(countPicks(policy(), [light, heavy], { picks: 1 }), [1, 0])
})

test('the average rises at once and sinks slowly, as exp(-t / 10 s) says', () => {
  const latency = new PeakEwma()
  assert.equal(latency.value(0), undefined)
  latency.observe(10, 0)
  assert.equal(latency.value(0), 10)
  latency.observe(500, 100)
  assert.equal(latency.value(100), 500)
  latency.observe(10, 1_100)
  const kept = Math.exp(-0.1)
  assert.equal(latency.value(1_100), 500 * kept + 10 * (1 - kept))
})

test('without samples it sinks to a twentieth in 30 seconds and is then forgotten', () => {
  const latency = new PeakEwma()
  latency.observe(1_000, 5_000)
  assert.ok(Math.abs((latency.value(15_000) ?? 0) - 1_000 / Math.E) < 1e-9)
  assert.ok((latency.value(34_999) ?? 0) > 49)
  assert.equal(latency.value(35_000), undefined)
  latency.observe(20, 35_001)
  assert.equal(latency.value(35_001), 20)
})

test('two samples at one moment leave the greater', () => {
  const latency = new PeakEwma()
  latency.observe(30, 7)
  latency.observe(10, 7)
  assert.equal(latency.value(7), 30)
})
