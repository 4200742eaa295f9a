import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createServer, type TLSSocket } from 'node:tls'
import { makeAuthority } from '../../../certificates.ts'
import { Peer } from './peer.ts'
import { startWorld } from './world.ts'

const authority = makeAuthority()
const pair = authority.issue(['chat.test'])
const query = 'subscription { messages(room: "a") { text author { name } } }'

/** TLS before a port; what comes out of it goes there. */
async function secured(
  t: TestContext,
  port: () => number,
): Promise<{ url: string; names: (string | false)[] }> {
  const names: (string | false)[] = []
  const open = new Set<TLSSocket>()
  const server = createServer(pair, (socket) => {
    names.push(socket.servername ?? false)
    open.add(socket)
    const inner = connect(port(), '127.0.0.1')
    socket.pipe(inner).pipe(socket)
    for (const end of [socket, inner]) {
      end.on('error', () => {})
      end.on('close', () => {
        socket.destroy()
        inner.destroy()
      })
    }
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, names }
}

for (const protocol of ['ws', 'sse'] as const) {
  test(`events come from a subgraph over TLS, by ${protocol}`, async (t) => {
    let port = 0
    const tls = await secured(t, () => port)
    const { url, chat } = await startWorld(t, {
      upstream: { targets: [{ url: tls.url }], tls: { ca: authority.cert, serverName: 'chat.test' } },
      subscription: { protocol },
    })
    port = chat.port
    const peer = await Peer.connect(t, url)
    peer.subscribe('1', query)
    await chat.untilOpen(1)
    chat.say('a', 'secret')
    assert.match(JSON.stringify(await peer.read()), /"text":"secret".*"name of 1"/)
    assert.deepEqual([...new Set(tls.names)], ['chat.test'])
  })

  test(`a certificate of another authority is refused, by ${protocol}`, async (t) => {
    let port = 0
    const tls = await secured(t, () => port)
    const { url, chat } = await startWorld(t, {
      upstream: {
        targets: [{ url: tls.url }],
        tls: { ca: makeAuthority('a stranger').cert, serverName: 'chat.test' },
      },
      subscription: { protocol },
      graphql: { subscriptions: { reconnects: 0 } },
    })
    port = chat.port
    const peer = await Peer.connect(t, url)
    peer.subscribe('1', query)
    const { type, payload } = (await peer.read()) as {
      type: string
      payload: { extensions: { reason: string } }[]
    }
    assert.equal(type, 'error')
    assert.match(payload[0]?.extensions.reason ?? '', /^UPSTREAM_TLS$/)
    assert.deepEqual([chat.handshakes.length, tls.names.length], [0, 0])
  })
}
