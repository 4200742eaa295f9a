import assert from 'node:assert/strict'
import { test } from 'node:test'
import { securityHeaders } from '../../src/plugins/security-headers.ts'
import { type ExchangeOptions, exchange, make } from './harness.ts'

function answered(
  options: object,
  request: ExchangeOptions['request'] = {},
  sent: string[] = [],
): Record<string, string> {
  const x = exchange({ plugins: [make(securityHeaders, options)], request })
  x.answer(200, [...sent], '')
  const found: Record<string, string> = {}
  const headers = x.answered?.headers ?? []
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]?.toLowerCase() ?? ''
    assert.equal(found[name], undefined, `${name} stands twice`)
    found[name] = headers[i + 1] ?? ''
  }
  return found
}

const byDefault = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'content-security-policy': "frame-ancestors 'none'",
  'referrer-policy': 'strict-origin-when-cross-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}
const https = { scheme: 'https' } as const

test('the defaults over http have no HSTS (RFC 6797 section 7.2)', () => {
  assert.deepEqual(answered({}), byDefault)
})

test('the defaults over https', () => {
  assert.deepEqual(answered({}, https), { ...byDefault, 'strict-transport-security': 'max-age=31536000' })
})

const changed: readonly [string, object, ExchangeOptions['request'], string, string | undefined][] = [
  [
    'HSTS in full',
    { hsts: { maxAge: '730d', includeSubDomains: true, preload: true } },
    https,
    'strict-transport-security',
    'max-age=63072000; includeSubDomains; preload',
  ],
  [
    'HSTS of 0 seconds, which takes it back',
    { hsts: { maxAge: '0s' } },
    https,
    'strict-transport-security',
    'max-age=0',
  ],
  ['no HSTS', { hsts: false }, https, 'strict-transport-security', undefined],
  [
    'HSTS behind a trusted proxy that speaks TLS',
    {},
    { peerTrusted: true, headers: { 'x-forwarded-proto': 'https' } },
    'strict-transport-security',
    'max-age=31536000',
  ],
  [
    'no HSTS for who only says that it is https',
    {},
    { headers: { 'x-forwarded-proto': 'https' } },
    'strict-transport-security',
    undefined,
  ],
  [
    'frames of its own',
    { frameOptions: 'SAMEORIGIN' },
    {},
    'content-security-policy',
    "frame-ancestors 'self'",
  ],
  ['frames of everybody', { frameOptions: false }, {}, 'content-security-policy', undefined],
  [
    'a policy of its own',
    { contentSecurityPolicy: "default-src 'self'" },
    {},
    'content-security-policy',
    "default-src 'self'",
  ],
  ['no policy', { contentSecurityPolicy: false }, {}, 'content-security-policy', undefined],
  ['sniffing', { contentTypeOptions: false }, {}, 'x-content-type-options', undefined],
  ['no referrer policy', { referrerPolicy: false }, {}, 'referrer-policy', undefined],
  ['no permissions policy', { permissionsPolicy: false }, {}, 'permissions-policy', undefined],
  ['no opener policy', { crossOriginOpenerPolicy: false }, {}, 'cross-origin-opener-policy', undefined],
  [
    'resources for all',
    { crossOriginResourcePolicy: 'cross-origin' },
    {},
    'cross-origin-resource-policy',
    'cross-origin',
  ],
  [
    'an embedder policy',
    { crossOriginEmbedderPolicy: 'require-corp' },
    {},
    'cross-origin-embedder-policy',
    'require-corp',
  ],
]
for (const [name, options, request, header, value] of changed) {
  test(`by option: ${name}`, () => {
    assert.equal(answered(options, request)[header], value)
  })
}

const backendSays = ['X-FRAME-OPTIONS', 'SAMEORIGIN', 'content-security-policy', 'default-src *', 'A', '1']

test('what the backend says of itself stays, in any case', () => {
  const headers = answered({}, {}, backendSays)
  assert.equal(headers['x-frame-options'], 'SAMEORIGIN')
  assert.equal(headers['content-security-policy'], 'default-src *')
  assert.equal(headers.a, '1')
  assert.equal(headers['x-content-type-options'], 'nosniff')
})

test('what the backend says is replaced with override; what has no value here stays', () => {
  const headers = answered({ override: true, contentSecurityPolicy: false }, {}, [
    ...backendSays,
    'x-frame-options',
    'ALLOW',
  ])
  assert.equal(headers['x-frame-options'], 'DENY')
  assert.equal(headers['content-security-policy'], 'default-src *')
})

const none = {
  hsts: false,
  contentTypeOptions: false,
  frameOptions: false,
  referrerPolicy: false,
  permissionsPolicy: false,
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
}
const refused: readonly [string, object][] = [
  ['nothing that it would put', none],
  ['preload without names below', { hsts: { preload: true } }],
  ['preload for less than a year', { hsts: { preload: true, includeSubDomains: true, maxAge: '90d' } }],
  ['a line break', { referrerPolicy: 'a\r\nB: c' }],
  ['a word that browsers do not know', { frameOptions: 'ALLOW-FROM https://a.example' }],
  ['true, which says no value', { contentSecurityPolicy: true }],
]
for (const [name, options] of refused) {
  test(`the configuration is refused for ${name}`, () => {
    assert.throws(() => make(securityHeaders, options))
  })
}
