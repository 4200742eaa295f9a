import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { startTcpServer } from '../tcp-server.ts'
import { startGateway } from '../world.ts'
import { doors } from './door.ts'

for (const door of doors) {
  describe(`attempts at the ${door.name} door`, () => {
    const open = async (t: TestContext, upstream: object, { living } = { living: true }) => {
      const backend = await door.start(t)
      // Takes connections, and says nothing.
      const frozen = await startTcpServer(t, (socket) => socket.resume())
      const config = backend.config({ auth: 'none' }) as { upstreams: { backend: { targets: object[] } } }
      const targets = living
        ? [{ url: frozen.url }, ...config.upstreams.backend.targets]
        : [{ url: frozen.url }]
      const gateway = await startGateway(t, {
        ...config,
        plugins: ['accessLog'],
        upstreams: { backend: { targets, ...upstream } },
      })
      return { ...gateway, ...backend, ask: () => backend.ask(gateway.url) }
    }

    test('a frozen target is left after the time for one try', async (t) => {
      const { ask, seen, logged } = await open(t, { timeouts: { perTry: '150ms' } })
      const response = await ask()
      assert.equal(response.status, 200)
      assert.match(await response.text(), /42/)
      assert.equal(seen.length, 1)
      await logged((line) => line['gateway.attempts'] === 2)
    })

    test('a second target is asked while the first is silent', async (t) => {
      const { ask, seen, logged } = await open(t, { retry: { hedge: { after: '50ms' } } })
      const response = await ask()
      assert.equal(response.status, 200)
      assert.match(await response.text(), /42/)
      assert.equal(seen.length, 1)
      await logged((line) => line['gateway.attempts'] === 2)
    })

    test('the time for everything ends the call: F50402 in the words of the protocol', async (t) => {
      const { ask, reason } = await open(t, { timeouts: { total: '150ms' } }, { living: false })
      const response = await ask()
      assert.equal(reason(await response.text()), 'DEADLINE_EXCEEDED')
      if (door.protocol !== 'graphql') assert.equal(response.status, 504)
    })
  })
}
