import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { createClient } from 'graphql-ws'
import { SignJWT } from 'jose'
import { WebSocket } from 'ws'
import { createApiKey, hashApiKey } from '../../../../src/plugins/identity/api-key.ts'
import { Peer, readEvents } from './peer.ts'
import { startWorld } from './world.ts'

const issuer = 'https://id.example'
const secret = 'a secret that has thirty-two bytes and more'
const key = createApiKey('test')
const query = 'subscription { messages(room: "a") { text } }'

function tokenOf(claims: object = {}): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + 600
  return new SignJWT({ iss: issuer, aud: 'api', sub: 'ann', exp, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

const auth = { jwt: [{ issuer, audience: 'api', algorithms: ['HS256'], secret }] }
const consumers = [{ id: 'acme', keys: [{ hash: hashApiKey(key) }] }]

function worldOf({ webSocket = {}, subscriptions = {}, plugins = [] as object[], auth: own = {} } = {}) {
  return {
    graphql: { auth: 'required', plugins, subscriptions: { ...subscriptions, webSocket } },
    more: { auth: { ...auth, ...own }, consumers },
  }
}

test('who has no credentials gets no WebSocket and no stream', async (t) => {
  const { url, chat } = await startWorld(t, worldOf())
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws')
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
  assert.equal(answer.statusCode, 401)
  const { response } = await readEvents(t, url, query, 'text/event-stream')
  assert.equal(response.status, 401)
  assert.equal(chat.handshakes.length, 0)
})

test('the subgraph hears who subscribes, and nobody shares the subscription of somebody else', async (t) => {
  const { url, chat } = await startWorld(t, worldOf())
  const ann = await Peer.connect(t, url, { headers: { authorization: `Bearer ${await tokenOf()}` } })
  const bob = await Peer.connect(t, url, {
    headers: { authorization: `Bearer ${await tokenOf({ sub: 'bob' })}` },
  })
  ann.subscribe('1', query)
  ann.subscribe('2', query)
  bob.subscribe('1', query)
  await ann.roundTrip()
  await bob.roundTrip()
  await chat.untilOpen(2)
  assert.deepEqual(chat.handshakes.map((headers) => headers['x-user-id']).sort(), ['ann', 'bob'])
  assert.deepEqual(
    chat.handshakes.map((headers) => headers.authorization),
    [undefined, undefined],
  )
})

test('callers of different hosts share nothing: a subgraph may have another tenant at each', async (t) => {
  const { url, chat } = await startWorld(t)
  for (const host of ['a.example', 'b.example']) {
    const peer = await Peer.connect(t, url, { headers: { host } })
    peer.subscribe('1', query)
    await peer.roundTrip()
  }
  await chat.untilOpen(2)
  assert.deepEqual(chat.handshakes.map((headers) => headers['x-forwarded-host']).sort(), [
    'a.example',
    'b.example',
  ])
})

test('credentials in connection_init count where that is configured, and only there', async (t) => {
  const { url, chat } = await startWorld(t, worldOf({ webSocket: { connectionParams: true } }))
  const token = await tokenOf()
  const payloads = [
    { Authorization: `Bearer ${token}` },
    { headers: { authorization: `Bearer ${token}` } },
    { 'X-API-Key': key, Other: 1, Cookie: 'a=b' },
  ]
  for (const connectionParams of payloads) {
    const client = createClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams,
    })
    const { value } = await client.iterate({ query: 'subscription { ticks(count: 1) }' }).next()
    assert.deepEqual(value, { data: { ticks: 1 } })
    await client.dispose()
  }
  assert.deepEqual(
    chat.handshakes.map((headers) => headers['x-user-id']),
    ['ann', 'ann', 'acme'],
  )
  assert.deepEqual(
    chat.handshakes.map((headers) => headers.cookie),
    [undefined, undefined, undefined],
  )
})

const refused: readonly [name: string, payload: () => Promise<unknown>, code: number][] = [
  ['no credentials', async () => undefined, 4401],
  ['a payload without any', async () => ({ user: 'ann' }), 4401],
  [
    'a token by another key',
    async () => ({ authorization: 'Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.AAAA' }),
    4401,
  ],
  [
    'an expired token, of which clients may get a new one',
    async () => ({ authorization: `Bearer ${await tokenOf({ exp: 1_000 })}` }),
    4403,
  ],
  ['a key that is none', async () => ({ 'x-api-key': 'guess' }), 4401],
  [
    'one header in two spellings',
    async () => ({ authorization: 'Bearer x', Authorization: 'Bearer y' }),
    4400,
  ],
  ['a header with a line break', async () => ({ 'x-api-key': 'a\r\nx-user-id: root' }), 4400],
  ['a header that is no text', async () => ({ 'x-api-key': { a: 1 } }), 4400],
  ['a header without end', async () => ({ 'x-api-key': 'x'.repeat(8_193) }), 4400],
]
for (const [name, payload, code] of refused) {
  test(`${name} in connection_init closes with ${code}`, async (t) => {
    const { url, chat } = await startWorld(t, worldOf({ webSocket: { connectionParams: true } }))
    const peer = await Peer.open(t, url)
    peer.send({ type: 'connection_init', payload: await payload() })
    assert.equal((await peer.closed)[0], code)
    assert.equal(chat.handshakes.length, 0)
  })
}

test('a handshake and a connection_init that say different things are refused', async (t) => {
  const { url } = await startWorld(t, worldOf({ webSocket: { connectionParams: true } }))
  const headers = { authorization: `Bearer ${await tokenOf()}` }
  const peer = await Peer.open(t, url, { headers })
  peer.send({
    type: 'connection_init',
    payload: { authorization: `Bearer ${await tokenOf({ sub: 'bob' })}` },
  })
  assert.equal((await peer.closed)[0], 4400)
})

test('what clients say in connection_init is not believed where that is not configured', async (t) => {
  const { url, chat } = await startWorld(t, { ...worldOf(), graphql: { auth: 'optional' } })
  const peer = await Peer.open(t, url)
  peer.send({ type: 'connection_init', payload: { 'x-api-key': key } })
  assert.deepEqual(await peer.read(), { type: 'connection_ack' })
  peer.subscribe('1', 'subscription { ticks(count: 1) }')
  await peer.read()
  assert.equal(chat.handshakes[0]?.['x-user-id'], undefined)
})

for (const way of ['handshake', 'connection_init'] as const) {
  test(`a revocation ends the WebSocket of its caller, known by ${way}, and the stream`, async (t) => {
    const { gateway, url, chat } = await startWorld(
      t,
      worldOf({ webSocket: { connectionParams: way === 'connection_init' } }),
    )
    const authorization = `Bearer ${await tokenOf()}`
    const peer = await Peer.open(t, url, way === 'handshake' ? { headers: { authorization } } : {})
    peer.send({ type: 'connection_init', ...(way === 'handshake' ? {} : { payload: { authorization } }) })
    await peer.read()
    peer.subscribe('1', query)
    const stream = await readEvents(t, url, query, 'text/event-stream', { authorization })
    await chat.untilOpen(1)
    await gateway.gateway.identity.revocations.revoke({ sub: 'ann', issuer })
    const [code] = await peer.closed
    assert.equal(code, 4401)
    assert.match(await stream.rest(), /"reason":"TOKEN_REVOKED"[\s\S]*event: complete/)
    await chat.untilOpen(0)
  })
}

test('a token that expires ends its WebSocket with 4403, after which clients come with another', async (t) => {
  const { url, chat } = await startWorld(t, worldOf({ auth: { revocation: { endStreamsAtExpiry: true } } }))
  const exp = Math.floor(Date.now() / 1_000) + 3
  const peer = await Peer.connect(t, url, { headers: { authorization: `Bearer ${await tokenOf({ exp })}` } })
  peer.subscribe('1', query)
  await chat.untilOpen(1)
  assert.equal((await peer.closed)[0], 4403)
})

test('each operation of a WebSocket counts at the limits of the endpoint, and each event where that is configured', async (t) => {
  const plugins = [{ rateLimit: { name: 'ops', limit: 4, window: '1h', by: 'user', cost: 'operation' } }]
  const { url, chat } = await startWorld(t, worldOf({ plugins, subscriptions: { chargeEvents: true } }))
  const peer = await Peer.connect(t, url, { headers: { authorization: `Bearer ${await tokenOf()}` } })
  // The handshake is 1, the operation another.
  peer.subscribe('1', query)
  await chat.untilOpen(1)
  chat.say('a', 'one')
  chat.say('a', 'two')
  chat.say('a', 'three')
  const told: unknown[] = []
  for (;;) {
    const message = (await peer.read()) as { type: string; payload: { extensions: { reason: string } }[] }
    told.push(message.type)
    if (message.type !== 'error') continue
    assert.equal(message.payload[0]?.extensions.reason, 'RATE_LIMITED')
    break
  }
  assert.ok(told.length >= 2 && told.length <= 3, told.join())
  await chat.untilOpen(0)
})

test('a field that the caller may not have is null in each event; a subscription to one is refused', async (t) => {
  const { url, asked } = await startWorld(t, { ...worldOf(), graphql: { auth: 'optional' } })
  const peer = await Peer.connect(t, url)
  peer.subscribe('1', 'subscription { maybe { author { name email } } }')
  const events = [await peer.read(), await peer.read(), await peer.read()] as {
    type: string
    payload: { data: unknown; errors?: { path: unknown }[] }
  }[]
  assert.deepEqual(
    events.map(({ type }) => type),
    ['next', 'next', 'complete'],
  )
  assert.deepEqual(events[1]?.payload.data, { maybe: { author: { name: 'name of 3', email: null } } })
  asked.length = 0
  peer.subscribe('2', 'subscription { secrets { text } }')
  const refused = (await peer.read()) as { type: string; payload: { extensions: { reason: string } }[] }
  assert.deepEqual([refused.type, refused.payload[0]?.extensions.reason], ['error', 'NO_CREDENTIALS'])
  peer.subscribe('3', 'subscription { ticks(count: 1) @skip(if: true) }')
  const nothing = (await peer.read()) as { type: string; payload: { extensions: { reason: string } }[] }
  assert.deepEqual(
    [nothing.type, nothing.payload[0]?.extensions.reason],
    ['error', 'GRAPHQL_VALIDATION_FAILED'],
  )
})
