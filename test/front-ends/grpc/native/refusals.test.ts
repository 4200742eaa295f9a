import assert from 'node:assert/strict'
import { test } from 'node:test'
import { status } from '@grpc/grpc-js'
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
