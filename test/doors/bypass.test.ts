import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { askHttp2, connectHttp2 } from '../listener/http2-client.ts'
import { rawExchange, startBackend, startGateway, type TestBackend } from '../world.ts'
import { doors } from './door.ts'

const key = createApiKey('test')
const consumers = [{ id: 'shop', roles: ['reader'], keys: [{ hash: hashApiKey(key) }] }]

interface World {
  readonly port: number
  readonly url: string
  /** One backend behind all routes, as it would be: it would answer whatever reaches it. */
  readonly backend: TestBackend
}

/** Open routes beside ones that nobody here may use: by path, by method, by host, by header. */
async function open(t: TestContext): Promise<World> {
  const backend = await startBackend(t)
  const admins = { authorize: { roles: ['admin'] } }
  const { port, url } = await startGateway(t, {
    consumers,
    upstreams: { app: { targets: [{ url: backend.url }] } },
    routes: [
      { id: 'open', path: '/v1/**', upstream: 'app', auth: 'none' },
      { id: 'admin', path: '/v1/admin/**', upstream: 'app', ...admins },
      { id: 'read', path: '/items/{id}', methods: ['GET', 'POST'], upstream: 'app', auth: 'none' },
      { id: 'write', path: '/items/{id}', upstream: 'app', ...admins },
      { id: 'site', path: '/site', upstream: 'app', auth: 'none' },
      {
        id: 'inner-site',
        path: '/site',
        hosts: ['inner.example', '*.inner.example'],
        upstream: 'app',
        ...admins,
      },
    ],
  })
  return { port, url, backend }
}

/**
 * What is sent, and what comes of it: `refused` reaches nobody; `elsewhere` reaches the open route as what it is there. Sources: OWASP WSTG-ATHZ-02
 * and WSTG-CONF-06, PortSwigger's URL-matching and host-header bypasses, CVE-2018-14773 (X-Original-URL), RFC 9112 section 3.2.
 */
const attacks: readonly (readonly [string, readonly string[], 'refused' | 'elsewhere'])[] = [
  ['the route itself', ['GET /v1/admin/users'], 'refused'],
  ['its root', ['GET /v1/admin'], 'refused'],
  ['a slash at the end', ['GET /v1/admin/'], 'refused'],
  ['HEAD', ['HEAD /v1/admin/users'], 'refused'],
  ['OPTIONS', ['OPTIONS /v1/admin/users'], 'refused'],
  [
    'a preflight',
    ['OPTIONS /v1/admin/users', 'Origin: https://a.example', 'Access-Control-Request-Method: GET'],
    'refused',
  ],
  ['a method that there is not', ['FROB /v1/admin/users'], 'refused'],
  ['a method in lower case', ['get /v1/admin/users'], 'refused'],
  ['TRACE', ['TRACE /v1/admin/users'], 'refused'],
  ['two slashes in front', ['GET //v1/admin/users'], 'refused'],
  ['two slashes inside', ['GET /v1//admin/users'], 'refused'],
  ['a dot segment', ['GET /v1/./admin/users'], 'refused'],
  ['two dots', ['GET /v1/x/../admin/users'], 'refused'],
  ['escaped dots', ['GET /v1/x/%2e%2e/admin/users'], 'refused'],
  ['dots escaped twice', ['GET /v1/x/%252e%252e/admin/users'], 'refused'],
  ['dots and a parameter', ['GET /v1/x/..;/admin/users'], 'refused'],
  ['a parameter', ['GET /v1/admin;a=b/users'], 'refused'],
  ['an empty parameter', ['GET /v1/admin;/users'], 'refused'],
  ['a parameter before', ['GET /v1;a/admin/users'], 'refused'],
  ['an escaped letter', ['GET /v1/%61dmin/users'], 'refused'],
  ['a letter escaped twice', ['GET /v1/%2561dmin/users'], 'refused'],
  ['an escaped slash', ['GET /v1%2Fadmin/users'], 'refused'],
  ['an escaped slash inside', ['GET /v1/admin%2Fusers'], 'refused'],
  ['a backslash', ['GET /v1\\admin/users'], 'refused'],
  ['an escaped backslash', ['GET /v1%5Cadmin/users'], 'refused'],
  ['full-width letters', ['GET /v1/%EF%BD%81dmin/users'], 'refused'],
  ['full-width slashes', ['GET /v1%EF%BC%8Fadmin/users'], 'refused'],
  ['an overlong slash', ['GET /v1%C0%AFadmin/users'], 'refused'],
  ['a null byte', ['GET /v1/admin%00/users'], 'refused'],
  ['a line break', ['GET /v1/admin%0a/users'], 'refused'],
  ['a tab', ['GET /v1/admin%09/users'], 'refused'],
  ['a blank is a name of its own', ['GET /v1/admin%20/users'], 'elsewhere'],
  ['another case is a name of its own', ['GET /v1/Admin/users'], 'elsewhere'],
  ['a fragment', ['GET /v1/x#/admin/users'], 'refused'],
  ['an absolute target', ['GET http://gateway.example/v1/admin/users'], 'refused'],
  ['X-Original-URL', ['GET /v1/x', 'X-Original-URL: /v1/admin/users'], 'elsewhere'],
  ['X-Rewrite-URL', ['GET /v1/x', 'X-Rewrite-URL: /v1/admin/users'], 'elsewhere'],
  ['X-HTTP-Method-Override', ['POST /items/1', 'X-HTTP-Method-Override: DELETE'], 'elsewhere'],
  [
    'X-HTTP-Method and X-Method-Override',
    ['POST /items/1', 'X-HTTP-Method: DELETE', 'X-METHOD-OVERRIDE: DELETE'],
    'elsewhere',
  ],
  ['the method that needs a role', ['DELETE /items/1'], 'refused'],
  [
    'a claim to have been let in',
    ['GET /v1/admin/users', 'X-User-ID: root', 'X-User-Role: admin', 'X-Consumer: boss'],
    'refused',
  ],
  [
    'a claim to come from inside',
    ['GET /v1/admin/users', 'X-Forwarded-For: 127.0.0.1', 'X-Real-IP: 127.0.0.1', 'Forwarded: for=127.0.0.1'],
    'refused',
  ],
  ['the host', ['GET /site', 'Host: inner.example'], 'refused'],
  ['the host in another case', ['GET /site', 'Host: INNER.example'], 'refused'],
  ['the host with a dot', ['GET /site', 'Host: inner.example.'], 'refused'],
  ['the host with a port', ['GET /site', 'Host: inner.example:8080'], 'refused'],
  ['a host below it', ['GET /site', 'Host: a.inner.example'], 'refused'],
  ['two hosts', ['GET /site', 'Host: a.example', 'Host: inner.example'], 'refused'],
  ['a host that is none', ['GET /site', 'Host: inner.example/x'], 'refused'],
  ['the target names it, Host another', ['GET http://inner.example/site', 'Host: a.example'], 'refused'],
  ['Host names it, the target another', ['GET http://a.example/site', 'Host: inner.example'], 'elsewhere'],
  [
    'X-Forwarded-Host',
    ['GET /site', 'X-Forwarded-Host: inner.example', 'Forwarded: host=inner.example', 'X-Host: a'],
    'elsewhere',
  ],
]

test('no spelling of a request gets past what its route forbids, with or without credentials', async (t) => {
  const { port, backend } = await open(t)
  for (const [name, [line = '', ...headers], outcome] of attacks) {
    for (const credentials of [[], [`X-API-Key: ${key}`]]) {
      const before = backend.requests.length
      const host = headers.some((header) => header.startsWith('Host:')) ? [] : ['Host: gateway.example']
      const length = line.startsWith('POST') ? ['Content-Length: 0'] : []
      const lines = [
        `${line} HTTP/1.1`,
        ...host,
        ...headers,
        ...credentials,
        ...length,
        'Connection: close',
        '',
        '',
      ]
      const answer = await rawExchange(port, lines.join('\r\n'), 20_000)
      const seen = backend.requests.slice(before)
      assert.equal(seen.length, outcome === 'refused' ? 0 : 1, `${name}: ${answer}`)
      if (outcome === 'refused') assert.match(answer, /^HTTP\/1\.1 (?:400|401|403|404|405) /, name)
      for (const { method = '', url = '', headers: told } of seen) {
        // Whatever the backend makes of it, nothing in it names what is forbidden.
        assert.doesNotMatch(decodeURIComponent(url), /\/admin(?:\/|$)/, name)
        assert.notEqual(method, 'DELETE', name)
        assert.doesNotMatch(JSON.stringify(told), /DELETE|\/v1\/admin|inner\.example/, name)
      }
    }
  }
})

test('over HTTP/2 the authority that is routed by is the one that backends are told', async (t) => {
  const { url, backend } = await open(t)
  const session = await connectHttp2(t, url)
  for (const [authority, host] of [
    ['a.example', 'inner.example'],
    ['inner.example', 'a.example'],
    ['inner.example', undefined],
    [undefined, 'inner.example'],
  ] as const) {
    const before = backend.requests.length
    const head = {
      ':method': 'GET',
      ':path': '/site',
      ...(authority === undefined ? {} : { ':authority': authority }),
      ...(host === undefined ? {} : { host }),
    }
    const reply = await askHttp2(session, head)
    const [seen] = backend.requests.slice(before)
    const shown = `${authority} ${host}: ${reply.status}`
    if (seen === undefined) assert.ok([400, 401].includes(reply.status), shown)
    else assert.doesNotMatch(JSON.stringify(seen.headers), /inner\.example/, shown)
  }
  for (const path of [
    '/v1/admin/users',
    '/v1/%61dmin/users',
    '/v1/x/../admin/users',
    '//v1/admin',
    '/v1%2Fadmin',
  ]) {
    const reply = await askHttp2(session, { ':method': 'GET', ':path': path })
    assert.ok(reply.status >= 400 && reply.status < 500, `${path}: ${reply.status}`)
  }
  assert.ok(backend.requests.every((request) => !/admin/.test(request.url ?? '')))
})

test('a request that is refused does not let what is pipelined behind it pass as something else', async (t) => {
  const { port, backend } = await open(t)
  const socket = connectTcp(port, '127.0.0.1')
  t.after(() => socket.destroy())
  const admin = 'GET /v1/admin/users HTTP/1.1\r\nHost: g\r\n\r\n'
  socket.write(
    `${admin}GET /v1/x HTTP/1.1\r\nHost: g\r\n\r\n${admin}GET /v1/y HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n`,
  )
  let text = ''
  socket.on('data', (chunk) => (text += chunk))
  await once(socket, 'close')
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), [
    'HTTP/1.1 401',
    'HTTP/1.1 200',
    'HTTP/1.1 401',
    'HTTP/1.1 200',
  ])
  assert.deepEqual(
    backend.requests.map(({ url }) => url),
    ['/v1/x', '/v1/y'],
  )
})

const query = encodeURIComponent('{ me { id } }')
const graphql: readonly (readonly [string, string, RequestInit])[] = [
  [
    'POST',
    '/graphql',
    { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"query":"{ me { id } }"}' },
  ],
  ['GET', `/graphql?query=${query}`, {}],
  [
    'GET with a header that no form can send',
    `/graphql?query=${query}`,
    { headers: { 'Apollo-Require-Preflight': '1' } },
  ],
  ['HEAD', `/graphql?query=${query}`, { method: 'HEAD' }],
  ['OPTIONS', '/graphql', { method: 'OPTIONS' }],
  ['PUT', '/graphql', { method: 'PUT', body: '{}' }],
  [
    'a form',
    '/graphql',
    {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: `query=${query}`,
    },
  ],
  [
    'a text',
    '/graphql',
    { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: '{"query":"{ me { id } }"}' },
  ],
  [
    'application/graphql',
    '/graphql',
    { method: 'POST', headers: { 'Content-Type': 'application/graphql' }, body: '{ me { id } }' },
  ],
  [
    'a batch',
    '/graphql',
    { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '[{"query":"{ me { id } }"}]' },
  ],
  [
    'a slash at the end',
    '/graphql/',
    { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"query":"{ me { id } }"}' },
  ],
  [
    'an escaped letter',
    '/%67raphql',
    { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"query":"{ me { id } }"}' },
  ],
]
for (const [name, path, init] of graphql) {
  test(`GraphQL by ${name} needs what the endpoint needs`, async (t) => {
    const [, door] = doors
    assert.ok(door)
    const backend = await door.start(t)
    const { url } = await startGateway(t, {
      consumers,
      ...backend.config({ authorize: { roles: ['admin'] } }),
    })
    for (const credentials of [{}, { 'X-API-Key': key }]) {
      const reply = await fetch(url + path, {
        ...init,
        headers: { ...(init.headers as object), ...credentials },
      })
      await reply.text()
      assert.ok([401, 403, 405].includes(reply.status), `${reply.status}`)
    }
    assert.equal(backend.seen.length, 0)
  })
}
