import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBackend } from '../../../world.ts'
import { Peer } from '../subscriptions/peer.ts'
import { startWorld } from '../subscriptions/world.ts'
import { v } from './harness.ts'

const query = 'subscription { messages(room: "a") { text author { id name } } }'

test('events are completed through a service without a GraphQL server, which may fail for one of them', async (t) => {
  let broken = false
  const people = await startBackend(t, (req, res) => {
    if (broken) return res.writeHead(500).end()
    const ids = new URL(req.url ?? '', 'http://x').searchParams.get('ids')?.split(',') ?? []
    const found = ids.map((id) => ({ id, name: `name of ${id}` }))
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ found }))
  })
  const { url, chat, gateway } = await startWorld(t, {
    graphql: {
      subgraphs: {
        chat: { upstream: 'chat', schema: 'test/front-ends/graphql/subscriptions/chat.graphql' },
        people: {
          upstream: 'service',
          schema: 'test/front-ends/graphql/subscriptions/people.graphql',
          resolvers: {
            'Query.person': { rest: { path: `/people/${v('args.id')}` } },
            User: { rest: { path: '/people', query: { ids: v('batch.id') } }, at: 'found', match: 'id' },
          },
        },
      },
    },
    upstreams: { service: { targets: [{ url: people.url }] } },
  })
  const peer = await Peer.connect(t, url)
  peer.subscribe('1', query)
  await chat.untilOpen(1)
  chat.say('a', 'one', '7')
  const author = { id: '7', name: 'name of 7' }
  assert.deepEqual(await peer.read(), {
    id: '1',
    type: 'next',
    payload: { data: { messages: { text: 'one', author } } },
  })
  broken = true
  chat.say('a', 'two', '7')
  const { payload } = (await peer.read()) as {
    payload: { data: unknown; errors: { path: unknown; extensions: { reason: string } }[] }
  }
  assert.equal(payload.data, null)
  assert.deepEqual(payload.errors[0]?.path, ['messages', 'author'])
  broken = false
  chat.say('a', 'three', '8')
  assert.match(JSON.stringify(await peer.read()), /"name of 8"/)
  assert.equal(people.requests.length, 3)
  assert.ok(gateway.logs.every(({ level }) => level !== 'fatal'))
})
