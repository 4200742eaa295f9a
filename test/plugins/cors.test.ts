import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../src/core/error.ts'
import type { Plugin } from '../../src/core/plugin.ts'
import { cors } from '../../src/plugins/cors.ts'
import { exchange, make, type TestExchange, values } from './harness.ts'

const app = 'https://app.example.com'

function corsHeaders(x: TestExchange): Record<string, string> {
  const headers = x.answered?.headers ?? []
  const found: Record<string, string> = {}
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]?.toLowerCase() ?? ''
    if (name.startsWith('access-control-')) found[name.slice(15)] = headers[i + 1] ?? ''
  }
  return found
}

async function ask(options: object, method: string, headers: Record<string, string>, more: Plugin[] = []) {
  const x = exchange({ plugins: [make(cors, options), ...more], request: { method, headers } })
  await x.run()
  if (!x.committed) x.answer(200, [], 'from the upstream')
  return x
}

// Fetch standard, section 3.3.5, the table of credentials mode and wildcards, and section 4.9 (CORS check).
const actual: readonly [string, object, string | undefined, Record<string, string>][] = [
  ['any origin may read under "*"', { exposeHeaders: [] }, app, { 'allow-origin': '*' }],
  [
    'a listed origin is echoed',
    { allowOrigins: [app], exposeHeaders: ['A', 'B'] },
    app,
    { 'allow-origin': app, 'expose-headers': 'A, B' },
  ],
  [
    'credentials are allowed by the word true',
    { allowOrigins: [app], allowCredentials: true, exposeHeaders: [] },
    app,
    { 'allow-origin': app, 'allow-credentials': 'true' },
  ],
  ['another origin gets nothing', { allowOrigins: [app] }, 'https://evil.example', {}],
  ['an origin that only starts alike gets nothing', { allowOrigins: [app] }, `${app}.evil.example`, {}],
  ['another scheme gets nothing', { allowOrigins: [app] }, 'http://app.example.com', {}],
  ['another port gets nothing', { allowOrigins: [app] }, `${app}:8443`, {}],
  ['another case gets nothing', { allowOrigins: [app] }, 'https://APP.example.com', {}],
  ['the null origin gets nothing', { allowOrigins: [app] }, 'null', {}],
  ['a request without an origin gets nothing', { allowOrigins: [app] }, undefined, {}],
  [
    'a request without an origin gets "*", for the caches',
    { exposeHeaders: [] },
    undefined,
    { 'allow-origin': '*' },
  ],
  ['the null origin may read under "*"', { exposeHeaders: [] }, 'null', { 'allow-origin': '*' }],
  ...(
    [
      ['https://*.example.com', 'https://app.example.com', true],
      ['https://*.example.com', 'https://a.b.example.com', true],
      ['https://*.example.com:8443', 'https://app.example.com:8443', true],
      ['https://*.example.com', 'https://example.com', false],
      ['https://*.example.com', 'https://.example.com', false],
      ['https://*.example.com', 'http://app.example.com', false],
      ['https://*.example.com', 'https://app.example.com:8443', false],
      ['https://*.example.com', 'https://evilexample.com', false],
      ['https://*.example.com', 'https://app.example.com.evil.example', false],
      ['https://*.example.com', 'https://evil.example/.example.com', false],
      ['https://*.example.com', 'https://evil.example#.example.com', false],
      ['https://*.example.com', 'https://evil.example?.example.com', false],
      ['https://*.example.com', 'https://evil.example\\.example.com', false],
      ['https://*.example.com', 'https://user@evil.example:1.example.com', false],
      ['https://*.example.com', 'https://a..example.com', false],
      ['https://*.example.com', 'https://*.example.com', false],
      ['https://*.example.com', 'null', false],
    ] as const
  ).map(([pattern, origin, may]): (typeof actual)[number] => [
    `${pattern} is ${may ? '' : 'not '}${origin}`,
    { allowOrigins: [pattern], allowCredentials: true, exposeHeaders: [] },
    origin,
    may ? { 'allow-origin': origin, 'allow-credentials': 'true' } : {},
  ]),
]
for (const [name, options, origin, expected] of actual) {
  test(`an answer: ${name}`, async () => {
    const x = await ask(options, 'GET', origin === undefined ? {} : { origin })
    assert.equal(x.answered?.body, 'from the upstream')
    assert.deepEqual(corsHeaders(x), expected)
    // Fetch standard, "CORS protocol and HTTP caches": what is the same for all varies by nothing.
    assert.deepEqual(values(x.answered.headers, 'Vary'), expected['allow-origin'] === '*' ? [] : ['Origin'])
  })
}

const preflightHeaders = {
  origin: app,
  'access-control-request-method': 'PUT',
  'access-control-request-headers': 'x-a',
}

test('a preflight is answered 204 with what is allowed', async () => {
  const options = { allowOrigins: [app], allowMethods: ['GET', 'PUT'], allowHeaders: ['X-A'], maxAge: '2m' }
  const x = await ask(options, 'OPTIONS', preflightHeaders)
  assert.equal(x.answered?.status, 204)
  assert.deepEqual(corsHeaders(x), {
    'allow-origin': app,
    'allow-methods': 'GET, PUT',
    'allow-headers': 'X-A',
    'max-age': '120',
  })
  const vary = values(x.answered.headers, 'Vary').join(', ')
  assert.equal(vary, 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
})

// Headers that Apollo's clients send by themselves, and those that GraphQL over HTTP and gRPC-Web need.
for (const name of [
  'content-type',
  'authorization',
  'apollo-require-preflight',
  'x-apollo-operation-name',
  'apollographql-client-name',
  'apollographql-client-version',
  'x-grpc-web',
]) {
  test(`a page of an allowed origin may send ${name} without a word in the configuration`, async () => {
    const x = await ask({ allowOrigins: [app] }, 'OPTIONS', preflightHeaders)
    assert.ok(corsHeaders(x)['allow-headers']?.toLowerCase().split(', ').includes(name))
  })
}

test('a preflight from another origin is answered 204 without a CORS header', async () => {
  const x = await ask({ allowOrigins: [app] }, 'OPTIONS', {
    ...preflightHeaders,
    origin: 'https://evil.example',
  })
  assert.equal(x.answered?.status, 204)
  assert.deepEqual(corsHeaders(x), {})
})

const notPreflights: readonly [string, string, Record<string, string>][] = [
  ['OPTIONS without Access-Control-Request-Method', 'OPTIONS', { origin: app }],
  ['OPTIONS without Origin', 'OPTIONS', { 'access-control-request-method': 'PUT' }],
  ['GET with the headers of a preflight', 'GET', preflightHeaders],
]
for (const [name, method, headers] of notPreflights) {
  test(`no preflight: ${name} goes on to the upstream`, async () => {
    const x = await ask({}, method, headers)
    assert.equal(x.answered?.status, 200)
  })
}

test('a refusal carries CORS headers, so that a page can read it', async () => {
  const refusing: Plugin = {
    onRequest() {
      throw new GatewayError('NO_CREDENTIALS', 'Who?')
    },
  }
  const x = await ask({ allowOrigins: [app] }, 'GET', { origin: app }, [refusing])
  assert.equal(x.answered?.status, 401)
  assert.equal(corsHeaders(x)['allow-origin'], app)
})

test("an upstream's own CORS headers are replaced, in any case and place", () => {
  const x = exchange({
    plugins: [make(cors, { allowOrigins: [app] })],
    request: { headers: { origin: app } },
  })
  x.answer(
    200,
    [
      'access-control-allow-origin',
      '*',
      'A',
      '1',
      'ACCESS-CONTROL-ALLOW-CREDENTIALS',
      'true',
      'Access-Control-Max-Age',
      '1',
    ],
    '',
  )
  assert.deepEqual(values(x.answered?.headers ?? [], 'Access-Control-Allow-Origin'), [app])
  assert.deepEqual(values(x.answered?.headers ?? [], 'Access-Control-Allow-Credentials'), [])
  assert.deepEqual(values(x.answered?.headers ?? [], 'A'), ['1'])
})

const refused: readonly [string, object][] = [
  ['"*" with credentials', { allowOrigins: ['*'], allowCredentials: true }],
  ['"*" headers with credentials', { allowOrigins: [app], allowHeaders: ['*'], allowCredentials: true }],
  ['an origin with a path', { allowOrigins: [`${app}/`] }],
  ['an origin without a scheme', { allowOrigins: ['app.example.com'] }],
  ['the null origin', { allowOrigins: ['null'] }],
  ['"*" methods with credentials', { allowOrigins: [app], allowMethods: ['*'], allowCredentials: true }],
  [
    '"*" among exposed headers with credentials',
    { allowOrigins: [app], exposeHeaders: ['*'], allowCredentials: true },
  ],
  ['"*" beside others', { allowOrigins: ['*', app] }],
  ['a method in lower case, which browsers never send', { allowMethods: ['patch'] }],
  ['a pattern of a top-level domain', { allowOrigins: ['https://*.com'] }],
  ['a pattern in the middle', { allowOrigins: ['https://app.*.example.com'] }],
  ['a pattern of a part of a name', { allowOrigins: ['https://app*.example.com'] }],
  ['a pattern of any scheme', { allowOrigins: ['*://app.example.com'] }],
  ['a pattern of any port', { allowOrigins: ['https://app.example.com:*'] }],
  ['a pattern with a path', { allowOrigins: ['https://*.example.com/'] }],
  ['a header name with a line break', { allowHeaders: ['A\r\nB'] }],
  ['an unknown key', { allowOrigin: app }],
]
for (const [name, options] of refused) {
  test(`the configuration is refused for ${name}`, () => {
    assert.throws(() => make(cors, options))
  })
}

const everywhere = { allowMethods: ['*'], allowHeaders: ['*', 'Authorization'], exposeHeaders: ['*'] }

test('without credentials "*" stands for all methods and headers, Authorization named beside it', async () => {
  const x = await ask(everywhere, 'OPTIONS', preflightHeaders)
  assert.deepEqual(corsHeaders(x), {
    'allow-origin': '*',
    'allow-methods': '*',
    'allow-headers': '*, Authorization',
    'max-age': '600',
  })
  assert.deepEqual(values(x.answered?.headers ?? [], 'Vary'), [
    'Access-Control-Request-Method, Access-Control-Request-Headers',
  ])
})

test('a preflight that browsers are not to remember says 0', async () => {
  assert.equal(corsHeaders(await ask({ maxAge: '0s' }, 'OPTIONS', preflightHeaders))['max-age'], '0')
})

// Private Network Access was a draft of the WICG and was given up for a permission that browsers ask their users for.
test('a preflight for a private network is told nothing of that, whatever the upstream says', async () => {
  const asks = { ...preflightHeaders, 'access-control-request-private-network': 'true' }
  const x = await ask({ allowOrigins: [app] }, 'OPTIONS', asks)
  assert.equal(corsHeaders(x)['allow-private-network'], undefined)
})

const upgrades: readonly [string, object, Record<string, string>, boolean][] = [
  ['of a listed origin', { allowOrigins: [app] }, { origin: app, cookie: 'a=1' }, true],
  ['of an origin that a pattern has', { allowOrigins: ['https://*.example.com'] }, { origin: app }, true],
  ['of another origin', { allowOrigins: [app] }, { origin: 'https://evil.example' }, false],
  ['of the null origin', { allowOrigins: [app] }, { origin: 'null' }, false],
  ['of any origin under "*"', {}, { origin: 'https://evil.example' }, true],
  ['of any origin under "*", with cookies', {}, { origin: 'https://evil.example', cookie: 'a=1' }, false],
  [
    "of the gateway's own origin, with cookies",
    {},
    { origin: 'https://gateway.example', cookie: 'a=1' },
    true,
  ],
  ['of no browser', { allowOrigins: [app] }, {}, true],
]
for (const [name, options, headers, may] of upgrades) {
  test(`a WebSocket ${name} is ${may ? 'opened' : 'refused'}`, async () => {
    const x = await ask(options, 'GET', { ...headers, upgrade: 'websocket' })
    assert.equal(x.error?.reason, may ? undefined : 'ORIGIN_REFUSED')
  })
}
