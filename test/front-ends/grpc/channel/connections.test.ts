import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../../until.ts'
import { startBackend } from './backend.ts'
import { begin, call, openFast } from './channels.ts'
import { ACK, answer, frame, type Peer, settings, startRaw, types, words } from './raw-server.ts'

// Connections of the gateway's own client: how many, how long, and what flows over them.

/** Answers every call of a peer as soon as it comes. */
async function answerAll(peer: Peer, opening = settings()): Promise<void> {
  peer.write(opening)
  for (let id = 1; ; id += 2) {
    await peer.frame(types.headers, id)
    peer.write(answer(id))
  }
}

test('MAX_CONCURRENT_STREAMS is kept, over four connections at the most, and calls wait their turn', async () => {
  const backend = await startBackend({ server: { 'grpc.max_concurrent_streams': 5 } })
  const channel = openFast(backend.url)
  let most = 0
  let running = 0
  const one = async (): Promise<number> => {
    const { stream, done } = begin(
      channel,
      { path: '/test.Test/SlowEcho' },
      {
        head: () => {
          most = Math.max(most, ++running)
        },
        end: () => running--,
      },
    )
    void stream
    return (await done).end.code
  }
  const codes = await Promise.all(Array.from({ length: 200 }, one))
  assert.ok(codes.every((code) => code === 0))
  assert.ok(most <= 20, String(most))
  channel.close()
  backend.close()
})

test('a second connection is opened only when the first is full, a fifth never', async () => {
  const server = await startRaw((peer) => peer.write(settings([3, 2])))
  const channel = openFast(server.url)
  const sent = Array.from({ length: 8 }, () => begin(channel, { timeoutMs: 0 }))
  const waiting = await Promise.all(Array.from({ length: 12 }, () => call(channel, { timeoutMs: 200 })))
  assert.equal(server.peers.length, 4)
  assert.ok(waiting.every(({ end }) => end.failure === 'deadline' && !end.reached))
  for (const { stream } of sent) stream.cancel()
  const told = await Promise.all(sent.map(({ done }) => done))
  assert.ok(told.every(({ end }) => end.failure === 'cancelled' && end.reached))
  channel.close()
  server.close()
})

test('a limit of calls that is raised lets the waiting ones go', async () => {
  const server = await startRaw(async (peer) => {
    peer.write(settings([3, 0]))
    await peer.frame(types.settings)
    setTimeout(() => peer.write(settings([3, 1])), 30)
    await answerAll(peer, Buffer.alloc(0))
  })
  const channel = openFast(server.url, { maxConnections: 1 })
  const told = await Promise.all([call(channel), call(channel)])
  assert.deepEqual(
    told.map(({ end }) => end.code),
    [0, 0],
  )
  channel.close()
  server.close()
})

test('GOAWAY in the middle: calls up to its id go on, those above were not reached, new ones go elsewhere', async () => {
  let connections = 0
  const server = await startRaw(async (peer) => {
    if (++connections > 1) return answerAll(peer)
    peer.write(settings())
    await peer.frame(types.headers, 5)
    peer.write(frame(types.goaway, 0, 0, words(1, 0)))
    await new Promise((resolve) => setTimeout(resolve, 30))
    peer.write(answer(1))
  })
  const channel = openFast(server.url)
  const calls = [call(channel), call(channel), call(channel)]
  const refused = await Promise.all(calls.slice(1))
  assert.deepEqual(
    refused.map(({ end }) => [end.failure, end.reached]),
    Array(2).fill(['refusedStream', false]),
  )
  const next = await call(channel)
  const [first] = await Promise.all(calls.slice(0, 1))
  assert.deepEqual([first?.end.code, next.end.code, connections], [0, 0, 2])
  await until(() => server.peers[0]?.socket.destroyed === true)
  channel.close()
  server.close()
})

test('a connection without calls is closed after idleTimeoutMs, and a new one serves the next call', async () => {
  const server = await startRaw(answerAll)
  const channel = openFast(server.url, { idleTimeoutMs: 60 })
  assert.equal((await call(channel)).end.code, 0)
  await until(() => server.peers[0]?.socket.destroyed === true)
  assert.equal(server.peers[0]?.frames.at(-1)?.type, types.goaway)
  assert.equal((await call(channel)).end.code, 0)
  assert.equal(server.peers.length, 2)
  channel.close()
  server.close()
})

test('PING is answered with what it brought', async () => {
  const server = await startRaw(async (peer) => {
    peer.write(settings(), frame(types.ping, 0, 0, Buffer.from('12345678')))
    await answerAll(peer, Buffer.alloc(0))
  })
  const channel = openFast(server.url)
  await call(channel)
  const pong = await server.peers[0]?.frame(types.ping)
  assert.deepEqual([pong?.flags, String(pong?.payload)], [ACK, '12345678'])
  channel.close()
  server.close()
})

test('keepalive: a server that answers PING is kept, one that does not is given up', async () => {
  let deaf = false
  const server = await startRaw(async (peer) => {
    peer.write(settings())
    for (let pings = 0; !deaf; pings++) {
      await until(() => peer.frames.filter(({ type }) => type === types.ping).length > pings)
      if (!deaf) peer.write(frame(types.ping, ACK, 0, Buffer.alloc(8)))
    }
  })
  const channel = openFast(server.url, { keepaliveMs: 1, keepaliveTimeoutMs: 100 })
  const { done, stream } = begin(channel, {})
  await until(() => (server.peers[0]?.frames ?? []).some(({ type }) => type === types.ping))
  deaf = true
  const { end } = await done
  assert.deepEqual([end.failure, end.reached], ['reset', true])
  assert.match(end.message, /keepalive/)
  stream.cancel()
  channel.close()
  server.close()
})

test('after a failed attempt calls fail at once until the next attempt, with the same reason', async () => {
  const server = await startRaw(({ socket }) => void socket.end())
  const channel = openFast(server.url)
  const told = await Promise.all(Array.from({ length: 20 }, () => call(channel)))
  for (let i = 0; i < 20; i++) told.push(await call(channel))
  assert.ok(told.every(({ end }) => end.failure === 'reset' && !end.reached))
  assert.ok(server.peers.length <= 3, String(server.peers.length))
  channel.close()
  server.close()
})

test('calls of one turn go out in one piece', async () => {
  const server = await startRaw(answerAll)
  const channel = openFast(server.url)
  await call(channel)
  const sizes: number[] = []
  server.peers[0]?.socket.on('data', (chunk: Buffer) => sizes.push(chunk.length))
  await Promise.all(Array.from({ length: 50 }, () => call(channel)))
  assert.equal(sizes.length, 1)
  channel.close()
  server.close()
})

test('the deadline is sent as what is left of it, and no deadline as none', async () => {
  const server = await startRaw((peer) => answerAll(peer))
  const channel = openFast(server.url)
  await call(channel, { timeoutMs: 1_500 })
  await call(channel, { timeoutMs: 0 })
  await call(channel, { timeoutMs: 500_000_000 })
  const blocks = (server.peers[0]?.frames ?? [])
    .filter(({ type }) => type === types.headers)
    .map(({ payload }) => String(payload))
  assert.match(blocks[0] ?? '', /grpc-timeout.1\d{3}m/s)
  assert.doesNotMatch(blocks[1] ?? '', /grpc-timeout/)
  assert.match(blocks[2] ?? '', /grpc-timeout.500000S/s)
  channel.close()
  server.close()
})
