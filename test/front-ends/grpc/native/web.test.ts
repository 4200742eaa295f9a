import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createApiKey, hashApiKey } from '../../../../src/plugins/identity/api-key.ts'
import { askHttp2, connectHttp2 } from '../../../listener/http2-client.ts'
import { kitchenService, openNative } from './native-world.ts'

const key = createApiKey('test')
const identity = { consumers: [{ id: 'acme', keys: [{ hash: hashApiKey(key) }] }] }

/** One frame as PROTOCOL-WEB writes it: a flag, the length, the bytes. */
function framed(bytes: Buffer, flag = 0): Buffer {
  const head = Buffer.alloc(5)
  head[0] = flag
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** An answer taken apart: its messages, and its trailers, which must be the last frame. */
function parse(body: Buffer): { messages: Buffer[]; trailers: Record<string, string> } {
  const messages: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const flag = body[at]
    const end = at + 5 + body.readUInt32BE(at + 1)
    const payload = body.subarray(at + 5, end)
    if (flag === 0x80) {
      assert.equal(end, body.length, 'something follows the trailers')
      const lines = payload.toString('latin1').split('\r\n')
      assert.equal(lines.pop(), '')
      return { messages, trailers: Object.fromEntries(lines.map((line) => line.split(/: (.*)/, 2))) }
    }
    assert.equal(flag, 0)
    messages.push(payload)
    at = end
  }
  throw new Error('there are no trailers')
}

/** Pieces of base64 stand behind each other, each with its padding. */
function decoded(text: string): Buffer {
  return Buffer.concat((text.match(/[^=]+=*/g) ?? []).map((piece) => Buffer.from(piece, 'base64')))
}

for (const suffix of ['', '+proto']) {
  test(`gRPC-Web${suffix} is served over HTTP/1.1: messages, then trailers in the body`, async (t) => {
    const { url, logged } = await openNative(t)
    const { Echo } = await kitchenService()
    const reply = await fetch(`${url}/kitchen.v1.Kitchen/Echo`, {
      method: 'POST',
      headers: { 'content-type': `application/grpc-web${suffix}`, 'x-grpc-web': '1' },
      body: new Uint8Array(framed(Echo?.requestSerialize({ text: 'hi' }) as Buffer)),
    })
    assert.deepEqual(
      [reply.status, reply.headers.get('content-type')],
      [200, `application/grpc-web${suffix}`],
    )
    const { messages, trailers } = parse(Buffer.from(await reply.arrayBuffer()))
    assert.equal(trailers['grpc-status'], '0')
    const answer = Echo?.responseDeserialize(messages[0] as Buffer) as { text: string } | undefined
    assert.equal(answer?.text, 'hi')
    await logged((line) => line['rpc.method'] === 'Echo' && line['rpc.grpc.status_code'] === 0)
  })
}

test('gRPC-Web is served over HTTP/2 too', async (t) => {
  const { url } = await openNative(t)
  const head = {
    ':path': '/kitchen.v1.Kitchen/Echo',
    ':method': 'POST',
    'content-type': 'application/grpc-web',
  }
  const { status, body } = await askHttp2(await connectHttp2(t, url), head, framed(Buffer.alloc(0)))
  assert.deepEqual([status, parse(body).trailers['grpc-status']], [200, '0'])
})

test('gRPC-Web-text takes base64 in pieces, and answers a stream in base64', async (t) => {
  const { url } = await openNative(t)
  const { Count } = await kitchenService()
  const bytes = framed(Count?.requestSerialize({ to: 5, bytes: 10 }) as Buffer)
  const reply = await fetch(`${url}/kitchen.v1.Kitchen/Count`, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web-text' },
    body: bytes.subarray(0, 4).toString('base64') + bytes.subarray(4).toString('base64'),
  })
  assert.equal(reply.headers.get('content-type'), 'application/grpc-web-text')
  const { messages, trailers } = parse(decoded(await reply.text()))
  const numbers = messages.map((one) => {
    const reply = Count?.responseDeserialize(one) as { number: number } | undefined
    return reply?.number
  })
  assert.deepEqual([numbers, trailers['grpc-status']], [[1, 2, 3, 4, 5], '0'])
})

test('an error behind messages of a stream is in the trailers', async (t) => {
  const { url } = await openNative(t)
  const { Count } = await kitchenService()
  const reply = await fetch(`${url}/kitchen.v1.Kitchen/Count`, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web+proto' },
    body: new Uint8Array(framed(Count?.requestSerialize({ to: 9, fail_after: 2 }) as Buffer)),
  })
  const { messages, trailers } = parse(Buffer.from(await reply.arrayBuffer()))
  assert.deepEqual(
    [messages.length, trailers['grpc-status'], trailers['grpc-message']],
    [2, '10', 'broke off'],
  )
})

test('an error of the backend is percent-encoded, with its details', async (t) => {
  const { url } = await openNative(t)
  const { Fail } = await kitchenService()
  const reply = await fetch(`${url}/kitchen.v1.Kitchen/Fail`, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web+proto' },
    body: new Uint8Array(framed(Fail?.requestSerialize({ code: 5, kind: 'known' }) as Buffer)),
  })
  const { trailers } = parse(Buffer.from(await reply.arrayBuffer()))
  assert.deepEqual([trailers['grpc-status'], trailers['grpc-message']], ['5', 'as asked: known %C3%BC'])
  assert.ok(trailers['grpc-status-details-bin'])
})

const plugins = [{ cors: { allowOrigins: ['https://app.example'] } }]

for (const [where, place, more] of [
  ['for all', {}, { plugins }],
  ['for the service', { plugins }, {}],
] as const) {
  test(`refusals are HTTP 200 with a status; a page of another origin may read them with cors ${where}`, async (t) => {
    const { url, seen } = await openNative(t, place, { ...identity, ...more })
    const path = `${url}/kitchen.v1.Kitchen/Echo`
    const preflight = await fetch(path, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-grpc-web,x-user-agent,grpc-timeout',
      },
    })
    assert.equal(preflight.status, 204)
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /x-grpc-web/)
    const reply = await fetch(path, {
      method: 'POST',
      headers: { origin: 'https://app.example', 'content-type': 'application/grpc-web' },
      body: new Uint8Array(5),
    })
    assert.deepEqual(
      [reply.status, reply.headers.get('access-control-allow-origin')],
      [200, 'https://app.example'],
    )
    const { messages, trailers } = parse(Buffer.from(await reply.arrayBuffer()))
    assert.deepEqual([messages.length, trailers['grpc-status'], seen.calls], [0, '16', 0])
    const exposed = reply.headers.get('access-control-expose-headers') ?? ''
    for (const name of ['grpc-status', 'grpc-message', 'grpc-status-details-bin'])
      assert.ok(exposed.split(', ').includes(name), `${name} in ${exposed}`)
  })
}

for (const [name, body, status] of [
  ['that is no base64', '!!!!', '3'],
  ['without a message', '', '3'],
  ['above the limit', Buffer.alloc(40_000).toString('base64'), '8'],
] as const) {
  test(`a text body ${name} is status ${status}`, async (t) => {
    const { url } = await openNative(t, { auth: 'none' }, { grpc: { messageBytes: '10kb' } })
    const reply = await fetch(`${url}/kitchen.v1.Kitchen/Echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/grpc-web-text+proto' },
      body,
    })
    const { trailers } = parse(decoded(await reply.text()))
    assert.deepEqual([reply.status, trailers['grpc-status']], [200, status])
  })
}

for (const path of ['/kitchen.v1.Kitchen/Echo', '/kitchen.v1.Kitchen/Unbound']) {
  test(`application/grpc over HTTP/1.1, which has no trailers for it, is 415 at ${path} and says why`, async (t) => {
    const { url } = await openNative(t, { auth: 'none', unannotated: true })
    const reply = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/grpc' },
      body: new Uint8Array(5),
    })
    assert.equal(reply.status, 415)
    assert.match(await reply.text(), /gRPC is spoken over HTTP\/2/)
  })
}

test('a stream of requests is UNIMPLEMENTED over gRPC-Web, which has none', async (t) => {
  const { url } = await openNative(t)
  const reply = await fetch(`${url}/kitchen.v1.Kitchen/Gather`, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web+proto' },
    body: new Uint8Array(5),
  })
  const { trailers } = parse(Buffer.from(await reply.arrayBuffer()))
  assert.equal(trailers['grpc-status'], '12')
  assert.match(trailers['grpc-message'] ?? '', /gRPC-Web/)
})

test('a compressed message is taken over gRPC-Web too', async (t) => {
  const { url } = await openNative(t)
  const { Echo } = await kitchenService()
  const packed = gzipSync(Echo?.requestSerialize({ text: 'packed' }) as Buffer)
  const reply = await fetch(`${url}/kitchen.v1.Kitchen/Echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web+proto', 'grpc-encoding': 'gzip' },
    body: new Uint8Array(framed(packed, 1)),
  })
  const { messages, trailers } = parse(Buffer.from(await reply.arrayBuffer()))
  assert.equal(trailers['grpc-status'], '0')
  const answer = Echo?.responseDeserialize(messages[0] as Buffer) as { text: string }
  assert.equal(answer.text, 'packed')
})
