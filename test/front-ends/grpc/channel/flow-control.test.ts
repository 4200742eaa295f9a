import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../../until.ts'
import { startBackend } from './backend.ts'
import { begin, call, openFast } from './channels.ts'
import {
  answer,
  END_HEADERS,
  END_STREAM,
  frame,
  grpc,
  okHead,
  okTrailers,
  type Peer,
  settings,
  startRaw,
  types,
  words,
} from './raw-server.ts'

// Windows of the gateway's own client, both ways.

/** Answers every call of a peer as soon as it comes. */
async function answerAll(peer: Peer, opening = settings()): Promise<void> {
  peer.write(opening)
  for (let id = 1; ; id += 2) {
    await peer.frame(types.headers, id)
    peer.write(answer(id))
  }
}

test('the windows of the peer are kept, and a changed INITIAL_WINDOW_SIZE holds for calls that run', async () => {
  const arrived = (peer: Peer): number =>
    peer.frames
      .filter(({ type }) => type === types.data)
      .reduce((sum, { payload }) => sum + payload.length, 0)
  const steps: number[] = []
  const server = await startRaw(async (peer) => {
    const settle = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 40))
    peer.write(settings([4, 1_000]))
    await peer.frame(types.headers)
    await settle()
    steps.push(arrived(peer))
    peer.write(settings([4, 3_000]))
    await settle()
    steps.push(arrived(peer))
    peer.write(settings([4, 500]), frame(types.windowUpdate, 0, 1, words(2_500)))
    await settle()
    steps.push(arrived(peer))
    peer.write(frame(types.windowUpdate, 0, 1, words(1_000_000)))
    await settle()
    steps.push(arrived(peer))
    peer.write(frame(types.windowUpdate, 0, 0, words(1_000_000)))
    await until(() => peer.frames.some(({ type, flags }) => type === types.data && flags === END_STREAM))
    steps.push(arrived(peer))
    peer.write(answer(1))
  })
  const channel = openFast(server.url)
  const { end } = await call(channel, { message: Buffer.alloc(200_000) })
  assert.deepEqual([steps, end.code], [[1_000, 3_000, 3_000, 65_535, 200_005], 0])
  assert.ok(server.peers[0]?.frames.every(({ payload }) => payload.length <= 16_384))
  channel.close()
  server.close()
})

test('a larger MAX_FRAME_SIZE is used', async () => {
  const server = await startRaw((peer) => {
    peer.write(frame(types.windowUpdate, 0, 0, words(1_000_000)).subarray(0, 0))
    return answerAll(peer, settings([5, 40_000]))
  })
  const channel = openFast(server.url)
  const { end } = await call(channel, { message: Buffer.alloc(60_000) })
  assert.equal(end.code, 0)
  await until(() =>
    (server.peers[0]?.frames ?? []).some(
      ({ type, payload }) => type === types.data && payload.length === 40_000,
    ),
  )
  channel.close()
  server.close()
})

test('a stream that is not read stops a backend of 100,000 messages, and memory stays flat; others go on', async () => {
  const backend = await startBackend()
  const channel = openFast(backend.url)
  const request = {
    path: '/test.Test/Count',
    message: Buffer.from('100000 1000'),
    serverStreaming: true,
    timeoutMs: 0,
  }
  let got = 0
  const { promise: ended, resolve } = Promise.withResolvers<number>()
  const before = process.memoryUsage().rss
  const stream = channel.start(
    { metadata: [], ...request },
    { head() {}, message: () => got++, end: ({ code }) => resolve(code) },
  )
  stream.pause()
  await call(channel)
  let sent = -1
  while (sent !== backend.seen.sent) {
    sent = backend.seen.sent
    await new Promise((done) => setTimeout(done, 100))
    assert.equal((await call(channel)).end.code, 0)
  }
  assert.ok(sent < 2_000, `${sent} were sent`)
  assert.ok(process.memoryUsage().rss - before < 64 * 1_048_576)
  assert.equal(got, 0)
  stream.resume()
  const code = await ended
  assert.deepEqual([got, code], [100_000, 0])
  channel.close()
  backend.close()
})

test('DATA beyond the window of a stream that is not read ends the call', async () => {
  const server = await startRaw(async (peer) => {
    peer.write(settings())
    await peer.frame(types.headers)
    peer.write(frame(1, END_HEADERS, 1, okHead), frame(0, 0, 1, grpc('first')))
    for (let i = 0; i < 20; i++) peer.write(frame(0, 0, 1, grpc(Buffer.alloc(16_000))))
  })
  const channel = openFast(server.url)
  const { stream, done } = begin(channel, { serverStreaming: true }, { message: () => stream.pause() })
  const { end, messages } = await done
  assert.deepEqual([end.failure, messages.length], ['protocol', 1])
  assert.equal((await server.peers[0]?.frame(types.rstStream))?.payload.readUInt32BE(0), 3)
  channel.close()
  server.close()
})

test('a client stream to a backend that does not read is told to wait, and cancelled with its call', async () => {
  const backend = await startBackend()
  const channel = openFast(backend.url)
  const { stream, done } = begin(channel, { path: '/test.Test/Deaf', message: undefined, timeoutMs: 0 })
  let sent = 0
  const message = Buffer.alloc(50_000)
  for (let full = 0; full < 20; ) {
    if (stream.sendMessage(message)) sent++
    else {
      full++
      if (full === 1) sent++
      await new Promise((resolve) => setTimeout(resolve, 5))
      break
    }
  }
  assert.ok(sent < 100, String(sent))
  await until(() => backend.seen.calls === 1)
  stream.cancel()
  assert.equal((await done).end.failure, 'cancelled')
  await until(() => backend.seen.cancelled === 1)
  channel.close()
  backend.close()
})

test('a backend with endless windows that does not read its socket is not buffered for', async () => {
  const server = await startRaw((peer) => {
    peer.write(settings([4, 0x7fff_ffff]), frame(types.windowUpdate, 0, 0, words(0x7fff_0000)))
    peer.socket.pause()
  })
  const channel = openFast(server.url)
  let drained = (): void => {}
  const { stream, done } = begin(channel, { message: undefined }, { drain: () => drained() })
  const message = Buffer.alloc(50_000)
  let sent = 0
  for (let stuck = false; !stuck && sent < 100_000_000; ) {
    sent += message.length
    if (stream.sendMessage(message)) continue
    const drain = new Promise<boolean>((resolve) => {
      drained = () => resolve(false)
    })
    stuck = await Promise.race([drain, new Promise<boolean>((resolve) => setTimeout(resolve, 300, true))])
  }
  assert.ok(sent < 50_000_000, `${sent} bytes were taken`)
  stream.cancel()
  await done
  channel.close()
  server.close()
})

test('an answer before the request is complete ends the call and the request', async () => {
  const server = await startRaw(async (peer) => {
    peer.write(settings())
    await peer.frame(types.data)
    peer.write(
      frame(1, END_HEADERS, 1, okHead),
      frame(0, 0, 1, grpc('enough')),
      frame(1, END_HEADERS | END_STREAM, 1, okTrailers),
    )
  })
  const channel = openFast(server.url)
  const { stream, done } = begin(channel, { message: undefined })
  stream.sendMessage(Buffer.from('a'))
  const { messages, end } = await done
  assert.deepEqual([String(messages[0]), end.code], ['enough', 0])
  assert.equal((await server.peers[0]?.frame(types.rstStream))?.payload.readUInt32BE(0), 0)
  assert.equal(stream.sendMessage(Buffer.from('b')), true)
  stream.halfClose()
  channel.close()
  server.close()
})

test('a receiver that throws loses its own call only', async () => {
  const backend = await startBackend()
  const channel = openFast(backend.url)
  const other = call(channel, { path: '/test.Test/SlowEcho' })
  const { done } = begin(
    channel,
    {},
    {
      message: () => {
        throw new Error('no')
      },
    },
  )
  assert.equal((await done).end.failure, 'cancelled')
  assert.equal((await other).end.code, 0)
  channel.close()
  backend.close()
})
