import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../src/core/log.ts'
import { Call, type Transport } from '../../src/traffic/call.ts'
import { Destination } from '../../src/traffic/destination.ts'
import { dispatch } from '../../src/traffic/dispatch.ts'
import { AnswerDigest, maxComparedBytes } from '../../src/traffic/mirror/answer-digest.ts'
import { Mirror, type MirrorCounts, type MirrorOptions } from '../../src/traffic/mirror/mirror.ts'
import { SparseLog } from '../../src/traffic/mirror/sparse-log.ts'
import { exchange, host } from '../plugins/harness.ts'
import { plainUpstream } from './plain-upstream.ts'

class PlainCall extends Call {
  readonly method = 'GET'
}

/** Carries nothing anywhere: originals are answered at once, copies as `answer` says. */
function plainTransport(answer: () => Promise<void>): Transport<PlainCall, void> {
  return {
    send: async () => {},
    mirror: (call, copy) => {
      const make = (): PlainCall => new PlainCall(call.exchange, copy.destination, copy.callOptions(call))
      copy.ready(make, { send: answer })
    },
  }
}

function newCounts(): MirrorCounts {
  const [sent, same, different, failed, skipped] = Array.from({ length: 5 }, () => ({ value: 0 }))
  return { sent, same, different, failed, skipped } as MirrorCounts
}

function open(t: TestContext, options: Partial<MirrorOptions> = {}, { streamed = false } = {}) {
  const stable = plainUpstream('stable', ['http://127.0.0.1:1'])
  const next = plainUpstream('next', ['http://127.0.0.1:2'])
  t.after(() => Promise.all([stable.close(), next.close()]))
  const counts = newCounts()
  const mirror = new Mirror({
    place: 'test',
    upstream: next,
    percent: 100,
    maxBodyBytes: 1_000,
    maxInFlight: 10,
    timeoutMs: 60_000,
    compare: false,
    counts,
    log: silentLog,
    ...options,
  })
  const destination = new Destination('test', stable, { mirror })
  const callOf = (): PlainCall =>
    new PlainCall(exchange(), destination, {
      headers: ['a', 'b'],
      idempotent: true,
      replayable: true,
      streamed,
    })
  return { stable, next, mirror, counts, callOf }
}

/** After all that was put off until now. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

test('a share is chosen at random', async (t) => {
  const drawn = [0, 0.0999, 0.1, 0.5, 0.9999]
  const { callOf, counts } = open(t, { percent: 10, random: () => drawn.shift() ?? 1 })
  const transport = plainTransport(async () => {})
  for (let i = 0; i < 5; i++) await dispatch(callOf(), transport)
  await nextTurn()
  assert.equal(counts.sent.value, 2)
})

test('every share is met within five standard deviations', async (t) => {
  const calls = 4_000
  for (const percent of [0, 0.5, 1, 25, 99, 100]) {
    const { callOf, counts } = open(t, { percent })
    const transport = plainTransport(async () => {})
    for (let i = 0; i < calls; i++) {
      await dispatch(callOf(), transport)
      await nextTurn()
    }
    const share = percent / 100
    const bound = 5 * Math.sqrt(calls * share * (1 - share))
    const { sent, skipped } = counts
    assert.ok(
      Math.abs(sent.value - calls * share) <= bound,
      `${sent.value} of ${calls} at ${percent} percent`,
    )
    assert.equal(skipped.value, 0)
  }
})

test('nothing of the original waits for the copy, nor knows of it', async (t) => {
  const answer = Promise.withResolvers<void>()
  const order: string[] = []
  const { callOf, next, counts } = open(t)
  const transport = plainTransport(() => {
    order.push('copy')
    return answer.promise
  })
  const call = callOf()
  const send = transport.send
  transport.send = async (attempt) => {
    order.push('original')
    await send(attempt)
  }
  await dispatch(call, transport)
  order.push('answered')
  await nextTurn()
  assert.deepEqual(order, ['original', 'answered', 'copy'])
  assert.equal(next.endpoints[0]?.active, 1)
  assert.deepEqual(call.exchange.calls, [call])
  assert.deepEqual(call.headers, ['a', 'b'])
  call.exchange.markGone()
  await nextTurn()
  assert.equal(next.endpoints[0]?.active, 1, 'the client has left, the copy goes on')
  answer.resolve()
  await nextTurn()
  assert.deepEqual([next.endpoints[0]?.active, counts.sent.value], [0, 1])
})

test('an error of any kind ends the copy, and nothing else', async (t) => {
  const { callOf, counts, mirror } = open(t)
  const transport = plainTransport(async () => {
    throw new TypeError('a bug')
  })
  await dispatch(callOf(), transport)
  const broken: typeof transport = {
    send: transport.send,
    mirror: (_call, copy) => {
      copy.ready(() => {
        throw new Error('another one')
      }, transport)
    },
  }
  await dispatch(callOf(), broken)
  await nextTurn()
  assert.deepEqual([counts.failed.value, mirror.inFlight], [2, 0])
})

test('what streams, what the other upstream serves, and what cannot be copied is not copied', async (t) => {
  const transport = plainTransport(async () => {})
  const streams = open(t, {}, { streamed: true })
  await dispatch(streams.callOf(), transport)
  const { callOf, next, counts } = open(t)
  const released = callOf()
  released.upstream = next
  await dispatch(released, transport)
  await dispatch(callOf(), { send: transport.send })
  await nextTurn()
  for (const { value } of [...Object.values(counts), ...Object.values(streams.counts)]) assert.equal(value, 0)
})

test('a mirror that never answers holds as many copies as it may, for as long as it may', async (t) => {
  const { callOf, counts, mirror, next } = open(t, { maxInFlight: 7, timeoutMs: 50 })
  const transport = plainTransport(async () => {})
  let cancelled = 0
  transport.mirror = (call, copy) => {
    const make = (): PlainCall => new PlainCall(call.exchange, copy.destination, copy.callOptions(call))
    copy.ready(make, {
      send: (attempt) =>
        new Promise((_, reject) => {
          attempt.onCancel((error) => {
            cancelled++
            reject(error)
          })
        }),
    })
  }
  for (let i = 0; i < 20; i++) await dispatch(callOf(), transport)
  assert.deepEqual([mirror.inFlight, counts.skipped.value], [7, 13])
  while (mirror.inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual([cancelled, counts.failed.value, next.endpoints[0]?.active], [7, 7, 0])
})

test('copies that are under way when the configuration ends have a second', async (t) => {
  const { callOf, counts, mirror } = open(t)
  const answer = Promise.withResolvers<void>()
  const transport = plainTransport(() => answer.promise)
  await dispatch(callOf(), transport)
  await nextTurn()
  const closed = mirror.close()
  await dispatch(callOf(), transport)
  answer.resolve()
  await closed
  assert.deepEqual([counts.sent.value, counts.skipped.value, mirror.inFlight], [1, 1, 0])
  await mirror.close()
})

test('answers are compared up to a mebibyte, in whatever pieces they come', () => {
  const body = Buffer.alloc(maxComparedBytes + 10, 'a')
  const digestOf = (status: number, ...chunks: Buffer[]): AnswerDigest => {
    const digest = new AnswerDigest()
    digest.begin(status)
    for (const chunk of chunks) digest.update(chunk)
    return digest
  }
  const pieces = [body.subarray(0, 1), body.subarray(1, 700_000), body.subarray(700_000)]
  assert.equal(digestOf(200, ...pieces).differenceTo(digestOf(200, body)), undefined)
  const cut = body.subarray(0, maxComparedBytes)
  assert.equal(digestOf(200, body).differenceTo(digestOf(200, cut)), undefined)
  assert.equal(digestOf(200, body).differenceTo(digestOf(200, cut.subarray(1))), 'body')
  assert.equal(digestOf(200).differenceTo(digestOf(200, Buffer.alloc(0))), undefined)
  assert.equal(digestOf(200).differenceTo(digestOf(404)), 'status')
})

test('the log has one line in ten seconds, which says how many there would have been', () => {
  const { log, logged } = host()
  let now = 0
  const sparse = new SparseLog(log, () => now)
  let asked = 0
  const warn = (): void => sparse.warn(() => ({ asked: ++asked }), 'again')
  for (let i = 0; i < 1_000; i++) warn()
  now = 9_999
  warn()
  now = 10_000
  warn()
  assert.deepEqual(
    logged.map(({ fields, message }) => [fields, message]),
    [
      [{ asked: 1, unwritten: 0 }, 'again'],
      [{ asked: 2, unwritten: 1_000 }, 'again'],
    ],
  )
})
