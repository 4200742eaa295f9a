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
]
for (const [name, options, origin, expected] of actual) {
  test(`an answer: ${name}`, async () => {
    const x = await ask(options, 'GET', origin === undefined ? {} : { origin })
    assert.equal(x.answered?.body, 'from the upstream')
    assert.deepEqual(corsHeaders(x), expected)
    assert.ok(values(x.answered.headers, 'Vary').includes('Origin'))
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
  ['a header name with a line break', { allowHeaders: ['A\r\nB'] }],
  ['an unknown key', { allowOrigin: app }],
]
for (const [name, options] of refused) {
  test(`the configuration is refused for ${name}`, () => {
    assert.throws(() => make(cors, options))
  })
}
