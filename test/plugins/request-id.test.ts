import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestId } from '../../src/plugins/request-id.ts'
import { callRecord } from './call-record.ts'
import { exchange, make, values } from './harness.ts'

const trace = '0af7651916cd43dd8448eb211c80319c'
const parent = 'b7ad6b7169203331'

test('the client reads the same request id and trace id that the upstream gets', async () => {
  const x = exchange({ plugins: [make(requestId, {})] })
  const sent = x.call()
  x.answer(200, [], '')
  const headers = x.answered?.headers ?? []
  assert.deepEqual(values(headers, 'X-Request-Id'), [x.id])
  assert.deepEqual(values(sent, 'x-request-id'), [x.id])
  assert.deepEqual(values(headers, 'X-Trace-ID'), values(sent, 'x-trace-id'))
})

test('two calls of one exchange share the trace but not the parent id', () => {
  const headers = { traceparent: `00-${trace}-${parent}-01`, tracestate: 'vendor=1' }
  const x = exchange({ plugins: [make(requestId, {})], request: { headers } })
  const [first = ''] = values(x.call(), 'traceparent')
  const [second = ''] = values(x.call(), 'traceparent')
  assert.match(first, new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`))
  assert.notEqual(first, second)
  assert.ok(!first.includes(parent))
  assert.deepEqual(values(x.call(), 'tracestate'), ['vendor=1'])
})

test('a request id with a line break in it is replaced', () => {
  const x = exchange({
    plugins: [make(requestId, {})],
    request: { headers: { 'x-request-id': 'a\r\nb: c' } },
  })
  assert.match(values(x.call(), 'x-request-id')[0] ?? '', /^[0-9a-f-]{36}$/)
})

const timings: readonly [string, readonly number[], number][] = [
  ['one call counts whole', [60], 60],
  ['calls one after another are added', [20, 30], 50],
  ['calls that together took longer than the exchange count by the longest', [90, 80], 90],
]
for (const [name, durations, upstream] of timings) {
  test(`Server-Timing: ${name}`, () => {
    const x = exchange({ plugins: [make(requestId, {})], request: { startedAt: performance.now() - 100 } })
    for (const durationMs of durations) {
      x.calls.push(callRecord({ upstreamName: 'users', durationMs }))
    }
    x.answer(200, [], '')
    const [text = ''] = values(x.answered?.headers ?? [], 'Server-Timing')
    const [, gateway, calls] = /^gateway;dur=([\d.]+), upstream;dur=([\d.]+)$/.exec(text) ?? []
    assert.equal(Number(calls), upstream)
    assert.ok(Math.abs(Number(gateway) - (100 - upstream)) < 9, text)
    assert.match(values(x.answered?.headers ?? [], 'X-Response-Time')[0] ?? '', /^1\d\d\.\d\dms$/)
  })
}
