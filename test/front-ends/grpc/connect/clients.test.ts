import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { Code, ConnectError, type Transport } from '@connectrpc/connect'
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from '@connectrpc/connect-node'
import {
  createConnectTransport as createBrowserTransport,
  createGrpcWebTransport as createBrowserWebTransport,
} from '@connectrpc/connect-web'
import { createApiKey, hashApiKey } from '../../../../src/plugins/identity/api-key.ts'
import {
  type ConnectWorld,
  kitchenClient,
  type Loose,
  type LooseClient,
  messageType,
  openConnect,
  relayClient,
} from './connect-world.ts'

const key = createApiKey('test')
const identity = { consumers: [{ id: 'acme', roles: ['cook'], keys: [{ hash: hashApiKey(key) }] }] }

interface ClientKind {
  readonly name: string
  readonly open: (baseUrl: string, t: TestContext) => Transport
  /** Whether it speaks Connect, and not gRPC or gRPC-Web. */
  readonly connect: boolean
}

const manager = (baseUrl: string, t: TestContext): Http2SessionManager => {
  const sessionManager = new Http2SessionManager(baseUrl)
  t.after(() => sessionManager.abort())
  return sessionManager
}

const http2Connect = (useBinaryFormat: boolean): ClientKind['open'] => {
  return (baseUrl, t) =>
    createConnectTransport({
      baseUrl,
      httpVersion: '2',
      useBinaryFormat,
      sessionManager: manager(baseUrl, t),
    })
}

const kinds: readonly ClientKind[] = [
  ...[true, false].flatMap((binary): ClientKind[] => {
    const words = binary ? 'binary' : 'JSON'
    return [
      {
        name: `connect-node, HTTP/1.1, ${words}`,
        connect: true,
        open: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: binary }),
      },
      { name: `connect-node, HTTP/2, ${words}`, connect: true, open: http2Connect(binary) },
      {
        name: `connect-web, ${words}`,
        connect: true,
        open: (baseUrl) => createBrowserTransport({ baseUrl, useBinaryFormat: binary }),
      },
    ]
  }),
  {
    name: 'gRPC of connect-node',
    connect: false,
    open: (baseUrl, t) => createGrpcTransport({ baseUrl, sessionManager: manager(baseUrl, t) }),
  },
  {
    name: 'gRPC-Web of connect-node',
    connect: false,
    open: (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
  },
  {
    name: 'gRPC-Web of connect-web',
    connect: false,
    open: (baseUrl) => createBrowserWebTransport({ baseUrl }),
  },
]

async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  try {
    await promise
  } catch (thrown) {
    if (thrown instanceof ConnectError) return thrown
    throw thrown
  }
  throw new Error('it did not fail')
}

async function all(stream: AsyncIterable<Loose>): Promise<number[]> {
  const numbers: number[] = []
  for await (const { number } of stream) numbers.push(Number(number))
  return numbers
}

function reasonOf(error: ConnectError): string | undefined {
  return (error.findDetails(messageType('google.rpc.ErrorInfo')) as Loose[])[0]?.reason
}

async function underway({ kitchen }: ConnectWorld): Promise<void> {
  while (kitchen.calls === 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

for (const { name, open, connect } of kinds) {
  const start = async (
    t: TestContext,
    ...place: [place?: object, more?: object]
  ): Promise<{ world: ConnectWorld; kitchen: LooseClient; relay: LooseClient }> => {
    const world = await openConnect(t, ...place)
    const transport = open(world.url, t)
    return { world, kitchen: kitchenClient(transport), relay: relayClient(transport) }
  }

  test(`${name}: a unary call, its metadata both ways, the log and the metrics`, async (t) => {
    const { world, kitchen } = await start(t, {}, identity)
    const headers = {
      'x-api-key': key,
      'x-own': 'mine',
      'x-user-id': 'forged',
      'x-own-bin': 'AQL/',
      cookie: 'a=b',
    }
    const seen: Record<string, string | null> = {}
    const reply = await kitchen.metadata(
      {},
      {
        headers,
        onHeader: (head: Headers) => {
          seen.shelf = head.get('x-shelf')
          seen.bytes = head.get('x-bytes-bin')
          seen.id = head.get('x-request-id')
        },
        onTrailer: (trailer: Headers) => {
          seen.weight = trailer.get('x-weight')
        },
      },
    )
    const sent = reply.metadata as Record<string, string>
    assert.deepEqual([sent['x-own'], sent['x-user-id'], sent['x-consumer']], ['mine', 'acme', 'acme'])
    assert.equal(Buffer.from(sent['x-own-bin'] ?? '', 'base64').toString('hex'), '0102ff')
    assert.deepEqual(
      Object.keys(sent).filter((one) => /^(?:connect-|x-api-key|cookie|content-type$)/.test(one)),
      [],
    )
    assert.deepEqual([seen.shelf, seen.weight, seen.id], ['7', '3', sent['x-request-id']])
    assert.equal(Buffer.from(seen.bytes ?? '', 'base64').toString('hex'), '00ff')
    const line = await world.logged((entry) => entry['rpc.method'] === 'Metadata')
    assert.deepEqual(
      [
        line['gateway.protocol'],
        line['gateway.route'],
        line['rpc.grpc.status_code'],
        line['gateway.upstream'],
      ],
      ['grpc', 'kitchen.v1.Kitchen/Metadata', 0, 'kitchen'],
    )
    assert.equal(line['rpc.system'], connect ? 'connect_rpc' : undefined)
    const metrics = await (await fetch(`${world.url}/metrics`)).text()
    assert.match(
      metrics,
      /gateway_requests_total\{protocol="grpc",route="kitchen.v1.Kitchen\/Metadata"[^}]*\} 1/,
    )
  })

  test(`${name}: messages keep every kind of field`, async (t) => {
    const { kitchen } = await start(t)
    const request = {
      text: 'häßlich',
      int64: 9007199254740993n,
      data: new Uint8Array([0, 255]),
      color: 2,
      numbers: [1, 2],
      labels: { a: 'b' },
      at: { seconds: 5n, nanos: 7 },
      choice: { case: 'right', value: 4 },
    }
    const reply = await kitchen.echo(request)
    assert.deepEqual(
      [reply.text, reply.int64, [...reply.data], reply.color, reply.numbers, { ...reply.labels }],
      ['häßlich', 9007199254740993n, [0, 255], 2, [1, 2], { a: 'b' }],
    )
    assert.deepEqual(
      [reply.at.seconds, reply.at.nanos, { ...reply.choice }],
      [5n, 7, { case: 'right', value: 4 }],
    )
  })

  test(`${name}: a stream of answers, and an error after some of them`, async (t) => {
    const { kitchen } = await start(t)
    assert.deepEqual(await all(kitchen.count({ to: 5, bytes: 10_000 })), [1, 2, 3, 4, 5])
    const numbers: number[] = []
    const error = await failure(
      (async () => {
        for await (const { number } of kitchen.count({ to: 9, failAfter: 3 })) numbers.push(number)
      })(),
    )
    assert.deepEqual([numbers, error.code, error.rawMessage], [[1, 2, 3], Code.Aborted, 'broke off'])
    assert.deepEqual(await all(kitchen.download({ to: 0 })), [])
  })

  test(`${name}: an error of the backend keeps code, message and details`, async (t) => {
    const { kitchen } = await start(t)
    const error = await failure(kitchen.fail({ code: 5, kind: 'known' }))
    // Clients of gRPC read the message of the google.rpc.Status instead, which is shorter.
    assert.deepEqual(
      [error.code, error.rawMessage],
      [Code.NotFound, connect ? 'as asked: known ü' : 'as asked'],
    )
    assert.equal(reasonOf(error), 'NO_FLOUR')
    const unknown = await failure(kitchen.fail({ code: 13, kind: 'unknown' }))
    const [detail] = unknown.details as { type: string; value: Uint8Array }[]
    assert.deepEqual(
      [unknown.code, detail?.type, [...(detail?.value ?? [])]],
      [13, 'acme.Unheard', [1, 2, 3]],
    )
  })

  test(`${name}: a deadline goes on to the backend, and ends the call there`, async (t) => {
    const { world, kitchen } = await start(t)
    const reply = await kitchen.metadata({}, { timeoutMs: 3_000 })
    const left = Number(reply.metadata['x-remaining'])
    assert.ok(left > 0 && left <= 3_000, `${left} ms`)
    const late = await failure(kitchen.hang({}, { timeoutMs: 200 }))
    assert.equal(late.code, Code.DeadlineExceeded)
    await world.kitchen.cancelled
  })

  test(`${name}: a call that is aborted is cancelled at the backend, a stream too`, async (t) => {
    const { world, kitchen } = await start(t)
    const abort = new AbortController()
    const call = failure(kitchen.hang({}, { signal: abort.signal }))
    await underway(world)
    abort.abort()
    assert.equal((await call).code, Code.Canceled)
    await world.kitchen.cancelled
    await world.logged((line) => line['gateway.error.reason'] === 'CLIENT_GONE')
    const other = await start(t)
    const stop = new AbortController()
    const broken = await failure(
      (async () => {
        for await (const _ of other.kitchen.count({ to: 0 }, { signal: stop.signal })) stop.abort()
      })(),
    )
    assert.equal(broken.code, Code.Canceled)
    await other.world.kitchen.cancelled
  })

  for (const [what, place, headers, code, reason] of [
    ['no credentials', {}, {}, Code.Unauthenticated, 'NO_CREDENTIALS'],
    ['an unknown key', {}, { 'x-api-key': createApiKey('test') }, Code.Unauthenticated, 'KEY_INVALID'],
    [
      'a missing role',
      { authorize: { roles: ['admin'] } },
      { 'x-api-key': key },
      Code.PermissionDenied,
      'ROLE_MISSING',
    ],
  ] as const) {
    test(`${name}: ${what} is refused, of streams too`, async (t) => {
      const { world, kitchen } = await start(t, place, identity)
      const unary = await failure(kitchen.echo({}, { headers }))
      const stream = await failure(all(kitchen.count({ to: 1 }, { headers })))
      assert.deepEqual(
        [unary.code, reasonOf(unary), stream.code, reasonOf(stream), world.kitchen.calls],
        [code, reason, code, reason, 0],
      )
    })
  }

  test(`${name}: calls above the rate limit are told when to come again`, async (t) => {
    const limit = { name: 'few', limit: 1, window: '1m', by: 'route' }
    const { kitchen } = await start(t, { auth: 'none', plugins: [{ rateLimit: limit }] })
    await kitchen.echo({})
    const error = await failure(kitchen.echo({}))
    assert.deepEqual([error.code, reasonOf(error)], [Code.ResourceExhausted, 'RATE_LIMITED'])
    assert.equal(error.findDetails(messageType('google.rpc.RetryInfo')).length, 1)
    assert.ok(Number(error.metadata.get('retry-after')) >= 1)
  })

  test(`${name}: a method that there is not is unimplemented`, async (t) => {
    const world = await openConnect(t)
    const transport = open(world.url, t)
    const client = kitchenClient({
      ...transport,
      unary: (method, ...rest) => {
        const renamed = Object.create(method, { name: { value: 'Nope' } })
        return transport.unary(renamed, ...rest)
      },
      stream: transport.stream.bind(transport),
    })
    assert.equal((await failure(client.echo({}))).code, Code.Unimplemented)
  })
}

for (const { name } of kinds.filter((kind) => kind.connect)) {
  test(`${name}: methods without side effects are called by GET, and only they`, async (t) => {
    const world = await openConnect(t)
    const useBinaryFormat = name.endsWith('binary')
    const baseUrl = world.url
    const transport = name.includes('web')
      ? createBrowserTransport({ baseUrl, useBinaryFormat, useHttpGet: true })
      : createConnectTransport(
          name.includes('HTTP/2')
            ? {
                baseUrl,
                useBinaryFormat,
                useHttpGet: true,
                httpVersion: '2',
                sessionManager: manager(baseUrl, t),
              }
            : { baseUrl, useBinaryFormat, useHttpGet: true, httpVersion: '1.1' },
        )
    const client = kitchenClient(transport)
    const data = new Uint8Array([0, 128, 255, 43, 37])
    const reply = await client.peek({ text: 'a+b & ü%', data, int64: 5n })
    assert.deepEqual([reply.text, [...reply.data], reply.int64], ['a+b & ü%', [...data], 5n])
    const got = await world.logged((line) => line['rpc.method'] === 'Peek')
    assert.equal(got['http.request.method'], 'GET')
    await client.echo({})
    const posted = await world.logged((line) => line['rpc.method'] === 'Echo')
    assert.equal(posted['http.request.method'], 'POST')
  })
}

for (const httpVersion of ['1.1', '2'] as const) {
  for (const useBinaryFormat of [true, false]) {
    const name = `HTTP/${httpVersion}, ${useBinaryFormat ? 'binary' : 'JSON'}`
    const openTransport = (baseUrl: string, t: TestContext, useHttpGet = false): Transport => {
      const options = {
        baseUrl,
        useBinaryFormat,
        useHttpGet,
        sendCompression: compressionGzip,
        acceptCompression: [compressionGzip],
      }
      return httpVersion === '2'
        ? createConnectTransport({ ...options, httpVersion, sessionManager: manager(baseUrl, t) })
        : createConnectTransport({ ...options, httpVersion })
    }

    test(`${name}: gzip both ways, of unary calls, by GET, and of streams`, async (t) => {
      const world = await openConnect(t)
      const text = 'all work and no play '.repeat(500)
      let encoding: string | null = null
      const options = { onHeader: (head: Headers) => (encoding = head.get('content-encoding')) }
      const client = kitchenClient(openTransport(world.url, t))
      assert.equal((await client.echo({ text }, options)).text, text)
      assert.equal(encoding, 'gzip')
      const line = await world.logged((entry) => entry['rpc.method'] === 'Echo')
      assert.ok(Number(line['http.request.body.size']) < 1_000, 'the request was not compressed')
      assert.ok(Number(line['http.response.body.size']) < 1_000, 'the answer was not compressed')
      const getting = kitchenClient(openTransport(world.url, t, true))
      assert.equal((await getting.peek({ text })).text, text)
      const head: Record<string, string | null> = {}
      const counting = client.count(
        { to: 20, bytes: 20_000 },
        { onHeader: (headers: Headers) => (head.encoding = headers.get('connect-content-encoding')) },
      )
      assert.deepEqual(
        await all(counting),
        Array.from({ length: 20 }, (_, index) => index + 1),
      )
      assert.equal(head.encoding, 'gzip')
      const counted = await world.logged((entry) => entry['rpc.method'] === 'Count')
      assert.ok(Number(counted['http.response.body.size']) < 100_000, 'the stream was not compressed')
      const before: number[] = []
      const late = await failure(
        (async () => {
          for await (const { number } of client.count({ to: 9, failAfter: 3, bytes: 20_000 }))
            before.push(number)
        })(),
      )
      assert.deepEqual([before, late.code], [[1, 2, 3], Code.Aborted])
      const relay = relayClient(openTransport(world.url, t))
      const total = await relay.sum(items(30, 5_000))
      assert.deepEqual([total.count, total.sum], [30n, 435n])
    })

    test(`${name}: a stream of requests is answered, also before its end`, async (t) => {
      const { url } = await openConnect(t)
      const relay = relayClient(openTransport(url, t))
      const total = await relay.sum(items(1_000, 100))
      assert.deepEqual([total.count, total.sum], [1_000n, 499_500n])
      const failed = await failure(relay.sum(asking('fail')))
      assert.deepEqual([failed.code, failed.rawMessage], [Code.FailedPrecondition, 'as asked'])
    })
  }
}

for (const useBinaryFormat of [true, false]) {
  test(`streams both ways at the same time over HTTP/2, ${useBinaryFormat ? 'binary' : 'JSON'}`, async (t) => {
    const { url, relay: seen } = await openConnect(t)
    const relay = relayClient(http2Connect(useBinaryFormat)(url, t))
    let goOn = (): void => {}
    const numbers: number[] = []
    async function* inTurn(): AsyncGenerator<object> {
      for (let number = 1; number <= 5; number++) {
        const answered = new Promise<void>((resolve) => (goOn = resolve))
        yield { number: BigInt(number) }
        await answered
      }
    }
    for await (const { number } of relay.echo(inTurn())) {
      numbers.push(Number(number))
      goOn()
    }
    assert.deepEqual(numbers, [1, 2, 3, 4, 5])
    const failed = await failure(all(relay.echo(asking('fail'))))
    assert.equal(failed.code, Code.FailedPrecondition)
    const abort = new AbortController()
    const cancelled = failure(all(relay.echo(endless(abort), { signal: abort.signal })))
    assert.equal((await cancelled).code, Code.Canceled)
    await seen.cancelled
  })
}

test('a stream both ways over HTTP/1.1 is unimplemented', async (t) => {
  const { url } = await openConnect(t)
  const relay = relayClient(createConnectTransport({ baseUrl: url, httpVersion: '1.1' }))
  const error = await failure(all(relay.echo(items(2, 1))))
  assert.equal(error.code, Code.Unimplemented)
  assert.match(error.rawMessage, /HTTP\/2/)
})

test('a client that does not read holds its backend up', async (t) => {
  const { kitchen, url } = await openConnect(t)
  const body = Buffer.from('{"to":2000,"bytes":10000}')
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length, 1)
  const sent = request(`${url}/kitchen.v1.Kitchen/Count`, {
    method: 'POST',
    headers: { 'content-type': 'application/connect+json' },
  })
  sent.end(Buffer.concat([head, body]))
  const [answer] = await once(sent, 'response')
  let before = -1
  while (kitchen.sent !== before || kitchen.sent === 0) {
    before = kitchen.sent
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  assert.ok(kitchen.sent < 1_500, `${kitchen.sent} of 2,000 messages were sent`)
  let read = 0
  answer.on('data', (chunk: Buffer) => {
    read += chunk.length
  })
  await once(answer, 'end')
  assert.ok(read > 20_000_000)
})

async function* items(count: number, bytes: number): AsyncGenerator<object> {
  for (let number = 0; number < count; number++)
    yield { number: BigInt(number), padding: new Uint8Array(bytes) }
}

async function* asking(please: string): AsyncGenerator<object> {
  yield { number: 1n }
  yield { please }
}

async function* endless(abort: AbortController): AsyncGenerator<object> {
  for (let number = 0; ; number++) {
    yield { number: BigInt(number) }
    if (number === 10) abort.abort()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
