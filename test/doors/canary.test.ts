import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import type { Release } from '../../src/traffic/canary/release.ts'
import { freePort } from '../services/free-port.ts'
import { startGateway } from '../world.ts'
import { type Door, type DoorBackend, doors } from './door.ts'

const key = createApiKey('test')
const identity = { consumers: [{ id: 'ada', name: 'Ada', keys: [{ hash: hashApiKey(key) }] }] }

/** The parts of a configuration that a canary is put into. */
interface DoorConfig {
  readonly upstreams: { readonly backend: { readonly targets: readonly object[] } }
  readonly routes?: readonly [{ canary?: object }]
  readonly graphql?: { readonly subgraphs: { readonly users: { canary?: object } } }
  readonly grpc?: { readonly services: { readonly 'doors.v1.Users': { canary?: object } } }
}

const places: Readonly<Record<Door['protocol'], string>> = {
  rest: 'echo',
  graphql: 'graphql/users',
  grpc: 'grpc/doors.v1.Users',
}

function targetsOf(backend: DoorBackend): readonly object[] {
  return (backend.config({}) as DoorConfig).upstreams.backend.targets
}

/** Two steps, the first for those that match; five calls are enough, and the backends are not timed against each other. */
const twoSteps = {
  upstream: 'next',
  match: { headers: { 'X-Canary': '*' } },
  steps: [{ weight: 0, hold: '1m' }, { weight: 100 }],
  analysis: { minRequests: 5, maxP95Ratio: 1_000 },
}

for (const door of doors) {
  describe(`canary at the ${door.name} door`, () => {
    const open = async (
      t: TestContext,
      canary: object,
      { auth = 'none', targets }: { auth?: 'none' | 'optional'; targets?: readonly object[] } = {},
    ) => {
      const old = await door.start(t)
      const next = await door.start(t)
      const config = old.config({ auth }) as DoorConfig
      const place =
        config.routes?.[0] ?? config.graphql?.subgraphs.users ?? config.grpc?.services['doors.v1.Users']
      Object.assign(place ?? {}, { canary })
      const clock = { now: Date.now() }
      const gateway = await startGateway(
        t,
        {
          plugins: ['metrics', 'accessLog'],
          server: { trustedProxies: ['127.0.0.1'] },
          ...identity,
          ...config,
          upstreams: {
            ...config.upstreams,
            next: { targets: targets ?? targetsOf(next), retry: { statuses: [] } },
          },
        },
        { now: () => clock.now },
      )
      const ask = async (headers?: Record<string, string>): Promise<string | null> => {
        const reply = await old.ask(gateway.url, headers)
        await reply.arrayBuffer()
        return reply.headers.get('x-canary')
      }
      const release = (): Release => {
        const found = gateway.gateway.canaries.get(places[door.protocol])
        assert.ok(found, [...gateway.gateway.canaries.keys()].join())
        return found
      }
      const times = async (count: number, headers?: Record<string, string>): Promise<(string | null)[]> => {
        const said: (string | null)[] = []
        for (let i = 0; i < count; i++) said.push(await ask(headers))
        return said
      }
      return { ...gateway, old, next, place: place as { canary: object }, clock, ask, times, release }
    }

    test('a header chooses the side, and both backend and client are told which one it was', async (t) => {
      const { ask, old, next } = await open(t, { ...twoSteps, steps: undefined })
      assert.equal(await ask(), 'false')
      assert.equal(await ask({ 'X-Canary': 'yes' }), 'true')
      assert.equal(await ask({ 'X-Canary': 'never' }), 'false')
      assert.equal(await ask({ 'X-Canary': 'false' }), 'false')
      assert.deepEqual(
        old.seen.map((headers) => headers['x-canary']),
        ['false', 'false', 'false'],
      )
      assert.deepEqual(
        next.seen.map((headers) => headers['x-canary']),
        ['true'],
      )
    })

    test('so do the user, the address behind a proxy, and the region', async (t) => {
      const match = { users: ['ada'], ips: ['10.0.0.0/8'], region: { header: 'X-Region', values: ['eu'] } }
      const { ask } = await open(t, { upstream: 'next', match }, { auth: 'optional' })
      assert.equal(await ask(), 'false')
      assert.equal(await ask({ 'X-API-Key': key }), 'true')
      assert.equal(await ask({ 'X-Forwarded-For': '10.1.2.3' }), 'true')
      assert.equal(await ask({ 'X-Forwarded-For': '11.1.2.3' }), 'false')
      assert.equal(await ask({ 'X-Region': 'eu' }), 'true')
      assert.equal(await ask({ 'X-Region': 'us' }), 'false')
    })

    test('a share of the users is on its side, always the same, and stays there when it grows', async (t) => {
      const steps = [{ weight: 30 }, { weight: 60 }, { weight: 100 }]
      const { ask, release } = await open(t, { upstream: 'next', steps })
      const sides = async (): Promise<boolean[]> => {
        const found: boolean[] = []
        for (let n = 0; n < 40; n++)
          found.push((await ask({ 'X-Forwarded-For': `203.0.113.${n}` })) === 'true')
        return found
      }
      const at30 = await sides()
      assert.deepEqual(await sides(), at30)
      assert.ok(at30.includes(true) && at30.includes(false))
      release().promote()
      const at60 = await sides()
      assert.ok(at30.every((was, n) => !was || at60[n]))
      assert.ok(at60.filter(Boolean).length > at30.filter(Boolean).length)
      release().promote()
      assert.ok((await sides()).every(Boolean))
    })

    test('it goes on when it was held, and is well; metrics and log show it', async (t) => {
      const { ask, times, clock, url, logged } = await open(t, twoSteps)
      await times(7, { 'X-Canary': 'yes' })
      assert.equal(await ask(), 'false')
      clock.now += 60_000
      await times(1, { 'X-Canary': 'yes' })
      assert.equal(await ask(), 'true')
      await logged((line) => line.message === 'canary is promoted' && line.to === 100)
      const line = await logged((entry) => entry['gateway.canary'] === false)
      assert.equal(line['gateway.upstream'], 'backend')
      assert.equal((await logged((entry) => entry['gateway.canary'] === true))['gateway.upstream'], 'next')
      const metrics = await (await fetch(`${url}/metrics`)).text()
      const labels = `route="${places[door.protocol]}"`
      assert.ok(metrics.includes(`gateway_canary_weight{${labels}} 100`), metrics)
      assert.ok(metrics.includes(`gateway_canary_requests_total{${labels},track="canary",outcome="ok"} 9`))
      assert.ok(metrics.includes(`gateway_canary_requests_total{${labels},track="stable",outcome="ok"} 1`))
    })

    test('failures of the new version take everybody back, those who match too', async (t) => {
      const { ask, times, next, release, logged } = await open(t, twoSteps)
      next.behaviour.answers = 'break'
      await times(5, { 'X-Canary': 'yes' })
      const tries = next.seen.length
      assert.ok(tries >= 5)
      assert.equal(await ask({ 'X-Canary': 'yes' }), 'false')
      assert.equal(next.seen.length, tries)
      assert.equal(release().status().phase, 'rolledBack')
      const line = await logged((entry) => entry.message === 'canary is rolled back')
      assert.match(String(line.reason), /^100 % of its calls failed/)
    })

    test('what clients do wrong is no failure', async (t) => {
      const { times, next, release } = await open(t, twoSteps)
      next.behaviour.answers = 'refuse'
      await times(12, { 'X-Canary': 'yes' })
      const { phase, canary } = release().status()
      assert.deepEqual([phase, canary.requests, canary.failures], ['progressing', 12, 0])
    })

    test('a new version that is slower than the old one is taken back', async (t) => {
      const { times, next, release } = await open(t, { ...twoSteps, analysis: { minRequests: 5 } })
      next.behaviour.delayMs = 300
      // More than once, because the old one may be held up by a busy machine.
      for (let i = 0; i < 20 && release().open; i++) {
        await times(5)
        await times(2, { 'X-Canary': 'yes' })
      }
      assert.match(String(release().status().reason), /^its p95 is \d+.* ms, above 1.5 times/)
    })

    test('a dead new version costs no request, and is taken back', async (t) => {
      const targets = [{ url: `http://127.0.0.1:${await freePort()}` }]
      const { ask, times, old, release } = await open(t, twoSteps, { targets })
      assert.deepEqual(await times(5, { 'X-Canary': 'yes' }), Array(5).fill('false'))
      assert.equal(old.seen.length, 5)
      assert.ok(old.seen.every((headers) => headers['x-canary'] === 'false'))
      assert.equal(release().status().phase, 'rolledBack')
      assert.equal(await ask(), 'false')
    })

    test('a reload keeps where it was, another configuration begins anew', async (t) => {
      const { ask, times, gateway, place, release } = await open(t, twoSteps)
      await times(3, { 'X-Canary': 'yes' })
      release().promote()
      await times(2)
      assert.equal(await gateway.reload(), true)
      assert.deepEqual([release().weight, release().status().canary.requests], [100, 2])
      assert.equal(await ask(), 'true')
      place.canary = { ...twoSteps, onFailure: 'pause' }
      assert.equal(await gateway.reload(), true)
      assert.deepEqual([release().weight, release().status().canary.requests], [0, 0])
      assert.equal(await ask(), 'false')
    })

    test('people pause, abort and resume it', async (t) => {
      const { ask, times, clock, release } = await open(t, twoSteps)
      release().pause()
      clock.now += 60_000
      await times(10, { 'X-Canary': 'yes' })
      assert.equal(await ask(), 'false')
      release().abort()
      assert.equal(await ask({ 'X-Canary': 'yes' }), 'false')
      release().resume()
      assert.equal(await ask({ 'X-Canary': 'yes' }), 'true')
    })
  })
}
