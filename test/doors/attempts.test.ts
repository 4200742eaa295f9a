import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { startGateway } from '../world.ts'
import { doors } from './door.ts'

/** Takes connections, and says nothing. */
async function startFrozen(t: TestContext): Promise<{ readonly url: string }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).resume()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

for (const door of doors) {
  describe(`attempts at the ${door.name} door`, () => {
    const open = async (t: TestContext, upstream: object, { living } = { living: true }) => {
      const backend = await door.start(t)
      const frozen = await startFrozen(t)
      const config = backend.config({ auth: 'none' }) as { upstreams: { backend: { targets: object[] } } }
      const targets = living ? [frozen, ...config.upstreams.backend.targets] : [frozen]
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
