// biome-ignore-all lint/suspicious/noTemplateCurlyInString: values in texts of the configuration
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { rawExchange, startBackend, startGateway } from '../world.ts'
import { callers, described, documentOf, key, nobody, operationsOf } from './world.ts'

const hello = { id: 'hello', path: '/hello', methods: ['GET'], upstream: 'echo', auth: 'none' }

test('one document for all: routes, their security, their limits, and what they are refused with', async (t) => {
  const limited = { rateLimit: { limit: 600, window: '1m' } }
  const { document } = await described(t, {
    apiDocs: { info: { title: 'Shop', version: '2.1.0', license: { name: 'MIT', identifier: 'MIT' } } },
    routes: [
      hello,
      {
        id: 'orders',
        path: '/v1/orders/{id}',
        methods: ['PUT'],
        upstream: 'echo',
        bodyBytes: '64kb',
        authorize: { roles: ['clerk'], scopes: ['orders'] },
        plugins: [limited],
        docs: { summary: 'Change an order', description: 'All of it.', tags: ['orders'], deprecated: true },
      },
      { id: 'maybe', path: '/maybe', methods: ['GET'], upstream: 'echo', auth: 'optional' },
    ],
  })
  assert.deepEqual([document.openapi, document.info.title, document.info.version], ['3.1.0', 'Shop', '2.1.0'])
  const { put } = document.paths['/v1/orders/{id}']
  assert.deepEqual(put.tags, ['orders'])
  assert.deepEqual([put.summary, put.deprecated, put['x-gateway-route']], ['Change an order', true, 'orders'])
  assert.match(put.description, /^All of it\.\n\nA body has at most 64kb\./)
  assert.match(put.description, /Needs one of the roles clerk\./)
  assert.match(put.description, /At most 600 requests in 1m for each consumer\./)
  assert.deepEqual(put.security, [{ apiKey: ['orders'] }, { bearer: ['orders'] }])
  assert.deepEqual(Object.keys(put.responses), '200 400 401 403 404 413 429 502 503 504'.split(' '))
  assert.deepEqual(document.paths['/hello'].get.security, [])
  assert.deepEqual(document.paths['/maybe'].get.security, [{ apiKey: [] }, { bearer: [] }, {}])
  const { responses, securitySchemes } = document.components
  assert.deepEqual(Object.keys(responses.TooManyRequests.headers), [
    'Retry-After',
    'RateLimit',
    'RateLimit-Policy',
  ])
  assert.deepEqual(securitySchemes.apiKey.name, 'x-api-key')
  assert.deepEqual(securitySchemes.bearer.scheme, 'bearer')
})

test('the security schemes are those that are configured', async (t) => {
  const secured = { ...hello, auth: 'required' }
  const apiKeys = { header: 'X-Shop-Key', query: 'key', cookie: '__Host-key' }
  const tokens = { header: 'x-token', cookie: '__Host-token' }
  const all = await described(t, { routes: [secured], auth: { ...callers.auth, apiKeys, tokens } })
  const places = Object.entries(
    all.document.components.securitySchemes as Record<string, { in: string; name: string }>,
  )
  assert.deepEqual(
    places.map(([name, scheme]) => [name, scheme.in, scheme.name]),
    [
      ['apiKey', 'header', 'x-shop-key'],
      ['apiKeyQuery', 'query', 'key'],
      ['apiKeyCookie', 'cookie', '__Host-key'],
      ['bearer', 'header', 'x-token'],
      ['tokenCookie', 'cookie', '__Host-token'],
    ],
  )
  const keysOnly = await described(t, { routes: [secured], auth: {} })
  assert.deepEqual(Object.keys(keysOnly.document.components.securitySchemes), ['apiKey'])
  const open = await described(t, { routes: [hello], consumers: [], auth: {} })
  assert.equal(open.document.components.securitySchemes, undefined)
})

test('what answers by itself is described from its configuration', async (t) => {
  const { document } = await described(t, {
    routes: [
      {
        id: 'moved',
        path: '/people/{id}',
        methods: ['GET'],
        redirect: { to: '/v1/people/${path.id}', status: 308 },
      },
      { id: 'about', path: '/about', methods: ['GET'], respond: { json: { name: 'shop' } } },
      {
        id: 'home',
        path: '/home/{id}',
        methods: ['GET'],
        aggregate: {
          parts: [
            {
              name: 'user',
              merge: true,
              select: ['id', 'name.first'],
              rest: { upstream: 'echo', path: '/${path.id}' },
            },
            {
              name: 'orders',
              as: 'bought',
              rest: { upstream: 'echo', path: '/', query: { limit: '${query.limit:-5}' } },
            },
          ],
        },
      },
    ],
  })
  assert.ok(document.paths['/people/{id}'].get.responses['308'].headers.Location)
  assert.ok(document.paths['/about'].get.responses['200'].content['application/json'])
  const { get } = document.paths['/home/{id}']
  const { schema } = get.responses['200'].content['application/json']
  assert.deepEqual(Object.keys(schema.properties), ['id', 'name', 'bought'])
  assert.deepEqual(
    get.parameters.map(({ name, in: where }: { name: string; in: string }) => `${where} ${name}`),
    ['path id', 'query limit'],
  )
})

test('what the validate plugin checks is described', async (t) => {
  const validate = {
    body: { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] },
    query: { type: 'object', properties: { dry: { type: 'boolean' } }, required: ['dry'] },
  }
  const { document } = await described(t, {
    routes: [{ ...hello, methods: ['POST'], plugins: [{ validate }] }],
  })
  const { post } = document.paths['/hello']
  assert.deepEqual(post.requestBody.content['application/json'].schema.required, ['title'])
  assert.deepEqual(post.parameters, [
    { name: 'dry', in: 'query', required: true, schema: { type: 'boolean' } },
  ])
})

test('only what is routed is described, and nothing that is hidden', async (t) => {
  const docs = { hidden: true }
  const { document, url } = await described(t, {
    routes: [
      { ...hello, id: 'all', path: '/v1/**', methods: ['GET'] },
      { ...hello, id: 'secret', path: '/secret', docs },
      { ...hello, id: 'beta', path: '/beta', headers: { 'x-beta': 'yes' } },
      { ...hello, id: 'shadow', path: '/v1/{any=**}', methods: [], priority: -1 },
    ],
  })
  assert.deepEqual(operationsOf(document), [
    'DELETE /v1',
    'DELETE /v1/{segment_rest}',
    'GET /beta',
    'GET /v1',
    'GET /v1/{segment_rest}',
    'PATCH /v1',
    'PATCH /v1/{segment_rest}',
    'POST /v1',
    'POST /v1/{segment_rest}',
    'PUT /v1',
    'PUT /v1/{segment_rest}',
  ])
  assert.deepEqual(document.paths['/beta'].get.parameters[0].schema.enum, ['yes'])
  assert.equal(document.paths['/v1'].get['x-gateway-route'], 'all')
  assert.doesNotMatch(JSON.stringify(document), /secret|127\.0\.0\.1/)
  assert.equal(JSON.stringify(await documentOf(url)), JSON.stringify(document))
})

test('each host is told of its own routes; hosts that a stranger makes up share one document', async (t) => {
  const { port } = await startGateway(t, {
    upstreams: nobody,
    routes: [
      { ...hello, id: 'public' },
      { ...hello, id: 'shop', path: '/shop', hosts: ['shop.example'] },
      { ...hello, id: 'tenant', path: '/tenant', hosts: ['*.tenants.example'] },
    ],
  })
  const at = async (host: string) => {
    const { body, etag } = await get(port, '/openapi.json', { host })
    return [...operationsOf(JSON.parse(body)), etag]
  }
  const [open, tag] = await at('made-up-1.example')
  assert.equal(open, 'GET /hello')
  assert.deepEqual(await at('made-up-2.example'), [open, tag])
  assert.deepEqual((await at('SHOP.example:8080')).slice(0, 2), ['GET /hello', 'GET /shop'])
  const tenants = await at('a.tenants.example')
  assert.deepEqual(tenants.slice(0, 2), ['GET /hello', 'GET /tenant'])
  assert.deepEqual(await at('b.tenants.example'), tenants)
})

test('it is sent packed, and not again to who has it', async (t) => {
  const { port, url } = await described(t, { routes: [hello] })
  const packed = await get(port, '/openapi.json', { 'accept-encoding': 'br;q=1, gzip' })
  assert.equal(packed.coding, 'gzip')
  const plain = await get(port, '/openapi.json', { 'accept-encoding': 'gzip;q=0' })
  assert.equal(plain.coding, undefined)
  assert.equal(gunzipSync(packed.bytes).toString(), plain.body)
  assert.equal((await get(port, '/openapi.json', { 'if-none-match': plain.etag })).status, 304)
  assert.equal((await get(port, '/openapi.json', { 'if-none-match': '"other"' })).status, 200)
  const head = await fetch(`${url}/openapi.json`, { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [200, ''])
  const posted = await fetch(`${url}/openapi.json`, { method: 'POST', body: '{}' })
  assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD'])
})

test('a route that takes the paths gets their requests', async (t) => {
  const backend = await startBackend(t)
  const { url } = await startGateway(t, {
    upstreams: { echo: { targets: [{ url: backend.url }] } },
    routes: [{ ...hello, id: 'all', path: '/**', methods: [] }],
  })
  for (const path of ['/openapi.json', '/openapi/grpc.json', '/docs', '/docs/start.js'])
    assert.equal((await (await fetch(url + path)).json()).url, path)
})

test('with auth: required only known callers read it, in all of its places', async (t) => {
  const { url } = await startGateway(t, {
    upstreams: nobody,
    ...callers,
    routes: [hello],
    apiDocs: { openapi: { auth: 'required' } },
    grpc: { protos: ['protos/library/**/*.proto'], services: {} },
  })
  for (const path of ['/openapi.json', '/openapi/grpc.json']) {
    const refused = await fetch(url + path)
    assert.equal(refused.status, 401, path)
    assert.ok(refused.headers.has('www-authenticate'))
    await refused.text()
    const read = await fetch(url + path, { headers: { 'x-api-key': key } })
    assert.equal(read.status, 200)
    await read.text()
  }
  const page = await fetch(`${url}/docs`)
  assert.equal(page.status, 200)
  assert.doesNotMatch(await page.text(), /hello/)
})

test('who does not meet apiDocs.openapi.authorize is refused', async (t) => {
  const openapi = { auth: 'required', authorize: { roles: ['developer'] } }
  const { url } = await startGateway(t, {
    upstreams: nobody,
    ...callers,
    routes: [hello],
    apiDocs: { openapi },
  })
  const refused = await fetch(`${url}/openapi.json`, { headers: { 'x-api-key': key } })
  assert.deepEqual([refused.status, (await refused.json()).reason], [403, 'ROLE_MISSING'])
})

test('paths can be chosen, and all of it switched off', async (t) => {
  const moved = await startGateway(t, {
    upstreams: nobody,
    routes: [hello],
    apiDocs: { openapi: { path: '/api/description.json' }, ui: { path: '/api/help' } },
  })
  assert.equal((await fetch(`${moved.url}/api/description.json`)).status, 200)
  assert.match(
    await (await fetch(`${moved.url}/api/help`)).text(),
    /data-document="\.\.\/api\/description\.json"/,
  )
  assert.equal((await fetch(`${moved.url}/openapi.json`)).status, 404)
  for (const [apiDocs, statuses] of [
    [{ openapi: { enabled: false } }, [404, 404]],
    [{ ui: { enabled: false } }, [200, 404]],
  ] as const) {
    const { url } = await startGateway(t, { upstreams: nobody, routes: [hello], apiDocs })
    const got = await Promise.all(['/openapi.json', '/docs'].map((path) => fetch(url + path)))
    assert.deepEqual(
      got.map(({ status }) => status),
      statuses,
    )
  }
})

test('it passes the global plugins, and is logged', async (t) => {
  const { url, logged } = await startGateway(t, {
    upstreams: nobody,
    routes: [hello],
    plugins: ['requestId', 'accessLog', { cors: { allowOrigins: ['https://tools.example'] } }],
  })
  const answer = await fetch(`${url}/openapi.json`, { headers: { origin: 'https://tools.example' } })
  assert.equal(answer.headers.get('access-control-allow-origin'), 'https://tools.example')
  await answer.text()
  await logged((line) => line['gateway.route'] === 'api-docs' && line['http.response.status_code'] === 200)
})

const mistakes: readonly (readonly [apiDocs: object, message: RegExp])[] = [
  [
    { openapi: { enabled: false }, ui: { enabled: true } },
    /has nothing to show while openapi\.enabled is false/,
  ],
  [{ openapi: { path: '/docs' } }, /"\/docs" meets openapi\.path/],
  [{ openapi: { path: '/health' } }, /is taken by the gateway itself/],
  [{ ui: { path: '/admin/docs' } }, /is within admin\.path/],
  [{ ui: { path: '/docs/' } }, /expected a path such as \/docs/],
  [{ ui: { path: '/a/../docs' } }, /has a dot segment/],
  [{ openapi: { auth: 'required' } }, /needs an identity/],
  [{ openapi: { authorize: { roles: ['x'] } } }, /is not checked where auth is none/],
]

for (const [apiDocs, message] of mistakes)
  test(`${JSON.stringify(apiDocs)} is refused`, async (t) => {
    await assert.rejects(startGateway(t, { upstreams: nobody, routes: [hello], apiDocs }), message)
  })

test('strange spellings of the paths get no description by another way', async (t) => {
  const { port } = await startGateway(t, {
    upstreams: nobody,
    ...callers,
    routes: [hello],
    apiDocs: { openapi: { auth: 'required' } },
  })
  for (const path of [
    '/openapi.json/',
    '/OPENAPI.JSON',
    '/%6fpenapi.json',
    '//openapi.json',
    '/docs/../openapi.json',
    '/docs/%2e%2e/openapi.json',
    '/docs/start.js%00',
    '/docs/../../package.json',
    '/docs/ui-files.ts',
  ]) {
    const answer = await rawExchange(port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 (400|401|404) /, path)
    assert.doesNotMatch(answer, /"openapi"|hello/, path)
  }
})

interface Got {
  readonly status: number
  readonly body: string
  readonly bytes: Buffer
  readonly etag: string
  readonly coding: string | undefined
}

/** fetch sends neither a host nor a coding of the caller's choice. */
async function get(port: number, path: string, headers: Record<string, string>): Promise<Got> {
  const asked = request({ port, path, headers, host: '127.0.0.1' })
  asked.end()
  const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve).on('error', reject)
  })
  answer.setEncoding('latin1')
  const body = await text(answer)
  const { etag = '', 'content-encoding': coding } = answer.headers
  return { status: answer.statusCode ?? 0, body, bytes: Buffer.from(body, 'latin1'), etag, coding }
}
