import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpStatuses } from '../http-statuses.ts'
import { type Case, runCases } from './cases.ts'
import { startWorld } from './world.ts'

const type = (name: string): string => `type.googleapis.com/google.rpc.${name}`
const unheard = { '@type': 'type.googleapis.com/acme.Unheard', value: 'AQID' }
const noFlour = { '@type': type('ErrorInfo'), reason: 'NO_FLOUR', domain: 'kitchen' }
const asAsked = (code: number, ...details: readonly object[]): object => ({
  code,
  message: 'as asked',
  details,
})

// google/rpc/code.proto, "HTTP Mapping".
const codes: readonly Case[] = Object.entries(httpStatuses).map(([code, status]) => ({
  rule: 'code.proto: HTTP Mapping',
  ask: `GET /fail/${code}/plain`,
  status,
  reply: asAsked(Number(code)),
  has: { 'content-type': 'application/json', 'retry-after': undefined },
}))

const details: readonly Case[] = [
  {
    rule: 'status.proto: details of a known type',
    ask: 'GET /fail/5/known',
    status: 404,
    reply: asAsked(5, noFlour),
  },
  {
    rule: 'a detail of an unknown type degrades, and stays 404',
    ask: 'GET /fail/5/unknown',
    status: 404,
    reply: asAsked(5, unheard),
  },
  {
    rule: 'one that is unknown leaves the others',
    ask: 'GET /fail/5/mixed',
    status: 404,
    reply: asAsked(5, unheard, noFlour),
  },
  {
    rule: 'a detail of a known type that does not parse degrades',
    ask: 'GET /fail/5/broken',
    status: 404,
    reply: asAsked(5, { '@type': type('ErrorInfo'), value: '/w==' }),
  },
  { rule: 'details that are no Status', ask: 'GET /fail/5/garbage', status: 404, reply: asAsked(5) },
  {
    rule: 'error_details.proto: BadRequest',
    ask: 'GET /fail/3/violations',
    status: 400,
    reply: asAsked(3, {
      '@type': type('BadRequest'),
      fieldViolations: [{ field: 'title', description: 'is missing' }],
    }),
  },
  {
    rule: 'RFC 9110 10.2.3: Retry-After from RetryInfo, rounded up',
    ask: 'GET /fail/14/retry',
    status: 503,
    reply: asAsked(14, { '@type': type('RetryInfo'), retryDelay: '2.500s' }),
    has: { 'retry-after': '3' },
  },
  { rule: 'RetryInfo of nothing', ask: 'GET /fail/8/retryAtOnce', status: 429, has: { 'retry-after': '0' } },
]

for (const [name, cases] of Object.entries({ codes, details })) {
  test(`errors of the backend: ${name}`, async (t) => runCases(t, await startWorld(t), cases))
}

test('errors of the gateway have the same shape', async (t) => {
  const { ask } = await startWorld(t)
  await t.test('a field that does not fit: BadRequest and ErrorInfo', async () => {
    const { status, json } = await ask('GET /query?int32=a&nope=b')
    assert.equal(status, 400)
    assert.equal(json.code, 3)
    assert.deepEqual(
      [json.details[0]['@type'], json.details[0].reason],
      [type('ErrorInfo'), 'INVALID_ARGUMENT'],
    )
    assert.equal(json.details[1]['@type'], type('BadRequest'))
    assert.deepEqual(json.details[1].fieldViolations.map((one: { field: string }) => one.field).toSorted(), [
      'int32',
      'nope',
    ])
  })
})

test('an upstream that is not there is a google.rpc.Status too', async (t) => {
  const upstream = { targets: [{ url: 'http://127.0.0.1:1' }], retry: { attempts: 1 } }
  const { ask } = await startWorld(t, {}, { upstream })
  const { status, json } = await ask('GET /query')
  assert.deepEqual([status, json.code, json.details[0].reason], [502, 14, 'UPSTREAM_REFUSED'])
})

test('callers without an identity are refused with 401 in the same shape', async (t) => {
  const { ask, heard } = await startWorld(t, { auth: 'required' }, { gateway: { consumers: [{ id: 'a' }] } })
  const { status, json } = await ask('GET /query')
  assert.deepEqual([status, json.code, json.details[0].reason, heard.length], [401, 16, 'NO_CREDENTIALS', 0])
})
