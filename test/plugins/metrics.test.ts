import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../src/core/error.ts'
import type { Plugin } from '../../src/core/plugin.ts'
import { metrics } from '../../src/plugins/metrics.ts'
import { type ExchangeOptions, exchange, host, make, type TestExchange } from './harness.ts'

async function settled(
  plugin: Plugin,
  options: ExchangeOptions,
  change: (x: TestExchange) => void = () => {},
) {
  const x = exchange({ plugins: [plugin], ...options })
  await x.run()
  if (!x.committed) x.answer(200, [], '')
  change(x)
  return x.settle()
}

test('an exchange is counted and timed under its route, never under its path', async () => {
  const house = host()
  const plugin = make(metrics, {}, house)
  await settled(plugin, { request: { path: '/v1/users/1' } })
  await settled(plugin, { request: { path: '/v1/users/2' } })
  const text = await house.metrics.metrics()
  const labels = 'protocol="rest",route="users-v1",method="GET"'
  assert.ok(text.includes(`gateway_requests_total{${labels},status="200"} 2\n`), text)
  assert.ok(text.includes(`gateway_request_duration_seconds_count{${labels}} 2\n`), text)
  assert.ok(text.includes('gateway_overhead_seconds_count 2\n'), text)
  assert.ok(!text.includes('/v1/users'))
})

test('buckets are cumulative and end with the count', async () => {
  const house = host()
  const plugin = make(metrics, {}, house)
  for (const age of [0.5, 30, 30, 700, 60_000]) {
    await settled(plugin, { request: { startedAt: performance.now() - age } })
  }
  const text = await house.metrics.metrics()
  const buckets = [...text.matchAll(/gateway_request_duration_seconds_bucket\{.*le="([^"]+)"\} (\d+)/g)]
  const counts = buckets.map(([, , count]) => Number(count))
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => a - b),
  )
  assert.deepEqual(buckets.at(-1)?.slice(1), ['+Inf', '5'])
  assert.deepEqual(buckets.find(([, le]) => le === '0.05')?.[2], '3')
})

test('invented methods share one label', async () => {
  const house = host()
  const plugin = make(metrics, {}, house)
  for (let i = 0; i < 50; i++) await settled(plugin, { request: { method: `M${i}` } })
  const text = await house.metrics.metrics()
  assert.equal(text.match(/gateway_requests_total\{/g)?.length, 1)
  assert.ok(text.includes('method="OTHER",status="200"} 50\n'))
})

test('active requests return to zero, also when an earlier plugin refused', async () => {
  const house = host()
  const plugin = make(metrics, {}, house)
  const refusing: Plugin = {
    onRequest() {
      throw new GatewayError('REFUSED_BY_PLUGIN', 'No.')
    },
  }
  const x = exchange({ plugins: [plugin] })
  await x.run()
  assert.match(await house.metrics.metrics(), /gateway_active_requests\{protocol="rest"\} 1$/m)
  x.settle()
  await settled(plugin, { plugins: [refusing, plugin] })
  assert.match(await house.metrics.metrics(), /gateway_active_requests\{protocol="rest"\} 0$/m)
})

const errors: readonly [string, GatewayError, string][] = [
  ['a refusal is the client', new GatewayError('RATE_LIMITED', ''), 'code="F42900",source="client"'],
  [
    'a refused connection is the upstream',
    new GatewayError('UPSTREAM_REFUSED', ''),
    'code="F50201",source="upstream"',
  ],
  [
    'no healthy target is the upstream',
    new GatewayError('NO_HEALTHY_TARGET', ''),
    'code="F50302",source="upstream"',
  ],
  ['a fault is the gateway', new GatewayError('INTERNAL', ''), 'code="F50000",source="gateway"'],
]
for (const [name, error, labels] of errors) {
  test(`the source of an error: ${name}`, async () => {
    const house = host()
    await settled(make(metrics, {}, house), {}, (x) => {
      x.error = error
    })
    const text = await house.metrics.metrics()
    assert.ok(text.includes(`gateway_errors_total{${labels}} 1`), text)
  })
}

test('an expired token counts as a failure to authenticate, a rate limit does not', async () => {
  const house = host()
  const plugin = make(metrics, {}, house)
  for (const reason of ['JWT_EXPIRED', 'RATE_LIMITED'] as const) {
    await settled(plugin, {}, (x) => {
      x.error = new GatewayError(reason, '')
    })
  }
  const lines = (await house.metrics.metrics()).match(/^gateway_auth_failures_total\{.*$/gm)
  assert.deepEqual(lines, ['gateway_auth_failures_total{reason="JWT_EXPIRED"} 1'])
})

test('names of operations become labels when they were answered ten times, 200 of them, over reloads too', async () => {
  const house = host()
  for (let reload = 0; reload < 2; reload++) {
    const plugin = make(metrics, {}, house)
    for (let i = 0; i < 150; i++) {
      for (let times = 0; times < 10; times++)
        await settled(plugin, { route: { protocol: 'graphql' } }, (x) => {
          x.attributes['graphql.operation.type'] = 'query'
          x.attributes['graphql.operation.name'] = `Op${reload}_${i}`
        })
    }
  }
  const lines = (await house.metrics.metrics()).match(/^gateway_graphql_operations_total\{.*$/gm) ?? []
  assert.equal(lines.length, 201)
  assert.ok(
    lines.includes('gateway_graphql_operations_total{operation="__other__",type="query",outcome="ok"} 2800'),
  )
  assert.ok(lines.includes('gateway_graphql_operations_total{operation="Op0_7",type="query",outcome="ok"} 1'))
})

test('counts go on after a reload', async () => {
  const house = host()
  await settled(make(metrics, {}, house), {})
  await settled(make(metrics, {}, house), {})
  assert.match(await house.metrics.metrics(), /gateway_requests_total\{[^}]*\} 2$/m)
})

test('a label value with quotes and line breaks stays one line', async () => {
  const house = host()
  await settled(make(metrics, {}, house), { route: { id: 'a"b\nc\\d' } })
  const lines = (await house.metrics.metrics()).match(/^gateway_requests_total\{.*$/gm)
  assert.equal(lines?.length, 1)
  assert.ok(lines?.[0]?.includes('route="a\\"b\\nc\\\\d"'))
})

test('what lasts as long as its client likes is counted, and not timed', async () => {
  const house = host()
  const plugin = make(metrics, {}, house)
  await settled(plugin, {}, (x) => {
    x.lasting = true
  })
  const text = await house.metrics.metrics()
  assert.match(text, /^gateway_requests_total\{[^}]*\} 1$/m)
  assert.doesNotMatch(text, /^gateway_request_duration_seconds_count\{[^}]*\} [1-9]/m)
})

const ends: readonly [string, number | undefined, GatewayError | undefined, string | undefined][] = [
  ['success', 0, undefined, 'ok'],
  ['the status of the backend', 14, undefined, 'unavailable'],
  ['the status before the error that led to it', 4, new GatewayError('INTERNAL', ''), 'deadline_exceeded'],
  ['a refusal without a status', undefined, new GatewayError('RATE_LIMITED', ''), 'resource_exhausted'],
  ['a number that gRPC does not know', 99, undefined, 'other'],
  ['no end at all', undefined, undefined, undefined],
]
for (const [name, status, error, code] of ends) {
  test(`gRPC calls are counted by their end: ${name}`, async () => {
    const house = host()
    const plugin = make(metrics, {}, house)
    await settled(plugin, { route: { protocol: 'grpc', id: 'a.B/C' } }, (x) => {
      if (status !== undefined) x.attributes['rpc.grpc.status_code'] = status
      x.error = error
    })
    const lines = (await house.metrics.metrics()).match(/^gateway_grpc_calls_total\{.*$/gm) ?? []
    assert.deepEqual(
      lines,
      code === undefined ? [] : [`gateway_grpc_calls_total{method="a.B/C",code="${code}"} 1`],
    )
  })
}
