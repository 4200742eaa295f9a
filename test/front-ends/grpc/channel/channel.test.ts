import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Channel } from '../../../../src/front-ends/grpc/channel.ts'
import { until } from '../../../until.ts'
import { type Backend, startBackend } from './backend.ts'
import { begin, call, channelKinds, verdict } from './channels.ts'

// What every channel does, against a real server of grpc-js.

for (const { name, open } of channelKinds) {
  describe(name, () => {
    let backend: Backend
    let channel: Channel
    before(async () => {
      backend = await startBackend()
      channel = open(backend.url)
    })
    after(() => {
      channel.close()
      backend.close()
    })
    const succeeded = { code: 0, failure: undefined, reached: true, fromBackend: true }

    for (const bytes of [0, 1, 4_090, 4_096, 16_379, 16_384, 65_535, 65_536, 100_000, 5_000_000]) {
      test(`a message of ${bytes} bytes comes back as it went`, async () => {
        const message = randomBytes(bytes)
        const told = await call(channel, { message })
        assert.deepEqual(verdict(told), succeeded)
        assert.equal(told.messages.length, 1)
        assert.ok(told.messages[0]?.equals(message))
      })
    }

    test('metadata goes and comes, repeated and binary', async () => {
      const metadata = [
        'x-one',
        '1',
        'x-bin',
        'AP8B',
        'x-two',
        'a',
        'x-two',
        'b',
        'x-odd',
        'ü',
        'x-empty',
        '',
      ]
      const { head, messages, end } = await call(channel, { path: '/test.Test/Meta', metadata })
      const seen = JSON.parse(String(messages[0]))
      assert.deepEqual(
        [seen['x-one'], seen['x-bin'], seen['x-two'], seen['x-odd'], seen['x-empty']],
        ['1', 'AP8B', 'a, b', '%C3%BC', ''],
      )
      assert.ok(seen.leftMs > 18_000 && seen.leftMs <= 20_100, String(seen.leftMs))
      const pairs = pairsOf(head ?? [])
      assert.ok(pairs.some((pair) => pair.startsWith('x-twice=a')))
      assert.ok(pairs.includes('x-bytes-bin=AP8B'))
      assert.deepEqual(pairsOf(end.trailers), ['x-trailer=last'])
    })

    test('what gRPC cannot carry is left out', async () => {
      const metadata = [
        'Host',
        'evil',
        'te',
        'gzip',
        'grpc-timeout',
        '1n',
        ':path',
        '/x',
        'a b',
        'c',
        'x-ok',
        'y',
      ]
      const { messages } = await call(channel, { path: '/test.Test/Meta', metadata })
      const seen = JSON.parse(String(messages[0]))
      assert.equal(seen['x-ok'], 'y')
      assert.deepEqual([seen.host, seen[':path'], seen['a b']], [undefined, undefined, undefined])
    })

    test('metadata above the size of a frame arrives', async () => {
      const metadata = Array.from({ length: 6 }, (_, i) => [`x-long-${i}`, 'v'.repeat(5_000)]).flat()
      const { messages } = await call(channel, { path: '/test.Test/Meta', metadata })
      assert.equal(JSON.parse(String(messages[0]))['x-long-5'].length, 5_000)
    })

    test('an error comes with its message, details and trailers', async () => {
      const told = await call(channel, { path: '/test.Test/Fail', message: Buffer.from('9') })
      assert.deepEqual(verdict(told), { ...succeeded, code: 9 })
      assert.equal(told.end.message, 'nein, ü 100 % 😀')
      assert.ok(pairsOf(told.end.trailers).includes('grpc-status-details-bin=AQIDBA=='))
      assert.ok(pairsOf(told.end.trailers).includes('x-why=because'))
    })

    test('an unknown method is UNIMPLEMENTED from the backend', async () => {
      assert.deepEqual(verdict(await call(channel, { path: '/test.Test/Nope' })), { ...succeeded, code: 12 })
    })

    test('a server stream comes whole and in order', async () => {
      const request = { path: '/test.Test/Count', message: Buffer.from('5000 100'), serverStreaming: true }
      const { messages, end } = await call(channel, request)
      assert.deepEqual([messages.length, end.code], [5_000, 0])
      assert.ok(messages.every((message) => message.length === 100))
    })

    test('an error after messages comes after them', async () => {
      const request = { path: '/test.Test/Count', message: Buffer.from('3 10 8'), serverStreaming: true }
      const told = await call(channel, request)
      assert.deepEqual([told.messages.length, verdict(told)], [3, { ...succeeded, code: 8 }])
    })

    test('a client stream goes whole, with back-pressure', async () => {
      let drains = 0
      const wake: (() => void)[] = []
      const { stream, done } = begin(
        channel,
        { path: '/test.Test/Sum', message: undefined },
        {
          drain() {
            drains++
            wake.shift()?.()
          },
        },
      )
      for (let i = 0; i < 500; i++) {
        if (!stream.sendMessage(Buffer.alloc(10_000)))
          await new Promise<void>((resolve) => wake.push(resolve))
      }
      stream.halfClose()
      const { messages, end } = await done
      assert.deepEqual([String(messages[0]), end.code], ['500 5000000', 0])
      assert.ok(drains > 0)
    })

    test('a bidirectional stream answers each message before the next', async () => {
      const wake: (() => void)[] = []
      const { stream, done, messages } = begin(
        channel,
        { path: '/test.Test/Chat', message: undefined, serverStreaming: true },
        { message: () => wake.shift()?.() },
      )
      for (let i = 0; i < 50; i++) {
        const answered = new Promise<void>((resolve) => wake.push(resolve))
        stream.sendMessage(Buffer.from(`${i}`))
        await answered
        assert.equal(String(messages[i]), `re: ${i}`)
      }
      stream.halfClose()
      assert.equal((await done).end.code, 0)
    })

    test('a client stream without messages is one', async () => {
      const { stream, done } = begin(channel, { path: '/test.Test/Sum', message: undefined })
      stream.halfClose()
      assert.equal(String((await done).messages[0]), '0 0')
    })

    test('a deadline ends a call and cancels it at the server', async () => {
      const before = backend.seen.cancelled
      const told = await call(channel, { path: '/test.Test/Hang', timeoutMs: 60 })
      const { code, reached, failure, fromBackend } = told.end
      assert.deepEqual({ code, reached }, { code: 4, reached: true })
      // The server watches the deadline too, and whose clock is first is luck; but nobody may claim to be the other.
      assert.equal(failure, fromBackend ? undefined : 'deadline')
      await until(() => backend.seen.cancelled === before + 1)
    })

    test('cancelling ends a call and the server sees it', async () => {
      const { calls, cancelled } = backend.seen
      const { stream, done } = begin(channel, { path: '/test.Test/Hang' })
      await until(() => backend.seen.calls === calls + 1)
      stream.cancel()
      stream.cancel()
      assert.deepEqual(verdict(await done), {
        code: 1,
        failure: 'cancelled',
        reached: true,
        fromBackend: false,
      })
      await until(() => backend.seen.cancelled === cancelled + 1)
    })

    test('cancelling a stream ends it', async () => {
      const { cancelled } = backend.seen
      const request = { path: '/test.Test/Count', message: Buffer.from('0 1000'), serverStreaming: true }
      const { stream, done, messages } = begin(channel, request)
      await until(() => messages.length > 10)
      stream.cancel()
      assert.equal((await done).end.code, 1)
      await until(() => backend.seen.cancelled === cancelled + 1)
    })

    test('a paused stream gets what it missed, then its end', async () => {
      const request = { path: '/test.Test/Count', message: Buffer.from('200 100'), serverStreaming: true }
      const { stream, done, messages } = begin(channel, request)
      stream.pause()
      await call(channel)
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.ok(messages.length < 200)
      stream.resume()
      const { end } = await done
      assert.deepEqual([messages.length, end.code], [200, 0])
    })

    test('1,000 calls at a time are all answered, each with its own', async () => {
      const all = await Promise.all(
        Array.from({ length: 1_000 }, (_, i) => call(channel, { message: Buffer.from(`${i}`) })),
      )
      for (const [i, { messages, end }] of all.entries())
        assert.deepEqual([String(messages[0]), end.code], [`${i}`, 0])
    })

    test('a message above the limit is refused, either way', async () => {
      const small = open(backend.url, { maxMessageBytes: 1_000 })
      const up = await call(small, { message: Buffer.alloc(1_001) })
      const request = { path: '/test.Test/Count', message: Buffer.from('1 1001'), serverStreaming: true }
      const down = await call(small, request)
      const fits = await call(small, { message: Buffer.alloc(1_000) })
      small.close()
      assert.deepEqual(verdict(up), {
        code: 8,
        failure: 'requestTooLarge',
        reached: false,
        fromBackend: false,
      })
      assert.deepEqual(verdict(down), { code: 8, failure: 'tooLarge', reached: true, fromBackend: false })
      assert.equal(fits.end.code, 0)
    })
  })
}

function pairsOf(flat: readonly string[]): string[] {
  return flat.flatMap((text, i) => (i % 2 === 0 ? [`${text}=${flat[i + 1]}`] : []))
}
