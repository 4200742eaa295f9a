import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from './world.ts'

type Headers = Readonly<Record<string, string>>
interface Passage {
  readonly rule: string
  readonly sent: Headers
  /** Metadata that the backend must have got; undefined: must not have. */
  readonly got: Readonly<Record<string, string | undefined>>
}

const always: readonly Passage[] = [
  {
    rule: 'what is not listed',
    sent: { 'x-other': '1', 'accept-language': 'de' },
    got: { 'x-other': undefined, 'accept-language': undefined },
  },
  {
    rule: 'identity',
    sent: { 'x-user-id': 'eve', 'x-consumer': 'eve' },
    got: { 'x-user-id': undefined, 'x-consumer': undefined },
  },
  {
    rule: 'identity by a spelling that some servers fold: the listener refuses it',
    sent: { 'grpc-metadata-x_user-id': 'eve' },
    got: { x_user_id: undefined, 'x-user-id': undefined },
  },
  {
    rule: 'identity by prefix',
    sent: { 'grpc-metadata-x-user-role': 'admin' },
    got: { 'x-user-role': undefined },
  },
  {
    rule: 'credentials',
    sent: { authorization: 'Basic a', cookie: 'a=b', 'x-api-key': 'k' },
    got: { authorization: undefined, cookie: undefined, 'x-api-key': undefined },
  },
  {
    rule: 'credentials by prefix',
    sent: { 'grpc-metadata-authorization': 'Basic a', 'grpc-metadata-cookie': 'a=b' },
    got: { authorization: undefined, cookie: undefined },
  },
  {
    rule: 'hop-by-hop (RFC 9110 7.6.1)',
    sent: { te: 'trailers', 'keep-alive': '5', 'grpc-metadata-connection': 'x' },
    got: { 'keep-alive': undefined, connection: undefined },
  },
  {
    rule: 'reserved by gRPC (PROTOCOL-HTTP2)',
    sent: { 'grpc-status': '0', 'grpc-metadata-grpc-status': '0' },
    got: { 'grpc-status': undefined },
  },
  {
    rule: 'of the wire',
    sent: { 'grpc-metadata-content-type': 'a/b', 'grpc-metadata-host': 'evil' },
    got: { host: undefined },
  },
]

const byDefault: readonly Passage[] = [
  { rule: 'grpc-gateway: Grpc-Metadata-*', sent: { 'Grpc-Metadata-X-Shelf': '7' }, got: { 'x-shelf': '7' } },
]
const listed: readonly Passage[] = [
  { rule: 'by name', sent: { 'X-Tenant': 'acme' }, got: { 'x-tenant': 'acme' } },
  {
    rule: 'by prefix',
    sent: { 'x-shop-one': '1', 'x-shop-': '0', 'x-sho': '2' },
    got: { 'x-shop-one': '1', 'x-shop-': '0', 'x-sho': undefined },
  },
  {
    rule: 'Grpc-Metadata-* only where it is listed',
    sent: { 'grpc-metadata-x-shelf': '7' },
    got: { 'x-shelf': undefined },
  },
  {
    rule: 'identity, even when it is listed',
    sent: { 'x-user-name': 'eve' },
    got: { 'x-user-name': undefined },
  },
]
const everything: readonly Passage[] = [
  ...always.filter(({ rule }) => rule !== 'what is not listed'),
  ...byDefault,
  {
    rule: 'the header of API keys, whatever its name',
    sent: { 'x-secret': 'key', 'grpc-metadata-x-secret': 'key' },
    got: { 'x-secret': undefined },
  },
  {
    rule: 'all else',
    sent: { 'x-other': '1', 'accept-language': 'de' },
    got: { 'x-other': '1', 'accept-language': 'de' },
  },
]
const trusting: readonly Passage[] = [
  {
    rule: 'forwardCredentials',
    sent: { 'x-secret': 'key', cookie: 'a=b' },
    got: { 'x-secret': 'key', cookie: undefined },
  },
]

const keyHash = 'sha256:2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683'
const keyHeader = {
  gateway: { auth: { apiKeys: { header: 'x-secret' } }, consumers: [{ id: 'a', keys: [{ hash: keyHash }] }] },
}
const suites: readonly (readonly [
  name: string,
  service: object,
  passages: readonly Passage[],
  rest?: object,
])[] = [
  ['by default', {}, [...always, ...byDefault]],
  ['by a list', { metadata: { request: ['X-Tenant', 'x-shop-*', 'x-user-name'] } }, [...always, ...listed]],
  ['by "*"', { metadata: { request: ['*'] } }, everything, keyHeader],
  ['with forwardCredentials', { forwardCredentials: true }, trusting, keyHeader],
]
for (const [name, service, passages, rest] of suites) {
  test(`request headers that pass as metadata ${name}`, async (t) => {
    const { ask, heard } = await startWorld(t, service, rest)
    for (const { rule, sent, got } of passages) {
      await t.test(`${rule}: ${Object.keys(sent).join(', ')}`, async () => {
        const before = heard.length
        const { status, text } = await ask('GET /metadata', { headers: sent })
        if (status === 400) assert.equal(heard.length, before)
        else {
          assert.equal(status, 200, text)
          for (const [key, value] of Object.entries(got))
            assert.equal(heard.at(-1)?.metadata[key], value, key)
        }
      })
    }
  })
}

test('binary metadata, both ways (PROTOCOL-HTTP2: -bin values are base64)', async (t) => {
  const { ask, heard } = await startWorld(t)
  for (const [sent, bytes] of [
    ['AP8=', [0, 255]],
    ['AP8', [0, 255]],
    ['_-8', [255, 239]],
    ['', []],
  ] as const) {
    await t.test(`"${sent}"`, async () => {
      const answer = await ask('GET /metadata', { headers: { 'grpc-metadata-x-raw-bin': sent } })
      assert.deepEqual([...(heard.at(-1)?.metadata['x-raw-bin'] ?? [])], bytes)
      assert.equal(answer.headers['grpc-metadata-x-raw-bin'], 'AP8=')
    })
  }
  await t.test('what is no base64 is 400', async () => {
    const { status, json } = await ask('GET /metadata', { headers: { 'grpc-metadata-x-raw-bin': '%%' } })
    assert.deepEqual([status, json.code], [400, 3])
  })
})

const replies: readonly (readonly [
  rule: string,
  response: readonly string[] | undefined,
  headers: Headers,
  trailers: Headers,
])[] = [
  [
    'grpc-gateway: all, as Grpc-Metadata-* and Grpc-Trailer-*',
    undefined,
    {
      'grpc-metadata-x-cost': '7',
      'grpc-metadata-x-raw-bin': 'AP8=',
      'grpc-metadata-etag': '"1"',
      'grpc-metadata-x-user-id': 'somebody',
      'grpc-metadata-x-request-id': 'theirs',
      'grpc-metadata-x-response-time': 'theirs',
    },
    { 'grpc-trailer-x-rows': '3', 'grpc-trailer-x-sum-bin': 'AQI=' },
  ],
  ['none', [], {}, {}],
  [
    'what is written out, under its own name',
    ['X-Cost', 'etag', 'x-rows'],
    { 'x-cost': '7', etag: '"1"' },
    { 'x-rows': '3' },
  ],
  [
    'what a pattern covers, with the prefix',
    ['x-c*', 'x-s*'],
    { 'grpc-metadata-x-cost': '7' },
    { 'grpc-trailer-x-sum-bin': 'AQI=' },
  ],
  [
    'what the gateway itself says is never replaced',
    ['x-request-id', 'x-response-time', 'x-user-id'],
    {},
    {},
  ],
]
const named = /^(grpc-|x-cost|x-raw|x-rows|x-sum|x-user|x-response|etag)/
const ofMetadata = (pairs: object): object =>
  Object.fromEntries(Object.entries(pairs).filter(([name]) => named.test(name)))

for (const [rule, response, headers, trailers] of replies) {
  test(`metadata of answers: ${rule}`, async (t) => {
    const { ask } = await startWorld(t, response === undefined ? {} : { metadata: { response } })
    const bare = await ask('GET /metadata')
    assert.deepEqual([ofMetadata(bare.headers), bare.trailers], [headers, {}])
    for (const line of ['GET /metadata', 'GET /stream/2', 'GET /stream/0']) {
      const answer = await ask(line, { headers: { TE: 'trailers' } })
      assert.deepEqual([answer.status, ofMetadata(answer.headers)], [200, headers], line)
      assert.deepEqual({ ...answer.trailers }, trailers, line)
    }
    const failed = await ask('GET /fail/5/unknown', { headers: { TE: 'gzip, trailers' } })
    assert.deepEqual([failed.status, { ...failed.trailers }], [404, trailers])
    const head = await ask('HEAD /metadata', { headers: { TE: 'trailers' } })
    assert.deepEqual([head.status, ofMetadata(head.headers)], [200, headers])
  })
}

test('trailers are announced where they are known ahead (RFC 9110 6.6.2)', async (t) => {
  const { ask } = await startWorld(t)
  const { headers } = await ask('GET /metadata', { headers: { TE: 'trailers' } })
  assert.deepEqual(
    [headers.trailer, headers['transfer-encoding']],
    ['Grpc-Trailer-x-rows, Grpc-Trailer-x-sum-bin', 'chunked'],
  )
})
