import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { WebSocket } from 'ws'
import { Peer } from './peer.ts'
import { startWorld } from './world.ts'

const cookie = 'session=of-the-victim'
const query = 'subscription { ticks(count: 1) }'
const graphql = { headers: { request: { forward: ['cookie'] } } }
const bare = { graphql }
const cors = { allowOrigins: ['https://app.example'], allowCredentials: true }
const withCors = { graphql: { ...graphql, plugins: [{ cors }] } }

// RFC 6455 section 10.2 and "Cross-site WebSocket hijacking": browsers open WebSockets for every page, with cookies, and let it read the answers.
describe('a WebSocket with cookies', () => {
  const refused: readonly [name: string, headers: Record<string, string>][] = [
    ['a page of another site', { origin: 'https://evil.example' }],
    ['a page of a site beside this one', { origin: 'https://evil.example', 'sec-fetch-site': 'same-site' }],
    ['a page that hides where it is from', { origin: 'null' }],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }],
  ]
  for (const [name, headers] of refused) {
    it(`is refused to ${name}`, async (t) => {
      for (const config of [bare, withCors]) {
        const { url, chat } = await startWorld(t, config)
        const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', {
          headers: { cookie, ...headers },
        })
        const answered = Promise.race([once(socket, 'unexpected-response'), once(socket, 'open')])
        const [, answer] = (await answered) as [unknown, { statusCode: number } | undefined]
        socket.on('error', () => {}).terminate()
        assert.equal(answer?.statusCode, 403)
        assert.equal(chat.handshakes.length, 0)
      }
    })
  }

  const passes: readonly [name: string, world: object, headers: (url: string) => Record<string, string>][] = [
    ['a page of this origin', bare, (url) => ({ origin: new URL(url).origin })],
    ['a client that is no browser', bare, () => ({})],
    [
      'a browser that says that it is the same origin, behind a proxy that changes Host',
      bare,
      () => ({ origin: 'https://shown.example', 'sec-fetch-site': 'same-origin' }),
    ],
    ['a page that cors allows', withCors, () => ({ origin: 'https://app.example' })],
  ]
  for (const [name, world, headers] of passes) {
    it(`is there for ${name}`, async (t) => {
      const { url, chat } = await startWorld(t, world)
      const peer = await Peer.connect(t, url, { headers: { cookie, ...headers(url) } })
      peer.subscribe('1', query)
      assert.deepEqual(await peer.read(), { id: '1', type: 'next', payload: { data: { ticks: 1 } } })
      assert.equal(chat.handshakes.at(-1)?.cookie, cookie)
    })
  }

  it('is not what a page of another site needs that has none: who may ask at all is for others to say', async (t) => {
    const { url } = await startWorld(t, bare)
    const peer = await Peer.connect(t, url, { headers: { origin: 'https://evil.example' } })
    peer.subscribe('1', query)
    assert.deepEqual(await peer.read(), { id: '1', type: 'next', payload: { data: { ticks: 1 } } })
  })
})
