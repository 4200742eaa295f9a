// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what is tested
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ConfigEdit } from '../../src/control/change.ts'
import { requireSecretsStay } from '../../src/control/powers.ts'
import { GatewayError } from '../../src/core/error.ts'
import { startBackend, startGateway } from '../world.ts'

const config = {
  admin: { tokens: [] },
  auth: { jwt: [{ issuer: 'https://a.example', secret: '${SECRET}', audience: 'x', algorithms: ['HS256'] }] },
  consumers: [{ id: 'acme' }],
  routes: [{ id: 'a', path: '/a', auth: 'none', respond: { body: 'x' } }],
}
const hash = `sha256:${'0'.repeat(64)}`
const writer = { write: true, keys: false, all: false }
const reader = { ...writer, write: false }

const cases: readonly (readonly [name: string, edit: ConfigEdit, takes: 'write' | 'keys' | 'all'])[] = [
  ['a route', { op: 'patch', kind: 'routes', id: 'a', value: { respond: { body: 'y' } } }, 'write'],
  ['a consumer', { op: 'patch', kind: 'consumers', id: 'acme', value: { keys: [{ hash }] } }, 'keys'],
  ['who is believed', { op: 'merge', value: { auth: { apiKeys: { header: 'X-Other' } } } }, 'keys'],
  [
    'who administrates',
    { op: 'merge', value: { admin: { tokens: [{ name: 'me', hash, scopes: ['keys'] }] } } },
    'all',
  ],
  [
    'a secret of the environment in an answer',
    { op: 'patch', kind: 'routes', id: 'a', value: { respond: { body: '${SECRET}' } } },
    'all',
  ],
  [
    'a file in an answer',
    { op: 'patch', kind: 'routes', id: 'a', value: { respond: { body: 'file://package.json' } } },
    'all',
  ],
  ...['/admin/**', '/{any}/keys', '/**', '/{all=**}', '/admin'].map((path): (typeof cases)[number] => [
    `a route that is asked before the admin API, ${path}`,
    { op: 'put', kind: 'routes', id: 'b', value: { path, auth: 'none', respond: {} } },
    'all',
  ]),
  [
    'a route beside it',
    { op: 'put', kind: 'routes', id: 'b', value: { path: '/admins/**', auth: 'none', respond: {} } },
    'write',
  ],
]

for (const [name, edit, takes] of cases)
  test(`to write ${name} takes ${takes}`, async (t) => {
    const { gateway } = await startGateway(t, config, { environment: { SECRET: 's'.repeat(32) } })
    const write = (powers: typeof writer) => gateway.control.write([edit], { by: 'me', dryRun: true, powers })
    const needed = [takes !== 'write', takes === 'all']
    for (const powers of [writer, { ...writer, keys: true }, { ...writer, keys: true, all: true }]) {
      const isEnough = (!needed[0] || powers.keys) && (!needed[1] || powers.all)
      if (isEnough) assert.equal((await write(powers)).changes.length, 1)
      else
        await assert.rejects(
          write(powers),
          (error) => error instanceof GatewayError && error.reason === 'SCOPE_MISSING',
        )
    }
  })

test('a file of the machine is refused before it is read, whatever names it', async (t) => {
  const { gateway } = await startGateway(t, config, { environment: { SECRET: 's'.repeat(32) } })
  const edits: readonly ConfigEdit[] = [
    { op: 'patch', kind: 'routes', id: 'a', value: { respond: { body: 'file:///dev/zero' } } },
    { op: 'merge', value: { grpc: { protos: ['/etc/*.proto'], services: {} } } },
    {
      op: 'put',
      kind: 'upstreams',
      id: 'u',
      value: { targets: [{ url: 'http://127.0.0.1:1' }], openapi: { file: '/dev/zero' } },
    },
  ]
  for (const edit of edits) {
    await assert.rejects(
      gateway.control.write([edit], { by: 'me' }),
      (error) =>
        error instanceof GatewayError &&
        error.reason === 'INVALID_ARGUMENT' &&
        /outside of the folder/.test(JSON.stringify([error.message, error.violations])),
      JSON.stringify(edit),
    )
  }
  const text = 'routes: [{ id: a, path: /a, auth: none, respond: { body: "file:///dev/zero" } }]'
  assert.equal((await gateway.control.validate(text)).length, 1)
  assert.ok((await gateway.control.diff({ text })).length > 0)
})

const secret = 'hunter2-hunter2-hunter2-hunter2-'

/** Each would have the value quoted in what is said of it. */
const quoting: readonly ConfigEdit[] = [
  { op: 'merge', value: { routes: [{ id: 'a', path: '/a', auth: 'none', upstream: '${SECRET}' }] } },
  { op: 'put', kind: 'routes', id: 'b', value: { path: '/b', auth: 'none', upstream: '${SECRET}' } },
  { op: 'merge', value: { upstreams: { u: { targets: [{ url: '${SECRET}' }] } } } },
  { op: 'put', kind: 'plugins', id: 'cors', value: { origins: ['file://package.json'] } },
]

test('a value of the environment is not put in for who may not use it, so no mistake quotes it', async (t) => {
  const { gateway } = await startGateway(t, config, { environment: { SECRET: secret } })
  const { control } = gateway
  for (const edit of quoting) {
    for (const dryRun of [true, false]) {
      const error = await control.write([edit], { by: 'me', dryRun, powers: writer }).catch((e: unknown) => e)
      assert.ok(error instanceof GatewayError && error.reason === 'SCOPE_MISSING', JSON.stringify(edit))
      assert.ok(!JSON.stringify([error.message, error.violations]).includes(secret))
    }
  }
  const text = 'routes: [{ id: a, path: /a, auth: none, upstream: "${SECRET}" }]'
  for (const powers of [reader, writer])
    await assert.rejects(
      control.validate(text, powers),
      (error) => error instanceof GatewayError && error.reason === 'SCOPE_MISSING',
    )
  assert.match(JSON.stringify(await control.validate(text)), /hunter2/, 'who has every scope may know')
  // Compared as it is written: whether it fits, or is equal to something, is not told.
  const body = (value: string) => `routes: [{ id: a, path: /a, auth: none, respond: { body: "${value}" } }]`
  const told = async (value: string) => (await control.diff({ text: body(value) }, { powers: reader })).length
  assert.equal(await told('${SECRET}'), await told('${ANOTHER}'))
})

test('to check or compare a document runs no module that it names', async (t) => {
  const { gateway } = await startGateway(t, config, { environment: { SECRET: secret } })
  const trap = `globalThis.moduleRan = true; export const plugin = { name: 'trap', create: () => ({}) }`
  const folder = await mkdtemp(join(process.cwd(), 'test', 'trap-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'trap.mjs'), trap)
  const text = `pluginModules: [${join(folder, 'trap.mjs')}]`
  await assert.rejects(gateway.control.validate(text), /Modules of plugins are named in the file only/)
  assert.ok((await gateway.control.diff({ text })).length > 0)
  assert.equal((globalThis as { moduleRan?: boolean }).moduleRan, undefined)
})

test('no host is asked for who may only read, nor a link-local one for anybody', async (t) => {
  const asked: string[] = []
  const backend = await startBackend(t, (req, res) => {
    asked.push(req.url ?? '')
    res.end('{}')
  })
  const { gateway } = await startGateway(t, config, { environment: { SECRET: secret } })
  const text = (url: string): string =>
    JSON.stringify({
      ...config,
      auth: {
        jwt: [{ issuer: 'https://a.example', audience: 'x', algorithms: ['RS256'], jwksUri: `${url}/keys` }],
      },
    })
  assert.deepEqual(await gateway.control.validate(text(backend.url), reader), [])
  assert.deepEqual(asked, [])
  // Two routes of one path show only when it is built.
  const twice = `routes: [${['a', 'b'].map((id) => `{ id: ${id}, path: /a, auth: none, respond: {} }`)}]`
  assert.equal((await gateway.control.validate(twice, reader)).length, 0)
  assert.equal((await gateway.control.validate(twice, writer)).length, 1)
  const [problem] = await gateway.control.validate(text('http://169.254.169.254'), writer)
  assert.match(problem?.message ?? '', /link-local/)
})

const etcd = { endpoints: ['https://a:2379', 'https://b:2379'], user: 'u', password: 'pw' }
const otlp = { url: 'http://a/v1/traces', headers: { 'x-team': 'key' } }
const introspection = { issuer: 'https://a', url: 'https://a/i', clientId: 'c', clientSecret: '${S}' }
const running = {
  upstreams: { u: { discovery: { etcd } } },
  observability: { tracing: { otlp } },
  auth: { introspection: [introspection] },
}

const moves: readonly (readonly [what: string, after: object, isRefused: boolean])[] = [
  ['nothing', {}, false],
  [
    'an etcd of somebody else',
    { upstreams: { u: { discovery: { etcd: { ...etcd, endpoints: ['http://c'] } } } } },
    true,
  ],
  [
    'one more',
    { upstreams: { u: { discovery: { etcd: { ...etcd, endpoints: [...etcd.endpoints, 'http://c'] } } } } },
    true,
  ],
  [
    'one less',
    { upstreams: { u: { discovery: { etcd: { ...etcd, endpoints: ['https://a:2379'] } } } } },
    false,
  ],
  [
    'with a secret of its own',
    { upstreams: { u: { discovery: { etcd: { ...etcd, endpoints: ['http://c'], password: 'mine' } } } } },
    false,
  ],
  [
    'another upstream with the password of this one',
    { upstreams: { ...running.upstreams, v: { discovery: { etcd: { ...etcd, endpoints: ['http://c'] } } } } },
    true,
  ],
  ['another collector', { observability: { tracing: { otlp: { ...otlp, url: 'http://c' } } } }, true],
  [
    'another endpoint of introspection',
    { auth: { introspection: [{ ...introspection, url: 'https://c' }] } },
    true,
  ],
]

for (const [what, after, isRefused] of moves)
  test(`a secret is not sent to another address: ${what}`, () => {
    const move = (all: boolean) =>
      requireSecretsStay({ ...writer, keys: true, all }, { before: running, after: { ...running, ...after } })
    move(true)
    if (isRefused) assert.throws(() => move(false), /sent to another URL/)
    else move(false)
  })
