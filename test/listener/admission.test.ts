import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpExchange } from '../../src/core/http-exchange.ts'
import { silentLog } from '../../src/core/log.ts'
import { Admission } from '../../src/listener/admission.ts'
import type { LoadSample } from '../../src/listener/load-watch.ts'
import { Overload } from '../../src/listener/overload.ts'

/** An exchange as far as an admission knows it. */
class FakeExchange {
  readonly request: { readonly startedAt: number }
  readonly hasBody = false
  gone = false
  fate: 'begun' | 'refused' | undefined

  constructor(startedAt: number) {
    this.request = { startedAt }
  }

  fail(): void {
    this.fate = 'refused'
  }
}

/** An admission with a limit of 200 ms, and a clock that only work turns. `work` is what each request does when it begins. */
function open(work: (pass: (ms: number) => void) => void) {
  let now = 1_000
  let tell: ((sample: LoadSample) => void) | undefined
  const overload = new Overload({
    eventLoopDelayMs: 200,
    heapPercent: 0,
    log: silentLog,
    watch: (listener) => {
      tell = listener
      return () => {}
    },
  })
  const begun: FakeExchange[] = []
  const admission = new Admission(overload, {
    now: () => now,
    begin(exchange) {
      const x = exchange as unknown as FakeExchange
      x.fate = 'begun'
      begun.push(x)
      work((ms) => {
        now += ms
      })
    },
  })
  const come = (requests: number): FakeExchange[] =>
    Array.from({ length: requests }, () => {
      const x = new FakeExchange(now)
      admission.enter(x as unknown as HttpExchange)
      return x
    })
  return {
    begun,
    come,
    /** What the next requests meet. */
    isSlow: (slow: boolean) => tell?.({ delayMs: slow ? 100 : 0, nextAt: 1e9, heapPercent: 0 }),
    /** One more turn of the event loop; returns how many began in it. */
    turn: async (): Promise<number> => {
      const before = begun.length
      await new Promise((resolve) => setImmediate(resolve))
      return begun.length - before
    },
  }
}

/** Resolves with how many began in each turn, once all have begun or been refused. */
async function turnsOf(all: readonly FakeExchange[], turn: () => Promise<number>): Promise<number[]> {
  const turns: number[] = []
  while (all.some((x) => x.fate === undefined)) turns.push(await turn())
  return turns
}

test('requests begin as they come while the event loop is quick', () => {
  const { begun, come, isSlow } = open((pass) => pass(5))
  isSlow(false)
  assert.deepEqual(come(100), begun)
})

test('when it is slow they begin in order, for 20 ms in each turn, and who has waited for 200 ms is refused', async () => {
  const { begun, come, isSlow, turn } = open((pass) => pass(5))
  isSlow(true)
  const all = come(100)
  assert.equal(begun.length, 0)
  const turns = await turnsOf(all, turn)
  assert.deepEqual(turns, [...new Array<number>(11).fill(4), 0])
  assert.deepEqual(begun, all.slice(0, 44))
  assert.ok(all.slice(44).every((x) => x.fate === 'refused'))
})

test('a thousand that cost nothing begin in one turn', async () => {
  const { come, isSlow, turn } = open(() => {})
  isSlow(true)
  assert.deepEqual(await turnsOf(come(1_000), turn), [1_000])
})

test('who comes while others wait stands behind them, however quick the event loop is again', async () => {
  const { begun, come, isSlow, turn } = open((pass) => pass(10))
  isSlow(true)
  const first = come(3)
  await turn()
  isSlow(false)
  const second = come(2)
  await turnsOf(second, turn)
  assert.deepEqual(begun, [...first, ...second])
  await turn()
  const third = come(1)
  assert.equal(third[0]?.fate, 'begun', 'nobody waits any more')
})

test('nothing is done for a client that has left meanwhile', async () => {
  const { begun, come, isSlow, turn } = open((pass) => pass(5))
  isSlow(true)
  const [first, second, third] = come(3)
  if (second !== undefined) second.gone = true
  await turn()
  await turn()
  assert.deepEqual(begun, [first, third])
  assert.equal(second?.fate, undefined)
})

test('one that fails as it begins keeps nobody behind it waiting', async () => {
  let fails = true
  const { begun, come, isSlow } = open(() => {
    if (!fails) return
    fails = false
    throw new Error('a fault of ours')
  })
  isSlow(true)
  const all = come(2)
  const fault = new Promise<Error>((resolve) => {
    process.setUncaughtExceptionCaptureCallback(resolve)
  })
  assert.equal((await fault).message, 'a fault of ours')
  process.setUncaughtExceptionCaptureCallback(null)
  while (all.some((x) => x.fate === undefined)) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(begun, all)
})

test('where the work comes a turn later, as many begin as keep the turns at 40 ms', async () => {
  const { come, isSlow, turn } = open((pass) => {
    pass(1)
    setImmediate(() => pass(10))
  })
  isSlow(true)
  come(20)
  const turns: number[] = []
  for (let i = 0; i < 12; i++) {
    turns.push(await turn())
    come(10)
  }
  // 20 began in 20 ms and took 200 ms more: from then on it is known what they cost.
  assert.deepEqual(turns.slice(0, 2), [20, 5], String(turns))
  assert.ok(
    turns.slice(2).every((begun) => begun >= 3 && begun <= 5),
    String(turns),
  )
})

test('four pauses refuse nobody, however long they are; a fifth in a row does', async () => {
  for (const [pauses, fate] of [
    [4, 'begun'],
    [5, 'refused'],
  ] as const) {
    let pass: ((ms: number) => void) | undefined
    const { come, isSlow, turn } = open((clock) => {
      pass = clock
      clock(30)
    })
    isSlow(true)
    const last = come(pauses + 1).at(-1)
    for (let i = 0; i < pauses; i++) {
      await turn()
      pass?.(5_000)
    }
    await turn()
    assert.equal(last?.fate, fate)
  }
})
