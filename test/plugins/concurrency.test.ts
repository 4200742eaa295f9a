import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { concurrency } from '../../src/plugins/concurrency.ts'
import { askHttp2, connectHttp2 } from '../listener/http2-client.ts'
import { type Knock, knock } from '../listener/knock.ts'
import { startBackend, startGateway } from '../world.ts'
import { exchange, host, make, policy, seeded, type TestExchange } from './harness.ts'

test('a caller has so many requests under way as it may, and others have theirs', async () => {
  const plugin = make(concurrency, { max: 2 }, host({ policy: policy() }))
  const ask = (clientAddress: string): Promise<TestExchange> =>
    exchange({ plugins: [plugin], request: { clientAddress } }).run()
  const [first, , third] = [await ask('192.0.2.1'), await ask('192.0.2.1'), await ask('192.0.2.1')]
  assert.equal(third.error?.reason, 'TOO_MANY_AT_ONCE')
  assert.equal(third.error.retryAfterMs, 1_000)
  assert.equal((await ask('192.0.2.2')).error, undefined)
  third.settle()
  assert.equal((await ask('192.0.2.1')).error?.reason, 'TOO_MANY_AT_ONCE')
  first.settle()
  assert.equal((await ask('192.0.2.1')).error, undefined)
})

test('whatever comes and goes in whatever order, nothing is left at the end', async () => {
  const random = seeded(7)
  const house = host({ policy: policy() })
  const plugins = [
    make(concurrency, { max: 3, by: 'ip' }, house),
    make(concurrency, { max: 5, by: 'header:x-tenant' }, house),
  ]
  const tables = [
    house.keep('concurrency:users-v1:ip', () => new Map<string, number>()),
    house.keep('concurrency:users-v1:header:x-tenant', () => new Map<string, number>()),
  ]
  const underWay: TestExchange[] = []
  let refused = 0
  for (let i = 0; i < 5_000; i++) {
    if (random() < 0.55) {
      const clientAddress = `192.0.2.${Math.floor(random() * 4)}`
      const headers = { 'x-tenant': `${Math.floor(random() * 3)}` }
      const x = await exchange({ plugins, request: { clientAddress, headers } }).run()
      if (x.error !== undefined) refused++
      underWay.push(x)
    } else {
      underWay.splice(Math.floor(random() * underWay.length), 1)[0]?.settle()
    }
    for (const [table, max] of [
      [tables[0], 3],
      [tables[1], 5],
    ] as const)
      for (const count of table?.values() ?? []) assert.ok(count > 0 && count <= max)
  }
  assert.ok(refused > 100)
  for (const x of underWay) x.settle()
  assert.deepEqual(
    tables.map((table) => table.size),
    [0, 0],
  )
})

for (const by of ['user', 'consumer', 'key', 'claim:org']) {
  test(`the configuration is refused for by: ${by} where nobody is known yet`, () => {
    assert.throws(() => make(concurrency, { max: 1, by }, host()), /place/)
  })
}

const max = 4

/** A backend that keeps `/wait` waiting until it is told, answers `/endless` never to the end, and takes WebSockets. */
async function open(t: TestContext) {
  const waiting: ServerResponse[] = []
  let arrived = Promise.withResolvers<void>()
  const backend = await startBackend(t, (req, res) => {
    req.resume()
    if (req.url === '/wait') {
      waiting.push(res)
      arrived.resolve()
      arrived = Promise.withResolvers()
    } else if (req.url === '/reset') res.destroy()
    else if (req.url === '/endless') res.writeHead(200).write('a')
    else res.end('done')
  })
  backend.server.on('upgrade', (_req, socket) => {
    socket.on('error', () => {})
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.on('end', () => socket.end())
  })
  const gateway = await startGateway(t, {
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [
      { id: 'api', path: '/**', upstream: 'backend', auth: 'none', plugins: [{ concurrency: { max } }] },
    ],
  })
  /** Resolves when all slots, no more and no fewer, can be taken. Others may still be on their way to be free. */
  const allFree = async (): Promise<void> => {
    for (;;) {
      waiting.length = 0
      const replies: Promise<Response>[] = []
      for (let i = 0; i < max; i++) {
        const here = arrived.promise
        const reply = fetch(`${gateway.url}/wait`)
        replies.push(reply)
        await Promise.race([here, reply])
      }
      const taken = waiting.length
      const oneMore = taken === max ? (await fetch(`${gateway.url}/wait`)).status : 0
      for (const res of waiting) res.end()
      await Promise.all(replies)
      if (taken < max) continue
      assert.equal(oneMore, 429)
      return
    }
  }
  return { ...gateway, backend, allFree }
}

const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
const webSocket =
  'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'

test('a slot is free again after an answer, an abort, a stream that is cut, a WebSocket, a failure', async (t) => {
  const { port, url, backend, allFree } = await open(t)
  const endings: readonly (readonly [string, () => Promise<void>])[] = [
    ['an answer', async () => void (await (await fetch(`${url}/x`)).text())],
    ['a failure', async () => void (await (await fetch(`${url}/reset`, { method: 'POST' })).text())],
    [
      'an abort while the backend works',
      async () => {
        const client = await knock(t, port, { bytes: ask('/wait') })
        const [, res] = (await once(backend.server, 'request')) as [unknown, NodeJS.EventEmitter]
        client.socket.destroy()
        await once(res, 'close')
      },
    ],
    [
      'an answer that is left half-way',
      async () => {
        const client = await knock(t, port, { bytes: ask('/endless') })
        await client.until(/\r\n\r\n/)
        client.socket.destroy()
      },
    ],
    [
      'a WebSocket',
      async () => {
        const client = await knock(t, port, { bytes: webSocket })
        await client.until(/101 Switching/)
        client.socket.end()
        await client.closed()
      },
    ],
    [
      'a stream of HTTP/2 that is reset',
      async () => {
        const session = await connectHttp2(t, url)
        const stream = session.request({ ':path': '/endless' })
        stream.on('error', () => {})
        await once(stream, 'response')
        stream.close(8)
        await once(stream, 'close')
        session.close()
      },
    ],
  ]
  for (const [name, end] of endings) {
    // More often than there are slots: one that is lost each time would be noticed.
    for (let i = 0; i < max + 1; i++) {
      await end()
      // The gateway hears of a client's end in its own time.
      for (;;) {
        const reply = await fetch(`${url}/x`)
        await reply.text()
        if (reply.status === 200) break
        assert.equal(reply.status, 429, name)
      }
    }
  }
  await allFree()
})

test('a slot is taken while a WebSocket lasts', async (t) => {
  const { port, url } = await open(t)
  const clients: Knock[] = []
  for (let i = 0; i < max; i++) {
    const client = await knock(t, port, { bytes: webSocket })
    clients.push(client)
    assert.match(await client.until(/101 Switching/), /101/)
  }
  const session = await connectHttp2(t, url)
  const refusal = await askHttp2(session, { ':path': '/x' })
  assert.equal(refusal.status, 429)
  assert.equal(refusal.headers['retry-after'], '1')
  for (const client of clients) {
    client.socket.end()
    await client.closed()
  }
})

test('after a storm of clients that leave when they like, all slots are free', async (t) => {
  const { port, url, allFree } = await open(t)
  const random = seeded(11)
  const requests = [ask('/x'), ask('/wait'), ask('/endless'), ask('/reset'), webSocket]
  const session = await connectHttp2(t, url)
  const one = async (): Promise<void> => {
    const bytes = requests[Math.floor(random() * requests.length)] as string
    const when = random()
    if (when < 0.3) {
      const stream = session.request({ ':path': random() < 0.5 ? '/endless' : '/wait' })
      stream.on('error', () => {})
      if (when < 0.15) await new Promise((resolve) => setImmediate(resolve))
      const closed = once(stream, 'close')
      stream.close(8)
      await closed
      return
    }
    const client = await knock(t, port, { bytes })
    // Before it was read, or once something came: what waits for its backend is left without that.
    if (when > 0.6 && bytes !== requests[1]) await client.until(/HTTP/)
    client.socket.destroy()
  }
  for (let i = 0; i < 30; i++) await Promise.all(Array.from({ length: 10 }, one))
  await allFree()
})
