import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../../src/core/log.ts'
import { Release, type ReleaseOptions, type Track } from '../../../src/traffic/canary/release.ts'
import { seeded } from '../../plugins/harness.ts'

/** Steps of 5, 25 and 100 percent, the first two held for a minute; ten calls are enough. The clock is `minutes`. */
function open(more: Partial<ReleaseOptions> = {}) {
  const clock = { minutes: 0 }
  const lines: { message: string; fields: Record<string, unknown> }[] = []
  const note = (fields: object, message: string) => {
    lines.push({ message, fields: fields as Record<string, unknown> })
  }
  const release = new Release('users', {
    steps: [
      { weight: 5, holdMs: 60_000 },
      { weight: 25, holdMs: 60_000 },
      { weight: 100, holdMs: undefined },
    ],
    analysis: { minRequests: 10, maxErrorRate: 0.2, maxP95Ratio: 1.5, p95ToleranceMs: 0 },
    onFailure: 'rollback',
    log: { ...silentLog, info: note, warn: note, error: note },
    now: () => clock.minutes * 60_000,
    ...more,
  })
  const calls = (track: Track, count: number, ms = 10) => {
    for (let i = 0; i < count; i++) release.record(track, 'ok', ms)
  }
  const failures = (track: Track, count: number) => {
    for (let i = 0; i < count; i++) release.record(track, 'failed', 1)
  }
  const at = () => [release.status().phase, release.weight] as const
  return { release, clock, lines, calls, failures, at }
}

test('the next step comes when the hold has passed, enough calls were made, and all is well', () => {
  const { calls, clock, at, lines } = open()
  calls('stable', 190)
  calls('canary', 100)
  assert.deepEqual(at(), ['progressing', 5], 'the hold has not passed')
  clock.minutes = 1
  calls('stable', 1)
  assert.deepEqual(at(), ['progressing', 5], 'calls of the stable side move nothing')
  calls('canary', 1)
  assert.deepEqual(at(), ['progressing', 25])
  clock.minutes = 5
  calls('canary', 9)
  assert.deepEqual(at(), ['progressing', 25], 'nine calls are not enough')
  calls('canary', 1)
  assert.deepEqual(at(), ['progressing', 100])
  clock.minutes = 50
  calls('canary', 50)
  assert.deepEqual(at(), ['progressing', 100], 'the last step lasts')
  assert.deepEqual(
    lines.map(({ message, fields }) => [message, fields.weight, fields.to]),
    [
      ['canary is promoted', 5, 25],
      ['canary is promoted', 25, 100],
    ],
  )
})

test('time alone moves nothing', () => {
  const { clock, at, release } = open()
  clock.minutes = 600
  assert.deepEqual(at(), ['progressing', 5])
  assert.equal(release.status().since, 0)
})

test('failures roll it back as soon as there are enough calls, not at the end of the hold, and it stays so', () => {
  const { calls, failures, at, lines, clock, release } = open()
  calls('canary', 6)
  failures('canary', 3)
  assert.deepEqual(at(), ['progressing', 5])
  calls('canary', 1)
  assert.deepEqual(at(), ['rolledBack', 0])
  assert.equal(release.open, false)
  clock.minutes = 60
  calls('canary', 1_000)
  assert.deepEqual(at(), ['rolledBack', 0])
  const [line] = lines
  assert.equal(line?.message, 'canary is rolled back')
  assert.match(String(line?.fields.reason), /^30 % of its calls failed, above 20 %$/)
  assert.deepEqual(line?.fields.canary, release.status().canary)
  assert.equal(release.status().canary.failures, 3)
  assert.equal(lines.length, 1)
  assert.match(String(release.status().reason), /^30 %/)
})

test('what says nothing of the upstream counts for nothing', () => {
  const { release, at } = open()
  for (let i = 0; i < 100; i++) release.record('canary', 'neutral', 5)
  assert.equal(release.status().canary.requests, 0)
  assert.equal(release.counts.canary.neutral, 100)
  assert.deepEqual(at(), ['progressing', 5])
})

test('a canary that is slower than the stable side is rolled back', () => {
  const { calls, at } = open()
  calls('stable', 10, 100)
  calls('canary', 10, 200)
  assert.deepEqual(at(), ['rolledBack', 0])
})

test('with too few calls of the stable side errors alone decide', () => {
  const { calls, at, clock } = open()
  calls('stable', 9, 1)
  calls('canary', 10, 200)
  clock.minutes = 1
  calls('canary', 1, 200)
  assert.deepEqual(at(), ['progressing', 25])
})

test('at 100 percent it is measured against the stable side of the step before', () => {
  const { release, calls, at } = open()
  calls('stable', 50, 100)
  release.promote()
  release.promote()
  assert.deepEqual(at(), ['progressing', 100])
  calls('canary', 10, 300)
  assert.deepEqual(at(), ['rolledBack', 0])
})

test('onFailure: pause stays at the weight until a person decides', () => {
  const { failures, calls, at, lines, release, clock } = open({ onFailure: 'pause' })
  failures('canary', 10)
  assert.deepEqual(at(), ['paused', 5])
  assert.match(String(release.status().reason), /^100 %/)
  failures('canary', 100)
  clock.minutes = 5
  calls('canary', 1_000)
  assert.deepEqual(at(), ['paused', 5])
  assert.equal(lines.length, 1)
  assert.ok(release.resume())
  assert.equal(release.status().canary.requests, 0, 'the step begins anew')
  assert.equal(release.status().reason, undefined)
  clock.minutes = 6
  calls('canary', 10)
  assert.deepEqual(at(), ['progressing', 25])
})

test('a pause holds the step, but not the limits', () => {
  const { release, calls, failures, clock, at } = open()
  assert.ok(release.pause())
  assert.ok(!release.pause())
  clock.minutes = 10
  calls('canary', 100)
  assert.deepEqual(at(), ['paused', 5])
  failures('canary', 100)
  assert.deepEqual(at(), ['rolledBack', 0])
})

test('people promote, abort and resume it; what makes no sense says so', () => {
  const { release, at, calls, clock } = open()
  assert.ok(!release.resume(), 'it progresses')
  assert.ok(release.promote())
  assert.deepEqual(at(), ['progressing', 25])
  assert.ok(release.pause())
  assert.ok(release.promote(), 'out of a pause')
  assert.deepEqual(at(), ['progressing', 100])
  assert.ok(!release.promote(), 'there is no further step')
  assert.ok(release.abort())
  assert.deepEqual(at(), ['aborted', 0])
  assert.ok(!release.abort())
  assert.ok(!release.promote())
  assert.ok(!release.pause())
  assert.ok(release.resume())
  assert.deepEqual(at(), ['progressing', 5])
  clock.minutes = 1
  calls('canary', 10)
  assert.deepEqual(at(), ['progressing', 25])
})

test('a step without a hold waits for a person', () => {
  const { release, calls, clock, at } = open({
    steps: [
      { weight: 0, holdMs: undefined },
      { weight: 100, holdMs: undefined },
    ],
  })
  clock.minutes = 1_000
  calls('canary', 1_000)
  assert.deepEqual(at(), ['progressing', 0])
  assert.ok(release.open, 'those who match are let in')
  assert.ok(release.promote())
  assert.deepEqual(at(), ['progressing', 100])
})

/** Log-normal times: `sigma` 0.6 is usual, 1.2 has a tail that a p95 of a hundred calls jumps about on. */
function lognormal(random: () => number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return 50 * Math.exp(sigma * normal)
}

for (const { name, sigma, slower, errors, most, least } of [
  { name: 'alike', sigma: 0.6, slower: 1, errors: 0.01, most: 2, least: 0 },
  { name: 'alike, with a long tail', sigma: 1.2, slower: 1, errors: 0.01, most: 2, least: 0 },
  { name: 'a little slower', sigma: 0.6, slower: 1.2, errors: 0.01, most: 2, least: 0 },
  { name: 'twice as slow', sigma: 0.6, slower: 2, errors: 0.01, most: 50, least: 50 },
  { name: 'failing in 10 % of the calls', sigma: 0.6, slower: 1, errors: 0.1, most: 50, least: 50 },
]) {
  test(`of 50 new versions that are ${name}, ${least} to ${most} are taken back within 2,000 calls`, () => {
    const random = seeded(20_261_121)
    let takenBack = 0
    for (let n = 0; n < 50; n++) {
      const { release } = open({
        analysis: { minRequests: 100, maxErrorRate: 0.05, maxP95Ratio: 1.5, p95ToleranceMs: 10 },
      })
      for (let call = 0; call < 2_000; call++) {
        for (let i = 0; i < 9; i++) release.record('stable', 'ok', lognormal(random, sigma))
        const outcome = random() < errors ? 'failed' : 'ok'
        release.record('canary', outcome, slower * lognormal(random, sigma))
      }
      if (!release.open) takenBack++
    }
    assert.ok(takenBack >= least && takenBack <= most, `${takenBack} of 50`)
  })
}
