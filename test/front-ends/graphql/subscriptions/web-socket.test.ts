import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Client, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { startWorld } from './world.ts'

/** A real client of the protocol, ended with its test. */
function clientOf(t: TestContext, url: string, options: object = {}): Client {
  const client = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    ...options,
  })
  t.after(() => client.dispose())
  return client
}

const messages = 'subscription ($room: String!) { messages(room: $room) { text author { name } } }'

test('events of a subgraph come to a client in order, each completed by another subgraph', async (t) => {
  const { url, chat, asked } = await startWorld(t)
  const results = clientOf(t, url).iterate({ query: messages, variables: { room: 'a' } })
  const first = results.next()
  await chat.untilOpen(1)
  for (let i = 0; i < 5; i++) chat.say('a', `text ${i}`, `${i}`)
  chat.say('b', 'elsewhere')
  assert.deepEqual((await first).value, {
    data: { messages: { text: 'text 0', author: { name: 'name of 0' } } },
  })
  for (let i = 1; i < 5; i++) {
    const { value } = await results.next()
    assert.deepEqual(value, { data: { messages: { text: `text ${i}`, author: { name: `name of ${i}` } } } })
  }
  assert.equal(asked.length, 5)
  await results.return?.()
  await chat.untilOpen(0)
})

test('a connection runs queries and mutations besides', async (t) => {
  const { url, chat } = await startWorld(t)
  const client = clientOf(t, url)
  const heard = client.iterate({ query: messages, variables: { room: 'a' } })
  const first = heard.next()
  await chat.untilOpen(1)
  const said = await client.iterate({ query: 'mutation { say(room: "a", text: "hello") { text } }' }).next()
  assert.deepEqual(said.value, { data: { say: { text: 'hello' } } })
  assert.deepEqual((await client.iterate({ query: '{ rooms }' }).next()).value, {
    data: { rooms: ['a', 'b'] },
  })
  assert.deepEqual((await first).value?.data, { messages: { text: 'hello', author: { name: 'name of 1' } } })
})

test('a subscription that the subgraph completes is complete', async (t) => {
  const { url } = await startWorld(t)
  const ticks: unknown[] = []
  for await (const result of clientOf(t, url).iterate({ query: 'subscription { ticks(count: 300) }' }))
    ticks.push(result.data)
  assert.deepEqual(
    ticks,
    Array.from({ length: 300 }, (_, i) => ({ ticks: i + 1 })),
  )
})
