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

/** Long enough that no test waits for it to be over, which none has to. */
const long = '10m'

for (const door of doors) {
  describe(`circuits at the ${door.name} door`, () => {
    const open = async (t: TestContext, upstream: object, { backends: count = 1 } = {}) => {
      const backends = await Promise.all(Array.from({ length: count }, () => door.start(t)))
      const [first] = backends as [DoorBackend]
      const gateway = await startGateway(t, {
        ...first.config({ auth: 'none' }),
        plugins: ['accessLog', 'metrics'],
        upstreams: {
          backend: {
            targets: backends.flatMap(targetsOf),
            healthChecks: { passive: { consecutiveErrors: 0 } },
            retry: { attempts: 1 },
            ...upstream,
          },
        },
      })
      return {
        ...gateway,
        backends,
        backend: first,
        ask: (headers?: Record<string, string>) => first.ask(gateway.url, headers),
        changes: () =>
          gateway.logs.flatMap(({ msg, message = msg, reason }) =>
            /^circuit is/.test(String(message)) ? [`${message}: ${reason}`] : [],
          ),
        /** What the metrics say of the circuits, by their labels. */
        states: async () =>
          Object.fromEntries(
            [
              ...(await (await fetch(`${gateway.url}/metrics`)).text()).matchAll(
                /^gateway_circuit_breaker_state\{upstream="(.*)",target="(.*)"\} (\d)$/gm,
              ),
            ].map(([, name, target, state]) => [`${name} ${target}`.trim(), Number(state)]),
          ),
      }
    }

    test('failures in a row open it; what comes then is refused at once, in the words of the door', async (t) => {
      const world = await open(t, { circuitBreaker: { consecutiveFailures: 3, openFor: long } })
      const { backend, ask } = world
      backend.behaviour.answers = 'fail'
      for (let i = 0; i < 3; i++) await (await ask()).text()
      assert.equal(backend.seen.length, 3)
      for (let i = 0; i < 5; i++) {
        const refused = await ask()
        const body = await refused.text()
        assert.equal(door.protocol === 'graphql' ? 200 : 503, refused.status)
        assert.equal(backend.reason(body), 'CIRCUIT_OPEN')
        if (door.protocol === 'graphql') continue
        const retryAfter = Number(refused.headers.get('retry-after'))
        assert.ok(retryAfter > 300 && retryAfter <= 600, `what is left of ten minutes: ${retryAfter}`)
        assert.match(String(refused.headers.get('proxy-status')), /error=destination_unavailable/)
      }
      assert.equal(backend.seen.length, 3, 'nobody was asked')
      const [change, ...others] = world.changes()
      assert.match(
        String(change),
        /^circuit is open: 3 failures in a row, the last: (status 503|grpc-status 14)$/,
      )
      assert.equal(others.length, 0)
      assert.deepEqual(await world.states(), { backend: 2 })
      const health = (await (await fetch(`${world.url}/health`)).json()) as Record<string, unknown>
      assert.deepEqual(
        [health.status, health.backends, health.circuits],
        ['unhealthy', { backend: 'unhealthy' }, { backend: 'open' }],
      )
      const line = await world.logged((entry) => entry['gateway.error.reason'] === 'CIRCUIT_OPEN')
      assert.equal(line['gateway.error.code'], 'F50301')
      assert.equal(line['gateway.attempts'], 0)
    })

    test('a share of failures opens it', async (t) => {
      const breaker = {
        consecutiveFailures: 0,
        failureRatio: 0.5,
        minRequests: 10,
        window: '1m',
        openFor: long,
      }
      const { backend, ask, changes } = await open(t, { circuitBreaker: breaker })
      for (let i = 0; i < 12; i++) {
        backend.behaviour.answers = i % 2 === 0 ? 'well' : 'fail'
        await (await ask()).text()
      }
      assert.equal(backend.seen.length, 10, 'the tenth was the last')
      assert.match(changes().join(), /^circuit is open: 5 of 10 calls in 60000 ms failed/)
    })

    test('slow answers open it, however good they are', async (t) => {
      const breaker = { consecutiveFailures: 2, slowCall: '20ms', openFor: long }
      const { backend, ask, changes } = await open(t, { circuitBreaker: breaker })
      for (let i = 0; i < 2; i++) {
        backend.behaviour.until = new Promise((resolve) => setTimeout(resolve, 60))
        assert.equal((await ask()).status, 200)
      }
      assert.equal(backend.reason(await (await ask()).text()), 'CIRCUIT_OPEN')
      assert.match(changes().join(), /^circuit is open: 2 failures in a row, the last: slow: \d+ ms$/)
    })

    test('what clients ask wrongly never opens it, however often', async (t) => {
      const { backend, ask, changes, states } = await open(t, {
        circuitBreaker: { per: 'both', consecutiveFailures: 1, minRequests: 1, failureRatio: 0.1 },
      })
      backend.behaviour.answers = 'refuse'
      for (let round = 0; round < 10; round++)
        await Promise.all(Array.from({ length: 10 }, async () => (await ask()).text()))
      assert.equal(backend.seen.length, 100)
      assert.deepEqual(changes(), [])
      assert.deepEqual([...new Set(Object.values(await states()))], [0])
    })

    // A trial that hangs for as long as `openFor` is not waited for: that must be longer than 20 requests take.
    test('half open, exactly one of 20 goes through; it brings the others back', async (t) => {
      const { backend, ask, changes, states } = await open(t, {
        circuitBreaker: { consecutiveFailures: 1, openFor: '2s' },
      })
      backend.behaviour.answers = 'fail'
      await (await ask()).text()
      await halfOpen(states, 'backend')
      const before = backend.seen.length
      const gate = Promise.withResolvers<void>()
      backend.behaviour.answers = 'well'
      backend.behaviour.until = gate.promise
      const trials = Array.from({ length: 20 }, async () => {
        const reply = await ask()
        const body = await reply.text()
        return body.includes('CIRCUIT_OPEN') ? 'refused' : 'answered'
      })
      const refused = await firstFew(trials, 19)
      assert.deepEqual([...new Set(refused)], ['refused'])
      assert.equal(backend.seen.length - before, 1)
      gate.resolve()
      const all = await Promise.all(trials)
      assert.equal(all.filter((one) => one === 'answered').length, 1)
      assert.equal((await ask()).status, 200)
      assert.deepEqual(await states(), { backend: 0 })
      assert.deepEqual(
        changes().map((change) => change.split(':')[0]),
        ['circuit is open', 'circuit is half open', 'circuit is closed'],
      )
    })

    test('half open, the first failure opens it again', async (t) => {
      const { backend, ask, changes, states } = await open(t, {
        circuitBreaker: { consecutiveFailures: 1, openFor: '200ms' },
      })
      backend.behaviour.answers = 'fail'
      await (await ask()).text()
      await halfOpen(states, 'backend')
      await (await ask()).text()
      assert.match(String(changes().at(-1)), /^circuit is open: a trial failed: /)
      assert.equal(backend.seen.length, 2)
    })

    test('a target with a circuit of its own is left out, and costs no request', async (t) => {
      const world = await open(
        t,
        { circuitBreaker: { per: 'target', consecutiveFailures: 2, openFor: long }, retry: { attempts: 2 } },
        { backends: 2 },
      )
      const [bad, good] = world.backends as [DoorBackend, DoorBackend]
      bad.behaviour.answers = 'fail'
      for (let i = 0; i < 20; i++) {
        const body = await (await world.ask()).text()
        assert.match(body, /"42"/)
      }
      assert.deepEqual([bad.seen.length, good.seen.length], [2, 20])
      const [url = ''] = targetsOf(bad).map((target) => target.url)
      const [other = ''] = targetsOf(good).map((target) => target.url)
      assert.deepEqual(await world.states(), { [`backend ${url}`]: 2, [`backend ${other}`]: 0 })
      assert.equal(world.changes().length, 1)
      good.behaviour.answers = 'fail'
      for (let i = 0; i < 2; i++) await (await world.ask()).text()
      assert.equal(bad.reason(await (await world.ask()).text()), 'CIRCUIT_OPEN')
      assert.deepEqual([bad.seen.length, good.seen.length], [2, 22])
    })

    test('in a panic health is ignored, a circuit is not', async (t) => {
      const dead = { url: `http://127.0.0.1:${await freePort()}` }
      const backend = await door.start(t)
      const { url } = await startGateway(t, {
        ...backend.config({ auth: 'none' }),
        upstreams: {
          backend: {
            targets: [...targetsOf(backend), dead],
            loadBalancing: { panicThreshold: 100 },
            healthChecks: { passive: { consecutiveErrors: 0 } },
            retry: { attempts: 1 },
            circuitBreaker: { per: 'target', consecutiveFailures: 1, openFor: long },
          },
        },
      })
      let failed = 0
      for (let i = 0; i < 8; i++) if (!(await (await backend.ask(url)).text()).includes('"42"')) failed++
      assert.deepEqual([failed, backend.seen.length], [1, 7], 'the dead one was asked once')
    })

    test('the fallback takes what the upstream fails, and all of it while the circuit is open', async (t) => {
      const [main, backup] = [await door.start(t), await door.start(t)]
      const quiet = { healthChecks: { passive: { consecutiveErrors: 0 } } }
      const { url, logged } = await startGateway(t, {
        ...main.config({ auth: 'none' }),
        plugins: ['accessLog', 'metrics'],
        upstreams: {
          backend: {
            targets: targetsOf(main),
            ...quiet,
            circuitBreaker: { consecutiveFailures: 3, openFor: long },
            fallback: { upstream: 'backup' },
          },
          backup: { targets: targetsOf(backup), ...quiet },
        },
      })
      main.behaviour.answers = 'fail'
      for (let i = 0; i < 8; i++) {
        const reply = await main.ask(url)
        assert.equal(reply.status, 200)
        assert.match(await reply.text(), /"42"/)
      }
      assert.deepEqual([main.seen.length, backup.seen.length], [3, 8])
      const line = await logged((entry) => entry['gateway.fallback'] === 'backend: CIRCUIT_OPEN')
      assert.equal(line['gateway.upstream'], 'backend,backup')
      assert.equal(line['gateway.target'], targetsOf(backup)[0]?.url)
      assert.ok(await logged((entry) => entry['gateway.fallback'] === 'backend: UNAVAILABLE'))
      const metrics = await (await fetch(`${url}/metrics`)).text()
      assert.match(metrics, /^gateway_fallbacks_total\{upstream="backend"\} 8$/m)
      main.behaviour.answers = 'refuse'
    })

    test('what a client asked wrongly does not go to the fallback', async (t) => {
      const [main, backup] = [await door.start(t), await door.start(t)]
      const { url } = await startGateway(t, {
        ...main.config({ auth: 'none' }),
        upstreams: {
          backend: { targets: targetsOf(main), fallback: { upstream: 'backup' } },
          backup: { targets: targetsOf(backup) },
        },
      })
      main.behaviour.answers = 'refuse'
      for (let i = 0; i < 3; i++) await (await main.ask(url)).text()
      assert.deepEqual([main.seen.length, backup.seen.length], [3, 0])
    })

    test('a dead upstream costs nothing with a fallback, and the fallback may have one, too', async (t) => {
      const backup = await door.start(t)
      const { url } = await startGateway(t, {
        ...backup.config({ auth: 'none' }),
        upstreams: {
          backend: {
            targets: [{ url: `http://127.0.0.1:${await freePort()}` }],
            fallback: { upstream: 'second' },
          },
          second: {
            targets: [{ url: `http://127.0.0.1:${await freePort()}` }],
            fallback: { upstream: 'third' },
          },
          third: { targets: targetsOf(backup) },
        },
      })
      for (let i = 0; i < 5; i++) assert.match(await (await backup.ask(url)).text(), /"42"/)
      assert.equal(backup.seen.length, 5)
    })

    test('an upstream that did not change keeps its circuit over a reload', async (t) => {
      const world = await open(t, { circuitBreaker: { consecutiveFailures: 1, openFor: long } })
      world.backend.behaviour.answers = 'fail'
      await (await world.ask()).text()
      assert.equal(await world.gateway.reload(), true)
      assert.equal(world.backend.reason(await (await world.ask()).text()), 'CIRCUIT_OPEN')
      assert.equal(world.backend.seen.length, 1)
    })
  })
}

/** Resolves when the circuit would let a trial through. */
async function halfOpen(states: () => Promise<Record<string, number>>, name: string): Promise<void> {
  while ((await states())[name] !== 1) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** What the first so many of them that settle resolve with. */
function firstFew<T>(promises: readonly Promise<T>[], count: number): Promise<T[]> {
  const found: T[] = []
  return new Promise((resolve, reject) => {
    for (const promise of promises)
      promise.then((value) => {
        if (found.push(value) === count) resolve([...found])
      }, reject)
  })
}
