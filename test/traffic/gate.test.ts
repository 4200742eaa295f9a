import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { GatewayError } from '../../src/core/error.ts'
import { Gate, type GateOptions } from '../../src/traffic/gate.ts'
import { seeded } from '../plugins/harness.ts'

const seed = 20_261_121

/** A call as far as a gate knows it. */
class FakeCall {
  readonly id: number
  /** 0: none. */
  readonly leftMs: number
  #onEnd: ((error: GatewayError) => void) | undefined

  constructor(id: number, leftMs = 0) {
    this.id = id
    this.leftMs = leftMs
  }

  remainingMs(): number {
    return this.leftMs
  }

  onEnd(listener: (error: GatewayError) => void): void {
    this.#onEnd = listener
  }

  leave(): void {
    this.#onEnd?.(new GatewayError('CLIENT_GONE', 'gone'))
  }
}

/** A gate whose clock the test turns, and what becomes of the calls: their ids by what was said to them, in the order in which it was. */
function open(t: TestContext, options: GateOptions) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const gate = new Gate('users', options)
  const told: string[] = []
  const enter = (call: FakeCall): void => {
    const say = (error: unknown) => void told.push(`${call.id} ${(error as GatewayError).reason}`)
    try {
      const turn = gate.enter(call)
      if (turn === undefined) told.push(`${call.id} in`)
      else turn.then(() => told.push(`${call.id} in`), say)
    } catch (error) {
      say(error)
    }
  }
  /** What was told since the last time. */
  const news = async (): Promise<string[]> => {
    await new Promise((resolve) => setImmediate(resolve))
    return told.splice(0)
  }
  return { gate, enter, news, pass: (ms: number) => t.mock.timers.tick(ms) }
}

test('as many as may are let through, some wait in order, the rest is turned away', async (t) => {
  const { gate, enter, news } = open(t, { max: 2, queue: 2, queueTimeoutMs: 100 })
  for (let id = 1; id <= 5; id++) enter(new FakeCall(id))
  assert.deepEqual(await news(), ['1 in', '2 in', '5 OVERLOADED'])
  gate.leave()
  gate.leave()
  assert.deepEqual(await news(), ['3 in', '4 in'])
  gate.leave()
  gate.leave()
  assert.deepEqual([gate.inFlight, gate.queued], [0, 0])
})

test('nobody waits longer than the queue allows, nor than the call has left', async (t) => {
  const { gate, enter, news, pass } = open(t, { max: 1, queue: 3, queueTimeoutMs: 100 })
  enter(new FakeCall(1))
  enter(new FakeCall(2))
  enter(new FakeCall(3, 40))
  enter(new FakeCall(4, 5_000))
  pass(40)
  assert.deepEqual(await news(), ['1 in', '3 OVERLOADED'])
  pass(59)
  assert.deepEqual(await news(), [])
  pass(1)
  assert.deepEqual(await news(), ['2 OVERLOADED', '4 OVERLOADED'])
  assert.deepEqual([gate.inFlight, gate.queued, gate.rejected.queue_timeout], [1, 0, 3])
})

test('what it turns away has reached nobody, may be tried again soon, and says whose queue it was', async (t) => {
  const { gate } = open(t, { max: 1, queue: 1, queueTimeoutMs: 100 })
  assert.equal(gate.enter(new FakeCall(1)), undefined)
  const late = gate.enter(new FakeCall(2))
  const full = (() => {
    try {
      return gate.enter(new FakeCall(3))
    } catch (error) {
      return error
    }
  })()
  t.mock.timers.tick(100)
  const expected = { reason: 'OVERLOADED', reached: false, retryAfterMs: 1_000 }
  await assert.rejects(late as Promise<void>, {
    ...expected,
    message: 'Upstream "users" is busy: the call has waited too long for its turn.',
  })
  assert.ok(full instanceof GatewayError)
  assert.equal(full.message, 'Upstream "users" is busy: its queue is full.')
  assert.deepEqual([full.reason, full.reached, full.retryAfterMs], Object.values(expected))
})

/** The same rules on a plain array, all worked out afresh. */
class Model {
  inFlight: number[] = []
  queue: { readonly id: number; readonly until: number }[] = []
  now = 0
  readonly #options: GateOptions

  constructor(options: GateOptions) {
    this.#options = options
  }

  enter({ id, leftMs }: FakeCall): string[] {
    const { max, queue, queueTimeoutMs } = this.#options
    if (this.inFlight.length < max) {
      this.inFlight.push(id)
      return [`${id} in`]
    }
    if (this.queue.length >= queue) return [`${id} OVERLOADED`]
    const limitMs = leftMs === 0 ? queueTimeoutMs : Math.min(leftMs, queueTimeoutMs)
    this.queue.push({ id, until: this.now + limitMs })
    return []
  }

  end(): string[] {
    this.inFlight.shift()
    const next = this.queue.shift()
    if (next === undefined) return []
    this.inFlight.push(next.id)
    return [`${next.id} in`]
  }

  gone(id: number): string[] {
    const waited = this.queue.some((one) => one.id === id)
    this.queue = this.queue.filter((one) => one.id !== id)
    return waited ? [`${id} CLIENT_GONE`] : []
  }

  pass(ms: number): string[] {
    this.now += ms
    const late = this.queue.filter(({ until }) => until <= this.now)
    this.queue = this.queue.filter(({ until }) => until > this.now)
    return late.map(({ id }) => `${id} OVERLOADED`)
  }
}

test(`does as the model does in 60 random lives of 200 events (seed ${seed})`, async (t) => {
  const random = seeded(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  for (let life = 0; life < 60; life++) {
    const options = { max: 1 + below(4), queue: below(6), queueTimeoutMs: 1 + below(40) }
    const { gate, enter, news, pass } = open(t, options)
    const model = new Model(options)
    const calls: FakeCall[] = []
    for (let event = 0; event < 200; event++) {
      const kind = below(10)
      let expected: string[]
      if (kind < 4) {
        const call = new FakeCall(calls.length, below(3) === 0 ? 1 + below(30) : 0)
        calls.push(call)
        enter(call)
        expected = model.enter(call)
      } else if (kind < 7) {
        if (model.inFlight.length === 0) continue
        gate.leave()
        expected = model.end()
      } else if (kind < 9) {
        const call = calls[below(calls.length)]
        if (call === undefined) continue
        call.leave()
        expected = model.gone(call.id)
      } else {
        const ms = below(15)
        pass(ms)
        expected = model.pass(ms)
      }
      const where = `life ${life}, event ${event}, ${JSON.stringify(options)}`
      // Those whose time is over at once are told in the order of their times.
      assert.deepEqual((await news()).sort(), expected.sort(), where)
      assert.deepEqual([gate.inFlight, gate.queued], [model.inFlight.length, model.queue.length], where)
    }
    t.mock.timers.reset()
  }
})

test('a hundred thousand calls leave the queue from its end, the last one first', (t) => {
  const { gate } = open(t, { max: 1, queue: 100_000, queueTimeoutMs: 60_000 })
  gate.enter(new FakeCall(0))
  const calls = Array.from({ length: 100_000 }, (_, id) => new FakeCall(id + 1))
  for (const call of calls) void (gate.enter(call) as Promise<void>).catch(() => {})
  assert.equal(gate.queued, 100_000)
  for (const call of calls.reverse()) call.leave()
  assert.equal(gate.queued, 0)
})
