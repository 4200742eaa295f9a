import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis as Client } from 'ioredis'
import type { KeyRecord } from '../../src/plugins/identity/key-record.ts'
import { startRedis } from '../services/redis.ts'
import { startGateway, type TestGateway } from '../world.ts'

interface Made {
  readonly id: string
  readonly key: string
  readonly state: string
  readonly expiresAt?: string
  readonly lastUsedAt?: string
}

const consumers = [{ id: 'shop', scopes: ['a', 'b'] }]
const routes = [{ id: 'r', path: '/r', respond: { status: 200, json: { ok: true } } }]

function start(t: TestContext, redisUrl?: string, more: object = {}): Promise<TestGateway> {
  const stores = redisUrl === undefined ? {} : { redis: { url: redisUrl } }
  return startGateway(t, { stores, consumers, routes, ...more })
}

async function admin(
  { url }: TestGateway,
  path: string,
  body: object = {},
): Promise<{ status: number; told: Made }> {
  const headers = { 'Content-Type': 'application/json' }
  const reply = await fetch(`${url}/admin${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: reply.status, told: (await reply.json()) as Made }
}

async function make(gateway: TestGateway, more: object = {}): Promise<Made> {
  const { status, told } = await admin(gateway, '/keys', { consumer: 'shop', ...more })
  assert.equal(status, 201, JSON.stringify(told))
  return told
}

async function use({ url }: TestGateway, key: string): Promise<string> {
  const reply = await fetch(`${url}/r`, { headers: { 'X-Api-Key': key } })
  const { reason = 'ok' } = (await reply.json()) as { reason?: string }
  return reason
}

/** Waits until a gateway says `reason` of a key; how long that took, in milliseconds. */
async function until(gateway: TestGateway, key: string, reason: string): Promise<number> {
  const from = performance.now()
  for (;;) {
    const told = await use(gateway, key)
    if (told === reason) return performance.now() - from
    assert.ok(performance.now() - from < 20_000, `still ${told}`)
    await sleep(2)
  }
}

async function keysCheck({ url }: TestGateway): Promise<{ ok: boolean; detail: string }> {
  const { checks } = (await (await fetch(`${url}/readyz?verbose`)).json()) as {
    checks: { name: string; ok: boolean; detail: string }[]
  }
  return checks.find(({ name }) => name === 'keys') ?? { ok: false, detail: 'there is no such check' }
}

async function inStep(gateway: TestGateway, ok: boolean): Promise<void> {
  for (const from = performance.now(); (await keysCheck(gateway)).ok !== ok; await sleep(20))
    assert.ok(performance.now() - from < 20_000, 'it never came about')
}

test('what is made, rotated or revoked on one gateway holds on the others at once', async (t) => {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const [one, two] = [await start(t, redis.url), await start(t, redis.url)]
  const key = await make(one, { name: 'first' })
  await until(two, key.key, 'ok')
  const next = (await admin(two, `/keys/${key.id}:rotate`, { overlap: '1h' })).told
  assert.equal(await until(one, next.key, 'ok').then(() => use(one, key.key)), 'ok')
  const took: number[] = []
  for (let i = 0; i < 10; i++) {
    const { id, key } = await make(one)
    await until(two, key, 'ok')
    await admin(one, `/keys/${id}:revoke`)
    took.push(await until(two, key, 'KEY_REVOKED'))
    assert.equal(await use(one, key), 'KEY_REVOKED')
  }
  t.diagnostic(`revoked elsewhere after ${took.map((ms) => ms.toFixed(1)).join(' ')} ms`)
  const list = await fetch(`${two.url}/admin/keys?limit=5`)
  const page = (await list.json()) as { items: Made[]; next: string; total: number }
  assert.deepEqual([page.items.length, page.total], [5, 12])
  assert.doesNotMatch(JSON.stringify(page), /sha256|gwk_\w+_\w{9}/)
})

test('nothing but the hash of a key is in Redis', async (t) => {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const { key, id } = await make(await start(t, redis.url), { scopes: ['a'] })
  const client = new Client(redis.url)
  t.after(() => client.disconnect())
  const records = await client.hgetall('{trivium:keys}:records')
  const record = JSON.parse(records[id] ?? '') as KeyRecord
  assert.match(record.hash, /^sha256:/)
  assert.equal(key.startsWith(record.prefix ?? '-'), true)
  assert.ok(!JSON.stringify(records).includes(key.split('_')[2] ?? ''))
})

test('while Redis is gone keys are checked as before, changes wait or say so, and all is made good', async (t) => {
  const redis = await startRedis()
  const [one, two] = [await start(t, redis.url), await start(t, redis.url)]
  const kept = await make(one)
  const ended = await make(one)
  await until(two, ended.key, 'ok')
  await redis.kill()
  await inStep(two, false)
  assert.match((await keysCheck(two)).detail, /^the last 2 known hold: /)
  assert.equal(await use(two, kept.key), 'ok')
  assert.equal((await admin(one, '/keys', { consumer: 'shop' })).status, 503)
  // A revocation holds where it was said, and everywhere once it can be told.
  const revoked = await admin(one, `/keys/${ended.id}:revoke`)
  assert.deepEqual([revoked.status, revoked.told.state], [200, 'revoked'])
  assert.equal(await use(one, ended.key), 'KEY_REVOKED')
  const empty = await startRedis({ port: redis.port })
  t.after(() => empty.stop())
  await inStep(one, true)
  await until(two, ended.key, 'KEY_REVOKED')
  assert.deepEqual([await use(one, kept.key), await use(two, kept.key)], ['ok', 'ok'])
  const third = await start(t, redis.url)
  assert.equal(await use(third, kept.key), 'ok')
  await until(third, (await make(one)).key, 'ok')
})

test('a Redis that stops answering holds up no request, and a key that is not known yet is not called wrong', async (t) => {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const one = await start(t, redis.url)
  const { key } = await make(one)
  redis.pause()
  const from = performance.now()
  for (let i = 0; i < 50; i++) assert.equal(await use(one, key), 'ok')
  t.diagnostic(`50 requests in ${(performance.now() - from).toFixed(0)} ms`)
  const two = await start(t, redis.url)
  assert.equal(await use(two, key), 'UNAVAILABLE')
  assert.equal(await use(two, `${key.slice(0, -1)}x`), 'KEY_INVALID')
  redis.resume()
  await until(two, key, 'ok')
})

test('of two who change a key at the same time one is told to look again', async (t) => {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const gateways = [await start(t, redis.url), await start(t, redis.url)]
  const key = await make(gateways[0] as TestGateway)
  await until(gateways[1] as TestGateway, key.key, 'ok')
  const told = await Promise.all(
    gateways.map((gateway) => admin(gateway, `/keys/${key.id}:rotate`, { overlap: '1h' })),
  )
  assert.deepEqual(told.map(({ status }) => status).sort(), [201, 409])
  const { total } = (await (await fetch(`${gateways[0]?.url}/admin/keys`)).json()) as { total: number }
  assert.equal(total, 2)
})

test('a rotated key is accepted until its overlap ends, and not after', async (t) => {
  const clock = { now: Date.now() }
  const gateway = await startGateway(t, { consumers, routes }, { now: () => clock.now })
  const old = await make(gateway, { expiresAt: new Date(clock.now + 1_000_000).toISOString() })
  clock.now += 100_000
  const { told: next } = await admin(gateway, `/keys/${old.id}:rotate`, { overlap: '60s' })
  assert.equal(Date.parse(next.expiresAt ?? ''), clock.now + 1_000_000)
  clock.now += 59_999
  assert.deepEqual([await use(gateway, old.key), await use(gateway, next.key)], ['ok', 'ok'])
  clock.now += 1
  assert.deepEqual([await use(gateway, old.key), await use(gateway, next.key)], ['KEY_EXPIRED', 'ok'])
  assert.equal((await admin(gateway, `/keys/${old.id}:rotate`)).status, 409)
  await admin(gateway, `/keys/${next.id}:rotate`, { overlap: '0s' })
  assert.equal(await use(gateway, next.key), 'KEY_EXPIRED')
  assert.ok(
    gateway.logs.some(({ message }) => String(message).startsWith('managed keys end with this process')),
  )
})

test('when a key was used last is known everywhere, and costs Redis nothing per request', async (t) => {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const [one, two] = [await start(t, redis.url), await start(t, redis.url)]
  const { id, key } = await make(one)
  const shown = async ({ url }: TestGateway): Promise<Made> =>
    (await (await fetch(`${url}/admin/keys/${id}`)).json()) as Made
  assert.equal((await shown(one)).lastUsedAt, undefined)
  const client = new Client(redis.url)
  t.after(() => client.disconnect())
  const before = await commands(client)
  for (let i = 0; i < 50; i++) await use(one, key)
  const { lastUsedAt = '' } = await shown(one)
  assert.ok(Math.abs(Date.parse(lastUsedAt) - Date.now()) < 20_000)
  const after = await commands(client)
  assert.ok(after - before < 50, `${after - before} commands for 50 requests`)
  await one.gateway.identity.keys.flush()
  assert.equal((await shown(two)).lastUsedAt, lastUsedAt)
})

async function commands(client: Client): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await client.info('stats'))?.[1])
}

test('the limit of a key is counted for all gateways together, and is what the key was made with', async (t) => {
  const redis = await startRedis()
  t.after(() => redis.stop())
  const [one, two] = [await start(t, redis.url), await start(t, redis.url)]
  const limited = await make(one, { rateLimit: { limit: 3, window: '1h' } })
  const free = await make(one)
  for (let known = 0; known < 2; await sleep(2)) {
    const list = await fetch(`${two.url}/admin/keys`)
    known = ((await list.json()) as { total: number }).total
  }
  const told: string[] = []
  for (const gateway of [one, two, one, two, one]) told.push(await use(gateway, limited.key))
  assert.deepEqual(told, ['ok', 'ok', 'ok', 'RATE_LIMITED', 'RATE_LIMITED'])
  assert.equal(await use(two, free.key), 'ok')
})
