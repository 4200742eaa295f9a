import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../src/core/error.ts'
import { readRecord } from '../../src/request-log/read-record.ts'
import { recordOf, separator } from '../../src/request-log/record.ts'
import { attemptRecord, callRecord } from '../plugins/call-record.ts'
import { exchange } from '../plugins/harness.ts'
import { rawExchange, startGateway } from '../world.ts'

const place = { protocol: 'rest', route: 'users', template: '/users', configVersion: 1 }
const facts = { at: 1_790_000_000_000, durationMs: 12.345_678, status: 200, place, node: 'one' }

test('what is read of a record is what was written', () => {
  const x = exchange({ request: { path: '/v1/users/42', headers: { 'user-agent': 'curl/8' } } })
  x.requestBytes = 3
  x.responseBytes = 4
  x.principal = { id: 'Zoë', consumer: 'shop', roles: [], scopes: [], via: 'apiKey' }
  x.attributes['graphql.operation.name'] = 'Page'
  x.attributes['graphql.errors'] = 2
  x.error = new GatewayError('UPSTREAM_REFUSED', 'No.', { cause: new Error('connect ECONNREFUSED') })
  const refused = new GatewayError('UPSTREAM_REFUSED', 'It refused.', { cause: new Error('ECONNREFUSED') })
  x.calls.push(callRecord({ durationMs: 1.5 }))
  x.calls.push(
    callRecord({
      upstreamName: 'orders',
      place: 'graphql/orders',
      canary: true,
      durationMs: 7,
      error: refused,
      attempts: [
        attemptRecord({ target: 'http://a:1', status: 503, fault: 'status 503', durationMs: 2 }),
        attemptRecord({ target: 'http://b:1', status: undefined, error: refused, durationMs: 3 }),
        attemptRecord({ target: 'http://c:1', status: undefined, lost: true, error: refused, durationMs: 4 }),
      ],
    }),
  )
  const { spanId, traceId } = x.trace
  assert.deepEqual(readRecord(recordOf(x), facts), {
    id: `1790000000000-${spanId}`,
    at: new Date(facts.at).toISOString(),
    traceId,
    spanId,
    requestId: x.id,
    node: 'one',
    ...place,
    method: 'GET',
    path: '/v1/users/42',
    status: 200,
    durationMs: 12.346,
    requestBytes: 3,
    responseBytes: 4,
    clientAddress: '192.0.2.1',
    userAgent: 'curl/8',
    user: 'Zoë',
    consumer: 'shop',
    error: { code: 'F50201', reason: 'UPSTREAM_REFUSED', message: 'No.', cause: 'connect ECONNREFUSED' },
    calls: [
      {
        place: 'users-v1',
        upstream: 'users',
        method: 'GET',
        durationMs: 1,
        attempts: [{ target: 'http://127.0.0.1:1', status: 200, durationMs: 1 }],
      },
      {
        place: 'graphql/orders',
        upstream: 'orders',
        method: 'GET',
        durationMs: 7,
        canary: true,
        reason: 'UPSTREAM_REFUSED',
        attempts: [
          { target: 'http://a:1', status: 503, durationMs: 2, failed: 'status 503' },
          { target: 'http://b:1', durationMs: 3, failed: 'UPSTREAM_REFUSED', cause: 'ECONNREFUSED' },
          { target: 'http://c:1', durationMs: 4, lost: true },
        ],
      },
    ],
    attributes: { 'graphql.operation.name': 'Page', 'graphql.errors': 2 },
  })
})

test('a record has an end, whatever an exchange was made of', () => {
  const long = '\u0001'.repeat(100_000)
  const x = exchange({
    request: { path: `/${'a'.repeat(8_000)}`, headers: { 'user-agent': 'b'.repeat(8_000) } },
  })
  x.principal = { id: 'c'.repeat(10_000), roles: [], scopes: [], via: 'jwt' }
  x.error = new GatewayError('INTERNAL', long, { cause: new Error(long, { cause: new Error(long) }) })
  x.attributes['graphql.operation.name'] = long
  for (let i = 0; i < 1_000; i++) {
    const attempts = Array.from({ length: 50 }, () => attemptRecord({ target: long, error: x.error }))
    x.calls.push(callRecord({ attempts, error: x.error }))
  }
  const text = recordOf(x)
  assert.ok(text.length < 100_000, `${text.length} characters`)
  const entry = readRecord(text, facts)
  assert.ok(entry.calls.length > 0)
  assert.equal(entry.calls.length + (entry.callsOmitted ?? 0), 1_000)
  assert.equal((entry.calls[0]?.attempts.length ?? 0) + (entry.calls[0]?.attemptsOmitted ?? 0), 50)
})

test('what parts the fields of a record cannot come from a client', async (t) => {
  const { port, gateway } = await startGateway(t, {})
  for (const head of [
    `GET /a${separator}b HTTP/1.1\r\nHost: a\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: a${separator}b\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: a${separator}b\r\n`,
    `G${separator}T / HTTP/1.1\r\nHost: a\r\n`,
  ])
    assert.match(
      await rawExchange(port, `${head}Connection: close\r\n\r\n`),
      /^HTTP\/1\.1 400 /,
      JSON.stringify(head),
    )
  const { items } = await gateway.requestLog.search({ filter: {}, limit: 10, cursor: undefined })
  assert.doesNotMatch(JSON.stringify(items), /\\u001f/)
})
