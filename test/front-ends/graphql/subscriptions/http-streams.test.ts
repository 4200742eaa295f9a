import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventSource } from 'undici'
import { readEvents } from './peer.ts'
import { startWorld } from './world.ts'

const messages = 'subscription { messages(room: "a") { text author { name } } }'

for (const protocol of ['ws', 'sse'] as const) {
  test(`server-sent events to a client, ${protocol} from the subgraph`, async (t) => {
    const { url, chat } = await startWorld(t, { subscription: { protocol } })
    const stream = await readEvents(t, url, messages, 'text/event-stream')
    assert.equal(stream.response.status, 200)
    assert.equal(stream.response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    await chat.untilOpen(1)
    chat.say('a', 'one')
    chat.say('a', 'two\nlines')
    const text = await stream.until(/lines/)
    const event = (said: string): string =>
      `event: next\ndata: ${JSON.stringify({ data: { messages: { text: said, author: { name: 'name of 1' } } } })}\n\n`
    assert.equal(text, `:\n\n${event('one')}${event('two\nlines')}`)
    stream.leave()
    await chat.untilOpen(0)
  })
}

test('multipart in the words of Apollo clients, each part followed by its boundary', async (t) => {
  const { url, chat } = await startWorld(t)
  const accept = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/json'
  const stream = await readEvents(t, url, messages, accept)
  assert.equal(
    stream.response.headers.get('content-type'),
    'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0',
  )
  await chat.untilOpen(1)
  chat.say('a', 'one')
  const text = await stream.until(/one[\s\S]*--graphql$/)
  const payload = { payload: { data: { messages: { text: 'one', author: { name: 'name of 1' } } } } }
  const head = '\r\nContent-Type: application/json; charset=utf-8\r\n\r\n'
  assert.equal(text, `--graphql${head}${JSON.stringify(payload)}\r\n--graphql`)
})

test('a stream ends in the words of its format when the subgraph completes', async (t) => {
  const { url } = await startWorld(t)
  const events = await readEvents(t, url, 'subscription { ticks(count: 1) }', 'text/event-stream')
  assert.equal(
    await events.rest(),
    ':\n\nevent: next\ndata: {"data":{"ticks":1}}\n\nevent: complete\ndata:\n\n',
  )
  const parts = await readEvents(
    t,
    url,
    'subscription { ticks(count: 1) }',
    'multipart/mixed;subscriptionSpec="1.0"',
  )
  assert.match(await parts.rest(), /\{"payload":\{"data":\{"ticks":1\}\}\}\r\n--graphql--\r\n$/)
})

test('EventSource, which sends GET, gets the events', async (t) => {
  const { url } = await startWorld(t)
  const source = new EventSource(`${url}?query=${encodeURIComponent('subscription { ticks(count: 2) }')}`)
  t.after(() => source.close())
  const got: string[] = []
  await new Promise<void>((resolve) => {
    source.addEventListener('next', (event) => got.push((event as unknown as { data: string }).data))
    source.addEventListener('complete', () => resolve())
  })
  assert.deepEqual(got, ['{"data":{"ticks":1}}', '{"data":{"ticks":2}}'])
})

test('nothing of an event is deferred', async (t) => {
  const { url, chat } = await startWorld(t)
  const query =
    'subscription ($d: Boolean = true) { messages(room: "a") { ... @defer(if: $d) { text } ...A @defer } } fragment A on Message { author { name } }'
  const stream = await readEvents(t, url, query, 'text/event-stream')
  await chat.untilOpen(1)
  chat.say('a', 'hello', '7')
  await stream.until(/"messages":\{"text":"hello","author":\{"name":"name of 7"\}\}/)
  stream.leave()
})

test('a query whose client takes nothing but events is one event', async (t) => {
  const { url } = await startWorld(t)
  const stream = await readEvents(t, url, '{ rooms }', 'text/event-stream')
  assert.match(
    await stream.rest(),
    /event: next\ndata: \{"data":\{"rooms":\["a","b"\]\}\}\n\nevent: complete\ndata:\n\n$/,
  )
})

const refusals: readonly [name: string, query: string, accept: string, status: number, message: RegExp][] = [
  ['a client that takes no stream', messages, 'application/json', 406, /text\/event-stream or multipart/],
  ['a client that takes anything', messages, '*/*', 406, /text\/event-stream or multipart/],
  [
    'a document that is not valid',
    'subscription { nothing }',
    'text/event-stream',
    400,
    /Cannot query field/,
  ],
  [
    'two fields (GraphQL specification, section 5.2.3.1)',
    'subscription { fails maybe { text } }',
    'text/event-stream',
    400,
    /must select only one/,
  ],
]
for (const [name, query, accept, status, message] of refusals) {
  test(`${name} is refused by status ${status}, before anything begins`, async (t) => {
    const { url, chat } = await startWorld(t)
    const { response, rest } = await readEvents(t, url, query, accept)
    assert.equal(response.status, status)
    assert.match(
      (JSON.parse(await rest()) as { errors: { message: string }[] }).errors[0]?.message ?? '',
      message,
    )
    assert.equal(chat.handshakes.length, 0)
  })
}

test('a silent stream shows that it lives', async (t) => {
  const { url } = await startWorld(t, { graphql: { subscriptions: { heartbeat: '1s' } } })
  const events = await readEvents(t, url, messages, 'text/event-stream')
  await events.until(/^:\n\n:\n\n/)
  const parts = await readEvents(t, url, messages, 'multipart/mixed;subscriptionSpec=1.0')
  await parts.until(/\{\}\r\n--graphql$/)
})
