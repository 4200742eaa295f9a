import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ServerUnaryCall, ServiceDefinition, sendUnaryData } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { silentLog } from '../../../../src/core/log.ts'
import { createGateway } from '../../../../src/gateway.ts'
import { folderOf } from '../../../config/files.ts'
import { send, startLoad } from '../../../gateway/load.ts'
import { startBackend, startGateway, type TestGateway } from '../../../world.ts'
import { compile } from './compile.ts'
import { type ReflectingBackend, startReflecting } from './reflecting-backend.ts'

const source = (path: string): string => `syntax = "proto3"; package a; import "google/api/annotations.proto";
message Thing { string name = 1; }
service Things { rpc Get(Thing) returns (Thing) { option (google.api.http) = {
  get: "${path}" additional_bindings { get: "/same/{name}" } additional_bindings { post: "/same" body: "*" }
}; } }`
const filesWith = (path: string) => compile({ 'things.proto': source(path) })

async function startThings(t: TestContext, path: string, port = 0): Promise<ReflectingBackend> {
  const folder = folderOf(t, { 'plain.proto': source('/x').replace(/import[^;]*;|option[^;]*;/gs, '') })
  const service = loadSync(folder('plain.proto'))['a.Things'] as ServiceDefinition
  const get = ({ request }: ServerUnaryCall<object, object>, done: sendUnaryData<object>) =>
    done(null, request)
  return startReflecting(
    t,
    { files: filesWith(path), versions: ['v1'], withImports: true },
    { port, services: [[service, { Get: get }]] },
  )
}

async function startReflected(t: TestContext, url: string, more: object = {}): Promise<TestGateway> {
  const rest = await startBackend(t, (_req, res) => void res.end('rest'))
  return startGateway(t, {
    upstreams: { things: { targets: [{ url }] }, rest: { targets: [{ url: rest.url }] } },
    routes: [{ id: 'rest', path: '/rest', upstream: 'rest', auth: 'none' }],
    grpc: {
      reflection: [{ upstream: 'things', interval: '100ms', timeout: '5s' }],
      services: { 'a.Things': { upstream: 'things', auth: 'none' } },
    },
    ...more,
  })
}

async function check(gateway: TestGateway): Promise<{ ok: boolean; detail: string } | undefined> {
  const { checks } = JSON.parse((await send(`${gateway.url}/readyz?verbose`)).text) as {
    checks: { name: string; ok: boolean; detail: string }[]
  }
  return checks.find(({ name }) => name === 'reflection things')
}

const applied = (gateway: TestGateway, version: number): Promise<unknown> =>
  gateway.logged((line) => Number(line.build) >= version && line.message === 'configuration applied')

test('a service is served by what its backend describes, and a change of that is one swap without a failed request', async (t) => {
  const backend = await startThings(t, '/v1/{name}')
  const gateway = await startReflected(t, backend.url)
  assert.deepEqual(JSON.parse((await send(`${gateway.url}/v1/one`)).text), { name: 'one' })
  // Ten more times it says the same.
  const before = backend.asked.length
  while (backend.asked.length < before + 10) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal((await gateway.gateway.status()).config.version, 1)
  const load = startLoad(gateway.url, ['/rest'], 2)
  let calling = true
  const calls = (async () => {
    const answers: number[] = []
    while (calling) answers.push((await send(`${gateway.url}/same/one`)).status)
    return answers
  })()
  backend.reflecting.files = filesWith('/v2/{name}')
  await applied(gateway, 2)
  assert.deepEqual(JSON.parse((await send(`${gateway.url}/v2/two`)).text), { name: 'two' })
  assert.equal((await send(`${gateway.url}/v1/one`)).status, 404)
  calling = false
  await load.stop()
  assert.deepEqual(load.failures, [])
  const answers = await calls
  assert.ok(answers.length > 0 && load.done > 0)
  assert.deepEqual(
    answers.filter((status) => status !== 200),
    [],
  )
  assert.equal((await gateway.gateway.status()).config.version, 1)
})

test('a backend that is down at the start is served when it comes, and the others meanwhile', async (t) => {
  const first = await startThings(t, '/v1/{name}')
  await first.close()
  const gateway = await startReflected(t, first.url)
  assert.equal((await send(`${gateway.url}/rest`)).text, 'rest')
  assert.equal((await send(`${gateway.url}/readyz`)).status, 200)
  const state = await check(gateway)
  assert.equal(state?.ok, false)
  assert.match(state?.detail ?? '', new RegExp(first.url))
  const refused = await send(`${gateway.url}/a.Things/Get`, { method: 'POST', body: '{}' })
  assert.deepEqual([refused.status, JSON.parse(refused.text).details[0].reason], [503, 'UNAVAILABLE'])
  await startThings(t, '/v1/{name}', first.port)
  await applied(gateway, 2)
  assert.deepEqual(JSON.parse((await send(`${gateway.url}/v1/one`)).text), { name: 'one' })
  assert.equal((await check(gateway))?.ok, true)
})

test('the last good descriptors stay when the backend dies, over reloads, and when it describes what does not load', async (t) => {
  const backend = await startThings(t, '/v1/{name}')
  const gateway = await startReflected(t, backend.url)
  backend.reflecting.files = filesWith('/v1/{nothing}')
  await gateway.logged((line) => /"nothing"/.test(String(line.problems)))
  const state = await check(gateway)
  assert.match(state?.detail ?? '', /what it describes is refused: .*a\.Things\.Get.*"nothing"/)
  assert.deepEqual(JSON.parse((await send(`${gateway.url}/v1/one`)).text), { name: 'one' })
  assert.equal((await gateway.gateway.status()).config.version, 1)
  backend.reflecting.files = filesWith('/v3/{name}')
  await applied(gateway, 2)
  assert.equal((await check(gateway))?.ok, true)
  await backend.close()
  await gateway.logged((line) => String(line.message).startsWith('reflection failed'))
  assert.equal(await gateway.gateway.reload(), true)
  // The path is known still: it is the backend that is not there.
  assert.equal((await send(`${gateway.url}/v3/one`)).status, 502)
  assert.equal((await check(gateway))?.ok, false)
})

test('descriptors that do not load do not keep a gateway from starting', async (t) => {
  const backend = await startThings(t, '/v1/{nothing}')
  const gateway = await startReflected(t, backend.url)
  assert.equal((await send(`${gateway.url}/rest`)).text, 'rest')
  assert.match((await check(gateway))?.detail ?? '', /refused: .*"nothing"/)
  backend.reflecting.files = filesWith('/v1/{name}')
  await applied(gateway, 2)
  assert.deepEqual(JSON.parse((await send(`${gateway.url}/v1/one`)).text), { name: 'one' })
})

test('a gateway that is only looked into asks nobody', async (t) => {
  const backend = await startThings(t, '/v1/{name}')
  const config = {
    upstreams: { things: { targets: [{ url: backend.url }] } },
    grpc: {
      reflection: [{ upstream: 'things' }],
      services: { 'a.Things': { upstream: 'things', auth: 'none' } },
    },
  }
  const gateway = await createGateway({ config, watch: false, offline: true, log: silentLog })
  assert.deepEqual(backend.asked, [])
  assert.deepEqual(
    gateway.rows.map(({ template }) => template).filter((path) => !path.startsWith('/grpc.health')),
    ['/a.Things/*'],
  )
  await gateway.dispose()
})

test('a backend that describes what does not load does not hold another one up', async (t) => {
  const good = await startThings(t, '/v1/{name}')
  const other = `syntax = "proto3"; package b; import "google/api/annotations.proto"; message M { string name = 1; }
service Others { rpc Get(M) returns (M) { option (google.api.http) = { get: "PATH" }; } }`
  const filesOf = (path: string) => compile({ 'others.proto': other.replace('PATH', path) })
  const bad = await startReflecting(t, { files: filesOf('/b/{nope}'), versions: ['v1'] })
  const gateway = await startGateway(t, {
    upstreams: { things: { targets: [{ url: good.url }] }, others: { targets: [{ url: bad.url }] } },
    grpc: {
      reflection: [
        { upstream: 'things', interval: '100ms' },
        { upstream: 'others', interval: '100ms' },
      ],
      services: {
        'a.Things': { upstream: 'things', auth: 'none' },
        'b.Others': { upstream: 'others', auth: 'none' },
      },
    },
  })
  assert.deepEqual(JSON.parse((await send(`${gateway.url}/v1/one`)).text), { name: 'one' })
  assert.equal((await check(gateway))?.ok, true)
  // Both change; one for the better.
  good.reflecting.files = filesWith('/v2/{name}')
  bad.reflecting.files = filesOf('/b/{nothing}')
  await applied(gateway, 2)
  assert.deepEqual(JSON.parse((await send(`${gateway.url}/v2/one`)).text), { name: 'one' })
  bad.reflecting.files = filesOf('/b/{name}')
  const first = await gateway.logged((line) => Number(line.build) > 2)
  // What was applied may be the other backend, asked once more: this one is then in the next version.
  if ((await send(`${gateway.url}/b/one`)).status === 404)
    await gateway.logged((line) => Number(line.build) > Number(first.build))
  // The service is not implemented there, but its path is known.
  assert.equal((await send(`${gateway.url}/b/one`)).status, 501)
})
