import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import type { House } from './harness.ts'
import { kitchenHouse, startKitchen } from './kitchen.ts'

let kitchen: Awaited<ReturnType<typeof startKitchen>>
let house: House

before(async () => {
  kitchen = await startKitchen()
  house = await kitchenHouse(kitchen.url, { timeoutMs: 3_000 })
})
after(async () => {
  await house.close()
  kitchen.close()
})

for (const [header, atMostMs] of [
  ['1H', 3_000],
  ['1S', 1_000],
  ['1500m', 1_500],
  ['2000000u', 2_000],
] as const) {
  test(`Grpc-Timeout: ${header} leaves the backend what remains of the shorter limit`, async () => {
    const { json } = await house.ask('GET', '/v1/metadata', { headers: { 'Grpc-Timeout': header } })
    const remaining = Number(json.metadata['x-remaining'])
    assert.ok(remaining <= atMostMs && remaining > atMostMs - 700, `${remaining}`)
  })
}

for (const header of ['1', 'S', '-1S', '1s', '123456789S', '1.5S', '']) {
  test(`Grpc-Timeout: "${header}" is refused as 400`, async () => {
    assert.equal((await house.ask('GET', '/v1/nothing', { headers: { 'Grpc-Timeout': header } })).status, 400)
  })
}

test('a client deadline that passes is 504 DEADLINE_EXCEEDED, and the call is cancelled', async () => {
  const hung = await startKitchen()
  const waiting = await kitchenHouse(hung.url)
  const { status, json } = await waiting.ask('GET', '/v1/hang', { headers: { 'Grpc-Timeout': '100m' } })
  await hung.seen.cancelled
  await waiting.close()
  hung.close()
  assert.deepEqual([status, json.code, json.details[0].reason], [504, 4, 'DEADLINE_EXCEEDED'])
})

test('a deadline of nothing is 504 without a call', async () => {
  const callsBefore = kitchen.seen.calls
  const { status } = await house.ask('GET', '/v1/hang', { headers: { 'Grpc-Timeout': '0m' } })
  assert.deepEqual([status, kitchen.seen.calls], [504, callsBefore])
})

for (const [name, options] of [
  ['of the upstream', { timeoutMs: 100 }],
  ['of the service', { more: { timeoutMs: 100 } }],
] as const) {
  test(`the timeout ${name} is 504 UPSTREAM_TIMEOUT`, async () => {
    const waiting = await kitchenHouse(kitchen.url, options)
    const { status, json } = await waiting.ask('GET', '/v1/hang', { headers: { 'Grpc-Timeout': '1H' } })
    await waiting.close()
    assert.deepEqual([status, json.details[0].reason], [504, 'UPSTREAM_TIMEOUT'])
  })
}

test('the backend sees a unary call cancelled when the client goes', async () => {
  const hung = await startKitchen()
  const waiting = await kitchenHouse(hung.url, { timeoutMs: 600_000 })
  const sent = request(`${waiting.url}/v1/hang`)
  sent.on('error', () => {})
  sent.end()
  await untilTrue(() => hung.seen.calls === 1)
  sent.destroy()
  await hung.seen.cancelled
  await untilTrue(() => waiting.settled.length === 1)
  assert.deepEqual([waiting.settled[0]?.status, waiting.settled[0]?.error?.reason], [499, 'CLIENT_GONE'])
  await waiting.close()
  hung.close()
})

test('a stream has no deadline but the one that it was given', async () => {
  const short = await kitchenHouse(kitchen.url, { timeoutMs: 50 })
  const sent = request(`${short.url}/v1/count/0?bytes=10`).end()
  const [answer] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  const startedAt = performance.now()
  for await (const _ of answer) if (performance.now() - startedAt > 200) break
  assert.equal(answer.statusCode, 200)
  sent.destroy()
  await short.close()
})

async function untilTrue(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
