import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { startGateway } from '../../../world.ts'
import { googleProtos, testProtos } from '../harness.ts'
import { type RelaySeen, relayName, relayProto, startRelayBackend, untilSteady } from './relay.ts'

interface Client {
  readonly socket: WebSocket
  readonly seen: RelaySeen
  /** Messages that were not read yet, and one more promise for what comes. */
  read(): Promise<unknown>
  /** The close code. */
  readonly closed: Promise<number>
}

test('each message is answered as it comes, and an empty one ends the request', async (t) => {
  const { socket, read, closed } = await connect(t, '/v1/relay')
  for (let number = 1; number < 50; number++) {
    socket.send(`{"number":${number}}`)
    assert.deepEqual(await read(), { number: String(number) })
  }
  socket.send('')
  assert.equal(await closed, 1000)
})

test('a stream of the client is answered with one message', async (t) => {
  const { socket, read, closed } = await connect(t, '/v1/sum/z?number=4')
  socket.send('{"text":"x"}')
  socket.send('{"text":"y"}')
  socket.send('')
  assert.deepEqual(await read(), { count: '2', sum: '8', text: 'z/x z/y' })
  assert.equal(await closed, 1000)
})

test('a stream of the server begins with the one message of the request', async (t) => {
  const fromPath = await connect(t, '/v1/list/2')
  assert.deepEqual([await fromPath.read(), await fromPath.read()], [{ number: '1' }, { number: '2' }])
  assert.equal(await fromPath.closed, 1000)
  const fromMessage = await connect(t, '/v1/list')
  fromMessage.socket.send('{"number":1}')
  assert.deepEqual(await fromMessage.read(), { number: '1' })
  assert.equal(await fromMessage.closed, 1000)
})

const failures: readonly [name: string, message: string, code: number, text: RegExp, closeCode: number][] = [
  ['a refusal of the backend', '{"please":"fail"}', 9, /^as asked$/, 1011],
  ['a message that does not fit', '{"number":"many"}', 3, /^Message \[1\]: .*number/, 1008],
  ['a message that is no JSON', '{"number":', 3, /^Message \[1\]: /, 1008],
]
for (const [name, message, code, text, closeCode] of failures) {
  test(`${name} is the last message, and the connection is closed with ${closeCode}`, async (t) => {
    const { socket, read, closed, seen } = await connect(t, '/v1/relay')
    socket.send('{"number":1}')
    await read()
    socket.send(message)
    const { error } = (await read()) as { error: { code: number; message: string } }
    assert.equal(error.code, code)
    assert.match(error.message, text)
    assert.equal(await closed, closeCode)
    await seen.cancelled
  })
}

test('a message above the limit closes with 1009 and cancels the call', async (t) => {
  const { socket, read, closed, seen } = await connect(t, '/v1/relay')
  socket.send('{"number":1}')
  await read()
  socket.send(`{"label":"${'x'.repeat(70_000)}"}`)
  assert.equal(await closed, 1009)
  await seen.cancelled
})

for (const how of ['close', 'terminate'] as const) {
  test(`a client that goes (${how}) cancels the call`, async (t) => {
    const { socket, read, seen } = await connect(t, '/v1/relay')
    socket.send('{"number":1}')
    await read()
    socket[how]()
    await seen.cancelled
  })
}

test('a backend that is not there is told in words before the connection is closed', async (t) => {
  const { read, closed } = await connect(t, '/v1/relay', { dead: true })
  const { error } = (await read()) as { error: { code: number } }
  assert.equal(error.code, 14)
  assert.equal(await closed, 1011)
})

test('bytes that are no WebSocket frames cancel the call and nothing else', async (t) => {
  const { socket, read, closed, seen } = await connect(t, '/v1/relay')
  socket.send('{"number":1}')
  await read()
  const { _socket: raw } = socket as unknown as { readonly _socket: { write(bytes: Buffer): void } }
  raw.write(Buffer.alloc(64, 0xff))
  assert.equal(await closed, 1002)
  await seen.cancelled
})

test('a client that stops within an element is refused as too slow', async (t) => {
  const { gateway } = await start(t)
  const sent = request(`${gateway.url}/v1/sum`, { method: 'POST' })
  sent.on('error', () => {})
  sent.write('[{"number":1},{"num')
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.resume()
  assert.equal(answer.statusCode, 408)
})

test('what is no handshake is answered by HTTP', async (t) => {
  const { gateway } = await start(t)
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/relay`, {
    headers: { 'Grpc-Timeout': 'x' },
  })
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
  assert.equal(answer.statusCode, 400)
})

test('a client that does not read stops the backend, and then itself', async (t) => {
  const { socket, seen, closed } = await connect(t, '/v1/relay', { listen: false })
  socket.pause()
  const line = `{"label":"${'x'.repeat(16_000)}"}`
  for (let i = 0; i < 3_000; i++) socket.send(line)
  socket.send('')
  const stopped = await untilSteady(() => seen.items)
  t.diagnostic(`the backend saw ${stopped} messages of 16 KB`)
  assert.ok(stopped < 2_000, `${stopped} messages`)
  let count = 0
  socket.on('message', () => count++)
  socket.resume()
  assert.equal(await closed, 1000)
  assert.equal(count, 3_000)
})

test('a peer that answers pings stays, one that does not is ended and its call cancelled', async (t) => {
  const { gateway, seen } = await start(t, { pingInterval: '50ms' })
  const alive = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/relay`)
  await once(alive, 'open')
  const mute = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/relay`, { autoPong: false })
  await once(mute, 'open')
  const [code] = (await once(mute, 'close')) as [number]
  assert.equal(code, 1006)
  await seen.cancelled
  for (let pings = 0; pings < 5; pings++) await once(alive, 'ping')
  alive.send('{"number":1}')
  const [data] = (await once(alive, 'message')) as [Buffer]
  assert.deepEqual(JSON.parse(String(data)), { number: '1' })
  alive.close()
})

test('a client that goes while the backend does not read is noticed', async (t) => {
  const { gateway, seen } = await start(t, { pingInterval: '50ms' })
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/relay`)
  await once(socket, 'open')
  socket.send('{"number":1,"please":"sleep"}')
  const line = `{"label":"${'x'.repeat(16_000)}"}`
  for (let i = 0; i < 600; i++) socket.send(line)
  // Nobody reads any more: what is left waits with the client.
  for (let pings = 0; pings < 20; pings++) await once(socket, 'ping')
  assert.ok(socket.bufferedAmount > 0)
  assert.equal(seen.items, 1)
  socket.terminate()
  await seen.cancelled
})

// RFC 6455 section 10.2: a server that is not for every page checks Origin, and refuses with 403.
const origins: readonly [origin: string, status: number][] = [
  ['https://app.example', 101],
  ['https://evil.example', 403],
  ['null', 403],
  ['own', 101],
  ['', 101],
]
for (const [origin, status] of origins) {
  test(`a WebSocket of a page from "${origin}" is answered with ${status} beside the CORS plugin`, async (t) => {
    const plugins = [{ cors: { allowOrigins: ['https://app.example'], allowCredentials: true } }]
    const { gateway } = await start(t, { plugins })
    const shown = origin === 'own' ? gateway.url : origin
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/relay`, {
      headers: { Cookie: 'session=1', ...(shown === '' ? {} : { Origin: shown }) },
    })
    socket.on('error', () => {})
    const answered = await Promise.race([
      once(socket, 'open').then(() => ({ status: 101, body: '' })),
      once(socket, 'unexpected-response').then(async ([, answer]) => {
        const body = await text(answer as IncomingMessage)
        return { status: (answer as IncomingMessage).statusCode, body }
      }),
    ])
    assert.equal(answered.status, status)
    if (status === 403) assert.match(answered.body, /ORIGIN_REFUSED/)
    socket.terminate()
  })
}

test('lines both ways may come as slowly as they like, while another client is refused as too slow', async (t) => {
  const { gateway } = await start(t)
  const headers = { 'Content-Type': 'application/x-ndjson', Accept: 'application/x-ndjson' }
  const talk = request(`${gateway.url}/v1/relay`, { method: 'POST', headers })
  talk.write('{"number":1}\n')
  const [answers] = (await once(talk, 'response')) as [IncomingMessage]
  const slow = request(`${gateway.url}/v1/sum`, { method: 'POST' })
  slow.on('error', () => {})
  slow.write('[{"number":1},{"num')
  const [refused] = (await once(slow, 'response')) as [IncomingMessage]
  refused.resume()
  assert.equal(refused.statusCode, 408)
  talk.end('{"number":2}\n')
  assert.equal(await text(answers), '{"number":"1"}\n{"number":"2"}\n')
})

interface StartOptions {
  readonly dead?: boolean
  readonly pingInterval?: string
  readonly plugins?: readonly object[]
}

async function start(
  t: TestContext,
  { dead = false, pingInterval = '30s', plugins = [] }: StartOptions = {},
) {
  const backend = await startRelayBackend(t)
  if (dead) backend.close()
  const gateway = await startGateway(t, {
    server: { limits: { bodyTimeout: '1s' } },
    plugins,
    upstreams: { relay: { targets: [{ url: backend.url }] } },
    grpc: {
      protos: [relayProto],
      includeDirs: [testProtos, googleProtos],
      messageBytes: '64kb',
      webSocketPing: pingInterval,
      services: { [relayName]: { upstream: 'relay', auth: 'none' } },
    },
  })
  return { gateway, seen: backend.seen }
}

async function connect(
  t: TestContext,
  path: string,
  { dead = false, listen = true }: { readonly dead?: boolean; readonly listen?: boolean } = {},
): Promise<Client> {
  const { gateway, seen } = await start(t, { dead })
  const socket = new WebSocket(gateway.url.replace('http', 'ws') + path)
  const waiting: ((message: unknown) => void)[] = []
  const arrived: unknown[] = []
  if (listen) {
    socket.on('message', (data) => {
      const message: unknown = JSON.parse(String(data))
      const next = waiting.shift()
      if (next === undefined) arrived.push(message)
      else next(message)
    })
  }
  const closed = once(socket, 'close').then(([code]) => code as number)
  await once(socket, 'open')
  const read = (): Promise<unknown> =>
    arrived.length > 0 ? Promise.resolve(arrived.shift()) : new Promise((resolve) => waiting.push(resolve))
  return { socket, seen, read, closed }
}
