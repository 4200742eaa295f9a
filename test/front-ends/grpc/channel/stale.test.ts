import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../../../until.ts'
import { startBackend } from './backend.ts'
import { begin, call, channelKinds, openFast } from './channels.ts'
import {
  answer,
  END_HEADERS,
  frame,
  okHead,
  type Peer,
  settings,
  startRaw,
  types,
  words,
} from './raw-server.ts'

// Connections that end as a call goes out on them, and those that are old enough.

/** Serves the first call of a connection; what happens at the second one is the case's. */
const served =
  (then: (peer: Peer) => void) =>
  async (peer: Peer): Promise<void> => {
    peer.write(settings())
    await peer.frame(types.headers, 1)
    peer.write(answer(1))
    await peer.frame(types.headers, 3)
    then(peer)
  }

/** What a connection does as the second call on it arrives, and whether that call met a stale one. */
const ends: readonly { readonly name: string; readonly stale: boolean; do(peer: Peer): void }[] = [
  { name: 'FIN', stale: true, do: ({ socket }) => void socket.end() },
  { name: 'RST', stale: true, do: ({ socket }) => void socket.resetAndDestroy() },
  {
    name: 'FIN behind the head of the answer',
    stale: false,
    do: (peer) => {
      peer.write(frame(types.headers, END_HEADERS, 3, okHead))
      peer.socket.end()
    },
  },
  // RFC 9113 section 8.7: the call may have been processed.
  {
    name: 'RST_STREAM with INTERNAL_ERROR',
    stale: false,
    do: (peer) => peer.write(frame(types.rstStream, 0, 3, words(2))),
  },
]

for (const { name, open } of channelKinds) {
  describe(name, () => {
    for (const end of ends) {
      test(`${end.name} at the second call: ${end.stale ? 'stale' : 'a failure'}`, async () => {
        const server = await startRaw(served(end.do))
        const channel = open(server.url)
        assert.equal((await call(channel)).end.code, 0)
        const told = (await call(channel)).end
        assert.deepEqual([told.failure, told.reached, told.stale], ['reset', true, end.stale])
        channel.close()
        server.close()
      })
    }

    for (const [how, close] of [
      ['FIN', ({ socket }: Peer) => void socket.end()],
      ['RST', ({ socket }: Peer) => void socket.resetAndDestroy()],
    ] as const) {
      test(`${how} at the first call of a connection is a failure`, async () => {
        const server = await startRaw(async (peer) => {
          peer.write(settings())
          await peer.frame(types.headers, 1)
          close(peer)
        })
        const channel = open(server.url)
        const { end } = await call(channel)
        assert.deepEqual([end.fromBackend, end.stale], [false, false])
        channel.close()
        server.close()
      })
    }

    test('a connection of some age takes no new calls, and those on it go on', async () => {
      const backend = await startBackend()
      const channel = open(backend.url, { maxAgeMs: 50 })
      const messages: Buffer[] = []
      const long = begin(
        channel,
        { path: '/test.Test/Count', message: Buffer.from('0 10'), serverStreaming: true },
        { message: (bytes) => void messages.push(Buffer.from(bytes)) },
      )
      await until(() => messages.length > 0)
      await new Promise((resolve) => setTimeout(resolve, 100))
      const codes = await Promise.all([call(channel), call(channel)])
      assert.deepEqual(
        codes.map(({ end }) => end.code),
        [0, 0],
      )
      const before = messages.length
      await until(() => messages.length > before + 100)
      long.stream.cancel()
      assert.equal((await long.done).end.failure, 'cancelled')
      channel.close()
      backend.close()
    })
  })
}

describe('fast only', () => {
  test('after its age a connection is ended, and the next call is on another', async () => {
    const server = await startRaw(async (peer) => {
      peer.write(settings())
      for (let id = 1; ; id += 2) {
        await peer.frame(types.headers, id)
        peer.write(answer(id))
      }
    })
    const channel = openFast(server.url, { maxAgeMs: 60 })
    assert.equal((await call(channel)).end.code, 0)
    await until(() => server.peers[0]?.socket.destroyed === true)
    assert.equal(server.peers[0]?.frames.at(-1)?.type, types.goaway)
    assert.equal((await call(channel)).end.code, 0)
    assert.equal(server.peers.length, 2)
    channel.close()
    server.close()
  })

  // RFC 9113 section 8.7: streams above the id of a GOAWAY were not processed.
  test('a call above the id of a GOAWAY is stale and was not reached', async () => {
    const server = await startRaw(served((peer) => peer.write(frame(types.goaway, 0, 0, words(1, 0)))))
    const channel = openFast(server.url)
    await call(channel)
    const { end } = await call(channel)
    assert.deepEqual([end.failure, end.reached, end.stale], ['refusedStream', false, true])
    channel.close()
    server.close()
  })

  test('a backend that takes no call at all is at fault', async () => {
    const server = await startRaw(async (peer) => {
      peer.write(settings())
      await peer.frame(types.headers, 1)
      peer.write(frame(types.goaway, 0, 0, words(0, 0)))
    })
    const channel = openFast(server.url)
    const { end } = await call(channel)
    assert.deepEqual([end.failure, end.reached, end.stale], ['refusedStream', false, false])
    channel.close()
    server.close()
  })

  test('a call on a connection on which others are answered is a failure when it breaks', async () => {
    const server = await startRaw(async (peer) => {
      peer.write(settings())
      await peer.frame(types.headers, 1)
      peer.write(answer(1))
      await peer.frame(types.headers, 5)
      // The third call is answered, the second is under way: the connection is none that nobody had used.
      peer.write(answer(5))
      peer.socket.end()
    })
    const channel = openFast(server.url)
    await call(channel)
    const [second, third] = await Promise.all([call(channel), call(channel)])
    assert.deepEqual([second.end.failure, second.end.stale, third.end.code], ['reset', false, 0])
    channel.close()
    server.close()
  })
})
