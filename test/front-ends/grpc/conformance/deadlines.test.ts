import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { type Case, runCases } from './cases.ts'
import { startWorld } from './world.ts'

// gRPC PROTOCOL-HTTP2: Timeout = TimeoutValue (at most 8 digits) TimeoutUnit (H M S m u n).
const left: readonly (readonly [
  header: string | undefined,
  service: string | undefined,
  atMostMs: number,
])[] = [
  [undefined, undefined, 30_000],
  [undefined, '4s', 4_000],
  ['1H', '4s', 4_000],
  ['1M', undefined, 30_000],
  ['2S', '4s', 2_000],
  ['2500m', '4s', 2_500],
  ['3000000u', '4s', 3_000],
  ['99999999n', '4s', 100],
]
for (const [header, timeout, atMostMs] of left) {
  test(`Grpc-Timeout ${header ?? 'absent'}, timeout ${timeout ?? 'of the upstream'}: the backend has what is left of the shorter`, async (t) => {
    const { ask, heard } = await startWorld(t, timeout === undefined ? {} : { timeout })
    await ask('GET /metadata', header === undefined ? {} : { headers: { 'Grpc-Timeout': header } })
    const leftMs = heard[0]?.leftMs ?? 0
    assert.ok(leftMs <= atMostMs + 5 && leftMs > atMostMs - 1_500, `${leftMs}`)
  })
}

const refused: readonly Case[] = ['1', 'S', '-1S', '+1S', '1s', '123456789S', '1.5S', '1 S', ''].map(
  (header) => ({
    rule: `PROTOCOL-HTTP2: "${header}" is no timeout`,
    ask: 'GET /metadata',
    headers: { 'Grpc-Timeout': header },
    status: 400,
    method: 'none',
  }),
)
test('timeouts that are none', async (t) => runCases(t, await startWorld(t), refused))

test('deadlines that pass are 504, by whoever set them, without a call when nothing is left', async (t) => {
  const world = await startWorld(t, { timeout: '300ms' })
  await runCases(t, world, [
    {
      rule: 'the client',
      ask: 'GET /hang',
      headers: { 'Grpc-Timeout': '50m' },
      status: 504,
      says: /client gave/,
    },
    {
      rule: 'the route',
      ask: 'GET /hang',
      headers: { 'Grpc-Timeout': '9S' },
      status: 504,
      says: /did not answer in time/,
    },
    {
      rule: 'nothing left',
      ask: 'GET /hang',
      headers: { 'Grpc-Timeout': '0n' },
      status: 504,
      method: 'none',
    },
  ])
  const { json } = await world.ask('GET /hang', { headers: { 'Grpc-Timeout': '50m' } })
  assert.deepEqual([json.code, json.details[0].reason], [4, 'DEADLINE_EXCEEDED'])
})

test('the call is cancelled when its client goes', async (t) => {
  const { ask, heard } = await startWorld(t)
  const gone = new AbortController()
  const asked = ask('GET /hang', { signal: gone.signal })
  while (heard.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const { call } = heard[0] as (typeof heard)[number]
  const cancelled = call.cancelled ? Promise.resolve() : once(call, 'cancelled')
  gone.abort()
  await assert.rejects(asked)
  await cancelled
})
