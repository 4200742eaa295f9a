import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Http2Server, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Channel } from '../../../../src/front-ends/grpc/channel.ts'
import { call, channelKinds, openFast, verdict } from './channels.ts'
import { grpc } from './raw-server.ts'

// Answers that are allowed or nearly so, from a server of node:http2.

let server: Http2Server
let url: string
let answerWith: (stream: ServerHttp2Stream) => void
before(async () => {
  server = createServer()
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    stream.resume()
    answerWith(stream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
})
after(() => server.close())

const grpcHead = { ':status': 200, 'content-type': 'application/grpc' }

function whole(
  body: readonly Uint8Array[],
  trailers: OutgoingHttpHeaders = { 'grpc-status': '0' },
  head: OutgoingHttpHeaders = grpcHead,
) {
  return (stream: ServerHttp2Stream): void => {
    stream.respond(head, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    for (const piece of body) stream.write(piece)
    stream.end()
  }
}

const only = (headers: OutgoingHttpHeaders) => (stream: ServerHttp2Stream) =>
  stream.respond(headers, { endStream: true })
const gzipHead = { ...grpcHead, 'grpc-encoding': 'gzip' }

for (const { name, open } of channelKinds) {
  describe(name, () => {
    let channel: Channel
    before(() => {
      channel = open(url, { maxMessageBytes: 100_000 })
    })
    after(() => channel.close())

    test('Trailers-Only is an end without a head', async () => {
      answerWith = only({
        ...grpcHead,
        'grpc-status': '5',
        'grpc-message': 'no%20such%20%E2%82%AC%',
        'x-a': 'b',
      })
      const told = await call(channel)
      assert.deepEqual(verdict(told), { code: 5, failure: undefined, reached: true, fromBackend: true })
      assert.deepEqual([told.head, told.end.trailers.includes('x-a')], [undefined, true])
    })

    test('gzip is taken off', async () => {
      const message = Buffer.alloc(50_000, 'gzip')
      answerWith = whole([grpc(gzipSync(message), 1)], { 'grpc-status': '0' }, gzipHead)
      const { messages, end } = await call(channel)
      assert.deepEqual([messages[0]?.equals(message), end.code], [true, 0])
    })

    test('a message that is not compressed may come although gzip was announced', async () => {
      answerWith = whole([grpc('plain')], { 'grpc-status': '0' }, gzipHead)
      assert.equal(String((await call(channel)).messages[0]), 'plain')
    })

    test('a gzip bomb is too large', async () => {
      answerWith = whole([grpc(gzipSync(Buffer.alloc(50_000_000)), 1)], { 'grpc-status': '0' }, gzipHead)
      const { end } = await call(channel)
      assert.deepEqual([end.code, end.failure], [8, 'tooLarge'])
    })

    test('compressed messages and plain ones come in their order', async () => {
      const texts = Array.from({ length: 40 }, (_, index) => String(index).repeat(500))
      const all = texts.map((text, index) => (index % 3 === 0 ? grpc(text) : grpc(gzipSync(text), 1)))
      answerWith = whole([Buffer.concat(all)], { 'grpc-status': '0' }, gzipHead)
      const { messages, end } = await call(channel, { serverStreaming: true })
      assert.deepEqual([messages.map(String), end.code], [texts, 0])
    })

    test('many bombs of 1000 to 1 at once take little memory', async (t) => {
      const bomb = grpc(gzipSync(Buffer.alloc(50_000_000)), 1)
      answerWith = whole([bomb], { 'grpc-status': '0' }, gzipHead)
      const before = process.memoryUsage().rss
      const ends = await Promise.all(Array.from({ length: 20 }, () => call(channel)))
      const grown = (process.memoryUsage().rss - before) / 1e6
      t.diagnostic(`20 bombs of ${bomb.length} bytes for 50 MB each: RSS ${grown.toFixed(1)} MB more`)
      for (const { end } of ends) assert.equal(end.failure, 'tooLarge')
      assert.ok(grown < 300, `${grown} MB`)
    })

    test('several messages in one frame and one in several are the same messages', async () => {
      const all = Buffer.concat(['a', '', 'bc', 'def'].map((text) => grpc(text)))
      answerWith = whole([all, ...Array.from(all, (byte) => Buffer.from([byte]))])
      const { messages } = await call(channel, { serverStreaming: true })
      assert.deepEqual(messages.map(String), ['a', '', 'bc', 'def', 'a', '', 'bc', 'def'])
    })

    // gRPC doc/http-grpc-status-mapping.md
    for (const [status, code] of [
      [400, 13],
      [401, 16],
      [403, 7],
      [404, 12],
      [429, 14],
      [500, 2],
      [502, 14],
      [503, 14],
      [504, 14],
    ] as const) {
      test(`HTTP ${status} without grpc-status is ${code}, not from the backend`, async () => {
        answerWith = (stream) => {
          stream.respond({ ':status': status, 'content-type': 'text/html' })
          stream.end('<html>')
        }
        assert.deepEqual(verdict(await call(channel)), {
          code,
          failure: 'protocol',
          reached: true,
          fromBackend: false,
        })
      })
    }
  })
}

describe('fast only', () => {
  let channel: Channel
  before(() => {
    channel = openFast(url, { maxMessageBytes: 100_000 })
  })
  after(() => channel.close())

  test("HTTP 503 with grpc-status is the backend's word", async () => {
    answerWith = only({
      ':status': 503,
      'content-type': 'application/grpc',
      'grpc-status': '14',
      'grpc-message': 'later',
    })
    const told = await call(channel)
    assert.deepEqual(
      [told.end.message, verdict(told)],
      ['later', { code: 14, failure: undefined, reached: true, fromBackend: true }],
    )
  })

  for (const type of ['text/html', 'application/grpcx', 'application/json', '']) {
    test(`content type "${type}" is no gRPC`, async () => {
      answerWith = whole(
        [grpc('x')],
        { 'grpc-status': '0' },
        { ':status': 200, ...(type === '' ? {} : { 'content-type': type }) },
      )
      const { end } = await call(channel)
      assert.deepEqual([end.code, end.failure], [2, 'protocol'])
    })
  }

  for (const type of ['application/grpc+proto', 'application/grpc;charset=utf-8', 'Application/GRPC']) {
    test(`content type "${type}" is gRPC`, async () => {
      answerWith = whole([grpc('x')], { 'grpc-status': '0' }, { ':status': 200, 'content-type': type })
      assert.equal((await call(channel)).end.code, 0)
    })
  }

  for (const status of ['', 'abc', '-1', '1e1']) {
    test(`grpc-status "${status}" is none`, async () => {
      answerWith = whole([grpc('x')], { 'grpc-status': status })
      assert.equal((await call(channel)).end.failure, 'protocol')
    })
  }

  test('broken escapes in grpc-message stay as they are', async () => {
    answerWith = only({ ...grpcHead, 'grpc-status': '3', 'grpc-message': '%zz 100% %E2%82%AC %4' })
    assert.equal((await call(channel)).end.message, '%zz 100% € %4')
  })

  test('binary metadata may be joined by commas and without padding', async () => {
    answerWith = whole([grpc('x')], { 'grpc-status': '0', 'x-bin': 'AP8,AQID' })
    assert.deepEqual((await call(channel)).end.trailers, ['x-bin', 'AP8=', 'x-bin', 'AQID'])
  })

  test('interim answers are passed over', async () => {
    answerWith = (stream) => {
      stream.additionalHeaders({ ':status': 103 })
      whole([grpc('x')])(stream)
    }
    assert.equal((await call(channel)).end.code, 0)
  })

  for (const [name, bytes] of [
    ['garbage', Buffer.from('no gzip')],
    ['a cut gzip', gzipSync(Buffer.alloc(9_999)).subarray(0, 20)],
  ] as const) {
    test(`${name} instead of gzip is no gRPC`, async () => {
      answerWith = whole([grpc(bytes, 1)], { 'grpc-status': '0' }, gzipHead)
      assert.equal((await call(channel)).end.failure, 'protocol')
    })
  }

  test('metadata above what the server takes is refused before it is sent', async () => {
    const small = createServer({ settings: { maxHeaderListSize: 1_000 } })
    small.listen(0, '127.0.0.1')
    await once(small, 'listening')
    const address = small.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const there = openFast(`http://127.0.0.1:${port}`)
    const { end } = await call(there, { metadata: ['x-long', 'v'.repeat(2_000)] })
    assert.deepEqual([end.code, end.failure, end.reached], [8, 'requestTooLarge', false])
    there.close()
    small.close()
  })
})
