import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, type RequestListener, request, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { WebSocket, WebSocketServer } from 'ws'
import { mirrored, mirrorFigures, startFrozen } from '../../traffic/mirror-world.ts'
import { rawExchange, startBackend, startGateway } from '../../world.ts'

/** What a backend was asked. */
interface Asked {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** Notes what it is asked, bodies included, and answers `ok`, or as `answer` does. */
async function startNoting(t: TestContext, answer: RequestListener = (_, res) => res.end('ok')) {
  const asked: Asked[] = []
  const backend = await startBackend(t, async (req: IncomingMessage, res: ServerResponse) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of req) chunks.push(chunk as Buffer)
    } catch {
      return
    }
    const { method, url, headers } = req
    asked.push({ method, url, headers, body: Buffer.concat(chunks) })
    answer(req, res)
  })
  return { ...backend, asked }
}

async function open(
  t: TestContext,
  { mirror = {}, route = {}, upstream = {} }: { mirror?: object; route?: object; upstream?: object } = {},
  answers: { readonly first?: RequestListener; readonly second?: RequestListener } = {},
) {
  const first = await startNoting(t, answers.first)
  const second = await startNoting(t, answers.second)
  const gateway = await startGateway(t, {
    plugins: ['metrics', 'accessLog'],
    upstreams: {
      first: { targets: [{ url: first.url }], ...upstream },
      second: { targets: [{ url: second.url }] },
    },
    routes: [
      {
        id: 'all',
        path: '/v1/**',
        upstream: 'first',
        auth: 'none',
        mirror: { upstream: 'second', ...mirror },
        ...route,
      },
    ],
  })
  return {
    ...gateway,
    first,
    second,
    ask: (init?: RequestInit) => fetch(`${gateway.url}/v1/x?a=b%20c&d`, init),
    figures: () => mirrorFigures(gateway.url, 'all'),
    mirrored: (count: number) => mirrored(gateway.url, 'all', count),
  }
}

/** In pieces, without a declared length. */
function inPieces(body: Buffer, pieceBytes: number): RequestInit {
  const pieces: Buffer[] = []
  for (let at = 0; at < body.length; at += pieceBytes) pieces.push(body.subarray(at, at + pieceBytes))
  return { body: Readable.toWeb(Readable.from(pieces)), duplex: 'half' } as RequestInit
}

const random = (bytes: number): Buffer<ArrayBuffer> =>
  Buffer.from(Array.from({ length: bytes }, () => Math.random() * 256))

const bodies: Readonly<Record<string, RequestInit>> = {
  'a GET': {},
  'a HEAD': { method: 'HEAD' },
  'a DELETE without a body': { method: 'DELETE' },
  'an empty POST': { method: 'POST', body: '' },
  'a POST': { method: 'POST', body: random(3_000) },
  'a PUT, which is kept for another attempt too': { method: 'PUT', body: random(20_000) },
  'a POST of the largest size': { method: 'POST', body: random(65_536) },
  'a POST without a declared length': { method: 'POST', ...inPieces(random(30_000), 7_000) },
  'a POST in very small pieces': { method: 'POST', ...inPieces(random(1_000), 3) },
  'a POST in gzip, as it is': { method: 'POST', body: random(500), headers: { 'Content-Encoding': 'gzip' } },
}

for (const [name, init] of Object.entries(bodies)) {
  test(`the copy of ${name} is the same to the byte`, async (t) => {
    const { ask, first, second, mirrored } = await open(t, { route: { rewrite: { stripPrefix: '/v1' } } })
    const headers = { ...(init.headers as object), 'X-Own': 'kept' }
    assert.equal((await ask({ ...init, headers })).status, 200)
    assert.equal((await mirrored(1)).sent, 1)
    const [[original], [copy]] = [first.asked, second.asked]
    assert.deepEqual(
      [copy?.method, copy?.url, copy?.headers['x-own'], copy?.headers['content-encoding']],
      [init.method ?? 'GET', '/x?a=b%20c&d', 'kept', original?.headers['content-encoding']],
    )
    assert.ok(original !== undefined && copy?.body.equals(original.body))
  })
}

const tooLarge: Readonly<Record<string, RequestInit>> = {
  'that says so': { method: 'POST', body: random(5_000) },
  'that turns out to be': { method: 'POST', ...inPieces(random(5_000), 1_000) },
}

for (const [name, init] of Object.entries(tooLarge)) {
  test(`a body too large ${name} is not copied, and arrives`, async (t) => {
    const { ask, first, second, figures } = await open(t, { mirror: { maxBodyBytes: '4kb' } })
    assert.equal((await ask(init)).status, 200)
    assert.equal(first.asked[0]?.body.length, 5_000)
    assert.deepEqual([(await figures()).skipped, second.asked.length], [1, 0])
  })
}

test('a body that is too large for the route is not copied', async (t) => {
  const { ask, second, mirrored } = await open(t, { route: { bodyBytes: '1kb' } })
  assert.equal((await ask({ method: 'POST', ...inPieces(random(3_000), 1_000) })).status, 413)
  assert.equal((await mirrored(1)).skipped, 1)
  assert.equal(second.asked.length, 0)
})

test('a request whose client leaves in the middle of its body is not copied', async (t) => {
  const { port, first, second, mirrored } = await open(t)
  const socket = connect(port, '127.0.0.1')
  socket.write('POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345')
  await once(first.server, 'request')
  socket.destroy()
  assert.equal((await mirrored(1)).skipped, 1)
  assert.equal(second.asked.length, 0)
})

test('a request whose client leaves before the answer is copied to its end', async (t) => {
  let answer = (): void => {}
  const { url, first, mirrored, second, logged } = await open(
    t,
    { mirror: { compare: true } },
    {
      first: () => {},
      second: (_, res) => {
        answer = () => res.end('ok')
      },
    },
  )
  const client = request(`${url}/v1/x`).on('error', () => {})
  client.end()
  await once(second.server, 'request')
  if (first.asked.length === 0) await once(first.server, 'request')
  client.destroy()
  await logged((line) => line['http.response.status_code'] === 499)
  answer()
  assert.equal((await mirrored(1)).sent, 1)
})

test('a body that was answered early is not copied when it is not whole', async (t) => {
  const { port, mirrored, second, first } = await open(t)
  first.server.removeAllListeners('request')
  first.server.on('request', (_, res: ServerResponse) => res.writeHead(403, { Connection: 'close' }).end())
  const head = 'POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345'
  assert.match(await rawExchange(port, head), /^HTTP\/1\.1 403 /)
  assert.equal((await mirrored(1)).skipped, 1)
  assert.equal(second.asked.length, 0)
})

test('a retried request is copied once, with its whole body', async (t) => {
  let turn = 0
  const { ask, first, second, mirrored } = await open(
    t,
    { upstream: { retry: { attempts: 3, maxRetryAfter: '1s' } } },
    {
      first: (_, res) => {
        if (turn++ === 0) res.writeHead(503, { 'Retry-After': '0' }).end()
        else res.end('ok')
      },
    },
  )
  const body = random(10_000)
  const reply = await ask({ method: 'PUT', body })
  assert.equal(reply.status, 200)
  assert.equal((await mirrored(1)).sent, 1)
  assert.deepEqual([first.asked.length, second.asked.length], [2, 1])
  assert.ok(second.asked[0]?.body.equals(body))
})

test('what the other upstream answers does not matter, and is not kept', async (t) => {
  const megabytes: RequestListener = (_, res) => {
    res.writeHead(500, { 'Set-Cookie': 'a=b' })
    const more = (): void => {
      while (!res.destroyed && res.write(Buffer.alloc(65_536)));
      if (!res.destroyed) res.once('drain', more)
    }
    more()
  }
  const { ask, second, mirrored } = await open(t, {}, { second: megabytes })
  const reply = await ask()
  assert.deepEqual([reply.status, await reply.text(), reply.headers.get('set-cookie')], [200, 'ok', null])
  assert.equal((await mirrored(1)).sent, 1)
  // The rest is not read.
  for (const { socket } of second.requests) if (!socket.destroyed) await once(socket, 'close')
})

test('a mirror that never answers takes no more memory than it may', async (t) => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const frozen = await startFrozen(t)
  const backend = await startBackend(t, (req, res) => req.resume().once('end', () => res.end('ok')))
  const { url } = await startGateway(t, {
    // Its memory is taken once, at the first request.
    observability: { requestLog: { entries: 0 } },
    plugins: ['metrics'],
    upstreams: { a: { targets: [{ url: backend.url }] }, b: { targets: [{ url: frozen.url }] } },
    routes: [
      {
        id: 'r',
        path: '/v1/**',
        upstream: 'a',
        auth: 'none',
        mirror: { upstream: 'b', maxInFlight: 20, timeout: '1h' },
      },
    ],
  })
  const post = async (): Promise<void> => {
    const reply = await fetch(`${url}/v1/x`, { method: 'POST', body: random(50_000) })
    assert.equal(await reply.text(), 'ok')
  }
  gc()
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 50; i++) await Promise.all(Array.from({ length: 10 }, post))
  assert.deepEqual(Object.values(await mirrorFigures(url, 'r')), [0, 0, 0, 0, 480])
  // Of 25 megabytes that were sent: 20 bodies, and what connections hold. Memory of buffers is given back some time after a collection.
  let grown = Number.POSITIVE_INFINITY
  for (let turn = 0; turn < 100 && grown >= 5_000_000; turn++) {
    gc()
    await sleep(50)
    grown = process.memoryUsage().arrayBuffers - before
  }
  assert.ok(grown < 5_000_000, `${grown} bytes are held`)
  frozen.release()
})

test('an endless stream of interim answers ends the copy', async (t) => {
  const { ask, mirrored, logged } = await open(
    t,
    { mirror: { timeout: '1h' } },
    {
      second: (_, res) => {
        const timer = setInterval(() => res.destroyed || res.writeProcessing(), 2)
        res.once('close', () => clearInterval(timer))
      },
    },
  )
  assert.equal((await ask()).status, 200)
  assert.equal((await mirrored(1)).failed, 1)
  await logged((line) => line['gateway.error.reason'] === 'UPSTREAM_BAD_ANSWER')
})

test('streams are not copied: events, WebSockets', async (t) => {
  const { ask, url, first, second, figures } = await open(
    t,
    {},
    {
      first: (_, res) => res.writeHead(200, { 'Content-Type': 'text/event-stream' }).end('data: 1\n\n'),
    },
  )
  const reply = await ask({ headers: { Accept: 'text/event-stream' } })
  assert.equal(await reply.text(), 'data: 1\n\n')
  assert.equal((await figures()).skipped, 1)
  const sockets = new WebSocketServer({ server: first.server })
  t.after(() => sockets.close())
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))))
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/x`)
  await once(socket, 'open')
  socket.send('hello')
  const [said] = await once(socket, 'message')
  assert.equal(String(said), 'hello')
  socket.terminate()
  const { skipped, sent } = await figures()
  assert.deepEqual([skipped, sent, second.requests.length], [1, 0, 0])
})

test('events that the other upstream answers with are not waited for', async (t) => {
  const { ask, mirrored } = await open(
    t,
    { mirror: { compare: true } },
    { second: (_, res) => void res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(':\n\n') },
  )
  assert.equal((await ask()).status, 200)
  assert.equal((await mirrored(1)).sent, 1)
})

interface Comparison {
  readonly name: string
  readonly first: RequestListener
  readonly second: RequestListener
  readonly result: 'same' | 'different' | 'sent'
}

const large = random(1_500_000)
const comparisons: readonly Comparison[] = [
  {
    name: 'another status',
    first: (_, res) => res.end('a'),
    second: (_, res) => res.writeHead(404).end('a'),
    result: 'different',
  },
  {
    name: 'another body',
    first: (_, res) => res.end('a'),
    second: (_, res) => res.end('b'),
    result: 'different',
  },
  {
    name: 'a longer body',
    first: (_, res) => res.end('a'),
    second: (_, res) => res.end('aa'),
    result: 'different',
  },
  {
    name: 'no body',
    first: (_, res) => res.end('a'),
    second: (_, res) => res.end(),
    result: 'different',
  },
  {
    name: 'other headers',
    first: (_, res) => res.writeHead(200, { 'X-A': '1' }).end('a'),
    second: (_, res) => res.writeHead(200, { 'X-A': '2' }).end('a'),
    result: 'same',
  },
  {
    name: 'the same in other pieces',
    first: (_, res) => {
      res.write('a')
      setTimeout(() => res.end('b'), 20)
    },
    second: (_, res) => res.end('ab'),
    result: 'same',
  },
  { name: 'nothing', first: (_, res) => res.end(), second: (_, res) => res.end(), result: 'same' },
  {
    name: 'the same beyond what is compared',
    first: (_, res) => res.end(large),
    second: (_, res) => res.end(large),
    result: 'same',
  },
  {
    name: 'something else beyond what is compared',
    first: (_, res) => res.end(large),
    second: (_, res) => res.end(Buffer.concat([large.subarray(0, 1_100_000), Buffer.alloc(400_000)])),
    result: 'same',
  },
  {
    name: 'something else within what is compared',
    first: (_, res) => res.end(large),
    second: (_, res) => res.end(Buffer.concat([large.subarray(0, 900_000), Buffer.alloc(600_000)])),
    result: 'different',
  },
  {
    name: 'the same failure',
    first: (_, res) => res.writeHead(500).end('oh'),
    second: (_, res) => res.writeHead(500).end('oh'),
    result: 'same',
  },
  {
    name: 'an answer where the original has none',
    first: (_, res) => res.destroy(),
    second: (_, res) => res.end('a'),
    result: 'sent',
  },
]

for (const { name, first, second, result } of comparisons) {
  test(`compared: ${name} is counted as ${result}`, async (t) => {
    const { ask, mirrored } = await open(t, { mirror: { compare: true } }, { first, second })
    await (await ask({ method: 'POST', body: 'x' })).arrayBuffer()
    assert.equal((await mirrored(1))[result], 1)
  })
}

test('a gateway does not wait for a mirror that is silent: on reload, and when it ends', async (t) => {
  const frozen = await startFrozen(t)
  const backend = await startNoting(t)
  const { url, gateway } = await startGateway(t, {
    plugins: ['metrics'],
    upstreams: { a: { targets: [{ url: backend.url }] }, b: { targets: [{ url: frozen.url }] } },
    routes: [
      { id: 'r', path: '/v1/**', upstream: 'a', auth: 'none', mirror: { upstream: 'b', timeout: '1h' } },
    ],
  })
  for (let i = 0; i < 3; i++) assert.equal((await fetch(`${url}/v1/x`)).status, 200)
  assert.equal(await gateway.reload(), true)
  assert.equal((await mirrored(url, 'r', 3)).failed, 3, 'those of the old configuration are broken off')
  assert.equal((await fetch(`${url}/v1/x`)).status, 200)
  await gateway.shutdown()
})
