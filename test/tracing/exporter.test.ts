import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { startTcpServer } from '../tcp-server.ts'
import { startBackend, startGateway, type TestGateway } from '../world.ts'
import { type Collector, startCollector } from './collector.ts'

interface House extends TestGateway {
  readonly collector: Collector
  /** Asks so many times, one after the other, each of which is an exchange with one call in one attempt: three spans. */
  ask(times: number, path?: string): Promise<void>
  /** Spans by what became of them. */
  counts(): Promise<Record<string, number>>
}

async function open(
  t: TestContext,
  { otlp = {}, batch = {}, ...tracing }: TracingOptions = {},
): Promise<House> {
  const collector = await startCollector(t)
  const backend = await startBackend(t)
  const gateway = await startGateway(t, {
    plugins: ['accessLog'],
    upstreams: { echo: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'echo', path: '/v1/**', upstream: 'echo', auth: 'none' }],
    observability: {
      tracing: { otlp: { url: collector.url, ...otlp }, batch: { delay: '10ms', ...batch }, ...tracing },
    },
  })
  let asked = 0
  const allSettled = () =>
    gateway.logs.filter(({ message }) => message === 'exchange settled').length === asked
  return {
    ...gateway,
    collector,
    async ask(times, path = '/v1/x') {
      asked += times
      for (let i = 0; i < times; i++) await (await fetch(gateway.url + path)).text()
      await gateway.logged(allSettled)
    },
    async counts() {
      const text = await (await fetch(`${gateway.url}/metrics`)).text()
      const lines = text.matchAll(/^gateway_tracing_spans_total\{result="(\w+)"\} (\d+)$/gm)
      return Object.fromEntries([...lines].map(([, result = '', count]) => [result, Number(count)]))
    },
  }
}

interface TracingOptions {
  readonly otlp?: object
  readonly batch?: object
  readonly sample?: number
  readonly parentBased?: boolean
  readonly serviceName?: string
  readonly resource?: object
}

describe('spans on their way to the collector', () => {
  test('say who sends them, with the headers that the collector wants', async (t) => {
    const { collector, ask } = await open(t, {
      otlp: { headers: { 'x-team': 'T3am' }, compression: 'gzip' },
      serviceName: 'edge',
      resource: { 'deployment.environment.name': 'test', 'gateway.shard': 7 },
    })
    await ask(1)
    await collector.until(() => collector.spans.length === 3)
    const [{ headers, resource }] = collector.batches as [Collector['batches'][number]]
    assert.deepEqual(
      [headers['x-team'], headers['content-encoding'], headers.path],
      ['T3am', 'gzip', '/v1/traces'],
    )
    const {
      'service.instance.id': instance,
      'host.name': host,
      'service.version': version,
      ...rest
    } = resource
    assert.match(String(instance), /^[0-9a-f-]{36}$/)
    assert.ok(typeof host === 'string' && typeof version === 'string')
    assert.deepEqual(rest, {
      'service.name': 'edge',
      'deployment.environment.name': 'test',
      'gateway.shard': 7,
    })
  })

  test('leave in batches, and those that wait leave at the end of the gateway', async (t) => {
    const { collector, ask, gateway } = await open(t, { batch: { delay: '1h', spans: 6 } })
    await ask(3)
    await collector.until(() => collector.spans.length >= 6)
    await gateway.shutdown()
    assert.equal(collector.spans.length, 9)
    assert.ok(collector.batches.every(({ spans }) => spans.length <= 6))
  })

  test('wait for a collector that is away, within their bound; what comes on top is dropped and counted', async (t) => {
    const { collector, ask, counts, logs, logged } = await open(t, { batch: { spans: 6, queue: 9 } })
    collector.answer = { status: 503 }
    await ask(5)
    await collector.until(() => collector.asked > 0)
    assert.deepEqual(await counts(), { exported: 0, dropped: 6, refused: 0 })
    await logged(({ trouble }) => trouble === 'it answered with status 503')
    collector.answer = { status: 200 }
    await collector.until(() => collector.spans.length === 9)
    await logged(({ message }) => message === 'the collector of traces takes spans again')
    assert.deepEqual(await counts(), { exported: 9, dropped: 6, refused: 0 })
    assert.equal(logs.filter(({ trouble }) => trouble !== undefined).length, 1)
  })

  test('are given up when the collector does not want them', async (t) => {
    const { collector, ask, logged, counts } = await open(t)
    collector.answer = { status: 400 }
    await ask(1)
    await logged(({ trouble }) => trouble === 'it answered with status 400')
    assert.deepEqual(await counts(), { exported: 0, dropped: 0, refused: 3 })
    collector.answer = {
      status: 200,
      body: '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}',
    }
    await ask(1)
    await logged(({ trouble }) => trouble === 'it refused 2 spans of a batch')
    assert.deepEqual(await counts(), { exported: 1, dropped: 0, refused: 5 })
  })

  test('do not hold up requests, nor the end of the gateway for long, when the collector is silent', async (t) => {
    const silent = await startTcpServer(t, (socket) => socket.resume())
    const { ask, gateway, counts } = await open(t, {
      otlp: { url: `${silent.url}/v1/traces`, timeout: '10m' },
    })
    await ask(2)
    const before = await counts()
    const endsAt = Date.now() + 30_000
    await gateway.shutdown()
    assert.ok(Date.now() < endsAt)
    const { values } = (await gateway.metrics.getSingleMetric('gateway_tracing_spans_total')?.get()) ?? {
      values: [],
    }
    const dropped = values.find(({ labels }) => labels.result === 'dropped')?.value
    assert.deepEqual([before.dropped, dropped], [0, 6])
  })

  test('a collector that nobody is at costs the count only', async (t) => {
    const { ask, gateway, logged } = await open(t, { otlp: { url: 'http://127.0.0.1:1' } })
    await ask(2)
    await logged(({ message }) => message === 'spans do not get to the collector of traces')
    await gateway.shutdown()
    const metric = await gateway.metrics.getSingleMetricAsString('gateway_tracing_spans_total')
    assert.match(metric, /\{result="dropped"\} 6/)
  })
})

describe('which exchanges are traced', () => {
  test('a share, by the trace id, and upstreams hear of the choice', async (t) => {
    const { collector, gateway, url } = await open(t, { sample: 0.5, parentBased: false })
    const told = new Map<string, string>()
    for (const last of ['00000000', '7fffffff', '80000000', 'ffffffff']) {
      const traceId = `4bf92f3577b34da6a3ce929d${last}`
      const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }
      const { headers: seen } = (await (await fetch(`${url}/v1/x`, { headers })).json()) as {
        headers: { traceparent: string }
      }
      told.set(traceId, seen.traceparent.slice(-2))
    }
    await gateway.shutdown()
    assert.deepEqual([...told.values()], ['01', '01', '00', '00'])
    const traced = new Set(collector.spans.map(({ traceId }) => traceId))
    assert.deepEqual(
      [...traced],
      [...told].filter(([, flags]) => flags === '01').map(([traceId]) => traceId),
    )
  })

  test('also those that no route takes, with what they were refused for', async (t) => {
    const { collector, ask } = await open(t)
    await ask(1, '/nowhere?token=S3cr3t')
    await collector.until(() => collector.spans.length === 1)
    const [{ name, attributes, status }] = collector.spans as [Collector['spans'][number]]
    assert.deepEqual([name, attributes['http.response.status_code'], status], ['GET', 404, undefined])
    assert.deepEqual([attributes['url.path'], attributes['http.route']], ['/nowhere', undefined])
  })
})

describe('without tracing', () => {
  const config = (url: string, tracing: object) => ({
    upstreams: { echo: { targets: [{ url }] } },
    routes: [{ id: 'echo', path: '/v1/**', upstream: 'echo', auth: 'none' }],
    plugins: ['requestId'],
    observability: tracing,
  })

  test('no request walks a hook more, and the caller decides what backends hear', async (t) => {
    const backend = await startBackend(t)
    const hooksOf = async (tracing: object) => {
      const { gateway, url } = await startGateway(t, config(backend.url, tracing))
      const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }
      await (await fetch(`${url}/v1/x`, { headers })).text()
      const hooks = gateway.table.entries[0]?.value.hooks ?? {}
      return Object.fromEntries(
        Object.entries<readonly unknown[]>({ ...hooks }).map(([name, list]) => [name, list.length]),
      )
    }
    const off = await hooksOf({})
    assert.deepEqual(await hooksOf({ tracing: { otlp: { url: '' } } }), off)
    const collector = await startCollector(t)
    const on = await hooksOf({ tracing: { otlp: { url: collector.url } } })
    assert.deepEqual(
      ['onRequest', 'onCall', 'onReply', 'onSettled'].map((name) => (on[name] ?? 0) - (off[name] ?? 0)),
      [1, 1, 0, 1],
    )
    for (const { headers } of backend.requests) assert.match(String(headers.traceparent), /-01$/)
  })
})
