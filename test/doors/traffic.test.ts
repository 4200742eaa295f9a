import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { freePort } from '../services/free-port.ts'
import { startGateway } from '../world.ts'
import { type DoorBackend, doors } from './door.ts'

interface Pool {
  readonly upstreams: { readonly backend: { readonly targets: readonly { readonly url: string }[] } }
}

function targetsOf(backend: DoorBackend): readonly { readonly url: string }[] {
  return (backend.config({}) as Pool).upstreams.backend.targets
}

for (const door of doors) {
  describe(`traffic at the ${door.name} door`, () => {
    const open = async (t: TestContext, upstream: object, more: readonly object[] = []) => {
      const backends = [await door.start(t), await door.start(t)] as const
      const targets = [...backends.flatMap(targetsOf), ...more]
      const gateway = await startGateway(t, {
        ...backends[0].config({ auth: 'none' }),
        upstreams: { backend: { targets, ...upstream } },
      })
      return {
        ...gateway,
        ask: (headers?: Record<string, string>) => backends[0].ask(gateway.url, headers),
        counts: () => backends.map(({ seen }) => seen.length),
      }
    }

    test('a dead target costs no request, and is left out after some', async (t) => {
      const dead = { url: `http://127.0.0.1:${await freePort()}` }
      const { ask, counts, logs } = await open(t, { healthChecks: { passive: { consecutiveErrors: 3 } } }, [
        dead,
      ])
      for (let i = 0; i < 30; i++) assert.equal((await ask()).status, 200)
      assert.equal(
        counts().reduce((sum, count) => sum + count),
        30,
      )
      assert.ok(Math.min(...counts()) >= 10, `the living share the work: ${counts()}`)
      const [ejected, ...others] = logs.filter((line) => (line.msg ?? line.message) === 'target is ejected')
      assert.equal(ejected?.['gateway.target'], dead.url)
      assert.match(String(ejected?.reason), /after 3 failures in a row: UPSTREAM_REFUSED$/)
      assert.equal(others.length, 0)
    })

    test('the same key goes to the same target', async (t) => {
      const { ask, counts } = await open(t, {
        loadBalancing: { policy: 'consistentHash', hashOn: ['header:X-Key'] },
      })
      for (let i = 0; i < 6; i++) await ask({ 'X-Key': 'one' })
      assert.deepEqual(counts().sort(), [0, 6])
    })

    test('the sticky cookie is told to the client, and brings it back', async (t) => {
      const { ask, counts } = await open(t, {
        loadBalancing: { sticky: { cookie: { name: 'target', secret: 'a secret of the tests' } } },
      })
      const cookie = (await ask()).headers.get('set-cookie')?.split(';')[0] ?? ''
      assert.match(cookie, /^target=/)
      for (let i = 0; i < 5; i++) await ask({ Cookie: cookie })
      assert.deepEqual(counts().sort(), [0, 6])
    })
  })
}
