import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import type { LoadSample } from '../../src/listener/load-watch.ts'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { askHttp2, connectHttp2 } from '../listener/http2-client.ts'
import { RawClient } from '../listener/raw-client.ts'
import { startGateway } from '../world.ts'
import { doors } from './door.ts'

const consumers = [{ id: 'shop', keys: [{ hash: hashApiKey(createApiKey('test')) }] }]

/** A gateway whose heap is as full as the test says. */
async function openOverloaded(t: TestContext, config: object) {
  let tell: ((sample: LoadSample) => void) | undefined
  const gateway = await startGateway(
    t,
    { server: { overload: { heapPercent: 90 } }, plugins: ['accessLog', 'metrics'], consumers, ...config },
    {
      watchLoad: (listener) => {
        tell = listener
        return () => {}
      },
    },
  )
  const heapIs = (heapPercent: number, samples = 100): void => {
    for (let i = 0; i < samples; i++) tell?.({ delayMs: 0, nextAt: Number.POSITIVE_INFINITY, heapPercent })
  }
  return { ...gateway, heapIs }
}

for (const door of doors) {
  describe(`overload at the ${door.name} door`, () => {
    test('requests are refused before anybody asks who sends them, until it is over', async (t) => {
      const backend = await door.start(t)
      const { url, heapIs, logged, logs, gateway } = await openOverloaded(t, backend.config({}))
      assert.equal((await backend.ask(url)).status, 401)
      heapIs(95)
      const refused = await backend.ask(url)
      assert.equal(refused.status, 503)
      assert.equal(backend.reason(await refused.text()), 'OVERLOADED')
      assert.equal(refused.headers.get('retry-after'), '1')
      await logged((line) => line['gateway.error.code'] === 'F50303')
      heapIs(50)
      assert.equal((await backend.ask(url)).status, 401)
      assert.equal(backend.seen.length, 0)
      const told = logs
        .filter(({ reason }) => reason === 'heap')
        .map((line) => [line.msg ?? line.message, line.refused])
      assert.deepEqual(told, [
        ['overloaded: new requests are refused', undefined],
        ['no longer overloaded', 1],
      ])
      const metrics = await gateway.metrics.metrics()
      assert.match(metrics, /^gateway_shed_total\{reason="heap"\} 1$/m)
      assert.match(metrics, /^gateway_shed_total\{reason="event_loop"\} 0$/m)
      assert.match(metrics, /^gateway_active_requests\{protocol="\w+"\} 0$/m)
    })
  })
}

const [rest, graphql, grpc] = doors as [(typeof doors)[0], (typeof doors)[0], (typeof doors)[0]]

test('whoever looks after the gateway is answered all the same', async (t) => {
  const backend = await rest.start(t)
  const { url, heapIs } = await openOverloaded(t, backend.config({}))
  heapIs(95)
  for (const path of ['/livez', '/readyz', '/health', '/metrics']) {
    assert.equal((await fetch(`${url}${path}`)).status, 200, path)
  }
  await backend.ask(url)
  const { checks } = (await (await fetch(`${url}/readyz?verbose`)).json()) as { checks: { name: string }[] }
  assert.deepEqual(
    checks.find(({ name }) => name === 'overload'),
    { name: 'overload', ok: false, required: false, detail: 'requests are refused: heap' },
  )
})

test('clients of gRPC that ask for its health are answered, too', async (t) => {
  const backend = await grpc.start(t)
  const { url, heapIs } = await openOverloaded(t, backend.config({ auth: 'none' }))
  heapIs(95)
  const session = await connectHttp2(t, url)
  const head = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' }
  const path = '/grpc.health.v1.Health/Check'
  const { headers, trailers, body } = await askHttp2(session, { ...head, ':path': path }, Buffer.alloc(5))
  assert.equal({ ...headers, ...trailers }['grpc-status'], '0')
  assert.deepEqual([...body], [0, 0, 0, 0, 2, 8, 1], 'SERVING')
})

test('a request that is under way is not cut', async (t) => {
  const backend = await rest.start(t)
  const { url, heapIs } = await openOverloaded(t, {
    ...backend.config({ auth: 'none' }),
    routes: [
      {
        id: 'slow',
        path: '/slow',
        auth: 'none',
        respond: { body: 'done' },
        plugins: [{ fault: { delay: { duration: '300ms', percent: 100 } } }],
      },
    ],
  })
  const asked = fetch(`${url}/slow`)
  while (
    !(await (await fetch(`${url}/metrics`)).text()).includes('gateway_active_requests{protocol="rest"} 1')
  ) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  heapIs(95)
  assert.equal(await (await asked).text(), 'done')
})

test('a WebSocket is refused with a whole answer', async (t) => {
  const backend = await rest.start(t)
  const { port, heapIs } = await openOverloaded(t, backend.config({ auth: 'none' }))
  heapIs(95)
  const asked = request({
    port,
    host: '127.0.0.1',
    path: '/v1/users/42',
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    },
  }).end()
  const [reply] = (await once(asked, 'response')) as [IncomingMessage]
  assert.deepEqual([reply.statusCode, reply.headers['retry-after']], [503, '1'])
  reply.resume()
})

test('clients of gRPC and of Connect hear of it in their own words', async (t) => {
  const backend = await grpc.start(t)
  const { url, heapIs } = await openOverloaded(t, backend.config({ auth: 'none' }))
  heapIs(95)
  const session = await connectHttp2(t, url)
  const path = { ':method': 'POST', ':path': '/doors.v1.Users/GetUser' }
  const native = await askHttp2(
    session,
    { ...path, 'content-type': 'application/grpc', te: 'trailers' },
    Buffer.alloc(5),
  )
  const said = { ...native.headers, ...native.trailers }
  assert.deepEqual([native.status, said['grpc-status']], [200, '14'])
  const connect = await askHttp2(session, { ...path, 'content-type': 'application/proto' }, Buffer.alloc(0))
  assert.equal(connect.status, 503)
  assert.equal(JSON.parse(connect.body.toString('utf8')).code, 'unavailable')
})

test('the connection of a client whose small body is refused goes on', async (t) => {
  const backend = await graphql.start(t)
  const { port, heapIs } = await openOverloaded(t, backend.config({ auth: 'none' }))
  heapIs(95)
  const body = '{"query":"{ me { id } }"}'
  const post = `POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const client = await RawClient.connect(port)
  t.after(() => client.socket.destroy())
  for (let answers = 1; answers <= 3; answers++) {
    client.write(post)
    await client.until(new RegExp(`(HTTP/1.1 503 [^]*){${answers}}`))
  }
  assert.doesNotMatch(client.text, /^connection: close/im)
})
