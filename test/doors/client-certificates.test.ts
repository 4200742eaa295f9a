import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { connect } from 'node:http2'
import { request } from 'node:https'
import { describe, type TestContext, test } from 'node:test'
import { SignJWT } from 'jose'
import { alternativeNames } from '../../src/listener/client-certificate.ts'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { type Issued, makeAuthority } from '../certificates.ts'
import { askHttp2 } from '../listener/http2-client.ts'
import { startGateway, type TestGateway } from '../world.ts'
import { type Door, doors } from './door.ts'

const issuer = 'https://id.example'
const secret = 'a secret that has thirty-two bytes and more'
const key = createApiKey('test')
const authority = makeAuthority()
const server = authority.issue(['localhost', 'IP:127.0.0.1'])
const bySubject = authority.issue(['billing.internal'], { subject: '/O=Shop/CN=billing' })
const byName = authority.issue(['URI:spiffe://shop/orders'], { subject: '/CN=orders' })
const byPrint = authority.issue(['exact.internal'])
const unknown = authority.issue(['unknown.internal'], { subject: '/CN=unknown' })
const printOf = ({ cert }: Issued): string => new X509Certificate(cert).fingerprint256

const consumers = [
  { id: 'billing', certificates: [{ subject: 'CN=billing, O=Shop' }] },
  { id: 'orders', roles: ['writer'], certificates: [{ san: 'uri:spiffe://shop/orders' }] },
  { id: 'exact', certificates: [{ fingerprint: printOf(byPrint) }], keys: [{ hash: hashApiKey(key) }] },
]
const auth = { jwt: [{ issuer, audience: 'api', algorithms: ['HS256'], secret }] }

async function open(t: TestContext, config: object): Promise<TestGateway> {
  const tls = { listen: '127.0.0.1:0', ...server, clientAuth: 'request', clientCa: authority.cert }
  return await startGateway(t, { server: { listen: '127.0.0.1:0', tls }, auth, consumers, ...config })
}

interface Asked {
  readonly client?: Issued | undefined
  readonly headers?: Readonly<Record<string, string>>
}

interface Way {
  readonly name: string
  readonly door: string
  ask(t: TestContext, node: TestGateway, asked: Asked): Promise<{ status: number; grpcStatus?: string }>
}

const method = '/doors.v1.Users/GetUser'
const frame = Uint8Array.of(0, 0, 0, 0, 4, 0x0a, 2, 0x34, 0x32)
const graphql = Buffer.from('{"query":"{ me { id } }"}')

function overHttp1(path: string): Way['ask'] {
  return (_, { gateway }, { client, headers }) =>
    new Promise((resolve, reject) => {
      const url = `${gateway.tlsUrl}${path}`
      const sent = request(url, { ca: authority.cert, agent: false, ...client, headers }, (reply) => {
        reply.resume().on('end', () => resolve({ status: reply.statusCode ?? 0 }))
      })
      sent.on('error', reject).end()
    })
}

function overHttp2(head: Record<string, string>, body?: Uint8Array): Way['ask'] {
  return async (t, { gateway }, { client, headers }) => {
    const session = connect(String(gateway.tlsUrl), { ca: authority.cert, ...client })
    t.after(() => session.destroy())
    const reply = await askHttp2(session, { ...head, ...headers }, body)
    session.close()
    return {
      status: reply.status,
      grpcStatus: String(reply.trailers['grpc-status'] ?? reply.headers['grpc-status']),
    }
  }
}

const ways: readonly Way[] = [
  { name: 'REST over HTTP/1.1', door: 'rest', ask: overHttp1('/v1/users/42') },
  { name: 'REST over HTTP/2', door: 'rest', ask: overHttp2({ ':path': '/v1/users/42' }) },
  {
    name: 'GraphQL over HTTP/2',
    door: 'graphql',
    ask: overHttp2({ ':method': 'POST', ':path': '/graphql', 'content-type': 'application/json' }, graphql),
  },
  { name: 'REST for gRPC over HTTP/1.1', door: 'grpc', ask: overHttp1('/v1/grpc/users/42') },
  {
    name: 'gRPC over HTTP/2',
    door: 'grpc',
    ask: overHttp2(
      { ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers' },
      frame,
    ),
  },
]

const refused = ({ status, grpcStatus }: { status: number; grpcStatus?: string }): boolean =>
  status === 401 || grpcStatus === '16'

for (const { name, door, ask } of ways) {
  describe(`client certificates: ${name}`, () => {
    const start = async (t: TestContext) => {
      const backend = await (doors.find((one) => one.name === door) as Door).start(t)
      const node = await open(t, backend.config({ auth: 'required' }))
      return { node, backend, last: () => backend.seen.at(-1) ?? {} }
    }

    test('say who it is, by subject, name or fingerprint; one of nobody says nothing', async (t) => {
      const { node, backend, last } = await start(t)
      for (const [client, id] of [
        [bySubject, 'billing'],
        [byName, 'orders'],
        [byPrint, 'exact'],
      ] as const) {
        const reply = await ask(t, node, { client, headers: { 'x-user-id': 'evil' } })
        assert.equal(reply.status, 200)
        assert.deepEqual([last()['x-user-id'], last()['x-consumer']], [id, id])
      }
      const told = backend.seen.length
      for (const client of [unknown, undefined]) assert.ok(refused(await ask(t, node, { client })))
      // What a proxy would say of a certificate is no certificate.
      const said = {
        'client-cert': `:${Buffer.from(bySubject.cert).toString('base64')}:`,
        'x-forwarded-client-cert': 'Subject="CN=billing, O=Shop"',
      }
      assert.ok(refused(await ask(t, node, { headers: said })))
      assert.equal(backend.seen.length, told)
    })

    test('a key decides over a certificate, and both must be good', async (t) => {
      const { node, last } = await start(t)
      assert.equal((await ask(t, node, { client: bySubject, headers: { 'x-api-key': key } })).status, 200)
      assert.equal(last()['x-user-id'], 'exact')
      assert.ok(refused(await ask(t, node, { client: bySubject, headers: { 'x-api-key': `${key}x` } })))
    })

    test('one that is revoked is refused, by its fingerprint and by its consumer', async (t) => {
      const { node } = await start(t)
      const { revocations } = node.gateway.identity
      const certificate = printOf(byName).replaceAll(':', '').toLowerCase()
      for (const what of [{ certificate }, { consumer: 'orders' }]) {
        assert.equal((await ask(t, node, { client: byName })).status, 200)
        await revocations.revoke(what)
        assert.ok(refused(await ask(t, node, { client: byName })))
        await revocations.lift(what)
      }
    })

    test('a token that is bound to one is good with that one only (RFC 8705 section 3)', async (t) => {
      const { node, backend, last } = await start(t)
      const bound = Buffer.from(printOf(unknown).replaceAll(':', ''), 'hex').toString('base64url')
      const tokenOf = (cnf: unknown) =>
        new SignJWT({ iss: issuer, aud: 'api', sub: 'ann', exp: Math.floor(Date.now() / 1_000) + 300, cnf })
          .setProtectedHeader({ alg: 'HS256' })
          .sign(new TextEncoder().encode(secret))
      const headers = { authorization: `Bearer ${await tokenOf({ 'x5t#S256': bound })}` }
      assert.equal((await ask(t, node, { client: unknown, headers })).status, 200)
      assert.equal(last()['x-user-id'], 'ann')
      const told = backend.seen.length
      // Also when it was verified before, on the right connection.
      for (const client of [undefined, bySubject, byName])
        assert.ok(refused(await ask(t, node, { client, headers })))
      for (const cnf of [{}, 'x', null, { jkt: 'x' }, { 'x5t#S256': 7 }, { 'x5t#S256': '' }]) {
        const other = { authorization: `Bearer ${await tokenOf(cnf)}` }
        assert.ok(refused(await ask(t, node, { client: unknown, headers: other })), JSON.stringify(cnf))
      }
      assert.equal(backend.seen.length, told)
    })
  })
}

test('a bound token is refused in cleartext, where nobody can show a certificate', async (t) => {
  const backend = await (doors.find(({ name }) => name === 'rest') as Door).start(t)
  const { url } = await open(t, backend.config({ auth: 'optional' }))
  const cnf = { 'x5t#S256': Buffer.from(printOf(unknown).replaceAll(':', ''), 'hex').toString('base64url') }
  const token = await new SignJWT({
    iss: issuer,
    aud: 'api',
    sub: 'ann',
    exp: Math.floor(Date.now() / 1_000) + 300,
    cnf,
  })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
  assert.equal((await backend.ask(url, { Authorization: `Bearer ${token}` })).status, 401)
})

// CVE-2021-44532 and CVE-2021-44533: names that read like several.
const hostile: readonly (readonly [string, readonly string[]])[] = [
  [
    'DNS:a.example, URI:spiffe://b, email:c@d.example, IP Address:10.0.0.7',
    ['dns:a.example', 'uri:spiffe://b', 'email:c@d.example', 'ip:10.0.0.7'],
  ],
  ['DNS:"a.example, URI:spiffe://admin"', ['dns:a.example, uri:spiffe://admin']],
  ['URI:"spiffe://a\\", URI:\\"spiffe://admin"', ['uri:spiffe://a", URI:"spiffe://admin']],
  ['othername:<unsupported>, DNS:A.Example', ['dns:a.example']],
  ['', []],
]
for (const [text, names] of hostile) {
  test(`the names of "${text}" are ${JSON.stringify(names)}`, () =>
    assert.deepEqual(alternativeNames(text), names))
}

test('a certificate whose name has a comma is not the one that it reads like', async (t) => {
  const backend = await (doors.find(({ name }) => name === 'rest') as Door).start(t)
  const node = await open(t, backend.config({ auth: 'required' }))
  const tricks = [
    authority.issue(['x.internal'], { subject: '/CN=billing, O=Shop' }),
    authority.issue(['x.internal'], { subject: '/O=Shop\\/CN=billing' }),
    authority.issue(['URI:spiffe://shop/orders/more'], { subject: '/CN=x' }),
    authority.issue(['URI:spiffe://SHOP/orders'], { subject: '/CN=x' }),
  ]
  for (const client of tricks) {
    const reply = await ways[0]?.ask(t, node, { client })
    assert.equal(reply?.status, 401, new X509Certificate(client.cert).subject)
  }
  assert.equal(backend.seen.length, 0)
})

const mistakes: readonly (readonly [string, object, RegExp])[] = [
  [
    'nobody is asked for a certificate',
    { consumers },
    /consumers\[0\]\.certificates.*needs server\.tls\.clientAuth/,
  ],
  [
    'a fingerprint that is none',
    { consumers: [{ id: 'a', certificates: [{ fingerprint: 'ab' }] }] },
    /64 hexadecimal digits/,
  ],
]
for (const [name, config, message] of mistakes) {
  test(`the configuration is refused: ${name}`, (t) => assert.rejects(startGateway(t, config), message))
}
test('the configuration is refused: two consumers with one certificate', async (t) => {
  const certificates = [{ san: 'dns:a.example' }]
  const two = [
    { id: 'a', certificates },
    { id: 'b', certificates: [{ san: 'DNS:A.example' }] },
  ]
  await assert.rejects(open(t, { consumers: two }), /consumers\[1\]\.certificates\[0\].*another consumer/)
})
