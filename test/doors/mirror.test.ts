import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { freePort } from '../services/free-port.ts'
import { mirrored, mirrorFigures, startFrozen, startSlow } from '../traffic/mirror-world.ts'
import { startBackend, startGateway } from '../world.ts'
import { type Door, type DoorBackend, doors } from './door.ts'

/** The parts of a configuration that a mirror is put into. */
interface DoorConfig {
  readonly upstreams: { readonly backend: { readonly targets: readonly { readonly url: string }[] } }
  readonly routes?: readonly [object]
  readonly graphql?: { readonly subgraphs: { readonly users: object } }
  readonly grpc?: { readonly services: { readonly 'doors.v1.Users': object } }
}

const places: Readonly<Record<Door['protocol'], string>> = {
  rest: 'echo',
  graphql: 'graphql/users',
  grpc: 'grpc/doors.v1.Users',
}

function urlOf(backend: DoorBackend): string {
  return (backend.config({}) as DoorConfig).upstreams.backend.targets[0]?.url ?? ''
}

/** A server of the protocol that answers otherwise: with something else, or UNIMPLEMENTED. */
async function startOther(t: TestContext, { protocol }: Door): Promise<string> {
  if (protocol !== 'grpc') return (await startBackend(t)).url
  const server = createServer().listen(0, '127.0.0.1')
  server.on('stream', (stream) => {
    const head = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' }
    stream.respond(head, { endStream: true })
  })
  await once(server, 'listening')
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

for (const door of doors) {
  const place = places[door.protocol]

  describe(`a mirror at the ${door.name} door`, () => {
    const open = async (t: TestContext, mirror: object = {}, url?: string, upstream: object = {}) => {
      const backend = await door.start(t)
      const shadow = await door.start(t)
      const config = backend.config({ auth: 'none' }) as DoorConfig
      const at =
        config.routes?.[0] ?? config.graphql?.subgraphs.users ?? config.grpc?.services['doors.v1.Users'] ?? {}
      Object.assign(at, { mirror: { upstream: 'next', ...mirror } })
      const gateway = await startGateway(t, {
        ...config,
        plugins: ['requestId', 'accessLog', 'metrics'],
        upstreams: { ...config.upstreams, next: { targets: [{ url: url ?? urlOf(shadow) }], ...upstream } },
      })
      const ask = async (headers?: Record<string, string>): Promise<string> => {
        const reply = await backend.ask(gateway.url, headers)
        const text = await reply.text()
        assert.equal(reply.status, 200, text)
        assert.match(text, /42/)
        return text
      }
      return {
        ...gateway,
        ask,
        backend,
        shadow,
        figures: () => mirrorFigures(gateway.url, place),
        mirrored: (count: number) => mirrored(gateway.url, place, count),
      }
    }

    test('gets what the upstream gets, and a mark', async (t) => {
      const { ask, backend, shadow, mirrored, logs } = await open(t)
      await ask({ 'X-Request-Id': 'r-1', 'X-Gateway-Mirror': 'forged', 'Accept-Language': 'de' })
      assert.equal((await mirrored(1)).sent, 1)
      const [[original = {}], [copy = {}]] = [backend.seen, shadow.seen]
      assert.equal(original['x-gateway-mirror'], undefined)
      assert.equal(copy['x-gateway-mirror'], 'true')
      assert.equal(copy['x-request-id'], 'r-1')
      const { 'x-gateway-mirror': _, host: __, ...rest } = copy
      const { host: ___, ...wanted } = original
      assert.deepEqual(rest, wanted)
      const [line, ...others] = logs.filter((one) => one['gateway.attempts'] !== undefined)
      assert.deepEqual([line?.['gateway.upstream'], others], ['backend', []])
    })

    test('gets its share', async (t) => {
      const { ask, backend, shadow, figures, mirrored } = await open(t, { percent: 50, maxInFlight: 1_000 })
      const asked = 100
      await Promise.all(Array.from({ length: asked }, () => ask()))
      assert.equal(backend.seen.length, asked)
      // Five standard deviations of a binomial distribution.
      const bound = 5 * Math.sqrt(asked * 0.25)
      const chosen = shadow.seen.length
      assert.ok(Math.abs(chosen - asked / 2) <= bound, `${chosen} of ${asked}`)
      assert.equal((await mirrored(chosen)).sent, (await figures()).sent)
    })

    test('gets nothing at 0 percent', async (t) => {
      const { ask, shadow, figures } = await open(t, { percent: 0 })
      for (let i = 0; i < 5; i++) await ask()
      assert.equal(shadow.seen.length, 0)
      assert.deepEqual(Object.values(await figures()), [0, 0, 0, 0, 0])
    })

    test('that is down is not noticed', async (t) => {
      const { ask, mirrored, logs } = await open(t, {}, `http://127.0.0.1:${await freePort()}`)
      for (let i = 0; i < 5; i++) await ask()
      assert.equal((await mirrored(5)).failed, 5)
      const failures = logs.filter((line) => line.message === 'a mirrored request failed')
      assert.equal(failures.length, 1, 'one line for all of them')
      assert.equal(failures[0]?.['gateway.error.reason'], 'UPSTREAM_REFUSED')
    })

    test('that is slow is not waited for', async (t) => {
      const slow = await startSlow(t, urlOf(await door.start(t)))
      const { ask, figures, mirrored } = await open(t, {}, slow.url)
      await ask()
      assert.deepEqual(Object.values(await figures()), [0, 0, 0, 0, 0])
      slow.release()
      assert.equal((await mirrored(1)).sent, 1)
    })

    test('that never answers is left after its time', async (t) => {
      const { ask, mirrored, logged } = await open(t, { timeout: '200ms' }, (await startFrozen(t)).url)
      await ask()
      assert.equal((await mirrored(1)).failed, 1)
      await logged((line) => line['gateway.error.reason'] === 'UPSTREAM_TIMEOUT')
    })

    test('takes no more than it may at a time', async (t) => {
      const frozen = await startFrozen(t)
      const { ask, figures, mirrored } = await open(t, { maxInFlight: 2 }, frozen.url)
      await Promise.all(Array.from({ length: 10 }, () => ask()))
      const { skipped, failed } = await figures()
      assert.deepEqual([skipped, failed], [8, 0])
      frozen.release()
      assert.equal((await mirrored(10)).failed, 2)
    })

    test('whose answers are the same is said to be so', async (t) => {
      const { ask, mirrored, logs } = await open(t, { compare: true })
      await ask()
      assert.equal((await mirrored(1)).same, 1)
      assert.deepEqual(
        logs.filter((line) => 'mirror.upstream' in line),
        [],
      )
    })

    test('whose answers are different is in the log, without what they say', async (t) => {
      const { ask, mirrored, logs } = await open(t, { compare: true }, await startOther(t, door))
      for (let i = 0; i < 5; i++) await ask({ Cookie: 'a=secret' })
      assert.equal((await mirrored(5)).different, 5)
      const [line, ...others] = logs.filter((one) => 'mirror.upstream' in one)
      assert.deepEqual(others, [], 'one line for all of them')
      const grpc = door.protocol === 'grpc'
      assert.equal(line?.difference, grpc ? 'status' : 'body')
      assert.deepEqual([line?.status, line?.['mirror.status']], grpc ? [0, 12] : [200, 200])
      assert.equal(line?.['gateway.route'], place)
      assert.equal(line?.['url.path'], backendPath(door))
      assert.doesNotMatch(JSON.stringify(line), /"42"|secret/)
    })

    test('that sets cookies for its targets sets none for clients', async (t) => {
      const sticky = { cookie: { name: 'target', secret: 'a secret of the tests' } }
      const { backend, url, mirrored } = await open(t, {}, undefined, { loadBalancing: { sticky } })
      const reply = await backend.ask(url)
      assert.equal(reply.headers.get('set-cookie'), null)
      assert.equal((await mirrored(1)).sent, 1)
    })
  })
}

function backendPath({ protocol }: Door): string {
  return { rest: '/v1/users/42', graphql: '/graphql', grpc: '/v1/grpc/users/42' }[protocol]
}
