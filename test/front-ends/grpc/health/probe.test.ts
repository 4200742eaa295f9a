import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { HealthImplementation, type ServingStatusMap } from 'grpc-health-check'
import { send } from '../../../gateway/load.ts'
import { startGateway, type TestGateway } from '../../../world.ts'
import { testProtos } from '../harness.ts'
import { kitchenName, kitchenProto } from '../kitchen.ts'

/** A grpc-js server with the official health service, or without any. */
async function startServer(
  t: TestContext,
  statuses: ServingStatusMap | undefined,
): Promise<{ readonly url: string; readonly health: HealthImplementation; close(): void }> {
  const server = new Server()
  const health = new HealthImplementation(statuses)
  if (statuses !== undefined) health.addToServer(server)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  const close = (): void => server.forceShutdown()
  t.after(close)
  return { url: `http://127.0.0.1:${port}`, health, close }
}

function startProbing(t: TestContext, url: string, active: object = {}): Promise<TestGateway> {
  return startGateway(t, {
    upstreams: {
      kitchen: {
        targets: [{ url }],
        healthChecks: { active: { type: 'grpc', interval: '50ms', unhealthyAfter: 1, ...active } },
      },
    },
    grpc: {
      protos: [kitchenProto],
      includeDirs: [testProtos],
      services: { [kitchenName]: { upstream: 'kitchen', auth: 'none' } },
    },
  })
}

const healthy = (gateway: TestGateway) => gateway.logged((line) => line.message === 'target is healthy')
const unhealthy = (gateway: TestGateway, reason: RegExp) =>
  gateway.logged((line) => line.message === 'target is unhealthy' && reason.test(String(line.reason)))

test('a backend that says NOT_SERVING takes no calls until it says SERVING', async (t) => {
  const server = await startServer(t, { '': 'NOT_SERVING', [kitchenName]: 'SERVING' })
  const gateway = await startProbing(t, server.url, { service: kitchenName })
  await healthy(gateway)
  server.health.setStatus(kitchenName, 'NOT_SERVING')
  await unhealthy(gateway, /^probe was answered NOT_SERVING$/)
  const refused = await send(`${gateway.url}/v1/echo?text=x`)
  assert.deepEqual([refused.status, JSON.parse(refused.text).details[0].reason], [503, 'NO_HEALTHY_TARGET'])
  const seen = gateway.logs.length
  server.health.setStatus(kitchenName, 'SERVING')
  await gateway.logged((line) => gateway.logs.indexOf(line) >= seen && line.message === 'target is healthy')
})

const unwell: readonly [
  name: string,
  statuses: ServingStatusMap | undefined,
  active: object,
  reason: RegExp,
][] = [
  ['has no health service', undefined, {}, /UNIMPLEMENTED: register grpc\.health\.v1\.Health at the backend/],
  ['does not know the service', { '': 'SERVING' }, { service: 'a.B' }, /NOT_FOUND: .*no service "a\.B"/],
  ['does not know how it is', { '': 'UNKNOWN' }, {}, /^probe was answered status 0$/],
  ['serves something else, which is well', { '': 'NOT_SERVING', a: 'SERVING' }, {}, /NOT_SERVING/],
]
for (const [name, statuses, active, reason] of unwell) {
  test(`a backend that ${name} is unhealthy, which is said once`, async (t) => {
    const server = await startServer(t, statuses)
    const gateway = await startProbing(t, server.url, active)
    await unhealthy(gateway, reason)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const said = gateway.logs.filter((line) => line.message === 'target is unhealthy')
    assert.equal(said.length, 1)
    const { backends } = JSON.parse((await send(`${gateway.url}/health`)).text)
    assert.equal(backends.kitchen, 'unhealthy')
  })
}

test('a backend that is not there, or speaks no gRPC, is unhealthy', async (t) => {
  const server = await startServer(t, { '': 'SERVING' })
  const gateway = await startProbing(t, server.url)
  await healthy(gateway)
  server.close()
  await unhealthy(gateway, /^probe failed: /)
  const { backends } = JSON.parse((await send(`${gateway.url}/health`)).text)
  assert.equal(backends.kitchen, 'unreachable')
  const web = createServer((_req, res) => res.end('ok'))
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  t.after(() => web.close())
  const other = await startProbing(t, `http://127.0.0.1:${(web.address() as AddressInfo).port}`)
  await unhealthy(other, /^probe failed: /)
})
