import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { until } from '../../../until.ts'
import { call, openFast } from './channels.ts'
import type { Move } from './hostile.ts'
import {
  ACK,
  answer,
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  grpc,
  hex,
  okHead,
  okTrailers,
  PADDED,
  settings,
  startRaw,
  types,
} from './raw-server.ts'

// Servers that begin wrong, break off anywhere, or say anything at all.

const beginnings: readonly [name: string, move: Move, failure: string][] = [
  ['closes at once', ({ socket }) => void socket.end(), 'reset'],
  ['begins with garbage', ({ write }) => write(randomBytes(64)), 'protocol'],
  ['begins with HTTP/1.1', ({ write }) => write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')), 'protocol'],
  ['begins with an ACK', ({ write }) => write(frame(4, ACK, 0)), 'protocol'],
  ['begins with PING', ({ write }) => write(frame(6, 0, 0, Buffer.alloc(8))), 'protocol'],
  ['sends no SETTINGS at all', () => {}, 'connectTimeout'],
  ['sends half of its SETTINGS', ({ write }) => write(settings([3, 1]).subarray(0, 12)), 'connectTimeout'],
]
for (const [name, move, failure] of beginnings) {
  test(`a server that ${name} was not reached (${failure})`, async () => {
    const server = await startRaw(move)
    const channel = openFast(server.url, { connectTimeoutMs: failure === 'connectTimeout' ? 100 : 10_000 })
    const { end } = await call(channel)
    assert.deepEqual([end.failure, end.reached, end.fromBackend], [failure, false, false], end.message)
    channel.close()
    server.close()
  })
}

test('a connection may be cut after any byte of an answer', async () => {
  const whole = Buffer.concat([settings([3, 100]), frame(4, ACK, 0), answer(1)])
  let cut = 0
  const server = await startRaw(async ({ socket, frame }) => {
    const opening = settings([3, 100]).length
    socket.write(whole.subarray(0, Math.min(cut, opening)))
    if (cut > opening) {
      await frame(types.headers)
      socket.write(whole.subarray(opening, cut))
    }
    socket.end()
  })
  for (cut = 0; cut <= whole.length; cut++) {
    const channel = openFast(server.url)
    const { end } = await call(channel, { timeoutMs: 2_000 })
    channel.close()
    if (cut === whole.length) assert.equal(end.code, 0)
    else
      assert.deepEqual([end.failure, end.fromBackend], ['reset', false], `after ${cut} bytes: ${end.message}`)
  }
  server.close()
})

test('an answer may come in pieces of any size', async () => {
  for (const size of [1, 2, 3, 5, 9, 10, 13]) {
    const server = await startRaw(async ({ socket, frame }) => {
      socket.write(settings())
      await frame(types.headers)
      socket.setNoDelay(true)
      const bytes = answer(1, 'in pieces')
      for (let at = 0; at < bytes.length; at += size) {
        socket.write(bytes.subarray(at, at + size))
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    const channel = openFast(server.url)
    const { messages, end } = await call(channel)
    assert.deepEqual([String(messages[0]), end.code], ['in pieces', 0])
    channel.close()
    server.close()
  }
})

test('DATA after END_STREAM breaks the connection off', async () => {
  const server = await startRaw(async (peer) => {
    peer.write(settings())
    await peer.frame(types.headers)
    peer.write(answer(1), frame(types.data, 0, 1, grpc('late')))
  })
  const channel = openFast(server.url)
  assert.equal((await call(channel)).end.code, 0)
  await until(() =>
    (server.peers[0]?.frames ?? []).some(({ type, payload }) => type === 7 && payload.readUInt32BE(4) === 5),
  )
  channel.close()
  server.close()
})

test('frames of a cancelled call are passed over, and its HPACK entries count', async () => {
  const server = await startRaw(async (peer) => {
    peer.write(settings())
    await peer.frame(types.rstStream, 1)
    const indexed = Buffer.concat([okHead, hex('4003782d61 0162')])
    peer.write(frame(1, END_HEADERS, 1, indexed), frame(0, 0, 1, grpc('late')))
    await peer.frame(types.headers, 3)
    peer.write(frame(1, END_HEADERS, 3, Buffer.concat([okHead, hex('be')])), frame(0, 0, 3, grpc('x')))
    peer.write(frame(1, END_HEADERS | END_STREAM, 3, okTrailers))
  })
  const channel = openFast(server.url)
  assert.equal((await call(channel, { timeoutMs: 50 })).end.code, 4)
  const { head: metadata, end } = await call(channel)
  assert.deepEqual([end.code, metadata?.slice(-2)], [0, ['x-a', 'b']])
  assert.equal(server.peers.length, 1)
  channel.close()
  server.close()
})

test('padding and priority are taken off', async () => {
  const server = await startRaw(async (peer) => {
    peer.write(settings())
    await peer.frame(types.headers)
    const padded = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([7]), bytes, Buffer.alloc(7)])
    const withPriority = Buffer.concat([Buffer.from([7]), Buffer.alloc(5), okHead, Buffer.alloc(7)])
    peer.write(frame(1, END_HEADERS | PADDED | 32, 1, withPriority), frame(0, PADDED, 1, padded(grpc('x'))))
    peer.write(
      frame(1, PADDED | END_STREAM, 1, padded(block('x-y', 'z'))),
      frame(9, END_HEADERS, 1, okTrailers),
    )
  })
  const channel = openFast(server.url)
  const { messages, end } = await call(channel)
  assert.deepEqual([String(messages[0]), end.code, end.trailers], ['x', 0, ['x-y', 'z']])
  channel.close()
  server.close()
})

test('random frames never bring more than one failed call each', async () => {
  const server = await startRaw(async (peer) => {
    peer.write(settings())
    const { streamId } = await peer.frame(types.headers)
    for (let i = 0; i < 20; i++) {
      const [type = 0, flags = 0, length = 0] = randomBytes(3)
      peer.write(frame(type % 11, flags, streamId, randomBytes(length % 40)))
    }
    peer.socket.end()
  })
  for (let i = 0; i < 200; i++) {
    const channel = openFast(server.url)
    const { end } = await call(channel, { timeoutMs: 2_000 })
    assert.ok(end.failure !== 'deadline', end.message)
    channel.close()
  }
  server.close()
})
