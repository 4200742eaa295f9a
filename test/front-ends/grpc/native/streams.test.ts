import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { Metadata, type StatusObject, status } from '@grpc/grpc-js'
import { frame } from '../../../../src/front-ends/grpc/native/message-frame.ts'
import { createApiKey, hashApiKey } from '../../../../src/plugins/identity/api-key.ts'
import { askHttp2, connectHttp2 } from '../../../listener/http2-client.ts'
import { untilSteady } from '../streaming/relay.ts'
import { type Item, openRelay } from './relay-world.ts'

const sumHead = { ':path': '/relay.v1.Relay/Sum', ':method': 'POST', 'content-type': 'application/grpc' }

test('a client stream of grpc-js passes through message by message, and is logged and counted', async (t) => {
  const { sum, logged, url } = await openRelay(t)
  const { call, done } = sum()
  for (let number = 1; number <= 1_000; number++) call.write({ number })
  call.end()
  const { total, error } = await done
  assert.deepEqual([Number(total?.count), Number(total?.sum), error], [1_000, 500_500, null])
  const line = await logged((entry) => entry['rpc.method'] === 'Sum')
  assert.deepEqual([line['gateway.protocol'], line['rpc.grpc.status_code']], ['grpc', 0])
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /gateway_requests_total\{protocol="grpc",route="relay.v1.Relay\/Sum"[^}]*\} 1/)
})

test('a bidirectional stream is a conversation: each answer before the next question, then both half-closes', async (t) => {
  const { echo } = await openRelay(t)
  const call = echo()
  const ended = once(call, 'status')
  for (let number = 1; number <= 20; number++) {
    call.write({ number })
    const [item] = (await once(call, 'data')) as [Item]
    assert.equal(Number(item.number), number)
  }
  call.end()
  const [end] = (await ended) as [StatusObject]
  assert.equal(end.code, 0)
})

test('a stream without any message is one', async (t) => {
  const { sum, echo } = await openRelay(t)
  const { call, done } = sum()
  call.end()
  assert.equal(Number((await done).total?.count), 0)
  const both = echo()
  both.resume().end()
  const [end] = (await once(both, 'status')) as [StatusObject]
  assert.equal(end.code, 0)
})

test('a backend that answers or fails before the stream is complete ends it', async (t) => {
  const { sum, echo, seen } = await openRelay(t)
  const early = sum()
  early.call.write({ number: 1, please: 'answer' })
  assert.equal((await early.done).total?.text, 'early')
  const failed = sum()
  failed.call.write({ number: 1, please: 'fail' })
  assert.deepEqual(
    [(await failed.done).error?.code, (await failed.done).error?.details],
    [status.FAILED_PRECONDITION, 'as asked'],
  )
  const both = echo()
  both.resume()
  both.write({ number: 1 })
  both.write({ please: 'fail' })
  const end = await new Promise<StatusObject>((resolve) => both.on('status', resolve))
  assert.deepEqual([end.code, seen.items > 0], [status.FAILED_PRECONDITION, true])
})

for (const kind of ['sum', 'echo'] as const) {
  test(`${kind}: a client that cancels cancels at the backend`, async (t) => {
    const world = await openRelay(t)
    const call = kind === 'sum' ? world.sum().call : world.echo()
    call.write({ number: 1 })
    while (world.seen.items === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    call.cancel()
    await world.seen.cancelled
    await world.logged((line) => line['gateway.error.reason'] === 'CLIENT_GONE')
  })

  test(`${kind}: a deadline that passes ends the stream, at the backend too`, async (t) => {
    const world = await openRelay(t)
    const code = Promise.withResolvers<number>()
    const call =
      kind === 'sum' ? world.sum({ deadlineMs: 300 }).call : world.echo({ deadlineMs: 300 }).resume()
    call.on('status', (end: StatusObject) => code.resolve(end.code))
    call.write({ number: 1 })
    assert.equal(await code.promise, status.DEADLINE_EXCEEDED)
    await world.seen.cancelled
  })

  test(`${kind}: a refusal is a status with its details`, async (t) => {
    const keys = [{ hash: hashApiKey(createApiKey('test')) }]
    const world = await openRelay(t, {}, { consumers: [{ id: 'acme', keys }] })
    const end = Promise.withResolvers<StatusObject>()
    const call = kind === 'sum' ? world.sum().call : world.echo().resume()
    call.on('status', end.resolve)
    call.write({ number: 1 })
    const { code, metadata } = await end.promise
    assert.deepEqual([code, world.seen.items], [status.UNAUTHENTICATED, 0])
    assert.ok(metadata.get('grpc-status-details-bin').length === 1)
  })
}

test('the timeout of the service ends a stream', async (t) => {
  const { sum } = await openRelay(t, { auth: 'none', timeout: '200ms' })
  const { call, done } = sum()
  call.write({ number: 1 })
  assert.equal((await done).error?.code, status.DEADLINE_EXCEEDED)
})

test('a stream may be silent for longer than a body may take', async (t) => {
  const { echo } = await openRelay(t, { auth: 'none' }, { server: { limits: { bodyTimeout: '1s' } } })
  const call = echo()
  call.write({ number: 1 })
  await once(call, 'data')
  await new Promise((resolve) => setTimeout(resolve, 3_500))
  call.write({ number: 2 })
  const [item] = (await once(call, 'data')) as [Item]
  assert.equal(Number(item.number), 2)
  call.end()
  call.resume()
  const [end] = (await once(call, 'status')) as [StatusObject]
  assert.equal(end.code, 0)
})

test('a stream counts until it ends: another one waits for that, a third is refused', async (t) => {
  const concurrency = { max: 1, queue: 1, queueTimeout: '1m' }
  const { echo, gateway } = await openRelay(t, { auth: 'none' }, { upstream: { concurrency } })
  const until = async (metric: string): Promise<void> => {
    while (!(await gateway.metrics.metrics()).includes(`${metric}\n`)) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const first = echo()
  first.write({ number: 1 })
  await once(first, 'data')
  const second = echo()
  second.write({ number: 2 })
  await until('gateway_upstream_queued{upstream="relay"} 1')
  const third = echo()
  third.resume()
  const refused = await new Promise<StatusObject>((resolve) => third.once('status', resolve))
  assert.deepEqual(
    [refused.code, refused.details],
    [status.UNAVAILABLE, 'Upstream "relay" is busy: its queue is full.'],
  )
  first.end()
  const [item] = (await once(second, 'data')) as [Item]
  assert.equal(Number(item.number), 2)
  second.end()
  second.resume()
  await until('gateway_upstream_in_flight{upstream="relay"} 0')
})

test('a backend that does not read holds its client up', async (t) => {
  const { url, method, seen } = await openRelay(t)
  const session = await connectHttp2(t, url)
  const stream = session.request(sumHead)
  const padded = frame(0, method('Sum').requestSerialize({ number: 1, padding: Buffer.alloc(10_000) }))
  stream.write(frame(0, method('Sum').requestSerialize({ please: 'sleep' })))
  let taken = 0
  const write = (): void => {
    while (taken < 2_000) {
      taken++
      if (!stream.write(padded)) {
        stream.once('drain', write)
        return
      }
    }
    stream.end()
  }
  write()
  const held = await untilSteady(() => taken)
  assert.ok(held < 1_000, `${held} of 2,000 messages were taken`)
  seen.wake()
  stream.resume()
  const [trailers] = await once(stream, 'trailers')
  assert.equal(trailers['grpc-status'], '0')
  assert.equal(seen.items, 2_001)
})

test('a client that reads nothing holds up what it sends itself', async (t) => {
  const { url, method, seen } = await openRelay(t)
  const session = await connectHttp2(t, url)
  const stream = session.request({ ...sumHead, ':path': '/relay.v1.Relay/Echo' })
  const padded = frame(0, method('Sum').requestSerialize({ number: 1, padding: Buffer.alloc(10_000) }))
  let taken = 0
  const write = (): void => {
    while (taken < 2_000) {
      taken++
      if (!stream.write(padded)) {
        stream.once('drain', write)
        return
      }
    }
    stream.end()
  }
  write()
  await untilSteady(() => taken)
  assert.ok(seen.items < 1_000, `${seen.items} of 2,000 messages got through`)
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  const [trailers] = await once(stream, 'trailers')
  assert.equal(trailers['grpc-status'], '0')
  assert.ok(bytes >= padded.length * 2_000)
})

test('compressed messages among others are unpacked, in their order', async (t) => {
  const { url, method } = await openRelay(t)
  const item = (number: number): Buffer => method('Sum').requestSerialize({ number, label: String(number) })
  const body = Buffer.concat([
    frame(0, item(1)),
    frame(1, gzipSync(item(2))),
    frame(0, item(3)),
    frame(1, gzipSync(item(4))),
    frame(0, item(5)),
  ])
  const session = await connectHttp2(t, url)
  const answer = await askHttp2(session, { ...sumHead, 'grpc-encoding': 'gzip' }, body)
  assert.equal(answer.trailers['grpc-status'], '0')
  const total = method('Sum').responseDeserialize(answer.body.subarray(5)) as { text: string }
  assert.equal(total.text, '1 2 3 4 5')
})

for (const [what, clientOptions] of [
  ['gzip', { 'grpc.default_compression_algorithm': 2 }],
  ['nothing', {}],
] as const) {
  test(`messages of 4 MB go both ways, compressed by ${what}`, async (t) => {
    const { echo } = await openRelay(t, { auth: 'none' }, { clientOptions, grpc: { messageBytes: '5mb' } })
    const call = echo()
    const padding = Buffer.alloc(4_194_304 - 100, 'abcdefgh')
    for (let number = 0; number < 3; number++) {
      call.write({ number, padding })
      const [item] = (await once(call, 'data')) as [Item]
      assert.ok(item.padding?.equals(padding))
    }
    call.resume().end()
    const [end] = (await once(call, 'status')) as [StatusObject]
    assert.equal(end.code, 0)
  })
}

const valid = Buffer.from([0, 0, 0, 0, 2, 8, 1])

for (const [name, body, encoding, code] of [
  ['a flag that means nothing', Buffer.concat([valid, Buffer.from([7, 0, 0, 0, 0])]), undefined, '3'],
  ['half a prefix behind a message', Buffer.concat([valid, Buffer.from([0, 0])]), undefined, '3'],
  ['half a message', Buffer.from([0, 0, 0, 0, 9, 1]), undefined, '3'],
  ['a message above the limit', Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]), undefined, '8'],
  ['compression that is not named', Buffer.from([1, 0, 0, 0, 1, 0]), undefined, '3'],
  ['no gzip', Buffer.from([1, 0, 0, 0, 1, 0]), 'gzip', '3'],
  ['half of a gzip', frame(1, gzipSync(Buffer.alloc(1_000)).subarray(0, 20)), 'gzip', '3'],
  ['an encoding that is not known', Buffer.from([1, 0, 0, 0, 1, 0]), 'snappy', '12'],
  ['a compressed bomb', frame(1, gzipSync(Buffer.alloc(60_000_000))), 'gzip', '8'],
] as const) {
  for (const path of ['Sum', 'List']) {
    test(`${path}: ${name} is status ${code}`, async (t) => {
      const { url } = await openRelay(t, { auth: 'none' }, { grpc: { messageBytes: '100kb' } })
      const session = await connectHttp2(t, url)
      const head = { ...sumHead, ':path': `/relay.v1.Relay/${path}` }
      const {
        headers,
        status: http,
        trailers,
      } = await askHttp2(
        session,
        encoding === undefined ? head : { ...head, 'grpc-encoding': encoding },
        body,
      )
      assert.deepEqual([http, trailers['grpc-status']], [200, code])
      if (code === '12') assert.equal(headers['grpc-accept-encoding'], 'identity,gzip')
      // The connection and the process live on.
      const after = await askHttp2(session, sumHead, valid)
      assert.equal(after.trailers['grpc-status'], '0')
    })
  }
}

test('metadata goes ahead of the first message of a stream', async (t) => {
  const { echo } = await openRelay(t)
  const metadata = new Metadata()
  metadata.set('x-own-bin', Buffer.from([0, 255]))
  const call = echo({ metadata })
  call.write({ number: 1 })
  const [head] = (await once(call, 'metadata')) as [Metadata]
  assert.match(String(head.get('x-request-id')[0]), /^[0-9a-f-]{36}$/)
  call.cancel()
})

test('memory does not grow with the messages of a stream', async (t) => {
  const { echo } = await openRelay(t)
  const call = echo()
  const padding = Buffer.alloc(100)
  let read = 0
  call.on('data', () => read++)
  const send = async (messages: number): Promise<void> => {
    for (let i = 0; i < messages; i++) {
      if (!call.write({ number: i, padding })) await once(call, 'drain')
    }
    const goal = sent + messages
    while (read < goal) await new Promise((resolve) => setTimeout(resolve, 5))
    sent = goal
  }
  let sent = 0
  await send(10_000)
  const before = heapNow()
  await send(40_000)
  const after = heapNow()
  t.diagnostic(`heap ${before} -> ${after} bytes over 40,000 messages, rss ${process.memoryUsage.rss()}`)
  assert.ok(after - before < 5_000_000, `${after - before} bytes more`)
  call.end()
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function heapNow(): number {
  collectGarbage()
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
