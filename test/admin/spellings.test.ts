import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBackend } from '../world.ts'
import { assertProblem, startAdmin } from './admin-world.ts'

const flat: readonly (readonly [string, object, object])[] = [
  [
    'a prefix, as the issue has it',
    {
      service_name: 'users',
      path_pattern: '/api/v1/users/*',
      target_url: '/users/*',
      method: 'ANY',
      requires_auth: false,
      rate_limit_rpm: 60,
    },
    {
      id: 'users-api-v1-users',
      path: '/api/v1/users/**',
      upstream: 'users',
      rewrite: { stripPrefix: '/api/v1/users', prefix: '/users' },
      auth: 'none',
      plugins: [{ rateLimit: { limit: 60, window: '1m' } }],
    },
  ],
  [
    'one path, without more',
    { service_name: 'users', path_pattern: '/me', method: 'get', requires_auth: false },
    { id: 'users-me-get', path: '/me', methods: ['GET'], upstream: 'users', auth: 'none' },
  ],
  [
    'variables',
    {
      service_name: 'users',
      path_pattern: '/people/{id}',
      target_url: '/users/{id}',
      method: 'GET,PUT',
      requires_auth: false,
    },
    {
      id: 'users-people-id-get-put',
      path: '/people/{id}',
      methods: ['GET', 'PUT'],
      upstream: 'users',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: how the configuration names a variable
      rewrite: { path: '/users/${path.id}' },
      auth: 'none',
    },
  ],
  [
    'everything',
    { service_name: 'users', path_pattern: '/all/*', target_url: '/*', requires_auth: false },
    { id: 'users-all', path: '/all/**', upstream: 'users', rewrite: { stripPrefix: '/all' }, auth: 'none' },
  ],
]

test('a route in one line becomes a full one, which the answer shows', async (t) => {
  const backend = await startBackend(t)
  const { ask, url } = await startAdmin(t, { upstreams: { users: { targets: [{ url: backend.url }] } } })
  for (const [name, sent, full] of flat) {
    const told = await ask('POST /routes', { body: sent })
    assert.equal(told.status, 201, `${name}: ${told.text}`)
    assert.deepEqual(told.json.item, full, name)
  }
  const seen = async (path: string) => ((await (await fetch(url + path)).json()) as { url: string }).url
  assert.equal(await seen('/api/v1/users/7?a=1'), '/users/7?a=1')
  assert.equal(await seen('/me'), '/me')
  assert.equal(await seen('/people/9'), '/users/9')
  assert.equal(await seen('/all/x/y'), '/x/y')
})

test('with no upstream of the name it is made: of the target, or of the instances that register', async (t) => {
  const backend = await startBackend(t)
  const { ask, url, gateway } = await startAdmin(t, {})
  const target = {
    service_name: 'shop',
    path_pattern: '/shop/*',
    target_url: `${backend.url}/*`,
    requires_auth: false,
    circuit_breaker_enabled: true,
  }
  const made = await ask('POST /routes', { body: target })
  assert.equal(made.status, 201, made.text)
  assert.equal((await fetch(`${url}/shop/1`)).status, 200)
  assert.ok(gateway.config.upstreams.shop?.circuitBreaker)
  const off = { ...target, path_pattern: '/more/*', circuit_breaker_enabled: false }
  assert.equal((await ask('POST /routes', { body: off })).status, 201)
  assert.equal(gateway.config.upstreams.shop?.circuitBreaker, undefined)
  const route = { service_name: 'later', path_pattern: '/later/*', requires_auth: false }
  assert.equal((await ask('POST /routes', { body: route })).status, 201)
  const instance = {
    service_name: 'later',
    instance_id: 'later-1',
    host: '127.0.0.1',
    port: backend.port,
    weight: 5,
  }
  const registered = await ask('POST /services', { body: instance })
  assert.equal(registered.status, 201, registered.text)
  const { warnings, ...full } = registered.json
  assert.deepEqual(full, {
    service: 'later',
    url: backend.url,
    weight: 5,
    priority: 0,
    ttl: '30s',
    expired: false,
  })
  assert.match(warnings[0], /instance_id is not kept/)
  assert.equal((await fetch(`${url}/later/1`)).status, 200)
})

const wrong: readonly (readonly [string, string, object, RegExp])[] = [
  [
    'both spellings in one',
    '/routes',
    { service_name: 'a', path: '/a' },
    /mixes two spellings: of the flat one there is service_name.* path/,
  ],
  [
    'a flat member that is mistyped',
    '/routes',
    { service_name: 'a', path_patern: '/a' },
    /did you mean .*path_pattern/,
  ],
  ['both of an instance', '/services', { service: 'a', host: 'h', port: 1 }, /mixes two spellings/],
  ['no path', '/routes', { service_name: 'a' }, /path_pattern/],
  ['a pattern that is none', '/routes', { service_name: 'a', path_pattern: 'a/*/b' }, /path_pattern/],
  ['a star in the middle', '/routes', { service_name: 'a', path_pattern: '/a/*/b' }, /path_pattern/],
  [
    'stars that differ',
    '/routes',
    { service_name: 'a', path_pattern: '/a/*', target_url: '/b' },
    /target_url/,
  ],
  ['a name that is none', '/routes', { service_name: '../a', path_pattern: '/a' }, /service_name/],
  [
    'a limit of nothing',
    '/routes',
    { service_name: 'a', path_pattern: '/a', rate_limit_rpm: 0 },
    /rate_limit_rpm/,
  ],
  ['a port that is none', '/services', { service_name: 'a', host: 'h', port: 70_000 }, /port/],
  ['a host with a path', '/services', { service_name: 'a', host: 'h/x', port: 1 }, /host/],
  [
    'another target',
    '/routes',
    { service_name: 'known', path_pattern: '/a', target_url: 'http://127.0.0.1:2/a' },
    /not a target/,
  ],
]

test('what is spelled in neither way, or in both, is refused with the place', async (t) => {
  const upstreams = { known: { targets: [{ url: 'http://127.0.0.1:1' }] } }
  const { ask, gateway } = await startAdmin(t, { upstreams })
  for (const [name, path, body, message] of wrong) {
    const told = await ask(`POST ${path}`, { body })
    assertProblem(told, 400, 'INVALID_ARGUMENT', name)
    assert.match(told.text, message, name)
  }
  assert.deepEqual([gateway.control.version, gateway.registry.services], [1, []])
})

// security.md: link-local and metadata addresses are refused by default.
const credentials: readonly string[] = [
  'http://169.254.169.254',
  'http://169.254.170.2',
  'http://0xa9fea9fe',
  'http://2852039166',
  'http://0251.0376.0251.0376',
  'http://169.254.43518',
  'http://[fe80::1]:80',
  'http://[::ffff:169.254.169.254]',
  'http://[fd00:ec2::254]',
  'http://[64:ff9b::169.254.169.254]',
  'http://metadata.google.internal',
  'http://METADATA.google.internal.',
  'http://instance-data',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a configuration
  '${NOT_SET:-http://169.254.169.254}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in a configuration
  'http://169.${NOT_SET:-254}.169.254',
]

test('nobody leads the gateway to where a machine keeps its credentials', async (t) => {
  const { ask, gateway } = await startAdmin(t, { consumers: [{ id: 'shop' }] })
  const ways = (url: string): readonly (readonly [string, object])[] => [
    ['POST /upstreams', { id: 'u', targets: [{ url }] }],
    ['PUT /upstreams/u?dryRun=true', { targets: [{ url }] }],
    ['PATCH /config', { upstreams: { u: { targets: [{ url }] } } }],
    [
      'POST /batch',
      { operations: [{ op: 'put', kind: 'upstreams', id: 'u', value: { targets: [{ url }] } }] },
    ],
    ['POST /services', { service: 's', url }],
    ['POST /services:batch', { operations: [{ op: 'register', service: 's', url }] }],
  ]
  for (const url of credentials) {
    for (const [what, body] of ways(url).slice(0, url === credentials[0] ? 6 : 1)) {
      const told = await ask(what, { body })
      assertProblem(told, 400, 'INVALID_ARGUMENT', `${what} ${url}`)
      assert.match(told.text, /link-local/, `${what} ${url}`)
    }
  }
  const issuer = { issuer: 'https://id.example', audience: 'a', algorithms: ['RS256'] }
  const keys = { auth: { jwt: [{ ...issuer, jwksUri: 'https://169.254.169.254/jwks' }] } }
  assert.match((await ask('PATCH /config', { body: keys })).text, /jwksUri/)
  assert.deepEqual([gateway.control.version, gateway.registry.services], [1, []])
})

test('who writes the file may, and what is there already stays', async (t) => {
  const upstreams = { meta: { targets: [{ url: 'http://169.254.169.254' }] } }
  const { ask } = await startAdmin(t, { upstreams })
  assert.equal((await ask('PATCH /upstreams/meta', { body: { timeouts: { request: '1s' } } })).status, 200)
  const allowed = await startAdmin(t, { admin: { allowLinkLocalTargets: true } })
  const body = { id: 'u', targets: [{ url: 'http://169.254.169.254' }] }
  assert.equal((await allowed.ask('POST /upstreams', { body })).status, 201)
})
