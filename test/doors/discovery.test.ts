import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { startTcpProxy, type TcpProxy } from '../tcp-proxy.ts'
import { startGateway } from '../world.ts'
import { type DoorBackend, doors } from './door.ts'

interface Pool {
  readonly upstreams: { readonly backend: { readonly targets: readonly [{ readonly url: string }] } }
}

/** A backend with its connections in sight. */
async function instance(t: TestContext, backend: DoorBackend): Promise<TcpProxy> {
  const { upstreams } = backend.config({}) as Pool
  return startTcpProxy(t, Number(new URL(upstreams.backend.targets[0].url).port))
}

for (const door of doors) {
  describe(`targets that come and go at the ${door.name} door`, () => {
    const open = async (t: TestContext, upstream: object = {}) => {
      const backends = [await door.start(t), await door.start(t)] as const
      const gateway = await startGateway(t, {
        ...backends[0].config({ auth: 'none' }),
        upstreams: {
          backend: {
            discovery: { type: 'registry', service: 'users' },
            // Idle connections would close by themselves.
            connections: { keepAlive: '1h' },
            ...upstream,
          },
        },
      })
      return {
        ...gateway,
        registry: gateway.gateway.registry,
        backends,
        instances: [await instance(t, backends[0]), await instance(t, backends[1])] as const,
        ask: (headers?: Record<string, string>) => backends[0].ask(gateway.url, headers),
        counts: () => backends.map(({ seen }) => seen.length),
      }
    }

    test('before any is found, the refusal says so', async (t) => {
      const { ask, backends } = await open(t)
      const body = await (await ask()).text()
      assert.equal(backends[0].reason(body), 'NO_HEALTHY_TARGET')
      assert.match(body, /has no targets: none were found yet/)
    })

    test('one that comes takes calls, one that goes gets no more, and its connections are closed', async (t) => {
      const { ask, counts, registry, instances } = await open(t)
      const [a, b] = instances
      registry.register('users', a.url)
      for (let i = 0; i < 4; i++) assert.equal((await ask()).status, 200)
      assert.deepEqual(counts(), [4, 0])
      registry.register('users', b.url)
      for (let i = 0; i < 4; i++) assert.equal((await ask()).status, 200)
      assert.deepEqual(counts(), [6, 2])
      const made = b.made
      registry.deregister('users', a.url)
      await a.idle()
      for (let i = 0; i < 4; i++) assert.equal((await ask()).status, 200)
      assert.deepEqual(counts(), [6, 6])
      assert.equal(b.made, made, 'the one that stayed kept its connections')
    })

    test('the sticky cookie follows', async (t) => {
      const sticky = { cookie: { name: 'target', secret: 'a secret of the tests' } }
      const { ask, counts, registry, instances } = await open(t, { loadBalancing: { sticky } })
      const [a, b] = instances
      registry.register('users', b.url)
      const cookie = (await ask()).headers.get('set-cookie')?.split(';')[0] ?? ''
      registry.register('users', a.url)
      for (let i = 0; i < 4; i++) await ask({ Cookie: cookie })
      assert.deepEqual(counts(), [0, 5])
      registry.deregister('users', b.url)
      for (let i = 0; i < 2; i++) assert.equal((await ask({ Cookie: cookie })).status, 200)
      assert.deepEqual(counts(), [2, 5])
      registry.register('users', b.url)
      for (let i = 0; i < 2; i++) await ask({ Cookie: cookie })
      assert.deepEqual(counts(), [2, 7])
    })
  })
}
