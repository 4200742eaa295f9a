import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { Peer, readEvents } from './peer.ts'
import { startWorld } from './world.ts'

const query = 'subscription { messages(room: "a") { text author { name } } }'

test('a shutdown closes WebSockets with 1012 and streams so that their clients come again, within the grace period', async (t) => {
  const { gateway, url, chat } = await startWorld(t)
  const peer = await Peer.connect(t, url)
  peer.subscribe('1', query)
  const events = await readEvents(t, url, query, 'text/event-stream')
  const parts = await readEvents(t, url, query, 'multipart/mixed;subscriptionSpec=1.0')
  await chat.untilOpen(1)
  const began = performance.now()
  const [closed] = await Promise.all([peer.closed, gateway.gateway.shutdown()])
  assert.deepEqual(closed, [1012, 'Service restart'])
  assert.equal(await events.rest(), ':\n\nretry: 1000\n\n')
  assert.match(
    await parts.rest(),
    /\{"payload":null,"errors":\[\{"message":"[^"]+","extensions":\{"code":"SERVICE_UNAVAILABLE","reason":"DRAINING"/,
  )
  assert.ok(performance.now() - began < 8_000)
})

test('a real client goes on after a reload, with the events of the new configuration', async (t) => {
  const { gateway, url, chat } = await startWorld(t)
  const client = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    retryWait: async () => {},
  })
  const results = client.iterate({ query })
  let next = results.next()
  await chat.untilOpen(1)
  chat.say('a', 'before')
  assert.equal(JSON.stringify((await next).value).includes('before'), true)
  next = results.next()
  assert.equal(await gateway.gateway.reload(), true)
  while (chat.handshakes.length === 1) await new Promise((resolve) => setTimeout(resolve, 10))
  await chat.untilOpen(1)
  chat.say('a', 'after')
  assert.equal(JSON.stringify((await next).value).includes('after'), true)
  await results.return?.()
  await client.dispose()
})

test('a query under way is answered before its connection ends', async (t) => {
  const { gateway, url, chat } = await startWorld(t)
  const peer = await Peer.connect(t, url)
  const asked = Promise.withResolvers<() => void>()
  chat.answer = (_, res) => {
    asked.resolve(() => res.setHeader('content-type', 'application/json').end('{"data":{"rooms":["late"]}}'))
    return true
  }
  peer.subscribe('1', '{ rooms }')
  const answer = await asked.promise
  const ended = gateway.gateway.reload()
  await ended
  peer.send({ type: 'ping' })
  assert.deepEqual(await peer.read(), { type: 'pong' })
  answer()
  assert.deepEqual(await peer.read(), { id: '1', type: 'next', payload: { data: { rooms: ['late'] } } })
  assert.deepEqual(await peer.read(), { id: '1', type: 'complete' })
  assert.deepEqual(await peer.closed, [1012, 'Service restart'])
})

test('a subscription that broke off at the subgraph goes on by itself', async (t) => {
  const { url, chat } = await startWorld(t)
  const peer = await Peer.connect(t, url)
  peer.subscribe('1', query)
  await chat.untilOpen(1)
  chat.cut()
  await chat.untilOpen(0)
  await chat.untilOpen(1)
  chat.say('a', 'again')
  const next = (await peer.read()) as { payload: { data: { messages: { text: string } } } }
  assert.equal(next.payload.data.messages.text, 'again')
})

test('clients hear of a subgraph that does not come back', async (t) => {
  const { url, chat } = await startWorld(t, { graphql: { subscriptions: { reconnects: 1 } } })
  const peer = await Peer.connect(t, url)
  peer.subscribe('1', query)
  await chat.untilOpen(1)
  await chat.close()
  const { id, type, payload } = (await peer.read()) as {
    id: string
    type: string
    payload: { extensions: { reason: string } }[]
  }
  assert.deepEqual([id, type], ['1', 'error'])
  assert.equal(payload[0]?.extensions.reason, 'UPSTREAM_REFUSED')
})

test('clients that ask for the same share one subscription at the subgraph, until the last has left', async (t) => {
  const { url, chat } = await startWorld(t)
  const peers = await Promise.all([1, 2, 3].map(() => Peer.connect(t, url)))
  for (const peer of peers) peer.subscribe('1', query)
  const events = await readEvents(t, url, query, 'text/event-stream')
  await chat.untilOpen(1)
  const [first] = peers
  await peers[2]?.roundTrip()
  chat.say('a', 'to all')
  for (const peer of peers) assert.match(JSON.stringify(await peer.read()), /to all/)
  await events.until(/to all/)
  assert.equal(chat.handshakes.length, 1)
  for (const peer of peers) peer.send({ id: '1', type: 'complete' })
  await first?.roundTrip()
  chat.say('a', 'to one')
  await events.until(/to one/)
  events.leave()
  await chat.untilOpen(0)
})

test('a WebSocket that leaves in the middle of an event leaves nothing behind', async (t) => {
  const { gateway, url, chat } = await startWorld(t)
  const peer = await Peer.connect(t, url)
  peer.subscribe('1', query)
  await chat.untilOpen(1)
  chat.say('a', 'one')
  peer.socket.terminate()
  await chat.untilOpen(0)
  await gateway.logged(
    (line) => line['gateway.route'] === 'graphql-websocket' && line['http.response.status_code'] === 101,
  )
  const line = await gateway.logged((one) => one['graphql.operation.type'] === 'subscription')
  assert.equal(line['http.request.method'], 'POST')
})
