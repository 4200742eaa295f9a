import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WebSocket } from 'ws'
import { Peer } from './peer.ts'
import { startWorld } from './world.ts'

const query = 'subscription { messages(room: "a") { text } }'
const padding = 'x'.repeat(1_000)

/** Sends events of 1 kB as fast as they are taken, `count` in all. */
function flood(count: number, sent: { events: number }): (socket: WebSocket) => void {
  return (socket) => {
    const more = (): void => {
      for (; sent.events < count && socket.bufferedAmount < 1_000_000; sent.events++)
        socket.send(
          `{"id":"1","type":"next","payload":{"data":{"messages":{"text":"${sent.events} ${padding}"}}}}`,
        )
      if (sent.events < count) setTimeout(more, 1)
      else socket.send('{"id":"1","type":"complete"}')
    }
    socket.on('message', (data) => {
      const { type } = JSON.parse(String(data)) as { type: string }
      if (type === 'connection_init') socket.send('{"type":"connection_ack"}')
      if (type === 'subscribe') more()
    })
  }
}

/** Sockets of the system hold some of what is on its way: much more than that is sent. */
const count = 30_000

test('a client that does not read holds up the subgraph, not the memory, and gets all in order when it reads', {
  timeout: 110_000,
}, async (t) => {
  const { url, chat } = await startWorld(t)
  const sent = { events: 0 }
  chat.instead = flood(count, sent)
  const peer = await Peer.connect(t, url)
  let next = 0
  const all = Promise.withResolvers<void>()
  peer.socket.removeAllListeners('message')
  peer.socket.on('message', (data) => {
    const { type, payload } = JSON.parse(String(data)) as {
      type: string
      payload: { data: { messages: { text: string } } }
    }
    if (type === 'complete') all.resolve()
    else assert.equal(Number.parseInt(payload.data.messages.text, 10), next++)
  })
  peer.subscribe('1', query)
  peer.socket.pause()
  let before = -1
  // Until nothing moves any more.
  for (let still = 0; still < 10; still = sent.events === before ? still + 1 : 0) {
    before = sent.events
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.ok(sent.events < count / 2, `${sent.events} events were taken of the subgraph`)
  t.diagnostic(`${sent.events} events of 1 kB on their way to a client that does not read`)
  peer.socket.resume()
  await all.promise
  assert.equal(next, count)
})

test('of clients that share a subscription the one that does not read is let go, and the others get everything', {
  timeout: 110_000,
}, async (t) => {
  const { url, chat } = await startWorld(t)
  const sent = { events: 0 }
  const start = Promise.withResolvers<WebSocket>()
  chat.instead = (socket) => {
    socket.on('message', (data) => {
      const { type } = JSON.parse(String(data)) as { type: string }
      if (type === 'connection_init') socket.send('{"type":"connection_ack"}')
      if (type === 'subscribe') start.resolve(socket)
    })
  }
  const slow = await Peer.connect(t, url)
  const quick = await Peer.connect(t, url)
  slow.subscribe('1', query)
  quick.subscribe('1', query)
  const socket = await start.promise
  await slow.roundTrip()
  await quick.roundTrip()
  slow.socket.pause()
  let got = 0
  const all = Promise.withResolvers<void>()
  quick.socket.on('message', (data) => {
    if (String(data).includes('"complete"')) all.resolve()
    else got++
  })
  const more = (): void => {
    // No faster than the quick one takes them.
    for (; sent.events < count && sent.events - got < 200; sent.events++)
      socket.send(
        `{"id":"1","type":"next","payload":{"data":{"messages":{"text":"${sent.events} ${padding}"}}}}`,
      )
    if (sent.events < count) setTimeout(more, 1)
    else socket.send('{"id":"1","type":"complete"}')
  }
  more()
  await all.promise
  assert.equal(got, count)
  slow.socket.resume()
  for (;;) {
    const message = (await slow.read()) as { type: string; payload: { extensions: { reason: string } }[] }
    if (message.type === 'next') continue
    assert.deepEqual([message.type, message.payload[0]?.extensions.reason], ['error', 'CLIENT_TOO_SLOW'])
    break
  }
})
