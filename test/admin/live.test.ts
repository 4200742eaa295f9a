import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LiveSample } from '../../src/admin/live-sample.ts'
import { startBackend, startGateway } from '../world.ts'
import { readEvents } from './read-events.ts'

describe('GET /admin/live', () => {
  test('tells once a second how the gateway is doing, and of the requests since', async (t) => {
    const backend = await startBackend(t)
    const { url } = await startGateway(t, {
      upstreams: { users: { targets: [{ url: backend.url }], circuitBreaker: {} } },
      routes: [{ id: 'users', path: '/users/**', upstream: 'users', auth: 'none' }],
    })
    const events = await readEvents<LiveSample>(t, `${url}/admin/live`)
    for (let i = 0; i < 5; i++) await (await fetch(`${url}/users/${i}`)).text()
    await (await fetch(`${url}/nowhere`)).text()
    let seen: LiveSample
    do seen = (await events.next()).data
    while ((seen.requests?.perSecond ?? 0) === 0 || seen.requests?.refusedPerSecond === 0)
    assert.equal(seen.configVersion, 1)
    assert.equal(seen.draining, false)
    assert.ok(seen.activeConnections >= 1)
    assert.deepEqual(seen.upstreams, [
      { name: 'users', targets: 1, healthy: 1, circuit: 'closed', openTargets: [] },
    ])
    const route = seen.requests?.routes.find((one) => one.route === 'users')
    assert.equal(route?.protocol, 'rest')
    assert.ok((route?.p99Ms ?? 0) >= (route?.p50Ms ?? 1))
    assert.deepEqual(
      seen.requests?.protocols.map(({ protocol }) => protocol),
      ['rest'],
    )
    assert.ok(seen.process.heapUsedBytes > 0 && seen.process.heapLimitBytes > seen.process.heapUsedBytes)
    assert.ok(seen.process.eventLoopDelayMs >= 0)
    let quiet: LiveSample
    do quiet = (await events.next()).data
    while (quiet.requests?.perSecond !== 0)
    assert.equal(quiet.requests.p50Ms, null)
  })

  test('is of the process alone where nothing is logged', async (t) => {
    const { url } = await startGateway(t, { observability: { requestLog: { entries: 0 } } })
    const { data } = await (await readEvents<LiveSample>(t, `${url}/admin/live`)).next()
    assert.equal(data.requests, null)
    assert.ok(data.process.rssBytes > 0)
  })

  test('ends when the gateway does', async (t) => {
    const { url, gateway } = await startGateway(t, {})
    const events = await readEvents(t, `${url}/admin/live`)
    await gateway.shutdown()
    assert.equal(await events.ended, true)
  })
})
