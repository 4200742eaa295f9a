import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { folderOf } from '../config/files.ts'
import { kitchenName } from '../front-ends/grpc/kitchen.ts'
import { openNative } from '../front-ends/grpc/native/native-world.ts'
import { askHttp2, connectHttp2 } from '../listener/http2-client.ts'
import { rawExchange, startGateway } from '../world.ts'

const admin = createApiKey('test')
const plain = createApiKey('test')
const consumers = [
  { id: 'boss', roles: ['admin'], keys: [{ hash: hashApiKey(admin) }] },
  { id: 'shop', roles: ['reader'], keys: [{ hash: hashApiKey(plain) }] },
]
const adminsOnly = { authorize: { roles: ['admin'] } }
const echo = '/kitchen.v1.Kitchen/Echo'
const empty = Buffer.alloc(5)

/** A request line with headers and a body, and whether it is a way to call the method at all. */
type Spelling = readonly [string, readonly string[], Buffer | string, boolean]

/** Every way to the methods Echo and Count over HTTP/1.1 that there is, and ways that look like one. */
const spellings: readonly Spelling[] = [
  ['its binding', ['POST /v1/echo', 'Content-Type: application/json'], '{}', true],
  ['an additional binding', ['GET /v1/echo'], '', true],
  ['HEAD of it', ['HEAD /v1/echo'], '', true],
  ['a third one', ['PUT /v1/echo/x', 'Content-Type: application/json'], '{}', true],
  ['one with a verb', ['POST /v1/echo:items', 'Content-Type: application/json'], '[]', true],
  ['one with a deep variable', ['GET /v1/deep/shelves/1/2'], '', true],
  ['one of a custom method', ['OPTIONS /v1/echo'], '', true],
  ['a slash at the end', ['GET /v1/echo/'], '', true],
  ['parameters of a segment', ['GET /v1/echo;a=b'], '', true],
  ['an escaped letter', ['GET /v1/%65cho'], '', true],
  ['a letter escaped twice', ['GET /v1/%2565cho'], '', false],
  ['two slashes', ['GET //v1/echo'], '', false],
  ['a dot segment', ['GET /v1/x/../echo'], '', false],
  ['an escaped slash', ['GET /v1%2Fecho'], '', false],
  ['another case', ['GET /V1/Echo'], '', false],
  ['an absolute target', ['GET http://other.example/v1/echo'], '', true],
  ['another host', ['GET /v1/echo', 'X-Forwarded-Host: admin.example', 'X-Original-URL: /x'], '', true],
  [
    'X-HTTP-Method-Override',
    ['GET /v1/echo', 'X-HTTP-Method-Override: TRACE', 'X-Method-Override: GET'],
    '',
    true,
  ],
  ['gRPC-Web', [`POST ${echo}`, 'Content-Type: application/grpc-web'], empty, true],
  [
    'gRPC-Web in base64',
    [`POST ${echo}`, 'Content-Type: application/grpc-web-text'],
    empty.toString('base64'),
    true,
  ],
  ['Connect', [`POST ${echo}`, 'Content-Type: application/proto'], '', true],
  [
    'Connect in JSON',
    [`POST ${echo}`, 'Content-Type: application/json', 'Connect-Protocol-Version: 1'],
    '{}',
    true,
  ],
  ['JSON without a version of Connect', [`POST ${echo}`, 'Content-Type: application/json'], '{}', false],
  ['a text', [`POST ${echo}`, 'Content-Type: text/plain'], '{}', false],
  ['no content type', [`POST ${echo}`], '', false],
  ['gRPC over HTTP/1.1', [`POST ${echo}`, 'Content-Type: application/grpc'], empty, false],
  [
    'GET of the method',
    [`GET ${echo}?connect=v1&encoding=json&message={}`.replace('{}', '%7B%7D')],
    '',
    false,
  ],
  [
    'the method in lower case',
    ['POST /kitchen.v1.kitchen/echo', 'Content-Type: application/proto'],
    '',
    false,
  ],
  [
    'the method with an escaped dot',
    ['POST /kitchen%2Ev1.Kitchen/Echo', 'Content-Type: application/proto'],
    '',
    true,
  ],
  ['the method with a slash at the end', [`POST ${echo}/`, 'Content-Type: application/proto'], '', true],
  ['the method with parameters', [`POST ${echo};x`, 'Content-Type: application/proto'], '', true],
  ['a stream', ['GET /v1/count/1'], '', true],
  [
    'a stream over gRPC-Web',
    ['POST /kitchen.v1.Kitchen/Count', 'Content-Type: application/grpc-web'],
    Buffer.from([0, 0, 0, 0, 2, 8, 1]),
    true,
  ],
  [
    'a stream over Connect',
    ['POST /kitchen.v1.Kitchen/Count', 'Content-Type: application/connect+proto'],
    Buffer.from([0, 0, 0, 0, 2, 8, 1]),
    true,
  ],
  [
    'a stream over a WebSocket',
    [
      'GET /v1/count/1',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ],
    Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d, 0x81, 0x80, 0, 0, 0, 0]),
    true,
  ],
  ['an upgrade in another case', ['GET /v1/count/1', 'Upgrade: WebSocket'], '', false],
]

test('what a method needs is needed by every way to it, and by every spelling of that', async (t) => {
  const methods = { Echo: adminsOnly, Count: adminsOnly }
  const { port, url, seen } = await openNative(t, { methods }, { consumers })
  const session = await connectHttp2(t, url)
  const native = (key: string) =>
    askHttp2(
      session,
      {
        ':method': 'POST',
        ':path': echo,
        'content-type': 'application/grpc',
        te: 'trailers',
        'x-api-key': key,
      },
      empty,
    )
  const calls = (): number => seen.calls + seen.sent
  for (const [name, lines, body, works] of spellings) {
    for (const [who, key] of [
      ['nobody', ''],
      ['somebody else', plain],
      ['an admin', admin],
    ] as const) {
      const before = calls()
      const answer = await send(port, lines, body, key)
      const called = calls() - before
      const shown = `${name} by ${who}: ${answer.slice(0, 400)}`
      if (who !== 'an admin') assert.equal(called, 0, shown)
      else if (works) assert.ok(called > 0, shown)
      if (works && who === 'somebody else') assert.match(answer, /error=http_request_denied/, shown)
    }
  }
  const refused = await native(plain)
  assert.deepEqual(
    [refused.trailers['grpc-status'], refused.trailers['grpc-message']],
    ['7', 'None of the roles that this needs is present.'],
  )
  const before = calls()
  assert.equal((await native(admin)).trailers['grpc-status'], '0')
  assert.equal(calls(), before + 1)
  // Another method of the service asks for nothing more.
  assert.match(await send(port, ['GET /v1/nothing'], '', plain), /^HTTP\/1\.1 200 /)
})

function send(port: number, lines: readonly string[], body: Buffer | string, key: string): Promise<string> {
  const [line = '', ...headers] = lines
  const upgrade = headers.some((header) => header.startsWith('Upgrade'))
  const own = [
    'Host: gateway.example',
    upgrade ? 'Connection: Upgrade' : 'Connection: close',
    ...(key === '' ? [] : [`X-API-Key: ${key}`]),
    ...(upgrade || line.startsWith('GET') ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ]
  const head = [`${line} HTTP/1.1`, ...headers, ...own, '', ''].join('\r\n')
  return rawExchange(port, Buffer.concat([Buffer.from(head), Buffer.from(body)]))
}

test('a method may be open in a service that is not, and closed in one that is', async (t) => {
  const open = await openNative(t, { ...adminsOnly, methods: { Nothing: { auth: 'none' } } }, { consumers })
  assert.match(await send(open.port, ['GET /v1/nothing'], '', ''), /^HTTP\/1\.1 200 /)
  assert.match(await send(open.port, ['GET /v1/echo'], '', ''), /^HTTP\/1\.1 401 /)
  assert.match(await send(open.port, ['GET /v1/echo'], '', plain), /^HTTP\/1\.1 403 /)
  const closed = await openNative(t, { auth: 'none', methods: { Echo: { auth: 'required' } } }, { consumers })
  assert.match(await send(closed.port, ['GET /v1/nothing'], '', ''), /^HTTP\/1\.1 200 /)
  assert.match(await send(closed.port, ['GET /v1/echo'], '', ''), /^HTTP\/1\.1 401 /)
  assert.match(await send(closed.port, ['GET /v1/echo'], '', plain), /^HTTP\/1\.1 200 /)
})

test('the limit of a service counts all methods, that of a method only its own', async (t) => {
  const limit = (name: string, n: number) => ({ rateLimit: { name, limit: n, window: '1h', by: 'ip' } })
  const place = {
    auth: 'none',
    plugins: [limit('all', 3)],
    methods: { Echo: { plugins: [limit('own', 1)] } },
  }
  const { port } = await openNative(t, place, { consumers })
  const statuses: string[] = []
  for (const path of ['/v1/echo', '/v1/echo', '/v1/nothing', '/v1/nothing'])
    statuses.push((await send(port, [`GET ${path}`], '', '')).slice(9, 12))
  assert.deepEqual(statuses, ['200', '429', '200', '429'])
})

test('a method has a deadline of its own', async (t) => {
  const { port } = await openNative(
    t,
    { auth: 'none', methods: { Hang: { timeout: '50ms' } } },
    { consumers },
  )
  assert.match(await send(port, ['GET /v1/hang'], '', ''), /^HTTP\/1\.1 504 /)
})

test('a route that calls a method decides by itself who may', async (t) => {
  const aggregate = { parts: [{ name: 'echo', grpc: { method: `${kitchenName}/Echo`, request: {} } }] }
  const routes = [
    { id: 'open', path: '/open', methods: ['GET'], auth: 'none', aggregate },
    { id: 'closed', path: '/closed', methods: ['GET'], authorize: { roles: ['admin'] }, aggregate },
  ]
  const { port } = await openNative(t, { methods: { Echo: adminsOnly } }, { consumers, routes })
  assert.match(await send(port, ['GET /open'], '', ''), /^HTTP\/1\.1 200 /)
  assert.match(await send(port, ['GET /closed'], '', plain), /^HTTP\/1\.1 403 /)
})

test('an annotation with the native path of another method is refused, whose policy it would have', async (t) => {
  const fileOf = folderOf(t, {
    'two.proto': `syntax = "proto3";
package two;
import "google/api/annotations.proto";
message Empty {}
service Two {
  rpc Open(Empty) returns (Empty);
  rpc Closed(Empty) returns (Empty) { option (google.api.http) = {post: "/two.Two/Open" body: "*"}; }
}
`,
    'gateway.yaml': `upstreams: {a: {targets: [{url: http://127.0.0.1:1}]}}
consumers: [{id: c}]
grpc:
  protos: [two.proto]
  includeDirs: []
  services: {two.Two: {upstream: a, authorize: {roles: [admin]}, methods: {Open: {auth: none}}}}
`,
  })
  await assert.rejects(
    startGateway(t, {}, { file: fileOf('gateway.yaml') }),
    /"\/two\.Two\/Open".* clashes with/,
  )
})
