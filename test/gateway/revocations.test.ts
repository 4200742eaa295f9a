import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis as Client } from 'ioredis'
import { SignJWT } from 'jose'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { type Redis, startRedis } from '../services/redis.ts'
import { startBackend, startGateway, type TestGateway } from '../world.ts'

const issuer = 'https://id.example'
const secret = 'a secret that has thirty-two bytes and more'
const key = createApiKey('test')
let redis: Redis

before(async () => {
  redis = await startRedis()
})
after(() => redis.stop())

let tokens = 0
function tokenOf(claims: object = {}): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + 600
  return new SignJWT({ iss: issuer, aud: 'api', sub: 'ann', exp, jti: `t${++tokens}`, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

async function startNode(
  t: TestContext,
  of: { url: string } = redis,
  auth: object = {},
): Promise<TestGateway> {
  const backend = await startBackend(t)
  return await startGateway(t, {
    stores: { redis: { url: of.url } },
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'all', path: '/v1/**', upstream: 'backend', auth: 'required' }],
    auth: { jwt: [{ issuer, audience: 'api', algorithms: ['HS256'], secret }], ...auth },
    consumers: [{ id: 'acme', keys: [{ hash: hashApiKey(key) }] }],
  })
}

async function ask(node: TestGateway, token: string): Promise<number> {
  const reply = await fetch(`${node.url}/v1/x`, { headers: { Authorization: `Bearer ${token}` } })
  await reply.text()
  return reply.status
}

/** Resolves with how long it took in milliseconds. */
async function eventually(what: string, isSo: () => boolean | Promise<boolean>): Promise<number> {
  const startedAt = performance.now()
  while (!(await isSo())) {
    if (performance.now() - startedAt > 30_000) throw new Error(`not so after 30 s: ${what}`)
    await sleep(5)
  }
  return performance.now() - startedAt
}

async function readiness(node: TestGateway) {
  const reply = await fetch(`${node.url}/readyz?verbose`)
  const { checks } = (await reply.json()) as { checks: { name: string; ok: boolean; detail: string }[] }
  return { status: reply.status, check: checks.find(({ name }) => name === 'revocations') }
}

const inStep = (node: TestGateway) => node.gateway.identity.sharing?.trouble === undefined

describe('revocations on three gateways that share Redis', () => {
  test('hold on all of them at once: by id, by themselves, by session, by user, by consumer', async (t) => {
    const nodes = [await startNode(t), await startNode(t), await startNode(t)] as const
    const by = nodes[0].gateway.identity.revocations
    const cases = [
      ['id', { jti: 'leaked' }, () => by.revoke({ jti: 'leaked', issuer })],
      ['itself', { jti: undefined, n: 1 }, (token: string) => by.revoke({ token })],
      ['session', { sid: 's-1' }, () => by.revoke({ sid: 's-1', issuer })],
      ['user', { sub: 'bob', iat: 1 }, () => by.revoke({ sub: 'bob', issuer })],
    ] as const
    for (const [name, claims, revoke] of cases) {
      const token = await tokenOf(claims)
      for (const node of nodes) assert.equal(await ask(node, token), 200, name)
      assert.equal(await revoke(token), 'everywhere')
      const took = await eventually(name, async () => (await ask(nodes[1], token)) === 401)
      await eventually(name, async () => (await ask(nodes[2], token)) === 401)
      assert.equal(await ask(nodes[0], token), 401)
      t.diagnostic(`${name}: refused on another node after ${took.toFixed(1)} ms`)
    }
    assert.equal(await by.revoke({ consumer: 'acme' }), 'everywhere')
    const keyed = () => fetch(`${nodes[2].url}/v1/x`, { headers: { 'X-API-Key': key } })
    await eventually('consumer', async () => (await keyed()).status === 401)
    assert.equal(((await (await keyed()).json()) as { reason: string }).reason, 'KEY_REVOKED')
    assert.equal(await nodes[1].gateway.identity.revocations.lift({ consumer: 'acme' }), 'everywhere')
    await eventually('lifted', async () => (await keyed()).status === 200)
  })

  test('are known to a node from its first request on', async (t) => {
    const first = await startNode(t)
    const revoked = []
    for (let i = 0; i < 250; i++) revoked.push(`old${i}-${Date.now()}`)
    await Promise.all(revoked.map((jti) => first.gateway.identity.revocations.revoke({ jti, issuer })))
    const late = await startNode(t)
    for (const jti of revoked.slice(0, 20)) assert.equal(await ask(late, await tokenOf({ jti })), 401)
    for (const jti of revoked) assert.ok(late.gateway.identity.revocations.find({ jti, issuer }))
  })

  test('go from Redis when they have expired', async (t) => {
    const client = new Client(redis.url)
    t.after(() => client.disconnect())
    const node = await startNode(t)
    const name = `jti\n${issuer}\nlong-gone`
    await client.hset('{trivium:revocations}', name, '1 [1000,null,0,""]')
    await client.zadd('{trivium:revocations}:expiry', 1_000, name)
    await node.gateway.identity.revocations.revoke({ jti: 'any', issuer })
    assert.equal(await client.hget('{trivium:revocations}', name), null)
    assert.equal(await client.zscore('{trivium:revocations}:expiry', name), null)
  })

  test('nonsense in Redis is logged, and stops nothing', async (t) => {
    const client = new Client(redis.url)
    t.after(() => client.disconnect())
    const [one, other] = [await startNode(t), await startNode(t)]
    await client.hset('{trivium:revocations}', 'jti\nx\ny', 'nonsense')
    await startNode(t)
    await client.xadd('{trivium:revocations}:changes', '*', 'no', 'change')
    await one.gateway.identity.revocations.revoke({ jti: 'after-nonsense', issuer })
    await eventually(
      'told',
      () => other.gateway.identity.revocations.find({ jti: 'after-nonsense', issuer }) !== undefined,
    )
    await client.hdel('{trivium:revocations}', 'jti\nx\ny')
  })

  test('a thousand at once from three nodes reach all', async (t) => {
    const nodes = [await startNode(t), await startNode(t), await startNode(t)] as const
    const mark = `burst-${Date.now()}`
    await Promise.all(
      Array.from({ length: 1_000 }, (_, i) =>
        nodes[i % 3]?.gateway.identity.revocations.revoke({ jti: `${mark}-${i}`, issuer }),
      ),
    )
    for (const node of nodes) {
      await eventually('all told', () => {
        for (let i = 0; i < 1_000; i++)
          if (node.gateway.identity.revocations.find({ jti: `${mark}-${i}`, issuer }) === undefined)
            return false
        return true
      })
    }
  })
})

describe('when Redis is not well', () => {
  for (const fault of ['killed', 'paused'] as const) {
    test(`${fault}: the last known list holds, new ones hold where they were made and spread when it is back`, async (t) => {
      let own = await startRedis()
      t.after(() => own.stop())
      const [one, other] = [await startNode(t, own), await startNode(t, own)]
      const [before, during] = [await tokenOf(), await tokenOf()]
      await one.gateway.identity.revocations.revoke({ token: before })
      await eventually('known', async () => (await ask(other, before)) === 401)
      if (fault === 'killed') await own.kill()
      else own.pause()
      await eventually('noticed', () => !inStep(one) && !inStep(other))
      assert.equal(await one.gateway.identity.revocations.revoke({ token: during }), 'here')
      assert.deepEqual([await ask(one, before), await ask(other, before)], [401, 401])
      assert.deepEqual([await ask(one, during), await ask(other, during)], [401, 200])
      const { status, check } = await readiness(one)
      assert.deepEqual([status, check?.ok], [200, false])
      assert.match(check?.detail ?? '', /2 are known, 1 of them to this node only/)
      const metrics = await (await fetch(`${one.url}/metrics`)).text()
      assert.match(metrics, /^gateway_revocations 2$/m)
      assert.match(metrics, /^gateway_revocations_unwritten 1$/m)
      assert.match(metrics, /^gateway_revocation_sync_age_seconds \d/m)
      await one.logged((line) => /last known list holds/.test(String(line.message)))
      if (fault === 'killed') own = await startRedis({ port: own.port })
      else own.resume()
      await eventually('spread', async () => (await ask(other, during)) === 401)
      // An emptied one is filled again, too: a new node knows all.
      await eventually('in step', () => inStep(one) && inStep(other))
      const late = await startNode(t, own)
      assert.deepEqual([await ask(late, before), await ask(late, during)], [401, 401])
      assert.deepEqual((await readiness(one)).check?.ok, true)
    })
  }

  test('emptied while it runs: it is filled again from what the nodes know', async (t) => {
    const own = await startRedis()
    t.after(() => own.stop())
    const client = new Client(own.url)
    t.after(() => client.disconnect())
    const [one, other] = [await startNode(t, own), await startNode(t, own)]
    const token = await tokenOf()
    await one.gateway.identity.revocations.revoke({ token })
    await eventually('known', async () => (await ask(other, token)) === 401)
    await client.flushall()
    await eventually('filled', async () => (await client.hlen('{trivium:revocations}')) === 1)
    assert.deepEqual([await ask(one, token), await ask(other, token)], [401, 401])
    assert.equal(await ask(await startNode(t, own), token), 401)
    const next = await tokenOf()
    await eventually('in step', () => inStep(one) && inStep(other))
    await other.gateway.identity.revocations.revoke({ token: next })
    await eventually('spread', async () => (await ask(one, next)) === 401)
  })

  test('gone at a start: the gateway starts, says so, and is not ready where the list is required', async (t) => {
    const own = await startRedis()
    await own.kill()
    const [lax, strict] = await Promise.all([
      startNode(t, own),
      startNode(t, own, { revocation: { required: true } }),
    ])
    assert.equal((await readiness(lax)).status, 200)
    assert.equal((await readiness(strict)).status, 503)
    await strict.logged((line) => /could not be read/.test(String(line.message)))
    const again = await startRedis({ port: own.port })
    t.after(() => again.stop())
    await eventually('ready', async () => (await readiness(strict)).status === 200)
  })

  test('a node that was cut off does not bring back what was lifted meanwhile', async (t) => {
    const own = await startRedis()
    t.after(() => own.stop())
    const [one, other] = [await startNode(t, own), await startNode(t, own)]
    const what = { consumer: 'acme' }
    await one.gateway.identity.revocations.revoke(what)
    await eventually('known', () => other.gateway.identity.revocations.find(what) !== undefined)
    const client = new Client(own.url)
    t.after(() => client.disconnect())
    await other.gateway.identity.revocations.lift(what)
    await eventually('lifted', () => one.gateway.identity.revocations.find(what) === undefined)
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await client.flushall()
    await eventually('in step', () => inStep(one) && inStep(other))
    const late = await startNode(t, own)
    for (const node of [one, other, late])
      assert.equal(node.gateway.identity.revocations.find(what), undefined)
  })
})

test('without Redis they hold on the one node, also after a reload', async (t) => {
  const node = await startNode(t, { url: '' })
  const token = await tokenOf()
  assert.equal(await ask(node, token), 200)
  assert.equal(await node.gateway.identity.revocations.revoke({ token }), 'everywhere')
  assert.equal(await ask(node, token), 401)
  assert.equal(await node.gateway.reload(), true)
  assert.equal(await ask(node, token), 401)
  assert.deepEqual((await readiness(node)).check, {
    name: 'revocations',
    ok: true,
    required: false,
    detail: '1 are known',
  })
})
