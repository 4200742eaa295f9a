import assert from 'node:assert/strict'
import { on, once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import {
  type ClientReadableStream,
  credentials,
  makeGenericClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { protoPath, service } from 'grpc-health-check'
import { send } from '../../../gateway/load.ts'
import { startBackend, startGateway, type TestGateway } from '../../../world.ts'
import { testProtos } from '../harness.ts'
import { kitchenName, kitchenProto } from '../kitchen.ts'

interface Health {
  status: string
}

interface HealthClient {
  check(request: { service: string }): Promise<string>
  list(): Promise<Record<string, Health>>
  watch(request: { service: string }): ClientReadableStream<Health>
}

/** The client of the grpc-health-check package, over grpc-js. */
function clientOf(t: TestContext, { port }: TestGateway): HealthClient {
  assert.match(protoPath, /health\.proto$/)
  const Client = makeGenericClientConstructor(service, 'Health')
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  t.after(() => client.close())
  const call = <T>(method: string, request: object): Promise<T> =>
    new Promise((resolve, reject) => {
      const ask = client[method] as (
        request: object,
        done: (error: ServiceError | null, reply: T) => void,
      ) => void
      ask.call(client, request, (error, reply) => (error === null ? resolve(reply) : reject(error)))
    })
  return {
    check: async (request) => (await call<Health>('check', request)).status,
    list: async () => (await call<{ statuses: Record<string, Health> }>('list', {})).statuses,
    watch: (request) => {
      const watch = client.watch as (request: object) => ClientReadableStream<Health>
      return watch.call(client, request)
    },
  }
}

/** A gateway in front of a backend that is probed over HTTP, with a switch for what that says. */
async function startWatched(t: TestContext, grpc: object = {}, drainDelay = '0s') {
  let backendStatus = 200
  const backend = await startBackend(t, (_req: IncomingMessage, res: ServerResponse) => {
    res.statusCode = backendStatus
    res.end()
  })
  const gateway = await startGateway(t, {
    server: { shutdown: { drainDelay, gracePeriod: '2s' } },
    upstreams: {
      kitchen: {
        targets: [{ url: backend.url }],
        healthChecks: { active: { interval: '20ms', unhealthyAfter: 1 } },
      },
    },
    grpc: {
      protos: [kitchenProto],
      includeDirs: [testProtos],
      services: { [kitchenName]: { upstream: 'kitchen', auth: 'none' } },
      ...grpc,
    },
  })
  await gateway.logged((line) => line.message === 'target is healthy')
  return {
    ...gateway,
    backend: (code: number) => {
      backendStatus = code
    },
  }
}

const checkPath = '/grpc.health.v1.Health/Check'

/** An empty HealthCheckRequest, by gRPC-Web over HTTP/1.1. */
function askByWeb({ url }: TestGateway) {
  const headers = { 'content-type': 'application/grpc-web+proto' }
  return send(`${url}${checkPath}`, { body: '\0\0\0\0\0', headers })
}

/** The statuses that a watch tells, one after the other. */
function told(watch: ClientReadableStream<Health>): () => Promise<string> {
  const messages = on(watch, 'data')
  return async () => ((await messages.next()).value as [Health])[0].status
}

test('Check says whether the gateway is ready and whether a service has a healthy target', async (t) => {
  const gateway = await startWatched(t)
  const client = clientOf(t, gateway)
  assert.equal(await client.check({ service: '' }), 'SERVING')
  assert.equal(await client.check({ service: kitchenName }), 'SERVING')
  await assert.rejects(client.check({ service: 'no.Such' }), { code: status.NOT_FOUND })
  gateway.backend(500)
  await gateway.logged((line) => line.message === 'target is unhealthy')
  assert.equal(await client.check({ service: '' }), 'SERVING')
  assert.equal(await client.check({ service: kitchenName }), 'NOT_SERVING')
})

test('List has all of them', {
  skip: 'list' in service || 'List' in service ? false : 'the package has no List',
}, async (t) => {
  const client = clientOf(t, await startWatched(t))
  const statuses = await client.list()
  assert.deepEqual(
    Object.entries(statuses).map(([name, { status: is }]) => [name, is]),
    [
      ['', 'SERVING'],
      [kitchenName, 'SERVING'],
    ],
  )
})

test('Watch tells the status at once, and each change', async (t) => {
  const gateway = await startWatched(t)
  const watch = clientOf(t, gateway).watch({ service: kitchenName })
  watch.on('error', () => {})
  const next = told(watch)
  assert.equal(await next(), 'SERVING')
  gateway.backend(500)
  assert.equal(await next(), 'NOT_SERVING')
  gateway.backend(200)
  assert.equal(await next(), 'SERVING')
  watch.cancel()
})

test('a watch of a service that there is not is told SERVICE_UNKNOWN, and goes on', async (t) => {
  const gateway = await startWatched(t)
  const watch = clientOf(t, gateway).watch({ service: 'no.Such' })
  const ended = once(watch, 'error').catch((error: unknown) => [error])
  const next = told(watch)
  assert.equal(await next(), 'SERVICE_UNKNOWN')
  // Another configuration ends it, so that the client watches that one.
  assert.equal(await gateway.gateway.reload(), true)
  const [error] = (await ended) as [ServiceError]
  assert.equal(error.code, status.UNAVAILABLE)
  assert.match(error.details, /configuration has changed/)
})

test('a gateway that drains says NOT_SERVING to all and lets them go', async (t) => {
  const gateway = await startWatched(t, {}, '2s')
  const client = clientOf(t, gateway)
  const watch = client.watch({ service: '' })
  const ended = once(watch, 'error').catch((error: unknown) => [error])
  const next = told(watch)
  assert.equal(await next(), 'SERVING')
  const stopped = gateway.gateway.shutdown()
  assert.equal(await next(), 'NOT_SERVING')
  const [error] = (await ended) as [ServiceError]
  assert.equal(error.code, status.UNAVAILABLE)
  assert.ok((await askByWeb(gateway)).text.startsWith('\0\0\0\0\u0002\b\u0002'))
  await stopped
})

test('gRPC-Web may ask too, others are told where', async (t) => {
  const gateway = await startWatched(t)
  const web = await askByWeb(gateway)
  assert.equal(web.status, 200)
  assert.ok(web.text.startsWith('\0\0\0\0\u0002\b\u0001'))
  assert.match(web.text, /grpc-status: 0/)
  const json = await send(`${gateway.url}${checkPath}`, {
    body: '{}',
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(json.status, 415)
})

test('health is not served where it is switched off', async (t) => {
  const client = clientOf(t, await startWatched(t, { health: false }))
  await assert.rejects(client.check({ service: '' }), { code: status.UNIMPLEMENTED })
})
