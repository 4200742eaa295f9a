import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Breaker, type BreakerOptions, type BreakerState } from '../../src/traffic/breaker.ts'
import type { Outcome } from '../../src/traffic/outcome.ts'

const plain: BreakerOptions = {
  failureRatio: 0.5,
  minRequests: 4,
  windowMs: 10_000,
  consecutiveFailures: 0,
  slowCallMs: 0,
  openForMs: 30_000,
  halfOpenMax: 1,
}

/** A breaker with what it told, and with calls that end at once. */
function made(more: Partial<BreakerOptions> = {}) {
  const told: [BreakerState, string][] = []
  const breaker = new Breaker({ ...plain, ...more }, (state, reason) => told.push([state, reason]))
  const settle = (pass: number, outcome: Outcome, now: number, latencyMs = 10): void =>
    breaker.settle(pass, { outcome, latencyMs, why: 'status 503', now })
  return {
    breaker,
    told,
    settle,
    /** Whether it was let through. */
    call(outcome: Outcome, now: number, latencyMs?: number): boolean {
      const pass = breaker.enter(now)
      settle(pass, outcome, now, latencyMs)
      return pass !== 0
    },
  }
}

describe('a circuit opens', () => {
  test('when the share of failures is reached, and not below the least number of calls', () => {
    const { breaker, told, call } = made()
    for (const outcome of ['failed', 'failed', 'failed'] as const) call(outcome, 0)
    assert.equal(breaker.state(0), 'closed')
    call('failed', 0)
    assert.deepEqual(told, [['open', '4 of 4 calls in 10000 ms failed, the last: status 503']])
  })

  test('at exactly the share, not below', () => {
    const { breaker, call } = made({ minRequests: 1, failureRatio: 0.5 })
    for (const outcome of ['ok', 'ok', 'failed'] as const) call(outcome, 0)
    assert.equal(breaker.state(0), 'closed')
    call('failed', 0)
    assert.equal(breaker.state(0), 'open')
  })

  test('by failures in a row, whatever the share', () => {
    const { told, call } = made({ consecutiveFailures: 3, minRequests: 100 })
    for (const outcome of ['failed', 'failed', 'ok', 'failed', 'failed'] as const) call(outcome, 0)
    assert.equal(told.length, 0, 'a success between starts anew')
    call('failed', 0)
    assert.deepEqual(told, [['open', '3 failures in a row, the last: status 503']])
  })

  test('by slow calls, where they count', () => {
    const { told, call } = made({ slowCallMs: 1_000 })
    for (const latencyMs of [1_000, 1_001, 1_500, 1_234.5]) call('ok', 0, latencyMs)
    assert.deepEqual(told, [['open', '3 of 4 calls in 10000 ms failed, the last: slow: 1235 ms']])
    const other = made({ slowCallMs: 0 })
    for (let i = 0; i < 100; i++) other.call('ok', 0, 60_000)
    assert.equal(other.told.length, 0)
  })

  test('not by a share when it is 0, not in a row when that is 0', () => {
    const { told, call } = made({ failureRatio: 0, consecutiveFailures: 0 })
    for (let i = 0; i < 1_000; i++) call('failed', 0)
    assert.equal(told.length, 0)
  })

  test('never by clients that leave, slow or not', () => {
    const { told, call } = made({ consecutiveFailures: 1, slowCallMs: 1 })
    for (let i = 0; i < 1_000; i++) call('neutral', 0, 5_000)
    assert.equal(told.length, 0)
  })

  test('not for failures that are past the window', () => {
    const { breaker, call } = made({ windowMs: 10_000 })
    for (let i = 0; i < 3; i++) call('failed', 500)
    call('failed', 10_500)
    assert.equal(breaker.state(10_500), 'closed', 'one failure is left')
  })
})

describe('an open circuit', () => {
  test('lets nothing through until its time is over, and says how long that is', () => {
    const { breaker, call } = made({ consecutiveFailures: 1, openForMs: 5_000 })
    call('failed', 100)
    assert.equal(breaker.enter(5_099), 0)
    assert.equal(breaker.admits(5_099), false)
    assert.equal(breaker.retryAfterMs(1_100), 4_000)
    assert.equal(breaker.state(5_099), 'open')
    assert.equal(breaker.state(5_100), 'half_open')
    assert.equal(breaker.admits(5_100), true)
    assert.notEqual(breaker.enter(5_100), 0)
  })

  test('is deaf to what was under way when it opened', () => {
    const { breaker, settle } = made({ consecutiveFailures: 1, openForMs: 1_000 })
    const passes = Array.from({ length: 5 }, () => breaker.enter(0))
    settle(passes[0] as number, 'failed', 0)
    for (const pass of passes.slice(1)) settle(pass, 'ok', 10)
    assert.equal(breaker.state(10), 'open')
    const trial = breaker.enter(1_000)
    settle(passes[4] as number, 'failed', 1_001)
    assert.equal(breaker.state(1_001), 'half_open')
    settle(trial, 'ok', 1_002)
    assert.equal(breaker.state(1_002), 'closed')
    assert.deepEqual(breaker.changes, { closed: 1, half_open: 1, open: 1 })
  })
})

describe('a half-open circuit', () => {
  /** Open since 0, tried out from 1,000 on. */
  function tried(more: Partial<BreakerOptions> = {}) {
    const one = made({ consecutiveFailures: 1, openForMs: 1_000, ...more })
    one.call('failed', 0)
    return one
  }

  for (const halfOpenMax of [1, 2, 5]) {
    test(`lets exactly ${halfOpenMax} of 20 through at a time, and closes when so many did well`, () => {
      const { breaker, settle } = tried({ halfOpenMax })
      const passes = Array.from({ length: 20 }, () => breaker.enter(1_000)).filter((pass) => pass !== 0)
      assert.equal(passes.length, halfOpenMax)
      for (const pass of passes) {
        assert.equal(breaker.state(1_001), 'half_open')
        settle(pass, 'ok', 1_001)
      }
      assert.equal(breaker.state(1_001), 'closed')
    })
  }

  test('opens again at the first failure, for as long as before', () => {
    const { breaker, told, settle } = tried({ halfOpenMax: 3 })
    const [one = 0, two = 0] = [breaker.enter(1_000), breaker.enter(1_000)]
    settle(one, 'ok', 1_500)
    settle(two, 'failed', 1_600)
    assert.deepEqual(told.at(-1), ['open', 'a trial failed: status 503'])
    assert.deepEqual([breaker.admits(2_599), breaker.admits(2_600)], [false, true])
  })

  test('opens again when a trial is slow', () => {
    const { told, call } = tried({ slowCallMs: 100 })
    call('ok', 1_000, 150)
    assert.deepEqual(told.at(-1), ['open', 'a trial failed: slow: 150 ms'])
  })

  test('gets the place back of a client that left', () => {
    const { breaker, settle } = tried()
    const pass = breaker.enter(1_000)
    assert.equal(breaker.enter(1_001), 0)
    settle(pass, 'neutral', 1_002)
    assert.equal(breaker.state(1_002), 'half_open')
    assert.notEqual(breaker.enter(1_002), 0)
    assert.equal(breaker.enter(1_002), 0)
  })

  test('does not wait for trials that hang for longer than it was open', () => {
    const { breaker, told, settle } = tried()
    const hangs = breaker.enter(1_000)
    assert.equal(breaker.enter(1_999), 0)
    const next = breaker.enter(2_000)
    assert.notEqual(next, 0)
    assert.deepEqual(told.at(-1), ['half_open', 'the trials did not come back'])
    settle(hangs, 'failed', 2_001)
    assert.equal(breaker.state(2_001), 'half_open', 'the one that hung says nothing any more')
    settle(next, 'ok', 2_002)
    assert.equal(breaker.state(2_002), 'closed')
  })

  test('is decided by the head of an answer that lasts, once', () => {
    const { breaker } = tried({ halfOpenMax: 2 })
    const verdict = { latencyMs: 1, why: '', now: 1_001 }
    const pass = breaker.enter(1_000)
    assert.equal(breaker.settleTrial(pass, { ...verdict, outcome: 'ok' }), 0)
    breaker.settle(0, { ...verdict, outcome: 'failed' })
    assert.equal(breaker.state(1_001), 'half_open')
    assert.equal(breaker.settleTrial(breaker.enter(1_001), { ...verdict, outcome: 'ok' }), 0)
    assert.equal(breaker.state(1_001), 'closed')
    const ordinary = breaker.enter(1_002)
    assert.equal(breaker.settleTrial(ordinary, { ...verdict, outcome: 'ok' }), ordinary, 'nothing to decide')
  })
})

/** The same by brute force: all that ever happened is kept, and looked through. */
class Model {
  state: BreakerState = 'closed'
  readonly #options: BreakerOptions
  /** Of the present period: when a call ended, and whether it failed. */
  #ended: { readonly at: number; readonly failed: boolean }[] = []
  #underWay: number[] = []
  #good = 0
  #openedAt = 0
  #lastTrialAt = 0
  #calls = 0
  #since = 1

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  /** The number of the call; 0: refused. */
  enter(now: number): number {
    const { openForMs, halfOpenMax } = this.#options
    const call = this.#calls + 1
    if (this.state === 'open' && now - this.#openedAt < openForMs) return 0
    if (this.state === 'half_open' && this.#underWay.length >= halfOpenMax) {
      if (now - this.#lastTrialAt < openForMs) return 0
      this.#begin('half_open')
    }
    if (this.state === 'open') this.#begin('half_open')
    if (this.state === 'half_open') this.#lastTrialAt = now
    this.#calls = call
    this.#underWay.push(call)
    return call
  }

  settle(call: number, outcome: Outcome, { latencyMs, now }: { latencyMs: number; now: number }): void {
    if (call < this.#since) return
    this.#underWay = this.#underWay.filter((one) => one !== call)
    if (outcome === 'neutral') return
    const { failureRatio, minRequests, windowMs, consecutiveFailures, slowCallMs, halfOpenMax } =
      this.#options
    const failed = outcome === 'failed' || (slowCallMs > 0 && latencyMs > slowCallMs)
    if (this.state === 'half_open') {
      if (failed) this.#open(now)
      else if (++this.#good === halfOpenMax) this.#begin('closed')
      return
    }
    this.#ended.push({ at: now, failed })
    if (!failed) return
    const bucket = (at: number): number => Math.floor(at / (windowMs / 10))
    const counted = this.#ended.filter(({ at }) => bucket(now) - bucket(at) < 10)
    const share = counted.filter((one) => one.failed).length / counted.length
    const row = consecutiveFailures > 0 ? this.#ended.slice(-consecutiveFailures) : []
    const inARow =
      consecutiveFailures > 0 && row.length === consecutiveFailures && row.every((one) => one.failed)
    const byShare = failureRatio > 0 && counted.length >= minRequests && share >= failureRatio
    if (inARow || byShare) this.#open(now)
  }

  #open(now: number): void {
    this.#openedAt = now
    this.#begin('open')
  }

  #begin(state: BreakerState): void {
    this.state = state
    this.#since = this.#calls + 1
    this.#underWay = []
    this.#ended = []
    this.#good = 0
  }
}

test('does what a model does that forgets nothing, over 400,000 random steps', () => {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))
  const random = mulberry(seed)
  const upTo = (n: number): number => Math.floor(random() * n)
  const seen = new Set<BreakerState>()
  for (let round = 0; round < 400; round++) {
    const options: BreakerOptions = {
      failureRatio: [0, 0.1, 0.25, 0.5, 1][upTo(5)] as number,
      minRequests: 1 + upTo(20),
      windowMs: 100 * (1 + upTo(20)),
      consecutiveFailures: upTo(6),
      slowCallMs: [0, 50][upTo(2)] as number,
      openForMs: 1 + upTo(500),
      halfOpenMax: 1 + upTo(4),
    }
    const breaker = new Breaker(options, () => {})
    const model = new Model(options)
    const running: { pass: number; call: number }[] = []
    const failing = random()
    let now = upTo(10_000)
    for (let step = 0; step < 1_000; step++) {
      now += [0, 0, 1, upTo(20), upTo(600)][upTo(5)] as number
      if (random() < 0.5) {
        const admitted = breaker.admits(now)
        const one = { pass: breaker.enter(now), call: model.enter(now) }
        assert.equal(
          one.pass !== 0,
          one.call !== 0,
          `round ${round}, step ${step}, seed ${seed}: let through`,
        )
        assert.equal(admitted, one.pass !== 0, 'admits tells what enter does')
        if (one.pass !== 0) running.push(one)
      } else if (running.length > 0) {
        const [{ pass, call }] = running.splice(upTo(running.length), 1) as [{ pass: number; call: number }]
        const outcome = random() < 0.1 ? 'neutral' : random() < failing ? 'failed' : 'ok'
        const latencyMs = upTo(100)
        breaker.settle(pass, { outcome, latencyMs, why: '', now })
        model.settle(call, outcome, { latencyMs, now })
      }
      const shown = model.state === 'open' && breaker.state(now) === 'half_open' ? 'open' : breaker.state(now)
      assert.equal(shown, model.state, `round ${round}, step ${step}, seed ${seed}: state`)
      seen.add(model.state)
    }
  }
  assert.equal(seen.size, 3)
})

test('keeps a fixed amount of memory, and takes well below a microsecond', () => {
  const { breaker, call } = made({ minRequests: 1e9 })
  for (let i = 0; i < 200_000; i++) call(i % 3 === 0 ? 'failed' : 'ok', i)
  const before = process.memoryUsage().heapUsed
  const began = performance.now()
  for (let i = 0; i < 2_000_000; i++) {
    const pass = breaker.enter(200_000 + i)
    breaker.settle(pass, { outcome: 'ok', latencyMs: 1, why: '', now: 200_000 + i })
  }
  const perCallNs = ((performance.now() - began) * 1e6) / 2_000_000
  if (process.env.SHOW !== undefined) console.log(`${perCallNs.toFixed(1)} ns`)
  assert.ok(perCallNs < 5_000, `${perCallNs} ns`)
  assert.ok(process.memoryUsage().heapUsed - before < 32 * 1_048_576)
})

/** A small generator of random numbers that can be repeated. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
