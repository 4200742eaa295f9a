import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import { folderOf } from '../config/files.ts'
import { startGateway } from '../world.ts'
import { type LiveBackend, liveKinds } from './live.ts'

const server = { listen: '127.0.0.1:0', shutdown: { drainDelay: '0s', gracePeriod: '20s' } }

for (const kind of liveKinds) {
  describe(`${kind.name}`, () => {
    const open = async (t: TestContext, upstream: object = {}) => {
      const backends = [await kind.start(t), await kind.start(t)] as const
      const configOf = (targets: readonly LiveBackend[]): string =>
        JSON.stringify({
          server,
          ...kind.config,
          upstreams: { backend: { targets: targets.map(({ url }) => ({ url })), ...upstream } },
        })
      const path = folderOf(t, { 'gateway.yaml': configOf(backends) })
      const gateway = await startGateway(t, {}, { file: path('gateway.yaml') })
      const watch = await kind.watch(t, gateway.url)
      assert.equal(await watch.next(), 'hello')
      const [busy, free] = backends[0].seen.streams === 1 ? backends : [backends[1], backends[0]]
      const reload = async (targets: readonly LiveBackend[]): Promise<boolean> => {
        writeFileSync(path('new'), configOf(targets))
        renameSync(path('new'), path('gateway.yaml'))
        return gateway.gateway.reload()
      }
      return { ...gateway, watch, busy, free, reload, ask: () => kind.ask(gateway.url) }
    }

    test('is under way for leastConnections as long as it is open', async (t) => {
      const { ask, watch, busy, free } = await open(t, { loadBalancing: { policy: 'leastConnections' } })
      for (let i = 0; i < 5; i++) assert.equal(await ask(), 200)
      assert.deepEqual([busy.seen.asked, free.seen.asked], [0, 5])
      busy.end()
      assert.equal(await watch.next(), 'ended')
      for (let i = 0; i < 20; i++) await ask()
      assert.ok(busy.seen.asked > 0, 'the target has its share again')
    })

    test('goes on when its target is ejected', async (t) => {
      const { ask, logs, watch, busy } = await open(t, {
        healthChecks: { passive: { consecutiveErrors: 1 } },
        retry: { attempts: 2 },
      })
      busy.failing = true
      for (let i = 0; i < 4; i++) await ask()
      assert.ok(logs.some((line) => (line.msg ?? line.message) === 'target is ejected'))
      busy.emit('still here')
      assert.equal(await watch.next(), 'still here')
      busy.end()
      assert.equal(await watch.next(), 'ended')
    })

    test('goes on when a reload takes its target away', async (t) => {
      const { ask, watch, busy, free, reload } = await open(t)
      assert.equal(await reload([free]), true)
      for (let i = 0; i < 4; i++) assert.equal(await ask(), 200)
      assert.equal(busy.seen.asked, 0)
      busy.emit('still here')
      assert.equal(await watch.next(), 'still here')
      busy.end()
      assert.equal(await watch.next(), 'ended')
    })

    test('goes on while the gateway drains, which waits for its end', async (t) => {
      const { gateway, watch, busy, logged } = await open(t)
      const startedAt = performance.now()
      const down = gateway.shutdown()
      await logged((line) => (line.msg ?? line.message) === 'draining')
      busy.emit('still here')
      assert.equal(await watch.next(), 'still here')
      busy.end()
      assert.equal(await watch.next(), 'ended')
      await down
      assert.ok(performance.now() - startedAt < 15_000, 'it did not wait for the whole grace period')
    })

    test('is cut after the grace period when it does not end', async (t) => {
      const backend = await kind.start(t)
      const gateway = await startGateway(t, {
        server: { ...server, shutdown: { drainDelay: '0s', gracePeriod: '1s' } },
        ...kind.config,
        upstreams: { backend: { targets: [{ url: backend.url }] } },
      })
      const watch = await kind.watch(t, gateway.url)
      assert.equal(await watch.next(), 'hello')
      await gateway.gateway.shutdown()
      assert.equal(await watch.next(), 'cut')
    })
  })
}
