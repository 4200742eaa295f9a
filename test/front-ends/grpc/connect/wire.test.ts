import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createApiKey, hashApiKey } from '../../../../src/plugins/identity/api-key.ts'
import { askHttp2, connectHttp2 } from '../../../listener/http2-client.ts'
import { openConnect } from './connect-world.ts'

const key = createApiKey('test')
const identity = { consumers: [{ id: 'acme', keys: [{ hash: hashApiKey(key) }] }] }
const echo = '/kitchen.v1.Kitchen/Echo'
const peek = '/kitchen.v1.Kitchen/Peek'
const count = '/kitchen.v1.Kitchen/Count'
const sum = '/relay.v1.Relay/Sum'
const small = { grpc: { messageBytes: '10kb' } }

interface Asked {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

async function ask(
  url: string,
  { method = 'POST', path = echo, headers = {}, body }: Asked,
): Promise<Response> {
  const bytes = typeof body === 'string' || body === undefined ? body : new Uint8Array(body)
  const defaults =
    method === 'POST' ? { 'content-type': 'application/json', 'connect-protocol-version': '1' } : {}
  return fetch(url + path, { method, headers: { ...defaults, ...headers }, body: bytes ?? null })
}

function envelope(payload: Buffer | string, flags = 0, length = Buffer.byteLength(payload)): Buffer {
  const head = Buffer.alloc(5)
  head[0] = flags
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, Buffer.from(payload)])
}

/** The frames of an answer. */
function frames(body: Buffer): { readonly flags: number; readonly payload: string }[] {
  const found: { flags: number; payload: string }[] = []
  for (let at = 0; at < body.length; ) {
    const end = at + 5 + body.readUInt32BE(at + 1)
    found.push({ flags: body.readUInt8(at), payload: body.subarray(at + 5, end).toString() })
    at = end
  }
  return found
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into errors of every shape.
async function endOf(reply: Response): Promise<any> {
  const last = frames(Buffer.from(await reply.arrayBuffer())).at(-1)
  assert.equal(last?.flags, 2)
  return JSON.parse(last?.payload ?? '')
}

const bomb = gzipSync(Buffer.alloc(5_000_000))

/** The source of each rule: connectrpc.com/docs/protocol, in the section that is named. */
const unaryRefusals: readonly [string, Asked, number, string, RegExp][] = [
  // Unary-Request
  ['JSON that is none', { body: '{"text":' }, 400, 'invalid_argument', /not valid JSON/],
  ['an empty body of JSON', { body: '' }, 400, 'invalid_argument', /not valid JSON/],
  ['a value of the wrong type', { body: '{"child":{"text":4}}' }, 400, 'invalid_argument', /"child\.text"/],
  ['an unknown field', { body: '{"nope":4}' }, 400, 'invalid_argument', /"nope"/],
  [
    'bytes that are no UTF-8',
    { body: Buffer.from('{"text":"\xff"}', 'latin1') },
    400,
    'invalid_argument',
    /UTF-8/,
  ],
  [
    'a message above the limit',
    { body: JSON.stringify({ text: 'a'.repeat(11_000) }) },
    429,
    'resource_exhausted',
    /10240/,
  ],
  [
    'JSON that is small, of a message above the limit',
    { body: `{"numbers":[${'-1,'.repeat(2_000)}-1]}` },
    429,
    'resource_exhausted',
    /10240/,
  ],
  // Protocol-Version
  [
    'another version',
    { headers: { 'connect-protocol-version': '2' }, body: '{}' },
    400,
    'invalid_argument',
    /must be 1/,
  ],
  // Timeout
  [
    'a timeout of eleven digits',
    { headers: { 'connect-timeout-ms': '12345678901' }, body: '{}' },
    400,
    'invalid_argument',
    /ten digits/,
  ],
  [
    'a timeout that is no number',
    { headers: { 'connect-timeout-ms': '1s' }, body: '{}' },
    400,
    'invalid_argument',
    /ten digits/,
  ],
  [
    'a timeout below zero',
    { headers: { 'connect-timeout-ms': '-1' }, body: '{}' },
    400,
    'invalid_argument',
    /ten digits/,
  ],
  [
    'a timeout that has run out',
    { headers: { 'connect-timeout-ms': '0' }, body: '{}' },
    504,
    'deadline_exceeded',
    /ran out/,
  ],
  // Content-Coding
  [
    'a coding that is not known',
    { headers: { 'content-encoding': 'br' }, body: '{}' },
    501,
    'unimplemented',
    /gzip/,
  ],
  [
    'a body that is no gzip',
    { headers: { 'content-encoding': 'gzip' }, body: '{}' },
    400,
    'invalid_argument',
    /gzip/,
  ],
  [
    'a gzip that is cut off',
    { headers: { 'content-encoding': 'gzip' }, body: gzipSync('{"text":"a"}').subarray(0, 20) },
    400,
    'invalid_argument',
    /gzip/,
  ],
  ['a bomb', { headers: { 'content-encoding': 'gzip' }, body: bomb }, 429, 'resource_exhausted', /10240/],
  // Content-Type
  [
    'a type that is not known',
    { headers: { 'content-type': 'application/xml' }, body: '{}' },
    415,
    'invalid_argument',
    /application\/json/,
  ],
  [
    'a stream for a unary method',
    { headers: { 'content-type': 'application/connect+json' }, body: envelope('{}') },
    415,
    'invalid_argument',
    /application\/json/,
  ],
  ['a unary message for a stream', { path: count, body: '{}' }, 415, 'invalid_argument', /connect\+json/],
  [
    'proto for a stream',
    { path: sum, headers: { 'content-type': 'application/proto' }, body: '' },
    415,
    'invalid_argument',
    /connect\+json/,
  ],
  [
    'a method that there is not',
    { path: '/kitchen.v1.Kitchen/Nope', body: '{}' },
    501,
    'unimplemented',
    /no such method/,
  ],
  // Unary-Get-Request
  [
    'a GET of another version',
    { method: 'GET', path: `${peek}?connect=v2&encoding=json&message={}` },
    400,
    'invalid_argument',
    /v1/,
  ],
  [
    'a GET without encoding',
    { method: 'GET', path: `${peek}?connect=v1&message={}` },
    415,
    'invalid_argument',
    /encoding/,
  ],
  [
    'a GET of an unknown encoding',
    { method: 'GET', path: `${peek}?connect=v1&encoding=xml&message={}` },
    415,
    'invalid_argument',
    /encoding/,
  ],
  [
    'a GET without a message',
    { method: 'GET', path: `${peek}?connect=v1&encoding=json` },
    400,
    'invalid_argument',
    /"message" is missing/,
  ],
  [
    'a GET with two messages',
    { method: 'GET', path: `${peek}?connect=v1&encoding=json&message={}&message={}` },
    400,
    'invalid_argument',
    /twice/,
  ],
  [
    'a GET whose base64 is none',
    { method: 'GET', path: `${peek}?connect=v1&encoding=json&base64=1&message=e%21` },
    400,
    'invalid_argument',
    /base64url/,
  ],
  [
    'a GET whose base64 is cut off',
    { method: 'GET', path: `${peek}?connect=v1&encoding=json&base64=1&message=e30ab` },
    400,
    'invalid_argument',
    /base64url/,
  ],
  [
    'a GET that says base64=2',
    { method: 'GET', path: `${peek}?connect=v1&encoding=json&base64=2&message=e30` },
    400,
    'invalid_argument',
    /base64/,
  ],
  [
    'a GET with half an escape',
    { method: 'GET', path: `${peek}?connect=v1&encoding=json&message=%7` },
    400,
    'invalid_argument',
    /escape/,
  ],
  [
    'a GET of an unknown compression',
    { method: 'GET', path: `${peek}?connect=v1&encoding=json&compression=br&base64=1&message=e30` },
    501,
    'unimplemented',
    /gzip/,
  ],
  [
    'a GET with a bomb',
    {
      method: 'GET',
      path: `${peek}?connect=v1&encoding=json&compression=gzip&base64=1&message=${gzipSync(Buffer.alloc(500_000)).toString('base64url')}`,
    },
    429,
    'resource_exhausted',
    /10240/,
  ],
  [
    'a GET with JSON that is none',
    { method: 'GET', path: `${peek}?connect=v1&encoding=json&message={` },
    400,
    'invalid_argument',
    /not valid JSON/,
  ],
]

for (const [name, asked, status, code, message] of unaryRefusals) {
  test(`refuses ${name} with ${status} ${code}`, async (t) => {
    const { url, kitchen, logged } = await openConnect(t, { auth: 'none' }, small)
    const reply = await ask(url, asked)
    const body = (await reply.json()) as {
      code: string
      message: string
      details: { type: string; debug: Record<string, unknown> }[]
    }
    assert.deepEqual(
      [reply.status, reply.headers.get('content-type'), body.code],
      [status, 'application/json', code],
    )
    assert.match(body.message, message)
    assert.equal(body.details[0]?.type, 'google.rpc.ErrorInfo')
    assert.equal(body.details[0]?.debug.domain, 'trivium')
    assert.equal(reply.headers.has('accept-post'), status === 415)
    assert.equal(kitchen.calls, 0)
    const line = await logged((entry) => entry['http.response.status_code'] === status)
    assert.equal(line['rpc.connect_rpc.error_code'], code)
  })
}

const proto = { 'content-type': 'application/connect+proto' }
const json = { 'content-type': 'application/connect+json' }
const coded = { 'connect-content-encoding': 'gzip' }

/** Streaming-Request and Enveloped-Message. */
const streamRefusals: readonly [string, Asked, string, RegExp][] = [
  ['no message', { headers: json, body: '' }, 'invalid_argument', /exactly one message/],
  [
    'two messages',
    { headers: json, body: Buffer.concat([envelope('{}'), envelope('{}')]) },
    'invalid_argument',
    /exactly one/,
  ],
  [
    'a head that is cut off',
    { headers: json, body: Buffer.from([0, 0, 0]) },
    'invalid_argument',
    /ends within/,
  ],
  [
    'a message that is cut off',
    { headers: json, body: envelope('{}', 0, 7) },
    'invalid_argument',
    /ends within/,
  ],
  ['flags that mean nothing', { headers: json, body: envelope('{}', 4) }, 'invalid_argument', /flags/],
  ['the end of a stream', { headers: json, body: envelope('{}', 2) }, 'invalid_argument', /flags/],
  [
    'a length above the limit',
    { headers: json, body: envelope('{}', 0, 20_000) },
    'resource_exhausted',
    /10240/,
  ],
  [
    'a length of all bits',
    { headers: proto, body: envelope('', 0, 0xffffffff) },
    'resource_exhausted',
    /10240/,
  ],
  [
    'a compressed message without a word of how',
    { headers: json, body: envelope(gzipSync('{}'), 1) },
    'invalid_argument',
    /Connect-Content-Encoding/,
  ],
  [
    'a coding that is not known',
    { headers: { ...json, 'connect-content-encoding': 'br' }, body: envelope('{}') },
    'unimplemented',
    /gzip/,
  ],
  [
    'a message that is no gzip',
    { headers: { ...json, ...coded }, body: envelope('{}', 1) },
    'invalid_argument',
    /gzip/,
  ],
  ['a bomb', { headers: { ...json, ...coded }, body: envelope(bomb, 1) }, 'resource_exhausted', /10240/],
  [
    'JSON that does not fit',
    { headers: json, body: envelope('{"number":{"a":1},"to":[]}') },
    'invalid_argument',
    /"number"|"to"/,
  ],
  [
    'another version',
    { headers: { ...json, 'connect-protocol-version': '3' }, body: envelope('{}') },
    'invalid_argument',
    /must be 1/,
  ],
  [
    'a timeout that is none',
    { headers: { ...json, 'connect-timeout-ms': 'soon' }, body: envelope('{}') },
    'invalid_argument',
    /ten digits/,
  ],
]

for (const path of [count, sum]) {
  for (const [name, asked, code, message] of streamRefusals) {
    // A stream of requests may have any number of messages.
    if (path === sum && /^(?:no message|two messages)$/.test(name)) continue
    test(`${path} refuses ${name} with ${code} at the end of its stream`, async (t) => {
      const { url, logged } = await openConnect(t, { auth: 'none' }, small)
      const reply = await ask(url, { ...asked, path })
      const type = asked.headers?.['content-type']
      assert.deepEqual([reply.status, reply.headers.get('content-type')], [200, type])
      const { error } = await endOf(reply)
      assert.equal(error.code, code)
      assert.match(error.message, message)
      assert.equal(error.details[0].type, 'google.rpc.ErrorInfo')
      await logged((line) => line['rpc.connect_rpc.error_code'] === code)
    })
  }
}

test('a message that does not fit is named by its place in the stream of requests', async (t) => {
  const { url } = await openConnect(t)
  const body = Buffer.concat([envelope('{"number":1}'), envelope('{"note":{"text":5}}')])
  const { error } = await endOf(await ask(url, { path: sum, headers: json, body }))
  assert.equal(error.code, 'invalid_argument')
  assert.match(error.message, /\[1\].*"note\.text"/)
  const request = error.details.find(({ type }: { type: string }) => type === 'google.rpc.BadRequest')
  assert.equal(request.debug.fieldViolations[0].field, '[1].note.text')
})

test('a bare message is answered with a bare message; fields keep the rules of ProtoJSON', async (t) => {
  const { url } = await openConnect(t)
  const reply = await ask(url, {
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: '{"text":"hi","int64":9007199254740993,"custom_name":null,"color":"RED"}'.replace(
      '"custom_name":null,',
      '',
    ),
  })
  assert.deepEqual([reply.status, reply.headers.get('content-type')], [200, 'application/json'])
  assert.deepEqual(await reply.json(), { text: 'hi', int64: '9007199254740993', color: 'RED' })
})

test('application/proto needs no header of its own, and passes as it is', async (t) => {
  const { url } = await openConnect(t)
  // A field that no proto has, and text.
  const bytes = Buffer.from([0x0a, 2, 0x68, 0x69, 0xf8, 0x3f, 7])
  const reply = await fetch(url + echo, {
    method: 'POST',
    headers: { 'content-type': 'application/proto' },
    body: new Uint8Array(bytes),
  })
  assert.deepEqual([reply.status, reply.headers.get('content-type')], [200, 'application/proto'])
  assert.equal(
    Buffer.from(await reply.arrayBuffer())
      .subarray(0, 4)
      .toString('hex'),
    '0a026869',
  )
})

test('trailing metadata stands before a message as Trailer-*, and in the end of a stream', async (t) => {
  const { url } = await openConnect(t)
  const reply = await ask(url, { path: '/kitchen.v1.Kitchen/Metadata', body: '{}' })
  assert.deepEqual([reply.headers.get('x-shelf'), reply.headers.get('trailer-x-weight')], ['7', '3'])
  const counted = await ask(url, { path: count, headers: json, body: envelope('{"to":2}') })
  const body = Buffer.from(await counted.arrayBuffer())
  assert.deepEqual(frames(body), [
    { flags: 0, payload: '{"number":1}' },
    { flags: 0, payload: '{"number":2}' },
    { flags: 2, payload: '{"metadata":{"x-weight":["3","4"]}}' },
  ])
  const failed = await ask(url, { path: '/kitchen.v1.Kitchen/Fail', body: '{"code":14,"kind":"retry"}' })
  assert.deepEqual(
    [failed.status, failed.headers.get('retry-after'), failed.headers.get('trailer-grpc-status-details-bin')],
    [503, '3', null],
  )
  assert.deepEqual(await failed.json(), {
    code: 'unavailable',
    message: 'as asked: retry ü',
    details: [{ type: 'google.rpc.RetryInfo', value: 'CggIAhCAyrXuAQ', debug: { retryDelay: '2.500s' } }],
  })
})

/** Error-Codes: the table of the protocol. */
for (const [number, code, status] of [
  [1, 'canceled', 499],
  [2, 'unknown', 500],
  [3, 'invalid_argument', 400],
  [4, 'deadline_exceeded', 504],
  [5, 'not_found', 404],
  [6, 'already_exists', 409],
  [7, 'permission_denied', 403],
  [8, 'resource_exhausted', 429],
  [9, 'failed_precondition', 400],
  [10, 'aborted', 409],
  [11, 'out_of_range', 400],
  [12, 'unimplemented', 501],
  [13, 'internal', 500],
  [14, 'unavailable', 503],
  [15, 'data_loss', 500],
  [16, 'unauthenticated', 401],
  [77, 'unknown', 500],
] as const) {
  test(`status ${number} of a backend is ${code}, HTTP ${status}`, async (t) => {
    const { url } = await openConnect(t)
    const reply = await ask(url, { path: '/kitchen.v1.Kitchen/Fail', body: `{"code":${number}}` })
    assert.deepEqual([reply.status, await reply.json()], [status, { code, message: 'as asked:  ü' }])
  })
}

for (const [name, headers, compressed] of [
  ['that takes gzip', { 'accept-encoding': 'br, gzip' }, true],
  ['that gives it no weight', { 'accept-encoding': 'gzip;q=0, br' }, false],
  ['that does not ask', { 'accept-encoding': 'identity' }, false],
] as const) {
  test(`an answer to a client ${name} is ${compressed ? '' : 'not '}compressed`, async (t) => {
    const { url } = await openConnect(t)
    const body = JSON.stringify({ text: 'a'.repeat(5_000) })
    const reply = await ask(url, { headers, body })
    assert.equal(reply.headers.get('content-encoding'), compressed ? 'gzip' : null)
    assert.equal(await reply.text(), body)
    const short = await ask(url, { headers, body: '{"text":"a"}' })
    assert.equal(short.headers.get('content-encoding'), null)
    await short.text()
  })
}

test('an error behind messages is in the end of the stream, of the gateway too', async (t) => {
  const { url, kitchen, logged } = await openConnect(t, { auth: 'none', timeout: '500ms' })
  const broken = await ask(url, { path: count, headers: json, body: envelope('{"to":9,"failAfter":2}') })
  const found = frames(Buffer.from(await broken.arrayBuffer()))
  assert.deepEqual(
    found.map(({ flags, payload }) => [flags, payload]),
    [
      [0, '{"number":1}'],
      [0, '{"number":2}'],
      [2, '{"error":{"code":"aborted","message":"broke off"}}'],
    ],
  )
  const endless = await ask(url, { path: count, headers: proto, body: envelope('') })
  const { error } = await endOf(endless)
  assert.deepEqual([endless.status, error.code], [200, 'deadline_exceeded'])
  assert.equal(error.details[0].debug.reason, 'UPSTREAM_TIMEOUT')
  await kitchen.cancelled
  const line = await logged((entry) => entry['gateway.error.reason'] === 'UPSTREAM_TIMEOUT')
  assert.deepEqual(
    [line['rpc.grpc.status_code'], line['rpc.connect_rpc.error_code']],
    [4, 'deadline_exceeded'],
  )
})

test('of no bytes there is nothing to decompress', async (t) => {
  const { url } = await openConnect(t)
  const headers = { 'content-type': 'application/proto', 'content-encoding': 'gzip' }
  const unary = await ask(url, { headers, body: '' })
  assert.equal(unary.status, 200)
  await unary.arrayBuffer()
  const stream = await ask(url, { path: sum, headers: { ...proto, ...coded }, body: envelope('', 1) })
  assert.equal((await endOf(stream)).error, undefined)
})

test('a GET takes its message in every way that the protocol has', async (t) => {
  const { url } = await openConnect(t)
  const text = '{"text":"a+b ü"}'
  for (const query of [
    `encoding=json&message=${encodeURIComponent(text)}`,
    `base64=1&encoding=json&message=${Buffer.from(text).toString('base64url')}`,
    `base64=1&encoding=json&message=${encodeURIComponent(Buffer.from(text).toString('base64'))}`,
    `compression=gzip&base64=1&encoding=json&message=${gzipSync(text).toString('base64url')}`,
    `compression=identity&encoding=json&message=${encodeURIComponent(text)}&more=ignored`,
  ]) {
    const reply = await fetch(`${url}${peek}?connect=v1&${query}`)
    assert.deepEqual([reply.status, await reply.json()], [200, { text: 'a+b ü' }], query)
  }
  const binary = await fetch(`${url}${peek}?connect=v1&encoding=proto&message=%42%02%00%ff`)
  assert.ok(Buffer.from(await binary.arrayBuffer()).includes(Buffer.from('420200ff', 'hex')))
  // base64 of the other alphabet whose plus signs were not escaped.
  const plus = await fetch(`${url}${peek}?connect=v1&encoding=proto&base64=1&message=QgQA++++`)
  assert.ok(Buffer.from(await plus.arrayBuffer()).includes(Buffer.from('420400fbefbe', 'hex')))
  const head = await fetch(`${url}${peek}?connect=v1&encoding=json&message={}`, { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [200, ''])
})

test('a method with side effects cannot be called by GET, nor any without saying connect=v1', async (t) => {
  const { url, kitchen } = await openConnect(t)
  for (const path of [`${echo}?connect=v1&encoding=json&message={}`, `${peek}?encoding=json&message={}`]) {
    const reply = await fetch(url + path)
    assert.deepEqual([reply.status, reply.headers.get('allow')], [405, 'POST'], path)
  }
  assert.equal(kitchen.calls, 0)
})

test('what makes JSON a call of Connect is its header, beside transcoding and without', async (t) => {
  const path = '/kitchen.v1.Kitchen/Fail'
  const body = '{"code":5}'
  const plain = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  for (const unannotated of [true, false]) {
    const { url } = await openConnect(t, { auth: 'none', unannotated })
    const connect = await ask(url, { path, body })
    assert.deepEqual([connect.status, ((await connect.json()) as { code: string }).code], [404, 'not_found'])
    const untold = await fetch(url + path, plain)
    assert.equal(untold.status, 415)
    assert.match(((await untold.json()) as { message: string }).message, /Connect-Protocol-Version/)
    const unbound = await fetch(`${url}/kitchen.v1.Kitchen/Unbound`, { ...plain, body: '{"nope":1}' })
    const refusal = (await unbound.json()) as { code: number }
    assert.deepEqual([unbound.status, refusal.code], [unannotated ? 400 : 415, 3])
    // A path of an annotation is transcoding's, whatever the headers.
    const annotated = await ask(url, { path: '/v1/echo', body: '{"nope":1}' })
    assert.equal(((await annotated.json()) as { code: number }).code, 3)
  }
})

test('credentials go on where the policy says so, headers of the protocol never', async (t) => {
  const { url } = await openConnect(t, { forwardCredentials: true }, identity)
  const headers = {
    'x-api-key': key,
    cookie: 'a=b',
    'connect-timeout-ms': '5000',
    'connect-accept-encoding': 'gzip',
  }
  const reply = await ask(url, { path: '/kitchen.v1.Kitchen/Metadata', headers, body: '{}' })
  const { metadata } = (await reply.json()) as { metadata: Record<string, string> }
  assert.deepEqual([metadata['x-api-key'], metadata.cookie], [key, 'a=b'])
  assert.deepEqual(
    Object.keys(metadata).filter((name) => name.startsWith('connect-')),
    [],
  )
})

test('a credential header of another name stays here', async (t) => {
  const { url } = await openConnect(t, {}, { ...identity, auth: { apiKeys: { header: 'x-kitchen-key' } } })
  const path = '/kitchen.v1.Kitchen/Metadata'
  const reply = await ask(url, { path, headers: { 'x-kitchen-key': key }, body: '{}' })
  const { metadata } = (await reply.json()) as { metadata: Record<string, string> }
  assert.deepEqual([metadata['x-consumer'], metadata['x-kitchen-key']], ['acme', undefined])
})

test('a backend that is not there is unavailable', async (t) => {
  const { url } = await openConnect(
    t,
    { auth: 'none' },
    {
      upstreams: {
        kitchen: { targets: [{ url: 'http://127.0.0.1:1' }] },
        relay: { targets: [{ url: 'http://127.0.0.1:1' }] },
      },
    },
  )
  const unary = await ask(url, { body: '{}' })
  assert.deepEqual([unary.status, ((await unary.json()) as { code: string }).code], [503, 'unavailable'])
  const { error } = await endOf(await ask(url, { path: count, headers: json, body: envelope('{}') }))
  assert.equal(error.code, 'unavailable')
})

test('pages of other origins may send the headers of the protocol, and read refusals', async (t) => {
  const plugins = [{ cors: { allowOrigins: ['https://app.example'] } }]
  const { url } = await openConnect(t, {}, { ...identity, plugins })
  const wanted = 'content-type,connect-protocol-version,connect-timeout-ms'
  const preflight = await fetch(url + echo, {
    method: 'OPTIONS',
    headers: {
      origin: 'https://app.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': wanted,
    },
  })
  const allowed = (preflight.headers.get('access-control-allow-headers') ?? '').toLowerCase().split(', ')
  assert.deepEqual(
    wanted.split(',').filter((name) => !allowed.includes(name)),
    [],
  )
  const reply = await ask(url, { headers: { origin: 'https://app.example' }, body: '{}' })
  assert.deepEqual(
    [reply.status, reply.headers.get('access-control-allow-origin')],
    [401, 'https://app.example'],
  )
  await reply.text()
})

test('refusals over HTTP/2 are the same', async (t) => {
  const { url } = await openConnect(t, {}, identity)
  const session = await connectHttp2(t, url)
  const head = { ':method': 'POST', ':path': echo, 'content-type': 'application/proto' }
  const { status, body } = await askHttp2(session, head, Buffer.alloc(0))
  assert.deepEqual([status, JSON.parse(body.toString()).code], [401, 'unauthenticated'])
  const stream = { ...head, ':path': count, 'content-type': 'application/connect+proto' }
  const refused = await askHttp2(session, stream, envelope(''))
  assert.equal(refused.status, 200)
  assert.equal(JSON.parse(frames(refused.body).at(-1)?.payload ?? '').error.code, 'unauthenticated')
})
