import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from '../../../src/traffic/canary/analysis.ts'
import { Figures } from '../../../src/traffic/canary/figures.ts'
import { LatencyHistogram } from '../../../src/traffic/canary/latency-histogram.ts'
import { seeded } from '../../plugins/harness.ts'

const random = seeded(20_261_121)

/** Of all values, sorted: the model that buckets are held to. */
function exactQuantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * share) - 1] as number
}

const shapes: readonly (readonly [name: string, draw: () => number])[] = [
  ['all alike', () => 12],
  ['even', () => 1 + random() * 99],
  ['with a long tail', () => 5 * Math.exp(random() * 6)],
  ['of two kinds', () => (random() < 0.9 ? 2 : 900)],
]

for (const [name, draw] of shapes) {
  for (const count of [1, 20, 5_000]) {
    test(`p50, p95 and p99 of ${count} times, ${name}, are right within 3 %`, () => {
      const values = Array.from({ length: count }, draw)
      const histogram = new LatencyHistogram()
      for (const value of values) histogram.observe(value)
      for (const share of [0.5, 0.95, 0.99]) {
        const exact = exactQuantile(values, share)
        const found = histogram.quantile(share) as number
        assert.ok(Math.abs(found / exact - 1) < 0.03, `${share}: ${found}, not ${exact}`)
      }
    })
  }
}

test('times beyond every bucket are counted at the ends', () => {
  const histogram = new LatencyHistogram()
  assert.equal(histogram.quantile(0.95), undefined)
  for (const ms of [0, -1, 1e-9]) histogram.observe(ms)
  assert.ok((histogram.quantile(1) as number) < 0.11)
  histogram.observe(Number.POSITIVE_INFINITY)
  assert.ok((histogram.quantile(1) as number) > 90_000)
})

test('rates are those of the latest calls, counts those of all', () => {
  const figures = new Figures(100)
  for (let i = 0; i < 5_000; i++) figures.succeeded(10)
  for (let i = 0; i < 100; i++) figures.failed()
  assert.deepEqual([figures.requests, figures.failures], [5_100, 100])
  assert.ok(figures.errorRate >= 0.5, `rate ${figures.errorRate}`)
  for (let i = 0; i < 200; i++) figures.succeeded(80)
  assert.equal(figures.errorRate, 0)
  assert.ok(Math.abs((figures.p95Ms as number) - 80) < 3)
})

test('a single failure is never the whole of the latest calls', () => {
  const figures = new Figures(100)
  for (let i = 0; i < 1_000; i++) {
    if (i % 100 === 0) figures.failed()
    else figures.succeeded(10)
    if (i >= 100) assert.ok(figures.errorRate < 0.021, `${figures.errorRate} after ${i}`)
  }
})

const limits = { maxErrorRate: 0.05, maxP95Ratio: 1.5, p95ToleranceMs: 10 }

interface Calls {
  readonly ok: number
  readonly ms?: number
  /** Of a second each. */
  readonly slow?: number
  readonly failed?: number
}

function side({ ok, ms = 10, slow = 0, failed = 0 }: Calls): Figures {
  const figures = new Figures(1_000)
  for (let i = 0; i < slow; i++) figures.succeeded(1_000)
  for (let i = 0; i < ok; i++) figures.succeeded(ms)
  for (let i = 0; i < failed; i++) figures.failed()
  return figures
}

/** docs/canary.md, "When it is not well". */
const verdicts: readonly (readonly [
  name: string,
  canary: Figures,
  stable: Figures | undefined,
  says: 'well' | 'unclear' | RegExp,
])[] = [
  ['as well as the other', side({ ok: 100 }), side({ ok: 900 }), 'well'],
  ['failing exactly as often as it may', side({ ok: 95, failed: 5 }), undefined, 'well'],
  [
    'failing once more',
    side({ ok: 94, failed: 6 }),
    side({ ok: 900 }),
    /^6 % of its calls failed, above 5 %$/,
  ],
  ['nothing but failures', side({ ok: 0, failed: 10 }), side({ ok: 900 }), /^100 % of its calls/],
  ['1.4 times as slow', side({ ok: 100, ms: 140 }), side({ ok: 900, ms: 100 }), 'well'],
  ['1.7 times as slow', side({ ok: 100, ms: 170 }), side({ ok: 900, ms: 100 }), /^its p95 is 1[67]\d/],
  ['four times as slow, which is 6 ms', side({ ok: 100, ms: 8 }), side({ ok: 900, ms: 2 }), 'well'],
  ['slow in 7 of 100 calls', side({ ok: 93, slow: 7 }), side({ ok: 900 }), 'unclear'],
  ['slow in 20 of 100 calls', side({ ok: 80, slow: 20 }), side({ ok: 900 }), /^its p95 is/],
  ['slow in 80 of 1,000 calls', side({ ok: 920, slow: 80 }), side({ ok: 900 }), /^its p95 is/],
  ['slow, but beside nothing', side({ ok: 100, ms: 5_000 }), undefined, 'well'],
  ['slow, beside nothing but failures', side({ ok: 100, ms: 5_000 }), side({ ok: 0, failed: 9 }), 'well'],
]

for (const [name, canary, stable, says] of verdicts) {
  test(`a canary that is ${name}: ${typeof says === 'string' ? says : 'broken'}`, () => {
    const verdict = judge(canary, stable, limits)
    if (typeof says === 'string') assert.equal(verdict.says, says)
    else assert.match(verdict.says === 'broken' ? verdict.why : verdict.says, says)
  })
}
