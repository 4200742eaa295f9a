import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { startGateway } from '../world.ts'

type GetUser = handleUnaryCall<unknown, { id: string }>

/** A gRPC server on a free port, ended with its test. */
async function startServer(t: TestContext, getUser: GetUser): Promise<{ readonly url: string }> {
  const definitions = loadSync('doors.proto', {
    includeDirs: ['test/doors', 'node_modules/google-proto-files'],
  })
  const server = new Server()
  server.addService(definitions['doors.v1.Users'] as ServiceDefinition, { GetUser: getUser })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  t.after(() => server.forceShutdown())
  return { url: `http://127.0.0.1:${port}` }
}

/** Asks a gateway in front of these servers once, over REST. */
async function ask(t: TestContext, ...servers: GetUser[]): Promise<Response> {
  const targets = await Promise.all(servers.map((server) => startServer(t, server)))
  const { url } = await startGateway(t, {
    upstreams: { backend: { targets } },
    grpc: {
      protos: ['test/doors/doors.proto'],
      includeDirs: ['test/doors'],
      services: { 'doors.v1.Users': { upstream: 'backend', auth: 'none' } },
    },
  })
  return await fetch(`${url}/v1/grpc/users/42`)
}

/** UNAVAILABLE with a word about when to come back (gRFC A6), the first time; then it answers. */
function unavailableOnce(pushback: string | undefined): GetUser & { asked: number } {
  const handler = ((_call, reply) => {
    if (handler.asked++ > 0) return reply(null, { id: '42' })
    const metadata = new Metadata()
    if (pushback !== undefined) metadata.set('grpc-retry-pushback-ms', pushback)
    reply({ code: status.UNAVAILABLE, details: 'not now', metadata })
  }) as GetUser & { asked: number }
  handler.asked = 0
  return handler
}

test('UNAVAILABLE is asked of another server', async (t) => {
  const first = unavailableOnce(undefined)
  const second = unavailableOnce(undefined)
  second.asked = 1
  assert.equal((await ask(t, first, second)).status, 200)
  assert.deepEqual([first.asked, second.asked], [1, 2])
})

test('the only server is asked again after the time that it names', async (t) => {
  const server = unavailableOnce('50')
  assert.equal((await ask(t, server)).status, 200)
  assert.equal(server.asked, 2)
})

for (const [what, pushback] of [
  ['names none', undefined],
  ['names too long a time', '60000'],
] as const) {
  test(`the only server is not asked again when it ${what}`, async (t) => {
    const server = unavailableOnce(pushback)
    assert.equal((await ask(t, server)).status, 503)
    assert.equal(server.asked, 1)
  })
}

for (const pushback of ['-1', 'never']) {
  test(`no server is asked after grpc-retry-pushback-ms: ${pushback}`, async (t) => {
    const first = unavailableOnce(pushback)
    const second = unavailableOnce(undefined)
    assert.equal((await ask(t, first, second)).status, 503)
    assert.deepEqual([first.asked, second.asked], [1, 0])
  })
}

test('another status is an answer', async (t) => {
  const first: GetUser = (_, reply) => reply({ code: status.INTERNAL, details: 'broken' })
  const second = unavailableOnce(undefined)
  assert.equal((await ask(t, first, second)).status, 500)
  assert.equal(second.asked, 0)
})
