import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Gateway } from '../../src/gateway.ts'
import type { LogEntry } from '../../src/request-log/log-entry.ts'
import type { LogFilter } from '../../src/request-log/log-filter.ts'
import { freePort } from '../services/free-port.ts'
import { startGateway } from '../world.ts'
import type { PlaceConfig } from './door.ts'
import { everyDoor } from './grpc-doors.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`

/** The first entry that fits: it comes when the exchange has settled, which is a little after its answer. */
export async function found({ requestLog }: Gateway, filter: LogFilter): Promise<LogEntry> {
  for (;;) {
    const { items } = await requestLog.search({ filter, limit: 1, cursor: undefined })
    if (items[0] !== undefined) return items[0]
    await sleep(10)
  }
}

for (const door of everyDoor) {
  describe(`the request log at the ${door.name} door`, () => {
    /** `dead`: a target that comes first, and is not there. */
    const open = async (t: TestContext, place: PlaceConfig, dead?: string) => {
      const backend = await door.start(t)
      const config = backend.config({ auth: 'none', ...place }) as {
        upstreams: { backend: { targets: object[] } }
      }
      if (dead !== undefined) config.upstreams.backend.targets.unshift({ url: dead })
      return { backend, ...(await startGateway(t, config)) }
    }

    test('an exchange is found by its trace id, with its call and the target that answered', async (t) => {
      const { backend, url, gateway } = await open(t, {})
      const reply = await backend.ask(url, { traceparent, 'X-Request-Id': 'mine-1' })
      await reply.text()
      const entry = await found(gateway, { traceId })
      assert.equal(entry.requestId, 'mine-1')
      assert.equal(entry.protocol, door.protocol)
      assert.equal(entry.route, door.routeId)
      assert.equal(entry.method, backend.target.method)
      assert.equal(entry.path, backend.target.path)
      assert.equal(entry.status, 200)
      assert.equal(entry.error, undefined)
      assert.equal(entry.configVersion, 1)
      assert.equal(entry.clientAddress, '127.0.0.1')
      assert.ok(entry.durationMs > 0)
      assert.equal(entry.calls.length, 1)
      const [call] = entry.calls
      assert.equal(call?.upstream, 'backend')
      assert.equal(call?.attempts.length, 1)
      const [attempt] = call?.attempts ?? []
      assert.match(attempt?.target ?? '', /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.equal(attempt?.status, door.protocol === 'grpc' ? 0 : 200)
      assert.equal(attempt?.failed, undefined)
    })

    test('each attempt is there, and why it was made again', async (t) => {
      const dead = `http://127.0.0.1:${await freePort()}`
      const { backend, url, gateway } = await open(t, {}, dead)
      const reply = await backend.ask(url, { traceparent })
      assert.equal(reply.status, 200, await reply.text())
      const entry = await found(gateway, { traceId })
      const [first, second, ...more] = entry.calls[0]?.attempts ?? []
      assert.deepEqual(more, [])
      assert.equal(first?.target, dead)
      assert.equal(first?.failed, 'UPSTREAM_REFUSED')
      assert.match(first?.cause ?? '', /ECONNREFUSED/)
      assert.notEqual(second?.target, dead)
      assert.equal(second?.failed, undefined)
      assert.equal(second?.status, door.protocol === 'grpc' ? 0 : 200)
      assert.equal(entry.calls[0]?.reason, undefined)
    })

    test('a call that nobody took says why, and so does the exchange', async (t) => {
      const dead = `http://127.0.0.1:${await freePort()}`
      const backend = await door.start(t)
      const config = backend.config({ auth: 'none' }) as { upstreams: { backend: { targets: object[] } } }
      config.upstreams.backend.targets.splice(0, 1, { url: dead })
      const { url, gateway } = await startGateway(t, config)
      await (await backend.ask(url, { traceparent })).text()
      const entry = await found(gateway, { traceId })
      const [call] = entry.calls
      assert.equal(call?.reason, 'UPSTREAM_REFUSED')
      assert.equal(call?.attempts.at(-1)?.failed, 'UPSTREAM_REFUSED')
      // A GraphQL operation is answered although one of its fetches failed.
      if (door.protocol !== 'graphql') assert.equal(entry.error?.reason, 'UPSTREAM_REFUSED')
      else assert.equal(entry.attributes?.['graphql.errors'], 1)
    })

    test('the plugin that refused it is named', async (t) => {
      const { backend, url, gateway } = await open(t, {
        plugins: [{ rateLimit: { limit: 1, window: '1h', by: 'ip' } }],
      })
      await (await backend.ask(url)).text()
      await (await backend.ask(url, { traceparent })).text()
      const entry = await found(gateway, { traceId })
      assert.equal(entry.plugin, 'rateLimit')
      assert.equal(entry.error?.reason, 'RATE_LIMITED')
      assert.deepEqual(entry.calls, [])
    })
  })
}
