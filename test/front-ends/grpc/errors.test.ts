import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants, createServer as createHttp2, type Http2Server } from 'node:http2'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { after, before, test } from 'node:test'
import { GatewayError } from '../../../src/core/error.ts'
import { type House, noHooks, openHouse, serviceOf, upstreamOf } from './harness.ts'
import { httpStatuses } from './http-statuses.ts'
import { kitchenHouse, kitchenName, kitchenProto, startKitchen } from './kitchen.ts'

let kitchen: Awaited<ReturnType<typeof startKitchen>>
let house: House

before(async () => {
  kitchen = await startKitchen()
  house = await kitchenHouse(kitchen.url)
})
after(async () => {
  await house.close()
  kitchen.close()
})

// transcoding.md; google/rpc/code.proto.
const table = {
  ...httpStatuses,
  77: 500,
}
for (const [code, status] of Object.entries(table)) {
  test(`gRPC status ${code} of a backend is HTTP ${status} with its own message`, async () => {
    const answer = await house.ask('GET', `/v1/fail/${code}?kind=plain`)
    assert.equal(answer.status, status)
    assert.deepEqual(answer.json, { code: Number(code), message: 'as asked: plain ü', details: [] })
  })
}

test('details of a known type are decoded', async () => {
  const { json } = await house.ask('GET', '/v1/fail/5?kind=known')
  assert.deepEqual(json.details, [
    { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'NO_FLOUR', domain: 'kitchen' },
  ])
})

test('a detail of unknown type is its type and base64, and the status stays', async () => {
  const { status, json } = await house.ask('GET', '/v1/fail/5?kind=unknown')
  assert.equal(status, 404)
  assert.deepEqual(json.details, [{ '@type': 'type.googleapis.com/acme.Unheard', value: 'AQID' }])
})

test('details that are no Status leave code and message', async () => {
  const { status, json } = await house.ask('GET', '/v1/fail/5?kind=garbage')
  assert.deepEqual([status, json.message, json.details], [404, 'as asked: garbage ü', []])
})

test('RetryInfo becomes Retry-After, rounded up', async () => {
  assert.equal((await house.ask('GET', '/v1/fail/14?kind=retry')).headers['retry-after'], '3')
})

test('a refusal of the gateway is a google.rpc.Status with ErrorInfo and RetryInfo', async () => {
  const hooks = {
    ...noHooks,
    onCall: [
      () => {
        throw new GatewayError('RATE_LIMITED', 'Slower, please.', { retryAfterMs: 1_500 })
      },
    ],
  }
  const limited = await kitchenHouse(kitchen.url, { hooks })
  const { status, headers, json } = await limited.ask('GET', '/v1/nothing', {
    headers: { 'x-request-id': 'r-1' },
  })
  await limited.close()
  assert.deepEqual([status, headers['retry-after'], headers['content-type']], [429, '2', 'application/json'])
  const [errorInfo, retryInfo] = json.details
  assert.deepEqual([json.code, json.message], [8, 'Slower, please.'])
  assert.deepEqual(errorInfo, {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: 'RATE_LIMITED',
    domain: 'trivium',
    metadata: { number: 'F42900', requestId: 'r-1', traceId: errorInfo.metadata.traceId },
  })
  assert.deepEqual(retryInfo, { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.5s' })
})

test('a refused connection is 502 UPSTREAM_REFUSED and goes elsewhere even for a POST', async () => {
  const dead = `http://127.0.0.1:${await closedPort()}`
  const alone = await kitchenHouse(dead)
  const both = await openHouse([kitchenProto], [serviceOf(kitchenName, upstreamOf([dead, kitchen.url]))])
  const lost = await alone.ask('POST', '/v1/echo', { body: { text: 'x' } })
  const found = await both.ask('POST', '/v1/echo', { body: { text: 'x' } })
  const error = alone.settled[0]?.error
  await alone.close()
  await both.close()
  assert.deepEqual(
    [lost.status, lost.json.details[0].reason, error?.reached],
    [502, 'UPSTREAM_REFUSED', false],
  )
  assert.deepEqual([found.status, found.json], [200, { text: 'x' }])
})

test('a name that does not resolve is 502 UPSTREAM_DNS', async () => {
  const lost = await kitchenHouse('http://nowhere.invalid:80')
  const { status, json } = await lost.ask('GET', '/v1/nothing')
  await lost.close()
  assert.deepEqual([status, json.details[0].reason], [502, 'UPSTREAM_DNS'])
})

test('TLS to a cleartext port is 502 and never reached', async () => {
  const lost = await kitchenHouse(kitchen.url.replace('http:', 'https:'))
  const { status, json } = await lost.ask('GET', '/v1/nothing')
  const reached = lost.settled[0]?.error?.reached
  await lost.close()
  assert.deepEqual([status, json.details[0].reason, reached], [502, 'UPSTREAM_TLS', false])
})

test('a connection that breaks under a POST is 502 UPSTREAM_RESET and is not sent twice', async () => {
  let calls = 0
  const hostile = await startHttp2((stream) => {
    calls++
    stream.session?.destroy()
  })
  const broken = await kitchenHouse(hostile.url)
  const { status, json } = await broken.ask('POST', '/v1/echo', { body: {} })
  await broken.close()
  hostile.close()
  assert.deepEqual([status, json.details[0].reason, calls], [502, 'UPSTREAM_RESET', 1])
})

test('a call that the backend refused to take goes elsewhere even for a POST', async () => {
  const busy = await startHttp2((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM))
  const both = await openHouse([kitchenProto], [serviceOf(kitchenName, upstreamOf([busy.url, kitchen.url]))])
  const { status, json } = await both.ask('POST', '/v1/echo', { body: { text: 'x' } })
  const attempts = both.settled[0]?.calls[0]?.attempts.length
  await both.close()
  busy.close()
  assert.deepEqual([status, json, attempts], [200, { text: 'x' }, 2])
})

for (const [name, answer] of [
  ['HTML with 503', { ':status': 503, 'content-type': 'text/html' }],
  ['HTML with 200', { ':status': 200, 'content-type': 'text/html' }],
  ['404 without a body', { ':status': 404 }],
] as const) {
  test(`an upstream that answers ${name} instead of gRPC is 502`, async () => {
    const hostile = await startHttp2((stream) => {
      const html = name.startsWith('HTML')
      stream.respond(answer, { endStream: !html })
      if (html) stream.end('<html>no</html>')
    })
    const confused = await kitchenHouse(hostile.url)
    const { status, json } = await confused.ask('GET', '/v1/nothing')
    await confused.close()
    hostile.close()
    assert.equal(status, 502, JSON.stringify(json))
  })
}

test('an answer above messageBytes is 502', async () => {
  const small = await kitchenHouse(kitchen.url, { messageBytes: 100 })
  const big = await small.ask('GET', '/v1/count/1?bytes=200')
  const { status, json } = big
  await small.close()
  assert.deepEqual([status, json.code, json.details[0].reason], [502, 8, 'UPSTREAM_TOO_LARGE'])
})

test('an answer that is no such message is 502', async () => {
  const hostile = await startHttp2((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(Buffer.from([0, 0, 0, 0, 2, 0x0a, 0xff]))
  })
  const confused = await kitchenHouse(hostile.url)
  const { status, json } = await confused.ask('GET', '/v1/echo')
  await confused.close()
  hostile.close()
  assert.deepEqual([status, json.details[0].reason], [502, 'UPSTREAM_BAD_ANSWER'])
})

async function closedPort(): Promise<number> {
  const server: Server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function startHttp2(
  onStream: (stream: import('node:http2').ServerHttp2Stream) => void,
): Promise<{ readonly url: string; close(): void }> {
  const server: Http2Server = createHttp2()
  const sessions = new Set<import('node:http2').ServerHttp2Session>()
  server.on('session', (session) => sessions.add(session))
  server.on('sessionError', () => {})
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    onStream(stream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      for (const session of sessions) session.destroy()
      server.close()
    },
  }
}
