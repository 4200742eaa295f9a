import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../src/core/log.ts'
import type { LoadSample } from '../../src/listener/load-watch.ts'
import { Overload } from '../../src/listener/overload.ts'

/** One that refuses above 200 ms and 90 percent, and what it logs; `take` shows it samples one after the other. */
function open(limits: { readonly eventLoopDelayMs?: number; readonly heapPercent?: number } = {}) {
  const logged: string[] = []
  const note = (fields: object, message: string): void => {
    logged.push(`${(fields as { reason: string }).reason}: ${message}`)
  }
  let tell: ((sample: LoadSample) => void) | undefined
  let watched = false
  const overload = new Overload({
    eventLoopDelayMs: 200,
    heapPercent: 90,
    ...limits,
    log: { ...silentLog, warn: note },
    watch: (listener) => {
      tell = listener
      watched = true
      return () => {
        tell = undefined
      }
    },
  })
  return {
    overload,
    logged,
    isWatched: () => watched,
    take: (delays: readonly number[], heapPercent = 50) => {
      for (const delayMs of delays) tell?.({ delayMs, heapPercent })
    },
    /** How many of so many requests are let in. */
    ask: (requests: number) => {
      let letIn = 0
      for (let i = 0; i < requests; i++) if (overload.refusal() === undefined) letIn++
      return letIn
    },
  }
}

const times = (count: number, delayMs: number): number[] => new Array<number>(count).fill(delayMs)

/** Delays, one after the other, and whether they are an overload. */
const lives: [name: string, delays: number[], isOverload: boolean][] = [
  ['nothing waits', times(100, 0), false],
  ['all wait, but not for too long', times(100, 190), false],
  ['one pause of ten seconds', [...times(20, 0), 10_000, ...times(20, 0)], false],
  ['two long pauses in a row', [...times(20, 0), 3_000, 3_000, ...times(20, 0)], false],
  [
    'a reload that composes for 140 ms four times',
    [...times(20, 0), ...times(4, 140), ...times(20, 0)],
    false,
  ],
  ['three turns of three seconds', [...times(20, 0), ...times(3, 3_000)], true],
  ['turns of 210 ms', times(6, 210), true],
  ['long turns, each with a short one behind', Array.from({ length: 12 }, (_, i) => (i % 2) * 600), true],
]

for (const [name, delays, isOverload] of lives) {
  test(`${name}: ${isOverload ? 'requests are refused' : 'no request is refused'}`, () => {
    const { ask, take, logged } = open()
    take(delays)
    assert.equal(ask(1_000) < 1_000, isOverload)
    assert.equal(logged.length, isOverload ? 1 : 0)
  })
}

test('less and less is let in while events wait for too long, but never nothing', () => {
  const { ask, take } = open()
  take(times(6, 230))
  assert.equal(ask(1_000), 500)
  take([800])
  assert.equal(ask(1_000), 125)
  take(times(50, 300))
  assert.equal(ask(10_000), 10)
})

test('what waits for half of the limit stays as it is, and what waits for less gets more, until all are let in', () => {
  const { overload, ask, take, logged } = open()
  take(times(6, 230))
  take(times(20, 100))
  assert.equal(ask(1_000), 500)
  assert.deepEqual(overload.shortages, ['event_loop'])
  take(times(4, 10))
  assert.equal(ask(1_000), 1_000)
  assert.deepEqual(overload.shortages, [])
  assert.deepEqual(logged, [
    'event_loop: overloaded: new requests are refused',
    'event_loop: no longer overloaded',
  ])
})

test('begins and ends once, however long it lasts', () => {
  const { take, logged } = open()
  take(times(1_000, 500))
  take(times(1_000, 0))
  assert.equal(logged.length, 2)
})

test('while the heap is full nothing new is let in, until there is some room', () => {
  const { overload, ask, take, logged } = open()
  take(times(9, 0), 95)
  take(times(1, 0), 80)
  take(times(9, 0), 95)
  assert.equal(ask(100), 100, 'a collection of garbage was due')
  take(times(1, 0), 95)
  assert.equal(ask(100), 0)
  assert.deepEqual(overload.shortages, ['heap'])
  take(times(10, 0), 86)
  assert.equal(ask(100), 0)
  take(times(1, 0), 84)
  assert.equal(ask(100), 100)
  assert.equal(overload.shed.heap, 200)
  assert.deepEqual(logged, ['heap: overloaded: new requests are refused', 'heap: no longer overloaded'])
})

test('each limit can be off by itself', () => {
  const noDelay = open({ eventLoopDelayMs: 0 })
  noDelay.take(times(20, 5_000))
  assert.equal(noDelay.ask(10), 10)
  const noHeap = open({ heapPercent: 0 })
  noHeap.take(times(20, 0), 100)
  assert.equal(noHeap.ask(10), 10)
})

test('nothing is watched where both are off', () => {
  assert.equal(open({ eventLoopDelayMs: 0, heapPercent: 0 }).isWatched(), false)
  assert.equal(open().isWatched(), true)
})

test('what is refused is counted by what is short, and may be tried again soon', () => {
  const { overload, take } = open()
  take(times(6, 230))
  const [first, second] = [overload.refusal(), overload.refusal()]
  assert.equal(second, undefined)
  assert.deepEqual([first?.reason, first?.retryAfterMs, first?.reached], ['OVERLOADED', 1_000, false])
  assert.deepEqual(overload.shed, { event_loop: 1, heap: 0 })
})
