import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SignJWT } from 'jose'
import { hashPassword, writePasswordHash } from '../../src/issuer/password-hash.ts'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { startCli } from '../cli/child.ts'
import { everyDoor } from '../doors/grpc-doors.ts'
import { freePort } from '../services/free-port.ts'
import { rawExchange } from '../world.ts'
import { secretOf, toldBy } from './spellings.ts'

/** What the configuration holds and what clients send; none of it may be told by anything that the gateway writes or answers. */
const configured = {
  hmac: secretOf('hmac'),
  redis: secretOf('redis'),
  password: secretOf('password'),
  introspection: secretOf('introspection'),
  internal: secretOf('internal'),
  admin: secretOf('admin'),
}
const passwordHash = writePasswordHash(await hashPassword(configured.password))
const key = createApiKey('test')
const expiredKey = createApiKey('test')
const token = await sign(300)
const expiredToken = await sign(-300)
const sent = {
  key,
  expiredKey,
  token,
  expiredToken,
  forgedToken: `${token.slice(0, -12)}${'A'.repeat(12)}`,
  basic: secretOf('basic'),
  cookie: secretOf('cookie'),
  query: secretOf('query'),
  proxy: secretOf('proxy'),
  opaque: secretOf('opaque'),
  guess: secretOf('guess'),
  keyInQuery: createApiKey('test'),
  keyInCookie: createApiKey('test'),
}
const secrets = { ...configured, ...sent }
/** What the gateway knows for a credential, and no backend is to see. */
const { basic: _, cookie: __, query: ___, ...known } = sent

function sign(seconds: number): Promise<string> {
  return new SignJWT({ jti: secretOf('jti') })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('https://id.example')
    .setAudience('api')
    .setSubject('ann')
    .setExpirationTime(Math.floor(Date.now() / 1_000) + seconds)
    .sign(Buffer.from(configured.hmac))
}

test('the search finds a secret in each spelling, and nothing where there is none', () => {
  for (const spelling of [
    key,
    `x${key}`,
    Buffer.from(`{"a":"${key}"}`).toString('base64'),
    Buffer.from(`{"ab":"${key}"}`).toString('base64url'),
    Buffer.from(key).toString('hex'),
    key.slice(0, 40),
    key.slice(30),
  ]) {
    assert.equal(toldBy(`{"cause":"${spelling}"}`, { key }).length, 1, spelling)
  }
  assert.deepEqual(toldBy('{"cause":"gwk_test_"}', secrets), [])
})

for (const door of everyDoor) {
  test(`what a gateway writes and answers at the ${door.name} door holds no secret, whatever is asked of it`, async (t) => {
    const backend = await door.start(t)
    // One of them has a Redis that is gone, which a start waits for.
    const stores = door.name === 'rest' ? {} : { stores: {} }
    const config = { ...backend.config({ auth: 'required', plugins }), ...stores }
    const { gateway, folder } = await startWithSecrets(t, config)
    const answers: string[] = []
    const ask = async (headers: Record<string, string>): Promise<number> => {
      const reply = await backend.ask(gateway.url, headers)
      answers.push(JSON.stringify([...reply.headers]), await reply.text())
      return reply.status
    }
    const statuses: number[] = []
    for (const headers of credentials()) statuses.push(await ask(headers))
    assert.deepEqual(statuses, [200, 200, 401, 401, 401, 401, 401, 401, 401, 503, 200, 200])
    const { path, method } = backend.target
    const raw = rawRequests(path, method).map((text) => rawExchange(gateway.port, text, 1_000))
    answers.push(...(await Promise.all(raw)))
    backend.behaviour.answers = 'break'
    await ask({ 'X-Api-Key': key })
    for (const page of pages) {
      for (const bearer of [token, configured.admin, sent.guess]) {
        const reply = await fetch(`${gateway.url}${page}?token=${sent.query}&api_key=${sent.keyInQuery}`, {
          headers: { Authorization: `Bearer ${bearer}`, 'X-Api-Key': key },
        })
        answers.push(JSON.stringify([...reply.headers]), await reply.text())
      }
    }
    await gateway.logged((line) => line['url.path'] === '/nowhere')
    gateway.child.kill('SIGTERM')
    await gateway.ended
    assert.ok(gateway.lines().filter((line) => line.message === 'exchange settled').length >= 12)
    assert.deepEqual(toldBy(gateway.written(), secrets), [])
    assert.deepEqual(toldBy(answers.join('\n'), secrets), [])
    assert.deepEqual(toldBy(JSON.stringify(backend.seen), { ...configured, ...known }), [])
    assert.deepEqual(readdirSync(folder), ['data', 'gateway.json'])
    assert.deepEqual(toldBy(databaseOf(folder), sent), [])
  })
}

/** All bytes of the database: the configuration, what is known of requests and of changes. */
function databaseOf(folder: string): string {
  const files = readdirSync(join(folder, 'data'))
  const text = files.map((name) => readFileSync(join(folder, 'data', name), 'latin1')).join('\n')
  assert.match(text, /config_versions/)
  return text
}

test('a gateway that is killed by a failure leaves no report and no snapshot of its memory', async (t) => {
  const { gateway, folder } = await startWithSecrets(t, {
    stores: {},
    routes: [{ id: 'a', path: '/a', respond: { body: 'a' } }],
  })
  await fetch(`${gateway.url}/a`, { headers: { 'X-Api-Key': key } }).then((reply) => reply.text())
  gateway.child.kill('SIGUSR2')
  gateway.child.kill('SIGQUIT')
  await gateway.ended
  assert.deepEqual(
    readdirSync(folder).filter((name) => !/^core/.test(name)),
    ['data', 'gateway.json'],
  )
  assert.deepEqual(toldBy(databaseOf(folder), sent), [])
  assert.deepEqual(toldBy(gateway.written(), secrets), [])
})

test('a gateway with users of its own tells nobody their passwords and tokens, but who logs in', async (t) => {
  const { gateway } = await startWithSecrets(t, { stores: {}, routes: [] })
  const post = async (path: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${gateway.url}/auth/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const grant = async (reply: Response): Promise<{ access_token: string; refresh_token: string }> => {
    assert.equal(reply.status, 200)
    return (await reply.json()) as { access_token: string; refresh_token: string }
  }
  const first = await grant(await post('login', { username: 'ann', password: configured.password }))
  const next = await grant(await post('refresh', { refresh_token: first.refresh_token }))
  const answers: string[] = []
  for (const reply of [
    await post('login', { username: 'ann', password: sent.guess }),
    await post('login', { username: sent.guess, password: configured.password }),
    await post('login', { username: 'ann', password: [configured.password] }),
    await post('login', { username: 'ann', password: configured.password, more: configured.password }),
    await post(`login?password=${configured.password}`, {}),
    await post('login', {}, { Authorization: `Basic ${btoa(`ann:${configured.password}`)}` }),
    await post('refresh', { refresh_token: first.refresh_token }),
    await post('refresh', { refresh_token: `${next.refresh_token}x` }),
    await post(
      'logout',
      { refresh_token: next.refresh_token },
      { Authorization: `Bearer ${next.access_token}` },
    ),
    ...(await Promise.all(pages.map((page) => fetch(`${gateway.url}${page}`)))),
  ]) {
    answers.push(JSON.stringify([...reply.headers]), await reply.text())
  }
  gateway.child.kill('SIGTERM')
  await gateway.ended
  const issued = {
    access: first.access_token,
    refresh: first.refresh_token,
    next: next.access_token,
    nextRefresh: next.refresh_token,
    passwordHash,
  }
  assert.ok(gateway.lines().some((line) => line['url.path'] === '/auth/logout'))
  // Of a token all parts but the header, which is no secret.
  const parts = Object.fromEntries(
    Object.entries(issued).map(([name, text]) => [name, text.split('.').at(-1) ?? text]),
  )
  assert.deepEqual(toldBy(gateway.written(), { ...secrets, ...parts }), [])
  assert.deepEqual(toldBy(answers.join('\n'), { ...secrets, ...parts }), [])
})

const pages = [
  '/metrics',
  '/health?verbose',
  '/readyz?verbose',
  '/openapi/grpc.json',
  '/admin/keys',
  '/admin/keys/nobody',
  '/admin/revocations',
  '/.well-known/jwks.json',
  '/nowhere',
]
const plugins = [{ rateLimit: { limit: 1_000, window: '1m' } }]

/** Redis is not there: its address, with a password in it, is what errors are about. */
async function startWithSecrets(t: TestContext, config: object) {
  const folder = mkdtempSync(join(tmpdir(), 'trivium-secrets-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const file = join(folder, 'gateway.json')
  const text = JSON.stringify({
    server: { listen: '127.0.0.1:0', shutdown: { drainDelay: '0s', gracePeriod: '2s' } },
    observability: { log: { level: 'debug' }, requestLog: { database: true } },
    stores: { redis: { url: `redis://default:${configured.redis}@127.0.0.1:${await freePort()}` } },
    admin: { tokens: [{ name: 'ops', hash: hashApiKey(configured.admin), scopes: ['read', 'keys'] }] },
    plugins: ['requestId', 'accessLog', 'metrics'],
    auth: {
      jwt: [
        { issuer: 'https://id.example', audience: 'api', algorithms: ['HS256'], secret: configured.hmac },
      ],
      introspection: [
        {
          issuer: 'https://opaque.example',
          url: `http://127.0.0.1:${await freePort()}/`,
          clientId: 'gateway',
          clientSecret: configured.introspection,
        },
      ],
      apiKeys: { query: 'api_key', cookie: 'api_key' },
      failures: { limit: 0 },
      internalToken: { algorithm: 'HS256', secret: configured.internal, send: 'both' },
      issuer: { issuer: 'https://own.example', users: [{ name: 'ann', passwordHash }] },
    },
    consumers: [
      {
        id: 'shop',
        keys: [
          ...[key, sent.keyInQuery, sent.keyInCookie].map((one) => ({ hash: hashApiKey(one) })),
          { hash: hashApiKey(expiredKey), expiresAt: '2020-01-01T00:00:00Z' },
        ],
      },
    ],
    ...config,
  }).replaceAll('test/doors/', `${root}test/doors/`)
  writeFileSync(file, text.replaceAll('"test/doors"', JSON.stringify(`${root}test/doors`)))
  return { gateway: await startCli(t, file, [], [], folder), folder }
}

function credentials(): Record<string, string>[] {
  return [
    { 'X-Api-Key': key },
    { Authorization: `Bearer ${token}` },
    { 'X-Api-Key': expiredKey },
    { 'X-Api-Key': `${key.slice(0, -8)}00000000` },
    { Authorization: `Bearer ${expiredToken}` },
    { Authorization: `Bearer ${sent.forgedToken}` },
    { Authorization: `Basic ${Buffer.from(`ann:${sent.basic}`).toString('base64')}` },
    { Cookie: `session=${sent.cookie}` },
    { Authorization: `Bearer ${token}, Bearer ${token}` },
    { Authorization: `Bearer ${sent.opaque}` },
    { Cookie: `api_key=${sent.keyInCookie}`, 'Sec-Fetch-Site': 'same-origin' },
    { 'X-Api-Key': key, 'Proxy-Authorization': `Basic ${sent.proxy}`, Cookie: `session=${sent.cookie}` },
  ]
}

/** Refused on the wire, where the least is known of a request. */
function rawRequests(path: string, method: string): string[] {
  const head = `${method} ${path}?api_key=${sent.query}&access_token=${token} HTTP/1.1\r\nHost: a\r\n`
  const credential = `Authorization: Bearer ${token}\r\nX-Api-Key: ${key}\r\nCookie: session=${sent.cookie}\r\n`
  return [
    `${head}${credential}Content-Length: 0\r\nConnection: close\r\n\r\n`,
    `${head}${credential}Authorization: Bearer ${token}\r\n\r\n`,
    `${head}${credential}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `${head.replace('api_key=', `api_key=${sent.keyInQuery}&q=`)}Content-Length: 0\r\nConnection: close\r\n\r\n`,
    `${head.replace('api_key=', `api_key=${sent.keyInQuery}&api_key=`)}Content-Length: 0\r\nConnection: close\r\n\r\n`,
    `${head}X-Api-Key : ${key}\r\n\r\n`,
    `${head}${credential}X-Long: ${key.repeat(400)}\r\n\r\n`,
    `${method} ${path}/../../${key}?k=${key} HTTP/1.1\r\nHost: a\r\n${credential}Connection: close\r\n\r\n`,
    `GARBAGE ${key}\r\n\r\n`,
  ]
}
