import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { status } from '@grpc/grpc-js'
import { frame } from '../../../../src/front-ends/grpc/native/message-frame.ts'
import { askHttp2, connectHttp2 } from '../../../listener/http2-client.ts'
import { openNative } from './native-world.ts'

// What a client of gRPC asks for and does not get is a status of gRPC (gRPC doc/PROTOCOL-HTTP2.md, doc/http-grpc-status-mapping.md).
for (const [name, head, code] of [
  ['a path that there is not', { ':path': '/nope.v1.Nope/Nothing' }, '12'],
  ['a method that there is not', { ':path': '/kitchen.v1.Kitchen/Nope' }, '12'],
  ['GET', { ':path': '/kitchen.v1.Kitchen/Echo', ':method': 'GET' }, '12'],
  ['a path that cannot be read', { ':path': '/kitchen.v1.Kitchen/%2e%2e/Echo' }, '3'],
  [
    'a codec that there is not',
    { ':path': '/kitchen.v1.Kitchen/Echo', 'content-type': 'application/grpc+json' },
    '3',
  ],
  ['a deadline that is none', { ':path': '/kitchen.v1.Kitchen/Echo', 'grpc-timeout': 'soon' }, '3'],
  ['a deadline that has passed', { ':path': '/kitchen.v1.Kitchen/Echo', 'grpc-timeout': '1n' }, '4'],
  ['binary metadata that is no base64', { ':path': '/kitchen.v1.Kitchen/Echo', 'x-own-bin': '!!' }, '3'],
] as const) {
  test(`${name} is status ${code} over gRPC`, async (t) => {
    const { url, seen } = await openNative(t)
    const session = await connectHttp2(t, url)
    const all = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers', ...head }
    const reply = await askHttp2(session, all, all[':method'] === 'GET' ? undefined : Buffer.alloc(5))
    assert.deepEqual(
      [reply.status, reply.headers['content-type'], reply.trailers['grpc-status'], seen.calls],
      [200, 'application/grpc', code, 0],
    )
    assert.ok(reply.trailers['grpc-message'])
  })
}

test('a path that there is not has its status in the last frame over gRPC-Web, by HTTP/1.1', async (t) => {
  const { url } = await openNative(t)
  const reply = await fetch(`${url}/nope.v1.Nope/Nothing`, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web' },
    body: new Uint8Array(5),
  })
  assert.equal(reply.status, 200)
  assert.match(Buffer.from(await reply.arrayBuffer()).toString('latin1'), /grpc-status: 12\r\n/)
})

test('an answer above the limit is RESOURCE_EXHAUSTED', async (t) => {
  const { call, client, method } = await openNative(t, { auth: 'none' }, { grpc: { messageBytes: '1kb' } })
  assert.equal((await call('Echo', { text: 'fits' })).status.code, 0)
  const { path, requestSerialize, responseDeserialize } = method('Count')
  const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
    to: 3,
    bytes: 2_000,
  })
  stream.on('error', () => {}).resume()
  const end = await new Promise<{ code: number }>((resolve) => stream.on('status', resolve))
  assert.equal(end.code, status.RESOURCE_EXHAUSTED)
})

test('metadata of 6 kB goes both ways', async (t) => {
  const { url } = await openNative(t)
  const session = await connectHttp2(t, url)
  const head = {
    ':path': '/kitchen.v1.Kitchen/Metadata',
    ':method': 'POST',
    'content-type': 'application/grpc',
    'x-own': 'a'.repeat(6_000),
  }
  const { body, trailers } = await askHttp2(session, head, Buffer.alloc(5))
  assert.equal(trailers['grpc-status'], '0')
  assert.ok(body.includes('a'.repeat(6_000)))
})

test('metadata that gRPC cannot carry goes on percent-encoded', async (t) => {
  const { url } = await openNative(t)
  const session = await connectHttp2(t, url)
  const head = {
    ':path': '/kitchen.v1.Kitchen/Metadata',
    ':method': 'POST',
    'content-type': 'application/grpc',
    'x-odd': 'caf\u00e9',
    'x-own': 'mine',
  }
  const { body, trailers } = await askHttp2(session, head, Buffer.alloc(5))
  assert.equal(trailers['grpc-status'], '0')
  assert.deepEqual([body.includes('mine'), body.includes('caf%C3%A9')], [true, true])
})

test('nothing is left behind by a thousand refusals', async (t) => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const { url } = await openNative(
    t,
    { auth: 'none' },
    { plugins: ['metrics'], grpc: { messageBytes: '10kb' } },
  )
  const session = await connectHttp2(t, url)
  const bomb = frame(1, gzipSync(Buffer.alloc(1_000_000)))
  const bodies = [
    Buffer.from([7, 0, 0, 0, 0]),
    Buffer.from([0, 0, 0, 0, 9, 1]),
    frame(0, Buffer.alloc(20_000)),
    bomb,
  ]
  const paths = ['/kitchen.v1.Kitchen/Echo', '/kitchen.v1.Kitchen/Gather', '/nope.v1.Nope/Nothing']
  const refuse = async (times: number): Promise<number> => {
    for (let i = 0; i < times; i++) {
      const asked = paths.flatMap((path) =>
        bodies.map((body) =>
          askHttp2(
            session,
            { ':path': path, ':method': 'POST', 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' },
            body,
          ),
        ),
      )
      for (const { trailers } of await Promise.all(asked)) assert.notEqual(trailers['grpc-status'], '0')
    }
    collectGarbage()
    collectGarbage()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const before = await refuse(30)
  const after = await refuse(100)
  t.diagnostic(`${before} -> ${after} bytes over 1,200 refusals`)
  assert.ok(after - before < 4_000_000, `${after - before} bytes more`)
})
