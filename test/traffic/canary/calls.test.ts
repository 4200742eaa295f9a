import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { type TestContext, test } from 'node:test'
import { Metadata } from '@grpc/grpc-js'
import { WebSocket, WebSocketServer } from 'ws'
import { GatewayError } from '../../../src/core/error.ts'
import { silentLog } from '../../../src/core/log.ts'
import { Call } from '../../../src/traffic/call.ts'
import { Canary } from '../../../src/traffic/canary/canary.ts'
import { Release } from '../../../src/traffic/canary/release.ts'
import { Destination } from '../../../src/traffic/destination.ts'
import { folderOf } from '../../config/files.ts'
import { startKitchen } from '../../front-ends/grpc/kitchen.ts'
import { openNative } from '../../front-ends/grpc/native/native-world.ts'
import { exchange } from '../../plugins/harness.ts'
import { freePort } from '../../services/free-port.ts'
import { startBackend, startGateway } from '../../world.ts'
import { plainUpstream } from '../plain-upstream.ts'

const everybody = { upstream: 'next', steps: [{ weight: 100 }] }

/** A route whose calls all go to the canary, which is at `url` or answers by `next`. */
async function open(t: TestContext, { url, next }: { url?: string; next?: RequestListener }) {
  const old = await startBackend(t)
  const canary = url ?? (await startBackend(t, next)).url
  const gateway = await startGateway(t, {
    upstreams: { old: { targets: [{ url: old.url }] }, next: { targets: [{ url: canary }] } },
    routes: [{ id: 'all', path: '/**', upstream: 'old', auth: 'none', canary: everybody }],
  })
  const release = () => gateway.gateway.canaries.get('all')?.status().canary
  return { ...gateway, old, release }
}

test('a POST that a dead canary refused goes to the stable side, body and all', async (t) => {
  const { url, release } = await open(t, { url: `http://127.0.0.1:${await freePort()}` })
  const reply = await fetch(`${url}/x`, { method: 'POST', body: 'an order' })
  assert.equal(reply.status, 200)
  const seen = (await reply.json()) as { body: string; headers: Record<string, string> }
  assert.deepEqual([seen.body, seen.headers['x-canary']], ['an order', 'false'])
  assert.equal(reply.headers.get('x-canary'), 'false')
  assert.deepEqual([release()?.requests, release()?.failures], [1, 1])
})

test('a POST that a canary took and dropped is not made twice', async (t) => {
  const { url, old, release } = await open(t, { next: (req) => void req.socket.destroy() })
  const reply = await fetch(`${url}/x`, { method: 'POST', body: 'an order' })
  assert.deepEqual([reply.status, reply.headers.get('x-canary')], [502, 'true'])
  assert.equal(old.requests.length, 0)
  assert.equal(release()?.failures, 1)
})

test('what a backend itself says in X-Canary does not reach the client', async (t) => {
  const { url } = await open(t, { next: (_, res) => void res.setHeader('X-Canary', 'perhaps').end() })
  assert.equal((await fetch(url)).headers.get('x-canary'), 'true')
})

test('a WebSocket goes to its side, and is told so in the head', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const gateway = await open(t, { url: `http://127.0.0.1:${port}` })
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/room`)
  const [[head], [, request]] = await Promise.all([once(socket, 'upgrade'), once(server, 'connection')])
  assert.equal(head.headers['x-canary'], 'true')
  assert.equal(request.headers['x-canary'], 'true')
  socket.terminate()
})

test('a client of native gRPC is told by metadata', async (t) => {
  const kitchens = [await startKitchen(), await startKitchen()]
  t.after(() => Promise.all(kitchens.map((kitchen) => kitchen.close())))
  const [kitchen, next] = kitchens.map(({ url }) => ({ targets: [{ url }] }))
  const world = await openNative(t, { auth: 'none', canary: everybody }, { upstreams: { kitchen, next } })
  const metadata = new Metadata()
  metadata.set('x-canary', 'forged')
  const { reply, initial } = await world.call('Metadata', {}, { metadata })
  assert.deepEqual(initial?.get('x-canary'), ['true'])
  const seen = reply?.metadata as Record<string, string> | undefined
  assert.equal(seen?.['x-canary'], 'true')
})

test('the answer to an operation says true when any of its fetches went to a canary', async (t) => {
  const answer = (data: object): RequestListener => {
    const body = JSON.stringify({ data })
    return (_, res) => void res.setHeader('Content-Type', 'application/json').end(body)
  }
  const inFolder = folderOf(t, {
    'a.graphql': 'type Query { a: String }',
    'b.graphql': 'type Query { b: String }',
  })
  const urls = await Promise.all(
    [answer({ a: 'old' }), answer({ a: 'next' }), answer({ b: 'b' })].map(
      async (answers) => (await startBackend(t, answers)).url,
    ),
  )
  const [a, next, b] = urls.map((url) => ({ targets: [{ url }] }))
  const { url } = await startGateway(t, {
    upstreams: { a, next, b, idle: b },
    graphql: {
      auth: 'none',
      subgraphs: {
        a: { upstream: 'a', schema: inFolder('a.graphql'), canary: everybody },
        b: {
          upstream: 'b',
          schema: inFolder('b.graphql'),
          canary: { upstream: 'idle', match: { headers: { 'x-canary': '*' } } },
        },
      },
    },
  })
  const ask = async (query: string) => {
    const reply = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query }),
    })
    return [await reply.json(), reply.headers.get('x-canary')]
  }
  assert.deepEqual(await ask('{ b }'), [{ data: { b: 'b' } }, 'false'])
  assert.deepEqual(await ask('{ a b }'), [{ data: { a: 'next', b: 'b' } }, 'true'])
})

test('a call that the stable side has had already does not go back to it', async () => {
  class PlainCall extends Call {
    readonly method = 'GET'
  }
  const release = new Release('users', {
    steps: [{ weight: 100, holdMs: undefined }],
    analysis: { minRequests: 10, maxErrorRate: 0.5, maxP95Ratio: 2, p95ToleranceMs: 0 },
    onFailure: 'rollback',
    log: silentLog,
    now: () => 0,
  })
  const next = plainUpstream('next', ['http://127.0.0.1:1'])
  const match = { headers: {}, users: [], ips: [] }
  const canary = new Canary(next, release, { match, stickyBy: ['ip'] })
  const destination = new Destination('users', plainUpstream('old', ['http://127.0.0.1:2']))
  for (const [before, sent] of [
    [undefined, 2],
    [false, 1],
  ] as const) {
    const call = new PlainCall(exchange(), destination, { headers: [], idempotent: true, replayable: true })
    call.upstream = next
    call.canary = before
    let times = 0
    const send = async () => {
      times++
      throw new GatewayError('UPSTREAM_REFUSED', 'nobody is there', { reached: false })
    }
    await assert.rejects(canary.carry(call, send), { reason: 'UPSTREAM_REFUSED' })
    assert.equal(times, sent)
  }
})
