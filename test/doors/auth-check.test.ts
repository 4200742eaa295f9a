// biome-ignore-all lint/suspicious/noTemplateCurlyInString: values of the path are written so
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { SignJWT } from 'jose'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { seeded } from '../plugins/harness.ts'
import { rawExchange, startBackend, startGateway, type TestGateway } from '../world.ts'
import { everyDoor } from './grpc-doors.ts'

const secret = 'a secret of the tests that is long enough'
const jwt = [{ issuer: 'https://id.example', audience: 'tests', algorithms: ['HS256'], secret }]
const shopKey = createApiKey('test')
const adminKey = createApiKey('test')
const consumers = [
  { id: 'shop', roles: ['reader'], scopes: ['books'], keys: [{ hash: hashApiKey(shopKey) }] },
  { id: 'boss', roles: ['admin'], keys: [{ hash: hashApiKey(adminKey) }] },
]
const auth = { jwt, failures: { limit: 0 }, check: { authorize: { roles: ['admin'] }, perMinute: 100_000 } }

function token(claims: object, expiresIn = '5m'): Promise<string> {
  return new SignJWT({ iss: 'https://id.example', aud: 'tests', ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expiresIn)
    .sign(Buffer.from(secret))
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
type Answer = any

function ask(url: string, question: unknown, headers: object = { 'x-api-key': adminKey }): Promise<Response> {
  const body = typeof question === 'string' ? question : JSON.stringify(question)
  return fetch(`${url}/auth/check`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body,
  })
}

/** What the endpoint says, asked by an admin. */
async function answer(url: string, question: unknown, headers?: object): Promise<Answer> {
  const reply = await ask(url, question, headers)
  const text = await reply.text()
  assert.equal(reply.status, 200, text)
  return JSON.parse(text)
}

test('a random request is let in exactly when the check of it says so, and refused for the same reason', async (t) => {
  const random = seeded(6)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const some = <T>(list: readonly T[]): T[] => list.filter(() => random() < 0.3)
  const backend = await startBackend(t)
  const policy = (): object => {
    const mode = pick(['required', 'required', 'optional', 'none'])
    if (mode === 'none') return { auth: mode }
    const claims = pick([
      {},
      {},
      { tenant: 'acme' },
      { tenant: ['acme', 'globex'] },
      { sub: '${path.id}' },
      { tenant: '*', 'org.level': [1, 2] },
      { tenants: '${path.id}' },
    ])
    const consumers = random() < 0.15 ? ['shop'] : []
    const authorize = {
      roles: some(['admin', 'reader']),
      scopes: some(['books']),
      anyScope: some(['books', 'x']),
      consumers,
      claims,
    }
    return { auth: mode, authorize }
  }
  const routes = Array.from({ length: 30 }, (_, i) => ({
    id: `r${i}`,
    path: `/r${i}/{id}`,
    methods: pick([[], ['GET'], ['POST']]),
    ...(random() < 0.2 ? { hosts: ['api.example'] } : {}),
    upstream: 'echo',
    ...policy(),
  }))
  const { url } = await startGateway(t, {
    consumers,
    auth,
    upstreams: { echo: { targets: [{ url: backend.url }] } },
    routes,
  })
  const tokens = await Promise.all(
    [
      {},
      { sub: 'ann' },
      { sub: 'ann', tenant: 'acme' },
      { sub: 'bob', tenant: ['globex'], roles: ['admin'], org: { level: 2 } },
      { sub: '42', tenants: [42, 'ann'], scope: 'books x', roles: 'reader' },
    ].map((claims) => token(claims)),
  )
  const expired = await token({ sub: 'ann' }, '-1h')
  const seen = new Map<string, number>()
  for (let i = 0; i < 400; i++) {
    const path = `/r${Math.floor(random() * 31)}/${pick(['ann', 'bob', '42', 'acme', '%61nn', 'ann;x', '%2561nn', 'a%2Fb', '../r1', 'ann/'])}`
    const method = pick(['GET', 'GET', 'POST', 'HEAD', 'DELETE', 'OPTIONS'])
    const credentials = {
      ...(random() < 0.4 ? { apiKey: pick([shopKey, adminKey, 'junk', createApiKey('test')]) } : {}),
      ...(random() < 0.5 ? { token: pick([...tokens, expired, 'junk', '']) } : {}),
    }
    const { apiKey, token } = credentials as { apiKey?: string; token?: string }
    const caller = apiKey === undefined && token === undefined ? { principal: null } : { credentials }
    const told = await answer(url, { method, url: path, ...caller })
    const before = backend.requests.length
    const headers = {
      ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
    const real = await raw(url, { method, path, headers })
    const passed = backend.requests.length > before
    const shown = `${method} ${path} ${JSON.stringify(headers)}: ${JSON.stringify(told)} ${real}`
    assert.equal(told.allowed, passed, shown)
    if (!passed) assert.equal(told.status, Number(/^HTTP\/1\.1 (\d+)/.exec(real)?.[1]), shown)
    if (!passed && method !== 'HEAD') assert.ok(real.includes(`"reason":"${told.reason}"`), shown)
    assert.ok(told.allowed === told.checks.every((step: Answer) => step.passed), shown)
    const kind = told.reason ?? 'allowed'
    seen.set(kind, (seen.get(kind) ?? 0) + 1)
  }
  // All that can happen did.
  for (const kind of [
    'allowed',
    'NO_CREDENTIALS',
    'KEY_INVALID',
    'JWT_INVALID',
    'ROLE_MISSING',
    'SCOPE_MISSING',
    'CLAIM_MISSING',
    'POLICY_REFUSED',
    'PATH_REFUSED',
    'ROUTE_NOT_FOUND',
    'METHOD_NOT_ALLOWED',
  ])
    assert.ok((seen.get(kind) ?? 0) > 0, `${kind}: ${JSON.stringify([...seen])}`)
})

/** A request whose path is sent as it stands, which `fetch` would not do. */
async function raw(
  url: string,
  { method, path, headers }: { method: string; path: string; headers: Record<string, string> },
): Promise<string> {
  const lines = Object.entries({ Host: new URL(url).host, Connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  return rawExchange(
    Number(new URL(url).port),
    [`${method} ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'),
    20_000,
  )
}

for (const door of everyDoor) {
  describe(`the check of requests at the ${door.name} door`, () => {
    test('says what the request itself would be told', async (t) => {
      const backend = await door.start(t)
      const place = { authorize: { roles: ['reader'], claims: { tenant: 'acme' } } }
      const { url } = await startGateway(t, { consumers, auth, ...backend.config(place) })
      const native = ['gRPC', 'gRPC-Web', 'Connect'].includes(door.name)
      const target = native ? { method: 'POST', path: '/doors.v1.Users/GetUser' } : backend.target
      const rows: [object, object][] = [
        [{ principal: null }, {}],
        [{ credentials: { apiKey: 'junk' } }, { 'x-api-key': 'junk' }],
        [{ credentials: { apiKey: shopKey } }, { 'x-api-key': shopKey }],
        [{ credentials: { apiKey: adminKey } }, { 'x-api-key': adminKey }],
      ]
      for (const claims of [
        { tenant: 'acme' },
        { tenant: 'acme', roles: ['reader'] },
        { roles: ['reader'] },
      ]) {
        const credential = await token({ sub: 'ann', ...claims })
        rows.push([{ credentials: { token: credential } }, { authorization: `Bearer ${credential}` }])
      }
      for (const [caller, headers] of rows) {
        const told = await answer(url, { method: target.method, url: target.path, ...caller })
        const real = await backend.ask(url, headers as Record<string, string>)
        const body = await real.text()
        assert.equal(told.allowed, real.status === 200, JSON.stringify(told))
        assert.equal(told.status ?? 200, real.status)
        if (!told.allowed) assert.equal(told.reason, backend.reason(body))
        assert.equal(told.route.id, door.routeId)
      }
    })
  })
}

interface World extends TestGateway {
  readonly asked: () => number
}

async function open(t: TestContext, check: object = {}): Promise<World> {
  const backend = await startBackend(t)
  const gateway = await startGateway(t, {
    plugins: ['metrics'],
    consumers,
    auth: { jwt, check: { authorize: { roles: ['admin'] }, ...check } },
    upstreams: { echo: { targets: [{ url: backend.url }] } },
    routes: [
      {
        id: 'books',
        path: '/books/{id}',
        upstream: 'echo',
        authorize: { roles: ['reader'], claims: { sub: '${path.id}' } },
        plugins: [{ rateLimit: { name: 'few', limit: 1, window: '1h', by: 'route' } }],
      },
      { id: 'open', path: '/open', upstream: 'echo', auth: 'none' },
    ],
  })
  return { ...gateway, asked: () => backend.requests.length }
}

test('an answer names the route, the caller and each thing that was looked at', async (t) => {
  const { url, asked } = await open(t)
  const principal = { id: 'ann', roles: ['reader'], claims: { sub: 'ann', secret: 'x' } }
  assert.deepEqual(await answer(url, { method: 'GET', url: '/books/ann', principal }), {
    allowed: true,
    reason: null,
    status: null,
    message: null,
    route: { id: 'books', protocol: 'rest', path: '/books/{id}', auth: 'required' },
    principal: { id: 'ann', roles: ['reader'], scopes: [], via: 'jwt' },
    checks: [
      { check: 'route', passed: true, why: 'books takes it' },
      { check: 'identity', passed: true, why: 'is known by jwt' },
      { check: 'roles', passed: true, why: 'needs one of the roles reader' },
      { check: 'claims', passed: true, why: 'needs the claim sub: ${path.id}' },
    ],
    // Not `metrics`, which refuses nothing.
    notChecked: ['rateLimit'],
  })
  const other = await answer(url, { url: 'https://api.example/books/bob?x=1', principal })
  assert.deepEqual([other.reason, other.status], ['CLAIM_MISSING', 403])
  assert.deepEqual(
    other.checks.map((step: Answer) => step.passed),
    [true, true, true, false],
  )
  assert.equal((await answer(url, { url: '/open', principal: null })).allowed, true)
  // Nothing was executed, and nothing counted at the limit of the route.
  assert.equal(asked(), 0)
  const real = await fetch(`${url}/books/ann`, {
    headers: { authorization: `Bearer ${await token({ sub: 'ann', roles: ['reader'] })}` },
  })
  assert.equal(real.status, 200)
})

test('everybody may ask about himself, and about others only who is allowed to', async (t) => {
  const { url } = await open(t)
  const shop = { 'x-api-key': shopKey }
  assert.equal((await ask(url, { url: '/open' }, {})).status, 401)
  assert.equal((await ask(url, { url: '/open' }, { 'x-api-key': 'junk' })).status, 401)
  const own = await answer(url, { url: '/books/shop' }, shop)
  assert.deepEqual([own.principal.id, own.reason], ['shop', 'CLAIM_MISSING'])
  for (const about of [
    { principal: null },
    { principal: { id: 'shop' } },
    { credentials: { apiKey: shopKey } },
    { credentials: { token: 'x' } },
  ]) {
    const reply = await ask(url, { url: '/open', ...about }, shop)
    assert.equal(reply.status, 403, JSON.stringify(about))
    assert.equal(((await reply.json()) as Answer).reason, 'ROLE_MISSING')
  }
})

test('credentials of others that are not valid do not count as failures of whoever asks', async (t) => {
  const { url } = await startGateway(t, {
    consumers: [{ id: 'boss', roles: ['admin'], keys: [{ hash: hashApiKey('made elsewhere') }] }],
    auth: { check: { authorize: { roles: ['admin'] } }, failures: { limit: 2, window: '1h' } },
  })
  const headers = { 'x-api-key': 'made elsewhere' }
  for (let i = 0; i < 4; i++) {
    const told = await answer(
      url,
      { url: '/auth/check', method: 'POST', credentials: { apiKey: 'junk' } },
      headers,
    )
    assert.equal(told.reason, 'KEY_INVALID')
  }
  assert.equal((await ask(url, { url: '/auth/check', method: 'POST' }, headers)).status, 200)
})

test('without a word of who may, nobody asks about others', async (t) => {
  const { url } = await open(t, { authorize: {} })
  assert.equal((await ask(url, { url: '/open', principal: null })).status, 403)
  assert.equal((await ask(url, { url: '/open' })).status, 200)
})

test('one caller asks so often in a minute', async (t) => {
  const { url } = await open(t, { perMinute: 2 })
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) statuses.push((await ask(url, { url: '/open' })).status)
  assert.deepEqual(statuses, [200, 200, 429])
  assert.equal((await ask(url, { url: '/open' }, { 'x-api-key': shopKey })).status, 200)
})

const bad: readonly [string, unknown, number, string][] = [
  ['no JSON', '{', 400, ''],
  ['a list', [], 400, '/'],
  ['no url', {}, 400, '/url'],
  ['an unknown member', { url: '/open', user: 'x' }, 400, '/'],
  ['another scheme', { url: 'file:///etc/passwd' }, 400, '/url'],
  ['a url with a line break', { url: '/open\r\nX: y' }, 400, '/url'],
  ['a host with a line break', { url: '/open', host: 'a\r\nb' }, 400, '/host'],
  ['a method in lower case', { url: '/open', method: 'get' }, 400, '/method'],
  [
    'credentials among the headers',
    { url: '/open', headers: { Authorization: 'x' } },
    400,
    '/headers/authorization',
  ],
  ['two callers', { url: '/open', principal: null, credentials: { token: 'x' } }, 400, '/principal'],
  ['credentials that are none', { url: '/open', credentials: {} }, 400, '/credentials'],
  ['more than 64 kB', { url: '/open', headers: { a: 'a'.repeat(70_000) } }, 413, ''],
]
for (const [name, question, status, field] of bad) {
  test(`a question is refused: ${name}`, async (t) => {
    const { url } = await open(t)
    const reply = await ask(url, question)
    const body = (await reply.json()) as Answer
    assert.equal(reply.status, status, JSON.stringify(body))
    if (field !== '')
      assert.ok(
        body.errors.some((one: Answer) => one.field === field),
        JSON.stringify(body),
      )
  })
}

for (const [name, question, reason] of [
  ['a path that could mean two things', { url: '/x/../open' }, 'PATH_REFUSED'],
  ['TRACE', { url: '/open', method: 'TRACE' }, 'METHOD_NOT_ALLOWED'],
  ['no route', { url: '/nowhere' }, 'ROUTE_NOT_FOUND'],
] as const) {
  test(`the check says of ${name}: ${reason}`, async (t) => {
    const { url } = await open(t)
    const told = await answer(url, question)
    assert.deepEqual([told.allowed, told.reason, told.route], [false, reason, null])
  })
}
