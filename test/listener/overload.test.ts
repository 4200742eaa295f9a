import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../src/core/log.ts'
import type { LoadSample } from '../../src/listener/load-watch.ts'
import { Overload } from '../../src/listener/overload.ts'

/** One that refuses above 200 ms and 90 percent, and what it logs; `take` shows it so many samples. */
function open(limits: { readonly eventLoopDelayMs?: number; readonly heapPercent?: number } = {}) {
  const logged: string[] = []
  const note = (fields: object, message: string): void => {
    const { reason, refused } = fields as { reason: string; refused?: number }
    logged.push(`${reason}: ${message}${refused === undefined ? '' : ` (${refused})`}`)
  }
  const listeners: ((sample: LoadSample) => void)[] = []
  const overload = new Overload({
    eventLoopDelayMs: 200,
    heapPercent: 90,
    ...limits,
    log: { ...silentLog, warn: note },
    watch: (listener) => {
      listeners.push(listener)
      return () => void listeners.pop()
    },
  })
  const take = (count: number, sample: Partial<LoadSample>): void => {
    for (let i = 0; i < count; i++) {
      for (const tell of listeners) tell({ delayMs: 0, nextAt: 1_000, heapPercent: 50, ...sample })
    }
  }
  return { overload, logged, listeners, take }
}

test('requests wait for their turn when the turn of the event loop lasts, or the last one did', () => {
  const { overload, take } = open()
  assert.equal(overload.isSlow(1e9), false, 'nothing is known yet')
  take(1, { nextAt: 1_000 })
  assert.deepEqual([overload.isSlow(1_020), overload.isSlow(1_021)], [false, true])
  take(1, { delayMs: 21, nextAt: 2_000 })
  assert.equal(overload.isSlow(1_500), true)
  take(1, { delayMs: 20, nextAt: 2_000 })
  assert.equal(overload.isSlow(1_500), false)
})

test('however long the event loop was held up, who has not waited is not refused', () => {
  const { overload, take, logged } = open()
  take(100, { delayMs: 10_000 })
  assert.equal(overload.refusal(0), undefined)
  assert.deepEqual(logged, [])
})

test('who has waited for longer than the limit is refused, may come back soon, and is counted', () => {
  const { overload } = open()
  assert.equal(overload.refusal(200), undefined)
  const refusal = overload.refusal(201)
  assert.deepEqual([refusal?.reason, refusal?.retryAfterMs, refusal?.reached], ['OVERLOADED', 1_000, false])
  assert.deepEqual([overload.eventLoop.total, overload.heap.total], [1, 0])
})

test('one line tells of the first refusal, one that there was none for two seconds', () => {
  const { overload, take, logged } = open()
  for (let i = 0; i < 50; i++) {
    overload.refusal(300)
    overload.refusal(300)
    take(99, {})
  }
  assert.deepEqual(logged, ['event_loop: overloaded: new requests are refused'])
  assert.equal(overload.eventLoop.isOn, true)
  take(1, {})
  assert.deepEqual(logged.slice(1), ['event_loop: no longer overloaded (100)'])
  assert.equal(overload.eventLoop.isOn, false)
  overload.refusal(300)
  take(200, {})
  assert.deepEqual(logged.slice(2), [
    'event_loop: overloaded: new requests are refused',
    'event_loop: no longer overloaded (1)',
  ])
})

test('while the heap is full all are refused, until there is some room; a collection of garbage that is due is waited for', () => {
  const { overload, take } = open()
  take(24, { heapPercent: 95 })
  take(1, { heapPercent: 80 })
  take(24, { heapPercent: 95 })
  assert.equal(overload.refusal(0), undefined)
  take(1, { heapPercent: 95 })
  assert.equal(overload.refusal(0)?.reason, 'OVERLOADED')
  take(50, { heapPercent: 86 })
  assert.equal(overload.refusal(0)?.reason, 'OVERLOADED')
  take(1, { heapPercent: 84 })
  assert.equal(overload.refusal(0), undefined)
  assert.deepEqual([overload.heap.total, overload.eventLoop.total], [2, 0])
})

test('each limit can be off by itself, and nothing is watched where both are', () => {
  const noDelay = open({ eventLoopDelayMs: 0 })
  noDelay.take(100, { delayMs: 5_000, nextAt: 0 })
  assert.deepEqual([noDelay.overload.isSlow(1e9), noDelay.overload.refusal(5_000)], [false, undefined])
  const noHeap = open({ heapPercent: 0 })
  noHeap.take(100, { heapPercent: 100 })
  assert.equal(noHeap.overload.refusal(0), undefined)
  assert.equal(open({ eventLoopDelayMs: 0, heapPercent: 0 }).listeners.length, 0)
  const { overload, listeners } = open()
  assert.equal(listeners.length, 1)
  overload.close()
  assert.equal(listeners.length, 0)
})
