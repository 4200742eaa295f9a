import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { z } from 'zod'
import type { AttemptRecord, CallRecord } from '../../src/core/call-record.ts'
import { definePlugin } from '../../src/pipeline/registry.ts'
import { startTcpServer } from '../tcp-server.ts'
import { startGateway } from '../world.ts'
import { type DoorBackend, doors } from './door.ts'

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

    test('each attempt is on the record, and told a span of its own', async (t) => {
      const [failing, well] = [await door.start(t), await door.start(t)]
      failing.behaviour.answers = 'fail'
      const targetsOf = ({ config }: DoorBackend): object[] =>
        (config({}) as { upstreams: { backend: { targets: object[] } } }).upstreams.backend.targets
      const targets = [...targetsOf(failing), ...targetsOf(well)] as { url: string }[]
      const { calls, plugin } = recorder()
      const { url } = await startGateway(
        t,
        {
          ...well.config({ auth: 'none' }),
          plugins: ['requestId', 'recorder'],
          upstreams: { backend: { targets } },
        },
        { plugins: [plugin] },
      )
      assert.equal((await well.ask(url)).status, 200)
      const [call] = await calls
      const [first, second] = call?.attempts ?? []
      assert.ok(call && first && second)
      assert.deepEqual([call.attempts.length, call.target], [2, targets[1]?.url])
      const unavailable = door.protocol === 'grpc' ? [14, 'grpc-status 14'] : [503, 'status 503']
      assert.deepEqual(told(first), [targets[0]?.url, ...unavailable, 'UNAVAILABLE', false])
      assert.deepEqual(told(second), [
        targets[1]?.url,
        door.protocol === 'grpc' ? 0 : 200,
        undefined,
        undefined,
        false,
      ])
      for (const one of [first, second])
        assert.ok(call.startedAt <= one.startedAt && one.startedAt + one.durationMs <= one.endedAt)
      assert.ok(first.endedAt <= second.startedAt)
      assert.equal(first.traceparent, failing.seen[0]?.traceparent)
      assert.equal(second.traceparent, well.seen[0]?.traceparent)
      assert.notEqual(first.traceparent, second.traceparent)
      assert.equal(first.traceparent.slice(0, 36), second.traceparent.slice(0, 36))
    })
  })
}

function told({ target, status, fault, error, lost }: AttemptRecord): unknown[] {
  return [target, status, fault, error?.reason, lost]
}

/** A plugin that gives away what the first exchange settled with. */
function recorder() {
  const { promise: calls, resolve } = Promise.withResolvers<readonly CallRecord[]>()
  const plugin = definePlugin({
    name: 'recorder',
    options: z.strictObject({}),
    create: () => ({ onSettled: (x) => resolve(x.calls) }),
  })
  return { calls, plugin }
}
