import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBackend, startGateway, type TestGateway } from '../world.ts'
import { onBothDatabases } from './kinds.ts'

async function start(t: TestContext, url: string, backend: string): Promise<TestGateway> {
  return await startGateway(t, {
    stores: { database: { url } },
    consumers: [{ id: 'shop' }],
    upstreams: {
      users: { discovery: { type: 'registry', service: 'users' } },
      stable: { targets: [{ url: backend }] },
      next: { targets: [{ url: backend }] },
    },
    routes: [
      { id: 'keyed', path: '/keyed', respond: { status: 200, json: { ok: true } } },
      { id: 'users', path: '/users', upstream: 'users', auth: 'none' },
      {
        id: 'released',
        path: '/released',
        upstream: 'stable',
        auth: 'none',
        canary: { upstream: 'next', steps: [{ weight: 0 }, { weight: 100 }] },
      },
    ],
  })
}

async function makeKey({ url }: TestGateway): Promise<{ id: string; key: string }> {
  const headers = { 'Content-Type': 'application/json' }
  const body = JSON.stringify({ consumer: 'shop' })
  const reply = await fetch(`${url}/admin/keys`, { method: 'POST', headers, body })
  assert.equal(reply.status, 201)
  return (await reply.json()) as { id: string; key: string }
}

const statusOf = async (url: string, key?: string): Promise<number> => {
  const reply = await fetch(url, key === undefined ? {} : { headers: { 'X-Api-Key': key } })
  await reply.arrayBuffer()
  return reply.status
}

onBothDatabases((kind) => {
  suite(`a gateway over ${kind.name}`, () => {
    test('has after a restart its keys, revocations, instances and canaries, and so has a second one', async (t) => {
      const url = await kind.url(t)
      const backend = await startBackend(t)
      const first = await start(t, url, backend.url)
      const [good, bad] = [await makeKey(first), await makeKey(first)]
      await first.gateway.identity.revocations.revoke({ key: bad.id })
      first.gateway.registry.register('users', backend.url)
      assert.equal(first.gateway.canaries.get('released')?.promote(), true)
      await first.gateway.shutdown()

      const gateways = [await start(t, url, backend.url)]
      if (kind.name === 'postgres') gateways.push(await start(t, url, backend.url))
      for (const gateway of gateways) {
        assert.equal(await statusOf(`${gateway.url}/keyed`, good.key), 200)
        assert.equal(await statusOf(`${gateway.url}/keyed`, bad.key), 401)
        assert.equal(await statusOf(`${gateway.url}/users`), 200)
        const released = await fetch(`${gateway.url}/released`)
        assert.equal(released.headers.get('x-canary'), 'true')
      }
      const [one, other = one] = gateways as [TestGateway, TestGateway?]
      one.gateway.canaries.get('released')?.abort()
      const from = performance.now()
      while (other.gateway.canaries.get('released')?.phase !== 'aborted') {
        assert.ok(performance.now() - from < 30_000, 'it was never aborted')
        await sleep(5)
      }
    })
  })
})
