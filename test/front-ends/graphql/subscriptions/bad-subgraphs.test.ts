import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { WebSocket } from 'ws'
import { Peer, readEvents } from './peer.ts'
import { startWorld } from './world.ts'

const query = 'subscription { messages(room: "a") { text } }'
const settings = {
  graphql: { subscriptions: { reconnects: 0 } },
  upstream: { timeouts: { request: '1s' }, retry: { attempts: 1 } },
}

type Message = {
  readonly type: string
  readonly payload: readonly { readonly extensions: { readonly reason: string } }[]
}

/** Says something when the subscription is asked for. */
function onSubscribe(say: (socket: WebSocket) => void): (socket: WebSocket) => void {
  return (socket) => {
    socket.on('message', (data) => {
      const { type } = JSON.parse(String(data)) as { type: string }
      if (type === 'connection_init') socket.send('{"type":"connection_ack"}')
      if (type === 'subscribe') say(socket)
    })
  }
}

const overSocket: readonly [name: string, act: (socket: WebSocket) => void, reason: string][] = [
  ['never acknowledges', () => {}, 'UPSTREAM_TIMEOUT'],
  ['closes at once', (socket) => socket.close(1011), 'UPSTREAM_RESET'],
  ['refuses who asks', (socket) => socket.close(4403, 'Forbidden'), 'UPSTREAM_BAD_ANSWER'],
  ['dies', (socket) => socket.terminate(), 'UPSTREAM_RESET'],
  ['sends no JSON', (socket) => socket.send('garbage'), 'UPSTREAM_BAD_ANSWER'],
  ['sends bytes', (socket) => socket.send(Buffer.from([1, 2, 3])), 'UPSTREAM_BAD_ANSWER'],
  [
    'sends events before it acknowledges',
    (socket) => socket.send('{"id":"1","type":"next","payload":{"data":{}}}'),
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'acknowledges twice',
    onSubscribe((socket) => socket.send('{"type":"connection_ack"}')),
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'sends the events of another',
    onSubscribe((socket) => socket.send('{"id":"2","type":"next","payload":{"data":{}}}')),
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'sends an event that is none',
    onSubscribe((socket) => socket.send('{"id":"1","type":"next","payload":7}')),
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'sends an empty event',
    onSubscribe((socket) => socket.send('{"id":"1","type":"next","payload":{}}')),
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'sends an event above 4 MiB',
    onSubscribe((socket) => socket.send('x'.repeat(4_194_305))),
    'UPSTREAM_BAD_ANSWER',
  ],
  ['dies after it was asked', onSubscribe((socket) => socket.terminate()), 'UPSTREAM_RESET'],
]
for (const [name, act, reason] of overSocket) {
  test(`a subgraph that ${name} on a WebSocket ends the subscription with ${reason}, and nothing else`, async (t) => {
    const { url, chat } = await startWorld(t, settings)
    chat.instead = act
    const peer = await Peer.connect(t, url)
    peer.subscribe('1', query)
    const { type, payload } = (await peer.read()) as Message
    assert.deepEqual([type, payload[0]?.extensions.reason], ['error', reason])
    chat.instead = undefined
    peer.subscribe('2', 'subscription { ticks(count: 1) }')
    assert.equal(((await peer.read()) as Message).type, 'next')
  })
}

test('null for what may not be null, and a wrong type, are errors of one event', async (t) => {
  const { url, chat } = await startWorld(t, settings)
  chat.instead = onSubscribe((socket) => {
    for (const messages of ['null', '{"text":null}', '{"text":{"a":1}}', '[]', '{"text":"good"}'])
      socket.send(`{"id":"1","type":"next","payload":{"data":{"messages":${messages}}}}`)
  })
  const peer = await Peer.connect(t, url)
  peer.subscribe('1', query)
  for (let i = 0; i < 4; i++) {
    const { payload } = (await peer.read()) as { payload: { data: unknown; errors: { path: unknown[] }[] } }
    assert.equal(payload.data, null)
    assert.equal(payload.errors[0]?.path[0], 'messages')
  }
  assert.deepEqual(await peer.read(), {
    id: '1',
    type: 'next',
    payload: { data: { messages: { text: 'good' } } },
  })
})

test('what a subgraph says of an error is masked, as in any answer', async (t) => {
  const { url } = await startWorld(t, settings)
  const stream = await readEvents(t, url, 'subscription { fails }', 'text/event-stream')
  const text = await stream.rest()
  assert.doesNotMatch(text, /SELECT/)
  assert.match(text, /"message":"The subgraph failed\."[\s\S]*event: complete/)
})

const events = { 'content-type': 'text/event-stream' }
const overEvents: readonly [name: string, answer: (res: ServerResponse) => void, reason: string][] = [
  ['never answers', () => {}, 'UPSTREAM_TIMEOUT'],
  ['answers 500', (res) => res.writeHead(500).end('no'), 'UPSTREAM_BAD_ANSWER'],
  ['answers 404', (res) => res.writeHead(404).end('no'), 'SUBGRAPH_ERROR'],
  ['redirects', (res) => res.writeHead(302, { location: '/' }).end(), 'SUBGRAPH_ERROR'],
  [
    'answers a page',
    (res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'answers half a JSON',
    (res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{"da'),
    'UPSTREAM_BAD_ANSWER',
  ],
  ['ends without complete', (res) => res.writeHead(200, events).end(':\n\n'), 'UPSTREAM_RESET'],
  [
    'sends garbage',
    (res) => res.writeHead(200, events).end('event: next\ndata: garbage\n\n'),
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'sends an event without end',
    (res) => res.writeHead(200, events).end(`data: ${'x'.repeat(4_300_000)}`),
    'UPSTREAM_BAD_ANSWER',
  ],
  [
    'dies in the middle',
    (res) => {
      res.writeHead(200, events)
      res.write('event: nex')
      setImmediate(() => res.destroy())
    },
    'UPSTREAM_RESET',
  ],
]
for (const [name, answer, reason] of overEvents) {
  test(`a subgraph that ${name} instead of server-sent events ends the subscription with ${reason}`, async (t) => {
    const { url, chat } = await startWorld(t, { ...settings, subscription: { protocol: 'sse' } })
    chat.answer = (_: IncomingMessage, res) => {
      answer(res)
      return true
    }
    const peer = await Peer.connect(t, url)
    peer.subscribe('1', query)
    const { type, payload } = (await peer.read()) as Message
    assert.deepEqual([type, payload[0]?.extensions.reason], ['error', reason])
  })
}

test('a target that refuses connections is not the one that is asked', async (t) => {
  const { url, chat } = await startWorld(t, { upstream: { targets: [{ url: 'http://127.0.0.1:1' }] } })
  assert.ok(chat.port > 0)
  const stream = await readEvents(t, url, 'subscription { ticks(count: 1) }', 'text/event-stream')
  assert.equal(stream.response.status, 502)
})
