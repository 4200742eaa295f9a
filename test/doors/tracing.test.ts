import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { type Collector, type ReadSpan, startCollector } from '../tracing/collector.ts'
import { startGateway, type TestGateway } from '../world.ts'
import type { Door, DoorBackend } from './door.ts'
import { everyDoor } from './grpc-doors.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const clientSpan = '00f067aa0ba902b7'
const sampled = { traceparent: `00-${traceId}-${clientSpan}-01`, tracestate: 'congo=t61rcWkgMzE' }
const [server, client] = [2, 3]

interface House extends TestGateway {
  readonly collector: Collector
  readonly backends: readonly DoorBackend[]
  ask(headers?: Readonly<Record<string, string>>): Promise<Response>
}

async function open(
  t: TestContext,
  door: Door,
  { tracing = {}, targets: count = 1, upstream = {}, ...config }: HouseOptions = {},
): Promise<House> {
  const collector = await startCollector(t)
  const backends = await Promise.all(Array.from({ length: count }, () => door.start(t)))
  const [first] = backends as [DoorBackend]
  const configs = backends.map((backend) => backend.config({ auth: 'none' }) as Backend)
  const targets = configs.flatMap(({ upstreams }) => upstreams.backend.targets)
  const otlp = { url: collector.url }
  const gateway = await startGateway(t, {
    plugins: ['requestId', 'accessLog'],
    ...configs[0],
    upstreams: { backend: { targets, ...upstream } },
    observability: { tracing: { otlp, batch: { delay: '20ms' }, ...tracing } },
    ...config,
  })
  return { ...gateway, collector, backends, ask: (headers) => first.ask(gateway.url, headers) }
}

interface HouseOptions {
  readonly tracing?: object
  readonly targets?: number
  readonly upstream?: object
  readonly plugins?: readonly string[]
}

interface Backend {
  readonly upstreams: { readonly backend: { readonly targets: readonly object[] } }
}

/** The spans of the first trace, when those of its exchange are there. */
async function spansOf({ collector }: House): Promise<ReadSpan[]> {
  await collector.until(() => collector.spans.some(({ kind }) => kind === server))
  return collector.spans
}

function childrenOf(spans: readonly ReadSpan[], parent: ReadSpan | undefined): readonly ReadSpan[] {
  return spans.filter(({ parentSpanId }) => parentSpanId === parent?.spanId)
}

function spanToldTo(backend: DoorBackend | undefined): string | undefined {
  return backend?.seen[0]?.traceparent?.split('-')[2]
}

for (const door of everyDoor) {
  describe(`traces at the ${door.name} door`, () => {
    const isRpcCall = door.protocol === 'grpc'

    test('one trace leads from the client through exchange, call and attempt to the backend', async (t) => {
      const house = await open(t, door)
      assert.equal((await house.ask(sampled)).status, 200)
      const spans = await spansOf(house)
      assert.equal(spans.length, 3)
      for (const span of spans) {
        assert.deepEqual([span.traceId, span.traceState], [traceId, 'congo=t61rcWkgMzE'])
        assert.equal(span.status, undefined)
      }
      const [exchange] = spans.filter(({ kind }) => kind === server)
      const [call] = childrenOf(spans, exchange)
      const [attempt] = childrenOf(spans, call)
      assert.ok(exchange && call && attempt)
      assert.deepEqual([call.kind, attempt.kind], [client, client])
      assert.deepEqual([exchange.flags, call.flags, attempt.flags], [0x301, 0x101, 0x101])
      const line = await house.logged((entry) => entry.trace_id === traceId)
      assert.deepEqual([exchange.parentSpanId, exchange.spanId], [clientSpan, line.span_id])
      assert.equal(spanToldTo(house.backends[0]), attempt.spanId)
      assert.ok(exchange.start <= call.start && call.start <= attempt.start)
      assert.ok(attempt.start <= attempt.end && attempt.end <= call.end && call.end <= exchange.end)
      assert.ok(Math.abs(Number(exchange.start / 1_000_000n) - Date.now()) < 60_000)

      const { attributes } = exchange
      const { path, method } = house.backends[0]?.target ?? {}
      assert.equal(exchange.name, exchangeNames[door.name])
      assert.deepEqual(
        [attributes['http.request.method'], attributes['url.path'], attributes['http.response.status_code']],
        [method, path, 200],
      )
      assert.equal(attributes['gateway.route'], line['gateway.route'])
      assert.equal(attributes['server.address'], '127.0.0.1')
      assert.equal(attributes['server.port'], house.port)
      const rpc = isRpcCall
        ? [door.name === 'Connect' ? 'connectrpc' : 'grpc', 'doors.v1.Users/GetUser', 'OK']
        : []
      assert.deepEqual(rpcOf(exchange), rpc)

      const callName = { rest: 'GET backend', graphql: 'POST backend', grpc: 'doors.v1.Users/GetUser' }
      assert.equal(call.name, callName[door.protocol])
      assert.equal(call.attributes['gateway.upstream'], 'backend')
      assert.deepEqual(rpcOf(attempt), isRpcCall ? ['grpc', 'doors.v1.Users/GetUser', 'OK'] : [])
      assert.equal(attempt.attributes['http.response.status_code'], isRpcCall ? undefined : 200)
      const { 'server.address': address, 'server.port': port } = attempt.attributes
      assert.equal(`http://${address}:${port}`, line['gateway.target'])
    })

    test('an attempt that was tried again is there, and the backends are below their own', async (t) => {
      const house = await open(t, door, {
        targets: 2,
        plugins: [],
        upstream: { retry: { nonIdempotent: true } },
      })
      const [failing, well] = house.backends as [DoorBackend, DoorBackend]
      failing.behaviour.answers = 'fail'
      assert.equal((await house.ask(sampled)).status, 200)
      const spans = await spansOf(house)
      const [call] = spans.filter(
        (span) => span.attributes['gateway.attempt'] === undefined && span.kind === client,
      )
      const attempts = childrenOf(spans, call)
      assert.deepEqual(
        attempts.map(({ spanId }) => spanId),
        [spanToldTo(failing), spanToldTo(well)],
      )
      const type = isRpcCall ? 'UNAVAILABLE' : '503'
      assert.deepEqual(
        attempts.map(({ attributes, status }) => [
          attributes['gateway.attempt'],
          attributes['http.request.resend_count'],
          attributes['error.type'],
          status?.code,
        ]),
        [
          [1, undefined, type, 2],
          [2, isRpcCall ? undefined : 1, undefined, undefined],
        ],
      )
      assert.ok(call && call.status === undefined)
      assert.equal(spans.find(({ kind }) => kind === server)?.status, undefined)
    })

    test('what fails for good is an error from the attempt up to the exchange', async (t) => {
      const house = await open(t, door, { upstream: { retry: { attempts: 1 } } })
      const [backend] = house.backends as [DoorBackend]
      backend.behaviour.answers = 'break'
      await house.ask(sampled)
      const spans = await spansOf(house)
      assert.deepEqual(
        spans.map(({ kind, status }) => [kind, status?.code]),
        [
          [server, 2],
          [client, 2],
          [client, 2],
        ],
      )
      for (const { attributes } of spans) assert.equal(typeof attributes['error.type'], 'string')
    })

    test('a caller who did not sample has no spans, and the backend hears that', async (t) => {
      const house = await open(t, door)
      assert.equal((await house.ask({ traceparent: `00-${traceId}-${clientSpan}-00` })).status, 200)
      assert.equal((await house.ask()).status, 200)
      const spans = await spansOf(house)
      // Only those of the second one, whose trace begins here.
      const begun = spans.find(({ kind }) => kind === server)
      assert.ok(begun !== undefined && begun.traceId !== traceId && begun.parentSpanId === undefined)
      assert.ok(spans.every((span) => span.traceId === begun.traceId))
      const [unsampled, sampledHere] = house.backends[0]?.seen ?? []
      assert.match(String(unsampled?.traceparent), /-00$/)
      assert.match(String(sampledHere?.traceparent), new RegExp(`^00-${begun.traceId}-[0-9a-f]{16}-01$`))
    })

    test('no span has a credential', async (t) => {
      const house = await open(t, door)
      const secret = 'S3cr3tOfTheClient'
      await house.ask({
        ...sampled,
        authorization: `Bearer ${secret}`,
        cookie: `sid=${secret}`,
        'x-api-key': secret,
      })
      const spans = await spansOf(house)
      const text = JSON.stringify(spans, (_, value) => (typeof value === 'bigint' ? String(value) : value))
      assert.ok(text.length > 500 && !text.includes(secret))
    })
  })
}

const exchangeNames: Readonly<Record<string, string>> = {
  rest: 'GET /v1/users/**',
  'rest (HTTP/2)': 'GET /v1/users/**',
  graphql: 'query',
  grpc: 'GET /v1/grpc/users/{id}',
  gRPC: 'doors.v1.Users/GetUser',
  'gRPC-Web': 'doors.v1.Users/GetUser',
  Connect: 'doors.v1.Users/GetUser',
}

function rpcOf({ attributes }: ReadSpan): unknown[] {
  const names = ['rpc.system.name', 'rpc.method', 'rpc.response.status_code']
  return names.map((name) => attributes[name]).filter((value) => value !== undefined)
}
