import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { GatewayError } from '../../src/core/error.ts'
import type { LogLevel } from '../../src/core/log.ts'
import { accessLog } from '../../src/plugins/access-log.ts'
import { callRecord } from './call-record.ts'
import { exchange, host, type LogEntry, make, type TestExchange } from './harness.ts'

function logged(options: object, change: (x: TestExchange) => void, request = {}): LogEntry[] {
  const house = host()
  const x = exchange({ plugins: [make(accessLog, options, house)], request })
  change(x)
  x.settle()
  return house.logged
}

const levels: readonly [number, string][] = [
  [200, 'info'],
  [304, 'info'],
  [404, 'warn'],
  [429, 'warn'],
  [499, 'warn'],
  [500, 'error'],
  [503, 'error'],
]
for (const [status, level] of levels) {
  test(`an exchange with status ${status} is logged once at ${level}`, () => {
    const lines = logged({}, (x) => {
      x.status = status
    })
    assert.deepEqual(
      lines.map((line) => line.level),
      [level],
    )
  })
}

test('a line has the names of docs/conventions.md', () => {
  const [line] = logged({}, (x) => {
    x.status = 200
    x.principal = { id: 'ann', roles: [], scopes: [], consumer: 'shop', via: 'apiKey' }
    x.attributes['rpc.service'] = 'library.v1.LibraryService'
    x.calls.push(
      callRecord({ upstreamName: 'users', target: 'http://127.0.0.1:1', attempts: 2, durationMs: 7 }),
    )
    x.calls.push(
      callRecord({ upstreamName: 'orders', target: 'http://127.0.0.1:2', attempts: 1, durationMs: 3 }),
    )
  })
  const { trace_id, span_id, request_id, 'gateway.duration_ms': durationMs, ...rest } = line?.fields ?? {}
  assert.match(`${trace_id} ${span_id} ${request_id}`, /^[0-9a-f]{32} [0-9a-f]{16} [0-9a-f-]{36}$/)
  assert.equal(typeof durationMs, 'number')
  assert.deepEqual(rest, {
    'http.request.method': 'GET',
    'url.path': '/v1/users',
    'http.route': '/v1/users/**',
    'http.response.status_code': 200,
    'http.request.body.size': 0,
    'http.response.body.size': 0,
    'client.address': '192.0.2.1',
    'user.id': 'ann',
    'gateway.protocol': 'rest',
    'gateway.route': 'users-v1',
    'gateway.consumer': 'shop',
    'gateway.config_version': 1,
    'gateway.upstream': 'users,orders',
    'gateway.target': 'http://127.0.0.1:2',
    'gateway.attempts': 3,
    'gateway.upstream_duration_ms': 10,
    'rpc.service': 'library.v1.LibraryService',
  })
})

test('a line is JSON whatever strangers send, and ends with its message', () => {
  const nasty = 'quote " backslash \\ newline \n umlaut ü lone \ud800 null \u0000'
  const lines: string[] = []
  const house = host()
  const log = { ...house.log, line: (_level: LogLevel, json: string) => void lines.push(json) }
  const plugin = make(accessLog, {}, { ...house, log })
  const x = exchange({ plugins: [plugin], request: { path: nasty, headers: { 'user-agent': nasty } } })
  x.attributes['graphql.operation.name'] = nasty
  x.settle()
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>
  assert.equal(line['url.path'], nasty)
  assert.equal(line['user_agent.original'], nasty)
  assert.equal(line['graphql.operation.name'], nasty)
  assert.equal(line.message, 'exchange settled')
  assert.equal(lines[0]?.split('\n').length, 1)
})

test('no credential, cookie or query value reaches the log', () => {
  const chunks: string[] = []
  const log = pino({ level: 'debug' }, { write: (chunk: string) => void chunks.push(chunk) })
  const headers = { authorization: 'Bearer SECRET', cookie: 'sid=SECRET', 'x-api-key': 'SECRET' }
  const plugin = make(accessLog, {}, { ...host(), log })
  for (const status of [200, 401, 500]) {
    const x = exchange({ plugins: [plugin], request: { headers, query: 'token=SECRET' } })
    x.status = status
    if (status === 500)
      x.error = new GatewayError('INTERNAL', 'The gateway failed.', { cause: new Error('why') })
    x.settle()
  }
  assert.equal(chunks.length, 3)
  assert.ok(!chunks.join('').includes('SECRET'))
})

test('what a client can make long is cut', () => {
  const request = { path: `/${'a'.repeat(9_000)}`, headers: { 'user-agent': 'b'.repeat(9_000) } }
  const [line] = logged(
    {},
    (x) => {
      x.status = 200
      x.attributes['graphql.operation.name'] = 'c'.repeat(9_000)
    },
    request,
  )
  assert.equal(String(line?.fields['url.path']).length, 2_048)
  assert.equal(String(line?.fields['user_agent.original']).length, 256)
  assert.equal(String(line?.fields['graphql.operation.name']).length, 256)
})

test('a fault of the gateway is logged with its cause and stack', () => {
  const [line] = logged({}, (x) => {
    x.status = 500
    x.error = new GatewayError('INTERNAL', 'The gateway failed.', {
      cause: new Error('outer', { cause: new Error('inner') }),
    })
  })
  assert.equal(line?.fields['gateway.error.code'], 'F50000')
  assert.equal(line?.fields['gateway.error.reason'], 'INTERNAL')
  assert.equal(line?.fields['gateway.error.cause'], 'outer: inner')
  assert.match(String(line?.fields['gateway.error.stack']), /^ {4}at .*access-log\.test/)
})

test('a parse error does not carry the text of a body into the log', () => {
  const lines = logged({}, (x) => {
    x.status = 500
    try {
      JSON.parse('{"password": SECRET}')
    } catch (cause) {
      x.error = new GatewayError('INTERNAL', 'The gateway failed.', { cause })
    }
  })
  assert.equal(lines[0]?.fields['gateway.error.cause'], 'SyntaxError')
  assert.ok(!JSON.stringify(lines).includes('SECRET'))
})

test('sampling keeps its share of good exchanges and every bad one', () => {
  const count = (status: number): number => {
    let lines = 0
    for (let i = 0; i < 400; i++) {
      const traceId = `${'a'.repeat(24)}${Math.floor((i / 400) * 0x1_0000_0000)
        .toString(16)
        .padStart(8, '0')}`
      const request = { headers: { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` } }
      lines += logged(
        { sample: 0.25 },
        (x) => {
          x.status = status
        },
        request,
      ).length
    }
    return lines
  }
  assert.equal(count(200), 100)
  assert.equal(count(404), 400)
})

test('a share above 1 is refused', () => {
  assert.throws(() => make(accessLog, { sample: 1.5 }))
})
