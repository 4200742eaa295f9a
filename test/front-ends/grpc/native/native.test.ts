import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { type ClientReadableStream, Metadata, type StatusObject, status } from '@grpc/grpc-js'
import { load, type MessageTypeDefinition } from '@grpc/proto-loader'
import { frame } from '../../../../src/front-ends/grpc/native/message-frame.ts'
import { createApiKey, hashApiKey } from '../../../../src/plugins/identity/api-key.ts'
import { askHttp2, connectHttp2 } from '../../../listener/http2-client.ts'
import { googleProtos } from '../harness.ts'
import { type NativeWorld, openNative } from './native-world.ts'

const key = createApiKey('test')
const identity = { consumers: [{ id: 'acme', roles: ['cook'], keys: [{ hash: hashApiKey(key) }] }] }

test('a unary call of grpc-js passes through, and is logged and counted as gRPC', async (t) => {
  const { call, logged, url } = await openNative(t)
  const { reply, status: end } = await call('Echo', { text: 'häßlich', numbers: [1, 2, 3] })
  assert.equal(end.code, 0)
  assert.deepEqual([reply?.text, reply?.numbers], ['häßlich', [1, 2, 3]])
  const line = await logged((entry) => entry['rpc.method'] === 'Echo')
  assert.deepEqual(
    [line['gateway.protocol'], line['gateway.route'], line['rpc.grpc.status_code'], line['gateway.upstream']],
    ['grpc', 'kitchen.v1.Kitchen/Echo', 0, 'kitchen'],
  )
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /gateway_requests_total\{protocol="grpc",route="kitchen.v1.Kitchen\/Echo"[^}]*\} 1/)
})

test('a method without an HTTP binding is served', async (t) => {
  const { call } = await openNative(t)
  assert.equal((await call('Unbound', {})).status.code, 0)
})

test('metadata goes both ways, binary too; what the gateway establishes cannot be forged', async (t) => {
  const { call } = await openNative(t, {}, identity)
  const metadata = new Metadata()
  metadata.set('x-api-key', key)
  metadata.set('x-own', 'mine')
  metadata.set('x-user-id', 'forged')
  metadata.set('x-own-bin', Buffer.from([1, 2, 255]))
  const { reply, initial } = await call('Metadata', {}, { metadata })
  const seen = metadataOf(reply)
  assert.deepEqual([seen['x-own'], seen['x-user-id'], seen['x-consumer']], ['mine', 'acme', 'acme'])
  assert.equal(Buffer.from(seen['x-own-bin'] ?? '', 'base64').toString('hex'), '0102ff')
  assert.equal(seen['x-api-key'], undefined)
  assert.match(seen['x-request-id'] ?? '', /^[0-9a-f-]{36}$/)
  assert.equal(initial?.get('x-shelf')[0], '7')
  assert.deepEqual(initial?.get('x-bytes-bin')[0], Buffer.from([0, 255]))
  assert.equal(initial?.get('x-request-id')[0], seen['x-request-id'])
})

test('a credential header of another name stays here', async (t) => {
  const { call } = await openNative(t, {}, { ...identity, auth: { apiKeys: { header: 'x-kitchen-key' } } })
  const metadata = new Metadata()
  metadata.set('x-kitchen-key', key)
  const { reply } = await call('Metadata', {}, { metadata })
  assert.equal(metadataOf(reply)['x-kitchen-key'], undefined)
})

test('an error of the backend keeps code, message and details', async (t) => {
  const { call } = await openNative(t)
  const { error } = await call('Fail', { code: 5, kind: 'known' })
  assert.deepEqual([error?.code, error?.details], [status.NOT_FOUND, 'as asked: known ü'])
  assert.deepEqual(await reasons(error?.metadata), ['NO_FLOUR'])
})

test('a deadline goes on to the backend, and ends the call there when it passes', async (t) => {
  const { call, seen } = await openNative(t)
  const { reply } = await call('Metadata', {}, { deadlineMs: 3_000 })
  const left = Number(metadataOf(reply)['x-remaining'])
  assert.ok(left > 1_000 && left <= 3_000, `${left} ms`)
  const late = await call('Hang', {}, { deadlineMs: 200 })
  assert.equal(late.status.code, status.DEADLINE_EXCEEDED)
  await seen.cancelled
})

test('the timeout of the service ends a call with DEADLINE_EXCEEDED in the words of the gateway', async (t) => {
  const { call } = await openNative(t, { auth: 'none', timeout: '200ms' })
  const { error } = await call('Hang', {})
  assert.equal(error?.code, status.DEADLINE_EXCEEDED)
  assert.deepEqual(await reasons(error?.metadata), ['UPSTREAM_TIMEOUT'])
})

test('a call that the client cancels is cancelled at the backend', async (t) => {
  const { client, method, seen, logged } = await openNative(t)
  const { path, requestSerialize, responseDeserialize } = method('Hang')
  const call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, () => {})
  while (seen.calls === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  call.cancel()
  await seen.cancelled
  await logged((line) => line['gateway.error.reason'] === 'CLIENT_GONE')
})

for (const [name, place, metadata, code, reason] of [
  ['no credentials', {}, {}, status.UNAUTHENTICATED, 'NO_CREDENTIALS'],
  ['an unknown key', {}, { 'x-api-key': createApiKey('test') }, status.UNAUTHENTICATED, 'KEY_INVALID'],
  [
    'a missing role',
    { authorize: { roles: ['admin'] } },
    { 'x-api-key': key },
    status.PERMISSION_DENIED,
    'ROLE_MISSING',
  ],
] as const) {
  test(`refuses ${name} in the words of gRPC`, async (t) => {
    const { call, seen } = await openNative(t, place, identity)
    const { error } = await call('Echo', {}, { metadata: Metadata.fromHttp2Headers(metadata) })
    assert.equal(error?.code, code)
    assert.deepEqual(await reasons(error?.metadata), [reason])
    assert.equal(seen.calls, 0)
  })
}

test('refuses calls above the rate limit with RESOURCE_EXHAUSTED, RetryInfo and RateLimit metadata', async (t) => {
  const limit = { name: 'few', limit: 1, window: '1m', by: 'route' }
  const { call, url } = await openNative(t, { auth: 'none', plugins: [{ rateLimit: limit }] })
  const first = await call('Echo', {})
  assert.match(String(first.initial?.get('ratelimit')[0]), /^"few";r=0;t=\d+$/)
  const { error, initial } = await call('Echo', {})
  assert.equal(error?.code, status.RESOURCE_EXHAUSTED)
  assert.ok(Number(initial?.get('retry-after')[0]) >= 1)
  assert.deepEqual(await reasons(error?.metadata), ['RATE_LIMITED', 'RetryInfo'])
  const session = await connectHttp2(t, url)
  const raw = await askHttp2(
    session,
    { ':path': '/kitchen.v1.Kitchen/Echo', ':method': 'POST', 'content-type': 'application/grpc' },
    Buffer.alloc(5),
  )
  assert.deepEqual(
    [raw.status, raw.headers['content-type'], raw.trailers['grpc-status'], raw.rstCode],
    [200, 'application/grpc', '8', 0],
  )
})

test('a method that there is not is UNIMPLEMENTED', async (t) => {
  const { client, method } = await openNative(t)
  const { requestSerialize, responseDeserialize } = method('Echo')
  const missing = await new Promise<number | undefined>((resolve) =>
    client.makeUnaryRequest('/kitchen.v1.Kitchen/Nope', requestSerialize, responseDeserialize, {}, (error) =>
      resolve(error?.code),
    ),
  )
  assert.equal(missing, status.UNIMPLEMENTED)
})

test('a message above the limit is RESOURCE_EXHAUSTED', async (t) => {
  const { call, seen } = await openNative(t, { auth: 'none' }, { grpc: { messageBytes: '10kb' } })
  const { error } = await call('Echo', { data: Buffer.alloc(300_000) })
  assert.equal(error?.code, status.RESOURCE_EXHAUSTED)
  assert.deepEqual([await reasons(error?.metadata), seen.calls], [['BODY_TOO_LARGE'], 0])
  assert.equal((await call('Echo', { data: Buffer.alloc(9_000) })).status.code, 0)
})

test('messages of a stream come one by one, and an error after them as its status', async (t) => {
  const { client, method } = await openNative(t)
  const whole = await countOf(client, method, { to: 1_000, bytes: 100 })
  assert.deepEqual([whole.numbers.length, whole.numbers.at(-1), whole.code], [1_000, 1_000, 0])
  const broken = await countOf(client, method, { to: 10, fail_after: 3 })
  assert.deepEqual([broken.numbers, broken.code, broken.details], [[1, 2, 3], status.ABORTED, 'broke off'])
  const refused = await countOf(client, method, { to: 3, fail_after: -1 })
  assert.deepEqual([refused.numbers, refused.code], [[], status.ABORTED])
})

test('a stream that is cancelled is cancelled at the backend', async (t) => {
  const { client, method, seen } = await openNative(t)
  const stream = count(client, method, { to: 0 })
  stream.on('error', () => {})
  await once(stream, 'data')
  stream.cancel()
  await seen.cancelled
})

test('a client that does not read holds its backend up', async (t) => {
  const { url, method, seen } = await openNative(t)
  // grpc-js takes what comes, however slowly it is read.
  const session = await connectHttp2(t, url)
  const { path, requestSerialize } = method('Count')
  const head = { ':path': path, ':method': 'POST', 'content-type': 'application/grpc' }
  const stream = session.request(head)
  stream.end(frame(0, requestSerialize({ to: 2_000, bytes: 10_000 })))
  let before = -1
  while (seen.sent !== before || seen.sent === 0) {
    before = seen.sent
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  assert.ok(seen.sent < 1_000, `${seen.sent} of 2,000 messages were sent`)
  let read = 0
  stream.on('data', (chunk: Buffer) => {
    read += chunk.length
  })
  const [trailers] = await once(stream, 'trailers')
  assert.equal(trailers['grpc-status'], '0')
  assert.ok(read > 20_000_000)
})

test('fifty calls at once on one connection are all answered', async (t) => {
  const { call, gateway } = await openNative(t)
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, i) => call('Echo', { text: String(i), data: Buffer.alloc(20_000) })),
  )
  assert.deepEqual(
    results.map(({ reply }) => reply?.text),
    Array.from({ length: 50 }, (_, i) => String(i)),
  )
  assert.equal((await gateway.status()).activeConnections, 1)
})

for (const [name, body, code, reason] of [
  ['no message', Buffer.alloc(0), 3, 'INVALID_BODY'],
  ['half a message', Buffer.from([0, 0, 0, 0, 9, 1]), 3, 'INVALID_BODY'],
  ['two messages', Buffer.alloc(10), 3, 'INVALID_BODY'],
  ['a message that is compressed somehow', Buffer.from([1, 0, 0, 0, 1, 0]), 3, 'INVALID_BODY'],
  ['a flag that means nothing', Buffer.from([2, 0, 0, 0, 0]), 3, 'INVALID_BODY'],
] as const) {
  test(`a request with ${name} is status ${code}`, async (t) => {
    const { url } = await openNative(t)
    const session = await connectHttp2(t, url)
    const head = {
      ':path': '/kitchen.v1.Kitchen/Echo',
      ':method': 'POST',
      'content-type': 'application/grpc',
      te: 'trailers',
    }
    const { status: http, trailers } = await askHttp2(session, head, body)
    assert.deepEqual([http, trailers['grpc-status']], [200, String(code)])
    const metadata = Metadata.fromHttp2Headers({
      'grpc-status-details-bin': trailers['grpc-status-details-bin'] as string,
    })
    assert.deepEqual(await reasons(metadata), [reason])
  })
}

test('what is no gRPC is 415 in JSON, and the path without a method 404', async (t) => {
  const { url } = await openNative(t)
  const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
  assert.equal((await fetch(`${url}/kitchen.v1.Kitchen/Echo`, json)).status, 415)
  assert.equal((await fetch(`${url}/kitchen.v1.Kitchen/Nope`, json)).status, 404)
})

test('a backend that is not there is UNAVAILABLE', async (t) => {
  const upstreams = { kitchen: { targets: [{ url: 'http://127.0.0.1:9' }] } }
  const { call } = await openNative(t, { auth: 'none' }, { upstreams })
  const { error } = await call('Echo', {})
  assert.deepEqual([error?.code, await reasons(error?.metadata)], [status.UNAVAILABLE, ['UPSTREAM_REFUSED']])
})

type Open = NativeWorld

function metadataOf(reply: Record<string, unknown> | undefined): Record<string, string> {
  return (reply?.metadata ?? {}) as Record<string, string>
}

function count(
  client: Open['client'],
  method: Open['method'],
  request: object,
): ClientReadableStream<object> {
  const { path, requestSerialize, responseDeserialize } = method('Count')
  return client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request)
}

async function countOf(client: Open['client'], method: Open['method'], request: object) {
  const stream = count(client, method, request)
  const numbers: number[] = []
  stream.on('data', ({ number }: { number: number }) => numbers.push(number))
  stream.on('error', () => {})
  const { code, details } = await new Promise<StatusObject>((resolve) => stream.once('status', resolve))
  return { numbers, code, details }
}

/** The reasons of the ErrorInfos in `grpc-status-details-bin`, the bare names of other types; as another implementation reads it. */
async function reasons(metadata: Metadata | undefined): Promise<string[]> {
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? []
  const definitions = await load(['google/rpc/status.proto', 'google/rpc/error_details.proto'], {
    includeDirs: [googleProtos],
    keepCase: true,
  })
  const read = (type: string, from: Buffer): Record<string, unknown> =>
    (definitions[type] as MessageTypeDefinition<object, object>).deserialize(from) as Record<string, unknown>
  const { details } = read('google.rpc.Status', bytes as Buffer)
  return (details as Record<string, unknown>[]).map((any) => {
    if (typeof any.reason === 'string') return any.reason
    const type = String(any['@type'] ?? any.type_url).replace(/.*\//, '')
    if (type !== 'google.rpc.ErrorInfo') return type.replace('google.rpc.', '')
    return String(read(type, any.value as Buffer).reason)
  })
}
