import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { Peer } from './peer.ts'
import { startWorld, type World } from './world.ts'

const query = 'subscription { messages(room: "a") { text } }'

/** What a client does, and the code and reason that its connection is closed with. */
type Misdeed = readonly [
  name: string,
  act: (peer: Peer) => void,
  closed: readonly [code: number, reason: string],
]

/** Source of the codes: github.com/enisdenjo/graphql-ws, PROTOCOL.md. */
const beforeInit: readonly Misdeed[] = [
  ['asks before it was let in', (peer) => peer.subscribe('1', query), [4401, 'Unauthorized']],
  ['says nothing', () => {}, [4408, 'Connection initialisation timeout']],
]
const afterInit: readonly Misdeed[] = [
  [
    'begins twice',
    (peer) => peer.send({ type: 'connection_init' }),
    [4429, 'Too many initialisation requests'],
  ],
  [
    'gives two operations one id',
    (peer) => {
      peer.subscribe('x', query)
      peer.subscribe('x', query)
    },
    [4409, 'Subscriber for x already exists'],
  ],
  ['sends no JSON', (peer) => peer.socket.send('{"type":'), [4400, 'Invalid message: no JSON']],
  ['sends a list', (peer) => peer.socket.send('[]'), [4400, 'Invalid message: no object']],
  [
    'sends a type that there is not',
    (peer) => peer.send({ type: 'start', id: '1' }),
    [4400, 'Invalid message: unknown type'],
  ],
  ['sends no type', (peer) => peer.send({}), [4400, 'Invalid message: unknown type']],
  [
    'sends what only servers say',
    (peer) => peer.send({ type: 'next', id: '1', payload: {} }),
    [4400, 'Invalid message: unknown type'],
  ],
  [
    'sends bytes',
    (peer) => peer.socket.send(Buffer.from('{"type":"ping"}')),
    [4400, 'Invalid message: not a text'],
  ],
  [
    'leaves the id out',
    (peer) => peer.send({ type: 'subscribe', payload: { query } }),
    [4400, 'Invalid message: "id" must be a text of 1 to 128 characters'],
  ],
  [
    'sends a long id',
    (peer) => peer.subscribe('x'.repeat(129), query),
    [4400, 'Invalid message: "id" must be a text of 1 to 128 characters'],
  ],
  [
    'leaves the payload out',
    (peer) => peer.send({ type: 'subscribe', id: '1' }),
    [4400, 'Invalid message: "payload" must be an object'],
  ],
  [
    // RFC 8259 section 4; as in the body of a request.
    'says one name twice, so that others read something else',
    (peer) =>
      peer.socket.send(
        '{"type":"subscribe","id":"1","payload":{"query":"{ rooms }","qu\\u0065ry":"{ one }"}}',
      ),
    [4400, 'Invalid message: an object has two members of one name'],
  ],
  [
    'sends JSON as deep as it is long',
    (peer) => peer.socket.send(`{"type":"ping","payload":${'['.repeat(2_000)}${']'.repeat(2_000)}}`),
    [4400, 'Invalid message: nested more than 101 levels deep'],
  ],
  ['sends a message that is too large', (peer) => peer.socket.send('x'.repeat(5_000)), [1009, '']],
  [
    'sends faster than it may',
    (peer) => {
      for (let i = 0; i < 60; i++) peer.send({ type: 'pong' })
    },
    [4429, 'Too many messages'],
  ],
  [
    'has more operations under way than it may',
    (peer) => {
      for (let i = 0; i < 6; i++) peer.subscribe(`${i}`, query)
    },
    [4429, 'At most 5 operations at once'],
  ],
  ['sends no frames', (peer) => void rawOf(peer).write(Buffer.alloc(64, 0xff)), [1002, '']],
]

const limits = { initTimeout: '1s', messageBytes: '4kb', messagesPerSecond: 50, operations: 5 }

function start(t: TestContext): Promise<World> {
  return startWorld(t, { graphql: { subscriptions: { webSocket: limits } } })
}

for (const [name, act, closed] of beforeInit) {
  test(`a client that ${name} is cut off with ${closed[0]}`, async (t) => {
    const { url } = await start(t)
    const peer = await Peer.open(t, url)
    act(peer)
    assert.deepEqual(await peer.closed, closed)
  })
}

for (const [name, act, closed] of afterInit) {
  test(`a client that ${name} is cut off with ${closed[0]}, and leaves nothing behind`, async (t) => {
    const { url, chat } = await start(t)
    const peer = await Peer.connect(t, url)
    act(peer)
    assert.deepEqual(await peer.closed, closed)
    await chat.untilOpen(0)
    const other = await Peer.connect(t, url)
    other.subscribe('1', '{ rooms }')
    assert.deepEqual(await other.read(), { id: '1', type: 'next', payload: { data: { rooms: ['a', 'b'] } } })
  })
}

/** What an operation asks, and the error that it ends with; the connection goes on. */
const refused: readonly [name: string, payload: object, reason: string, message: RegExp][] = [
  ['that does not parse', { query: 'subscription {' }, 'GRAPHQL_PARSE_FAILED', /Syntax Error/],
  ['that is not valid', { query: '{ nothing }' }, 'GRAPHQL_VALIDATION_FAILED', /Cannot query field/],
  ['whose query is no text', { query: 1 }, 'INVALID_ARGUMENT', /"query" must be a string/],
  ['without a query', {}, 'INVALID_ARGUMENT', /"query" is missing/],
  [
    'whose variables are a list',
    { query, variables: [] },
    'INVALID_ARGUMENT',
    /"variables" must be an object/,
  ],
  [
    'with variables that do not fit',
    { query: 'subscription ($n: Int!) { ticks(count: $n) }', variables: { n: 'many' } },
    'INVALID_ARGUMENT',
    /Int cannot represent/,
  ],
  [
    'with too many aliases',
    { query: `{ ${Array.from({ length: 31 }, (_, i) => `a${i}: rooms`).join(' ')} }` },
    'GRAPHQL_LIMIT_EXCEEDED',
    /root fields|aliases/,
  ],
]
for (const [name, payload, reason, message] of refused) {
  test(`an operation ${name} is an error, and the connection goes on`, async (t) => {
    const { url } = await start(t)
    const peer = await Peer.connect(t, url)
    peer.send({ type: 'subscribe', id: '1', payload })
    const { type, payload: errors } = (await peer.read()) as {
      type: string
      payload: { message: string; extensions: { reason: string } }[]
    }
    assert.equal(type, 'error')
    assert.equal(errors[0]?.extensions.reason, reason)
    assert.match(errors[0]?.message ?? '', message)
    peer.subscribe('1', '{ rooms }')
    assert.equal(((await peer.read()) as { type: string }).type, 'next')
  })
}

test('a WebSocket that does not offer the protocol is answered by HTTP', async (t) => {
  const { url } = await start(t)
  for (const protocols of [[], ['graphql-ws'], ['soap']]) {
    const socket = new WebSocket(url.replace('http', 'ws'), protocols)
    const [, answer] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number; headers: Record<string, string> },
    ]
    assert.equal(answer.statusCode, 400)
    assert.equal(answer.headers['sec-websocket-protocol'], 'graphql-transport-ws')
  }
})

test('one caller has so many subscriptions, over all connections, and gets others when they end', async (t) => {
  const { url, chat } = await startWorld(t, { graphql: { subscriptions: { perCaller: 2 } } })
  const first = await Peer.connect(t, url)
  const second = await Peer.connect(t, url)
  first.subscribe('1', query)
  second.subscribe('1', query)
  await chat.untilOpen(1)
  await first.roundTrip()
  await second.roundTrip()
  second.subscribe('2', query)
  const { payload } = (await second.read()) as { payload: { extensions: { reason: string } }[] }
  assert.equal(payload[0]?.extensions.reason, 'TOO_MANY_AT_ONCE')
  first.socket.terminate()
  await chat.untilOpen(1)
  for (;;) {
    second.subscribe('3', 'subscription { ticks(count: 1) }')
    const { type } = (await second.read()) as { type: string }
    if (type === 'next') break
  }
})

test('the gateway has so many subscriptions', async (t) => {
  const { url, chat } = await startWorld(t, { graphql: { subscriptions: { max: 1 } } })
  const peer = await Peer.connect(t, url)
  peer.subscribe('1', query)
  await chat.untilOpen(1)
  peer.subscribe('2', query)
  const { payload } = (await peer.read()) as { payload: { extensions: { reason: string } }[] }
  assert.equal(payload[0]?.extensions.reason, 'OVERLOADED')
})

function rawOf(peer: Peer): { write(bytes: Buffer): void } {
  return (peer.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket
}
