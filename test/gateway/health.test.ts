import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type TestContext, test } from 'node:test'
import {
  type CircuitState,
  type CircuitStatus,
  healthReport,
  type UpstreamStatus,
} from '../../src/admin/health.ts'
import { startBackend, startGateway } from '../world.ts'
import { send } from './load.ts'

// conventions.md, Health.
test('/livez, /readyz and /health have their shapes', async (t) => {
  const backend = await startBackend(t)
  const { url } = await startGateway(t, {
    upstreams: {
      v1_users: { targets: [{ url: backend.url }], healthChecks: { active: { interval: '20ms' } } },
      plain: { targets: [{ url: backend.url }] },
    },
  })
  const live = await send(`${url}/livez`)
  assert.deepEqual([live.status, live.text, live.headers['cache-control']], [200, 'ok\n', 'no-store'])
  const ready = await send(`${url}/readyz`)
  assert.deepEqual([ready.status, ready.text, ready.headers['cache-control']], [200, 'ok\n', 'no-store'])
  const { ready: isReady, checks } = JSON.parse((await send(`${url}/readyz?verbose`)).text)
  assert.equal(isReady, true)
  assert.deepEqual(checks, [
    { name: 'draining', ok: true, required: true, detail: 'taking requests' },
    { name: 'config', ok: true, required: true, detail: 'version 1 is running' },
    { name: 'reload', ok: true, required: false, detail: 'the newest configuration is running' },
    { name: 'overload', ok: true, required: false, detail: 'no request is refused' },
    { name: 'database', ok: true, required: false, detail: 'sqlite is up' },
    { name: 'revocations', ok: true, required: false, detail: '0 are known' },
  ])
  const health = await send(`${url}/health`)
  const report = JSON.parse(health.text)
  assert.deepEqual(Object.keys(report), [
    'status',
    'timestamp',
    'service',
    'version',
    'configVersion',
    'uptimeSeconds',
    'activeConnections',
    'backends',
  ])
  assert.deepEqual(report.backends, { v1_users: 'healthy', plain: 'healthy' })
  assert.deepEqual(
    [health.status, report.status, report.service, report.configVersion],
    [200, 'healthy', 'trivium', 1],
  )
  assert.match(report.version, /^\d+\.\d+\.\d+$/)
  assert.equal(new Date(report.timestamp).toISOString(), report.timestamp)
  assert.ok(report.activeConnections >= 1 && report.uptimeSeconds >= 0)
})

test('what is asked with another method is not found', async (t) => {
  const { url } = await startGateway(t, {})
  assert.equal((await send(`${url}/livez`, { method: 'HEAD' })).status, 200)
  assert.equal((await send(`${url}/livez`, { method: 'POST' })).status, 404)
})

function listenAt(port: number, handler: RequestListener): Promise<Server> {
  const server = createServer(handler)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function stop(server: Server): Promise<unknown> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(resolve))
}

test('/health follows backends that answer wrongly, die and come back', async (t: TestContext) => {
  const good: RequestListener = (_req, res) => void res.end('ok')
  const bad: RequestListener = (_req, res) => void res.writeHead(503).end()
  let [a, b] = await Promise.all([listenAt(0, good), listenAt(0, good)])
  t.after(() => Promise.all([stop(a), stop(b)]))
  const ports = [a, b].map((server) => (server.address() as { port: number }).port) as [number, number]
  const healthChecks = { active: { interval: '20ms', timeout: '500ms', unhealthyAfter: 2 } }
  const target = (port: number): object => ({ url: `http://127.0.0.1:${port}` })
  const gateway = await startGateway(t, {
    upstreams: {
      one: { targets: [target(ports[0])], healthChecks },
      two: { targets: ports.map(target), healthChecks },
    },
  })
  const health = async (): Promise<{ httpStatus: number; status: string; backends: object }> => {
    const { status: httpStatus, text } = await send(`${gateway.url}/health`)
    const { status, backends } = JSON.parse(text)
    return { httpStatus, status, backends }
  }
  /** Resolves when the log has told of so many changes to this state since it was last asked. */
  let seen = 0
  const changes = async (message: string, count: number): Promise<void> => {
    let found = 0
    await gateway.logged((line) => {
      if (gateway.logs.indexOf(line) >= seen && line.message === message) found++
      return found === count
    })
    seen = gateway.logs.length
  }
  const healthyInstances = async (): Promise<string | undefined> =>
    /^gateway_healthy_instances (\d+)$/m.exec((await send(`${gateway.url}/metrics`)).text)?.[1]

  await changes('target is healthy', 3)
  assert.deepEqual(await health(), {
    httpStatus: 200,
    status: 'healthy',
    backends: { one: 'healthy', two: 'healthy' },
  })
  assert.equal(await healthyInstances(), '3')

  await stop(a)
  await changes('target is unhealthy', 2)
  assert.deepEqual(await health(), {
    httpStatus: 200,
    status: 'degraded',
    backends: { one: 'unreachable', two: 'healthy' },
  })
  assert.equal(await healthyInstances(), '1')
  assert.match(
    (await send(`${gateway.url}/metrics`)).text,
    new RegExp(`^gateway_upstream_healthy\\{upstream="one",target="http://127.0.0.1:${ports[0]}"\\} 0$`, 'm'),
  )
  assert.equal((await send(`${gateway.url}/readyz`)).status, 200)

  a = await listenAt(ports[0], bad)
  await stop(b)
  await changes('target is unhealthy', 1)
  // One answers wrongly, the other one not at all.
  for (
    let i = 0;
    i < 200 && JSON.stringify((await health()).backends) !== '{"one":"unhealthy","two":"unhealthy"}';
    i++
  ) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.deepEqual(await health(), {
    httpStatus: 503,
    status: 'unhealthy',
    backends: { one: 'unhealthy', two: 'unhealthy' },
  })

  await stop(a)
  ;[a, b] = await Promise.all([listenAt(ports[0], good), listenAt(ports[1], good)])
  await changes('target is healthy', 3)
  assert.deepEqual(await health(), {
    httpStatus: 200,
    status: 'healthy',
    backends: { one: 'healthy', two: 'healthy' },
  })
  // Nothing was probed to answer: /health itself sends nothing to a backend.
  assert.equal(await healthyInstances(), '3')
})

const target = (healthy: boolean | undefined, reason = ''): UpstreamStatus['targets'][number] => ({
  url: 'http://a',
  healthy,
  reason,
  circuit: undefined,
})
const quiet = { circuit: undefined, fallbacks: 0 }
const circuit = (state: CircuitState): CircuitStatus => ({
  state,
  changes: { closed: 0, half_open: 0, open: 1 },
})
const failed = 'probe failed: connect ECONNREFUSED'
const wrong = 'probe was answered 500'

const reports: readonly (readonly [
  name: string,
  targets: readonly (readonly [string, UpstreamStatus['targets']])[],
  redis: 'up' | 'down' | undefined,
  status: string,
  backends: object,
])[] = [
  ['no upstreams', [], undefined, 'healthy', {}],
  ['targets that are not probed', [['a', [target(undefined)]]], undefined, 'healthy', { a: 'healthy' }],
  [
    'one of two targets down',
    [['a', [target(true), target(false, failed)]]],
    undefined,
    'degraded',
    { a: 'healthy' },
  ],
  [
    'a target that fails its calls, and stays',
    [['a', [{ ...target(true), failing: true }]]],
    undefined,
    'degraded',
    { a: 'healthy' },
  ],
  [
    'an upstream for which no target was found',
    [
      ['a', [target(true)]],
      ['b', []],
    ],
    undefined,
    'degraded',
    { a: 'healthy', b: 'unreachable' },
  ],
  [
    'one of two upstreams down',
    [
      ['a', [target(true)]],
      ['b', [target(false, failed)]],
    ],
    undefined,
    'degraded',
    { a: 'healthy', b: 'unreachable' },
  ],
  [
    'every upstream down',
    [
      ['a', [target(false, wrong)]],
      ['b', [target(false, failed)]],
    ],
    undefined,
    'unhealthy',
    { a: 'unhealthy', b: 'unreachable' },
  ],
  [
    'one target wrong and one unreachable',
    [['a', [target(false, wrong), target(false, failed)]]],
    undefined,
    'unhealthy',
    { a: 'unhealthy' },
  ],
  ['Redis down', [['a', [target(true)]]], 'down', 'degraded', { a: 'healthy' }],
  ['Redis up', [['a', [target(true)]]], 'up', 'healthy', { a: 'healthy' }],
]

for (const [name, upstreams, redis, status, backends] of reports) {
  test(`with ${name} the gateway is ${status}`, () => {
    const report = reportOf(
      upstreams.map(([upstream, targets]) => ({ ...quiet, name: upstream, targets })),
      redis,
    )
    assert.deepEqual([report.status, report.backends, report.uptimeSeconds], [status, backends, 90])
    assert.equal('circuits' in report, false)
  })
}

// docs/traffic.md, circuit breaker.
for (const [state, status, backend] of [
  ['closed', 'healthy', 'healthy'],
  ['half_open', 'healthy', 'healthy'],
  ['open', 'degraded', 'unhealthy'],
] as const) {
  test(`an upstream whose circuit is ${state} is ${backend}`, () => {
    const upstreams = [
      { ...quiet, name: 'a', targets: [target(true)], circuit: circuit(state) },
      { ...quiet, name: 'b', targets: [target(true), { ...target(true), circuit: circuit('closed') }] },
    ]
    const report = reportOf(upstreams, undefined)
    assert.deepEqual(
      [report.status, report.backends, report.circuits],
      [status, { a: backend, b: 'healthy' }, { a: state }],
    )
  })
}

test('a target whose circuit is open is as good as down', () => {
  const open = { ...target(true), circuit: circuit('open') }
  const some = reportOf([{ ...quiet, name: 'a', targets: [open, target(true)] }], undefined)
  assert.deepEqual([some.status, some.backends], ['degraded', { a: 'healthy' }])
  const all = reportOf([{ ...quiet, name: 'a', targets: [open, target(false)] }], undefined)
  assert.deepEqual([all.status, all.backends], ['unhealthy', { a: 'unhealthy' }])
})

function reportOf(upstreams: readonly UpstreamStatus[], redis: 'up' | 'down' | undefined) {
  return healthReport({
    version: '1.0.0',
    config: { version: 1, wanted: 1, refused: undefined, unstored: false },
    startedAt: 0,
    now: 90_000,
    draining: false,
    activeConnections: 0,
    redis,
    database: undefined,
    shed: {},
    keys: { size: 0, trouble: undefined, isKept: false },
    revocations: { entries: 0, trouble: undefined, unwritten: 0, isMissing: false },
    upstreams,
    certificates: [],
    reflections: [],
    supergraph: undefined,
    identityProviders: [],
    routes: 0,
  })
}

// Prometheus text format 0.0.4, and what `promtool check metrics` asks for.
test('/metrics is well-formed text in the words of Prometheus', async (t) => {
  const backend = await startBackend(t)
  const { url } = await startGateway(t, {
    plugins: ['metrics'],
    upstreams: { a: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'r', path: '/x', upstream: 'a', auth: 'none' }],
  })
  await send(`${url}/x`)
  await send(`${url}/nothing`)
  const { text, headers } = await send(`${url}/metrics`)
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4; charset=utf-8$/)
  assert.ok(text.endsWith('\n'))
  const types = new Map<string, string>()
  const helps = new Map<string, string>()
  const problems: string[] = []
  const series = new Set<string>()
  for (const line of text.trimEnd().split('\n')) {
    if (line === '') continue
    const [, comment, name = '', rest = ''] =
      /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? []
    if (comment === 'TYPE') types.set(name, rest)
    if (comment === 'HELP') helps.set(name, rest)
    if (comment !== undefined) continue
    const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"'
    const sample = new RegExp(
      `^([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{(?:${label}(?:,${label})*)?\\})? (NaN|[+-]Inf|[-+]?[0-9.]+(?:e[-+]?[0-9]+)?)$`,
    )
    const [, sampled = '', labels = '', value] = sample.exec(line) ?? []
    if (value === undefined) problems.push(`no sample: ${line}`)
    if (series.has(sampled + labels)) problems.push(`twice: ${line}`)
    series.add(sampled + labels)
    const family = types.has(sampled) ? sampled : sampled.replace(/_(?:bucket|sum|count)$/, '')
    if (!types.has(family)) problems.push(`no TYPE: ${line}`)
  }
  for (const [name, type] of types) {
    if (!helps.has(name)) problems.push(`no HELP: ${name}`)
    if (type === 'counter' && !name.endsWith('_total')) problems.push(`a counter ends in _total: ${name}`)
    if (type !== 'counter' && name.endsWith('_total')) problems.push(`only a counter ends in _total: ${name}`)
    if (/_(?:milliseconds|ms|kb|mb|minutes)(?:_|$)/.test(name)) problems.push(`no base unit: ${name}`)
  }
  assert.deepEqual(
    problems.filter((problem) => !problem.includes('nodejs_') && !problem.includes('process_')),
    [],
  )
  for (const name of [
    'gateway_requests_total',
    'gateway_active_connections',
    'gateway_active_routes',
    'gateway_config_version',
    'gateway_config_reloads_total',
    'gateway_healthy_instances',
    'gateway_upstream_healthy',
  ]) {
    assert.ok(types.has(name), name)
  }
  assert.match(text, /^gateway_active_routes 1$/m)
})
