import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { composeSupergraph } from '../../../../src/front-ends/graphql/supergraph.ts'
import { startBackend } from '../../../world.ts'
import { Peer } from '../subscriptions/peer.ts'
import { startWorld } from '../subscriptions/world.ts'

const query = 'subscription { messages(room: "a") { text author { name } } }'

/** Subscribes by server-sent events; reads until the text matches, or to the end. */
async function subscribe(t: TestContext, url: string): Promise<(pattern?: RegExp) => Promise<string>> {
  const abort = new AbortController()
  t.after(() => abort.abort())
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query }),
    signal: abort.signal,
  })
  assert.equal(response.status, 200)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let text = ''
  return async (pattern) => {
    for (;;) {
      if (pattern?.test(text) === true) return text
      const { done, value } = await reader.read()
      if (done) return text
      text += decoder.decode(value, { stream: true })
    }
  }
}

test('a subscription is ended so that its client comes again when a new supergraph takes over, and then runs on the new one', async (t) => {
  const sdls = Object.fromEntries(
    ['chat', 'people'].map((name) => [
      name,
      readFileSync(`test/front-ends/graphql/subscriptions/${name}.graphql`, 'utf8'),
    ]),
  )
  const compose = async (): Promise<string> =>
    (await composeSupergraph(Object.entries(sdls).map(([name, sdl]) => ({ name, sdl })))).supergraphSdl
  let supergraph = await compose()
  const source = await startBackend(t, (_, res) => res.end(supergraph))
  const { gateway, url, chat } = await startWorld(t, {
    graphql: { introspection: true, supergraphUrl: { url: source.url, interval: '100ms', timeout: '60s' } },
  })
  const first = await subscribe(t, url)
  await chat.untilOpen(1)
  chat.say('a', 'one')
  await first(/"text":"one"/)
  sdls.chat = `${sdls.chat}\nextend type Query { news: Int }`
  supergraph = await compose()
  await gateway.logged(({ message }) => message === 'supergraph applied')
  const all = await first()
  assert.match(all, /"text":"one"/)
  // Without an end of the operation: clients of server-sent events come again after so long.
  assert.match(all, /\n\nretry: 1000\n\n$/)
  const second = await subscribe(t, url)
  await chat.untilOpen(1)
  chat.say('a', 'two')
  assert.match(await second(/"text":"two"/), /"name":"name of 1"/)
})

test('a live subgraph that tells another schema: clients of WebSockets and of streams come again, and their events go on', async (t) => {
  const live = { interval: '100ms', timeout: '60s' }
  const { gateway, url, chat } = await startWorld(t, {
    graphql: {
      introspection: true,
      subgraphs: { chat: { upstream: 'chat', live }, people: { upstream: 'people', live } },
    },
  })
  await gateway.logged(({ message }) => message === 'supergraph loaded')
  const peer = await Peer.connect(t, url)
  peer.subscribe('1', query)
  const stream = await subscribe(t, url)
  const client = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    retryWait: async () => {},
  })
  const results = client.iterate({ query })
  // Said again until they have heard it: none can tell when it was let in.
  let text = 'one'
  const saying = setInterval(() => chat.say('a', text), 50)
  t.after(() => clearInterval(saying))
  const heard = async (pattern: RegExp): Promise<void> => {
    for await (const result of { [Symbol.asyncIterator]: () => ({ next: () => results.next() }) })
      if (pattern.test(JSON.stringify(result))) return
  }
  await heard(/"text":"one".*"name":"name of 1"/)
  await stream(/"text":"one"/)
  assert.match(JSON.stringify(await peer.read()), /"text":"one"/)

  const sdl = readFileSync('test/front-ends/graphql/subscriptions/chat.graphql', 'utf8')
  const before = chat.handshakes.length
  chat.sdl = `${sdl}\nextend type Query { news: Int }`
  await gateway.logged(({ message }) => message === 'supergraph applied')
  text = 'two'
  assert.deepEqual(await peer.closed, [1012, 'Service restart'])
  assert.match(await stream(), /\n\nretry: 1000\n\n$/)
  // A real client is there again by itself.
  await heard(/"text":"two".*"name":"name of 1"/)
  assert.equal(chat.handshakes.length, before + 1)
  await client.dispose()
})
