import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { startKeyServer } from '../plugins/key-server.ts'
import {
  attackedIssuers,
  evilKeys,
  genuine,
  genuineOfPartner,
  tokenAttacks,
} from '../plugins/token-attacks.ts'
import { rawExchange, startBackend, startGateway } from '../world.ts'
import { everyDoor } from './grpc-doors.ts'

for (const door of everyDoor) {
  describe(`tokens at the ${door.name} door`, () => {
    test('every attack is refused with 401 JWT_INVALID, and no backend hears of it', async (t) => {
      const backend = await door.start(t)
      const evil = await startKeyServer(evilKeys)
      t.after(() => evil.close())
      const { url } = await startGateway(t, {
        auth: { jwt: attackedIssuers },
        ...backend.config({ auth: 'optional' }),
      })
      for (const { name, authorization } of tokenAttacks) {
        const reply = await backend.ask(url, { Authorization: await authorization(evil.uri) })
        const body = await reply.text()
        assert.equal(reply.status, 401, `${name}: ${body}`)
        assert.equal(backend.reason(body), 'JWT_INVALID', name)
        assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer .*error="invalid_token"/, name)
      }
      assert.equal(backend.seen.length, 0)
      assert.equal(evil.fetches, 0)
      const good = await backend.ask(url, { Authorization: `Bearer ${await genuine()}` })
      assert.equal(good.status, 200, await good.text())
      assert.equal(backend.seen[0]?.['x-user-id'], 'ann')
    })

    test('equal subjects of two issuers are two users, to limits and to the backend', async (t) => {
      const backend = await door.start(t)
      const { url } = await startGateway(t, {
        auth: { jwt: attackedIssuers },
        ...backend.config({ plugins: [{ rateLimit: { limit: 1, window: '1h', by: 'user' } }] }),
      })
      const statuses: number[] = []
      for (const token of [genuine(), genuine({ jti: 'another' }), genuineOfPartner()]) {
        const reply = await backend.ask(url, { Authorization: `Bearer ${await token}` })
        await reply.text()
        statuses.push(reply.status)
      }
      assert.deepEqual(statuses, [200, 429, 200])
      assert.deepEqual(
        backend.seen.map((told) => [told['x-user-id'], told['x-user-issuer']]),
        [
          ['ann', 'https://id.example'],
          ['ann', 'https://partner.example'],
        ],
      )
    })

    test('a token in the query, a cookie or another header is none', async (t) => {
      const backend = await door.start(t)
      const { url } = await startGateway(t, {
        auth: { jwt: attackedIssuers },
        ...backend.config({ auth: 'required' }),
      })
      const token = await genuine()
      for (const headers of [
        { Cookie: `access_token=${token}; token=${token}; Authorization=Bearer ${token}` },
        { 'Proxy-Authorization': `Bearer ${token}` },
        { 'X-Authorization': `Bearer ${token}`, 'X-Access-Token': token },
      ]) {
        const reply = await backend.ask(url, headers)
        assert.equal(backend.reason(await reply.text()), 'NO_CREDENTIALS', JSON.stringify(headers))
      }
    })
  })

  // That over HTTP/2 is in its own test below.
  if (door.name.includes('HTTP/2')) continue
  test(`two Authorization headers are refused, in any order and spelling, at the ${door.name} door`, async (t) => {
    const backend = await door.start(t)
    const { port } = await startGateway(t, {
      auth: { jwt: attackedIssuers },
      ...backend.config({ auth: 'optional' }),
    })
    const good = `Authorization: Bearer ${await genuine()}\r\n`
    const { method, path } = backend.target
    for (const headers of [
      good + good,
      `${good}authorization: Bearer junk\r\n`,
      `AUTHORIZATION: Bearer junk\r\n${good}`,
      `${good}Authorization: Basic eDp5\r\n`,
      `${good}Authorization:\r\n`,
    ]) {
      const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n`
      const answer = await rawExchange(port, `${head}${headers}\r\n`)
      assert.match(answer, /^HTTP\/1\.1 400 /, headers)
    }
    assert.equal(backend.seen.length, 0)
  })
}

test('two Authorization headers are refused over HTTP/2', async (t) => {
  const backend = await startBackend(t)
  const { port } = await startGateway(t, {
    auth: { jwt: attackedIssuers },
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'one', path: '/one', upstream: 'backend', auth: 'none' }],
  })
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(frame(4, 0, Buffer.alloc(0)))
  const fields = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':authority', 'x'],
    [':path', '/one'],
    ['authorization', 'Basic eDp5'],
    ['authorization', 'Bearer junk'],
  ].flatMap(([name = '', value = '']) => [
    Buffer.from([0, name.length]),
    name,
    Buffer.from([value.length]),
    value,
  ])
  socket.write(frame(1, 5, Buffer.concat(fields.map((field) => Buffer.from(field as string)))))
  const reply = await headersOf(socket)
  // `:status: 400` in the static table of RFC 7541 appendix A.
  assert.equal(reply[0], 0x80 | 12, reply.toString('latin1'))
  assert.equal(backend.requests.length, 0)
})

/** A frame of RFC 9113 section 4.1, on stream 1 unless it is SETTINGS; flags 5: END_STREAM and END_HEADERS. */
function frame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.from([0, 0, 0, type, flags, 0, 0, 0, type === 4 ? 0 : 1])
  head.writeUIntBE(payload.length, 0, 3)
  return Buffer.concat([head, payload])
}

/** The payload of the first HEADERS frame that comes; rejects when the stream is reset or the connection ends before. */
async function headersOf(socket: Socket): Promise<Buffer> {
  let bytes = Buffer.alloc(0)
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk])
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const end = 9 + bytes.readUIntBE(0, 3)
      if (bytes[3] === 1) return bytes.subarray(9, end)
      if (bytes[3] === 3) throw new Error(`reset with code ${bytes.readUInt32BE(9)}`)
      bytes = bytes.subarray(end)
    }
  }
  throw new Error('the connection ended without an answer')
}
