import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { startBackend } from '../world.ts'
import { type AdminWorld, startAdmin, type Told } from './admin-world.ts'

// biome-ignore lint/suspicious/noExplicitAny: a document of which the test reads what it needs.
type Json = any

const folder = mkdtempSync(join(tmpdir(), 'admin-openapi-'))
after(() => rmSync(folder, { recursive: true }))

function written(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

/** Neither needs the network. */
function lint(program: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const path = fileURLToPath(new URL(`../../node_modules/.bin/${program}`, import.meta.url))
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [path, ...args],
      { env, cwd: folder, maxBuffer: 1e8 },
      (error, stdout, stderr) => {
        resolve({
          code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
          output: stdout + stderr,
        })
      },
    )
  })
}

test('two linters find nothing in the description of the admin API', async (t) => {
  const { ask } = await startAdmin(t, {})
  const told = await ask('GET /openapi.json')
  assert.equal(told.status, 200, told.text)
  const file = written('admin.json', told.text)
  // All of their recommended rules; only these want the licence and the contact of an owner whom a gateway does not know.
  const redocly = written('redocly.yaml', 'extends: [recommended]\nrules:\n  info-license: off\n')
  const spectral = written('spectral.yaml', 'extends: ["spectral:oas"]\nrules:\n  info-contact: off\n')
  const [first, second] = await Promise.all([
    lint('redocly', ['lint', '--config', redocly, '--format', 'stylish', file]),
    lint('spectral', ['lint', '--ruleset', spectral, '--fail-severity', 'hint', file]),
  ])
  assert.match(first.output, /Your API description is valid/, first.output)
  assert.doesNotMatch(first.output, /\bwarning/, first.output)
  assert.match(second.output, /No results with a severity of/, second.output)
  assert.deepEqual([first.code, second.code], [0, 0])
})

const open = { auth: 'none', respond: { status: 200 } }

/** What each operation is asked with, in this order; an operation that is not here fails the test. */
const asked: readonly (readonly [operation: string, what: string, body?: unknown, status?: number])[] = [
  ['openapi.get', 'GET /openapi.json'],
  ['config.get', 'GET /config'],
  ['config.validate', 'POST /config:validate', { routes: [] }],
  ['config.diff', 'POST /config:diff', { routes: [] }],
  ['config.patch', 'PATCH /config', { consumers: [{ id: 'shop', scopes: ['a'] }] }],
  ['config.versions.list', 'GET /config/versions'],
  ['config.versions.get', 'GET /config/versions/1'],
  ['config.nodes.get', 'GET /config/nodes'],
  ['routes.create', 'POST /routes', { id: 'r', path: '/r', ...open }, 201],
  ['routes.put', 'PUT /routes/r', { path: '/rr', ...open }],
  ['routes.put', 'PUT /routes/r2', { path: '/r2', ...open }, 201],
  ['routes.patch', 'PATCH /routes/r', { path: '/r' }],
  ['routes.list', 'GET /routes'],
  ['routes.get', 'GET /routes/r'],
  ['routes.explain', 'POST /routes:explain', { method: 'GET', url: '/u/1' }],
  ['routes.explain', 'POST /routes:explain', { method: 'GET', url: '/nothing' }],
  ['routes.delete', 'DELETE /routes/r2'],
  ['upstreams.create', 'POST /upstreams', { id: 'u', targets: [{ url: 'BACKEND' }] }, 201],
  ['upstreams.put', 'PUT /upstreams/u', { targets: [{ url: 'BACKEND', weight: 50 }] }],
  ['upstreams.patch', 'PATCH /upstreams/u', { timeouts: { request: '7s' } }],
  ['upstreams.list', 'GET /upstreams'],
  ['upstreams.get', 'GET /upstreams/u'],
  ['upstreams.delete', 'DELETE /upstreams/u'],
  ['consumers.create', 'POST /consumers', { id: 'c' }, 201],
  ['consumers.put', 'PUT /consumers/c', { scopes: ['x'] }],
  ['consumers.patch', 'PATCH /consumers/c', { scopes: ['y'] }],
  ['consumers.list', 'GET /consumers'],
  ['consumers.get', 'GET /consumers/c'],
  ['consumers.delete', 'DELETE /consumers/c'],
  ['plugins.available', 'GET /plugins:available'],
  ['plugins.create', 'POST /plugins', { id: 'requestId' }, 201],
  ['plugins.put', 'PUT /plugins/cors', { options: { allowOrigins: ['https://a.example'] } }, 201],
  ['plugins.patch', 'PATCH /plugins/cors', { options: { maxAge: '1m' } }],
  ['plugins.list', 'GET /plugins'],
  ['plugins.get', 'GET /plugins/cors'],
  ['plugins.delete', 'DELETE /plugins/cors'],
  ['subgraphs.list', 'GET /subgraphs'],
  ['subgraphs.get', 'GET /subgraphs/one'],
  ['subgraphs.patch', 'PATCH /subgraphs/one', { upstream: 'backend' }],
  ['subgraphs.put', 'PUT /subgraphs/one', { upstream: 'nobody' }, 400],
  ['subgraphs.create', 'POST /subgraphs', { id: 'one', upstream: 'backend' }, 409],
  ['subgraphs.delete', 'DELETE /subgraphs/two', undefined, 404],
  ['grpcServices.list', 'GET /grpcServices'],
  ['grpcServices.get', 'GET /grpcServices/library.v1.LibraryService'],
  ['grpcServices.patch', 'PATCH /grpcServices/library.v1.LibraryService', { timeout: '3s' }],
  ['grpcServices.put', 'PUT /grpcServices/a.B', { upstream: 'backend' }, 400],
  [
    'grpcServices.create',
    'POST /grpcServices',
    { id: 'library.v1.LibraryService', upstream: 'backend' },
    409,
  ],
  ['grpcServices.delete', 'DELETE /grpcServices/a.B', undefined, 404],
  ['permissions.list', 'GET /permissions'],
  ['permissions.get', 'GET /permissions/routes%2Fr'],
  ['permissions.put', 'PUT /permissions/routes%2Fr', { auth: 'optional' }],
  ['permissions.put', 'PUT /permissions/grpc%2Flibrary.v1.LibraryService%2FGetBook', { auth: 'none' }],
  [
    'batch.create',
    'POST /batch',
    { operations: [{ op: 'put', kind: 'routes', id: 'b', value: { path: '/b', ...open } }] },
  ],
  ['config.put', 'PUT /config', 'CONFIG'],
  ['config.versions.rollback', 'POST /config/versions/1:rollback', {}],
  ['services.create', 'POST /services', { service: 's', url: 'http://127.0.0.1:1' }, 201],
  ['services.create', 'POST /services?dryRun=true', { service: 's', url: 'http://127.0.0.1:1' }],
  ['services.renew', 'POST /services:renew', { service: 's', url: 'http://127.0.0.1:1' }],
  [
    'services.batch',
    'POST /services:batch',
    { operations: [{ op: 'renew', service: 's', url: 'http://127.0.0.1:2' }] },
  ],
  ['services.list', 'GET /services'],
  ['services.get', 'GET /services/s'],
  ['services.deregister', 'POST /services:deregister', { service: 's', url: 'http://127.0.0.1:1' }, 204],
  ['canaries.list', 'GET /canaries'],
  ['canaries.get', 'GET /canaries/c'],
  ['canaries.pause', 'POST /canaries/c:pause', {}],
  ['canaries.resume', 'POST /canaries/c:resume', {}],
  ['canaries.promote', 'POST /canaries/c:promote', {}],
  ['canaries.promote', 'POST /canaries/c:promote', {}, 409],
  ['canaries.abort', 'POST /canaries/c:abort?dryRun=true', {}],
  ['canaries.abort', 'POST /canaries/c:abort', {}],
  ['cache.purge', 'POST /cache:purge', {}],
  ['graphql.supergraph.get', 'GET /graphql/supergraph'],
  ['keys.create', 'POST /keys', { consumer: 'shop' }, 201],
  ['keys.list', 'GET /keys'],
  ['keys.get', 'GET /keys/KEY'],
  ['keys.patch', 'PATCH /keys/KEY', { name: 'till', rateLimit: { limit: 5, window: '1m' } }],
  ['keys.patch', 'PATCH /keys/KEY', { rateLimit: null, roles: ['nobody'] }, 400],
  ['keys.rotate', 'POST /keys/KEY:rotate', { overlap: '1h' }, 201],
  ['keys.revoke', 'POST /keys/KEY:revoke', {}],
  ['keys.delete', 'DELETE /keys/KEY', undefined, 204],
  ['tokens.revoke', 'POST /tokens:revoke', { consumer: 'shop' }, 201],
  ['tokens.unrevoke', 'POST /tokens:unrevoke', { consumer: 'shop' }],
  ['tokens.verify', 'POST /tokens:verify', { token: 'x' }],
  ['revocations.get', 'GET /revocations'],
  ['audit.get', 'GET /audit?limit=1000'],
]

test('every operation answers as it says: a status that it names, with a body of that schema', async (t) => {
  const backend = await startBackend(t)
  const targets = [{ url: backend.url }]
  const world = await startAdmin(t, {
    upstreams: { backend: { targets }, next: { targets } },
    consumers: [{ id: 'shop' }],
    routes: [
      {
        id: 'c',
        path: '/c',
        upstream: 'backend',
        canary: { upstream: 'next', steps: [{ weight: 5 }, { weight: 50 }] },
      },
      { id: 'u', path: '/u/**', upstream: 'backend' },
    ],
    graphql: {
      subgraphs: { one: { upstream: 'backend', schema: fileOf('../../schemas/accounts.graphql') } },
    },
    grpc: {
      protos: [fileOf('../../protos/library/v1/library.proto')],
      includeDirs: [fileOf('../../protos')],
      services: { 'library.v1.LibraryService': { upstream: 'backend' } },
    },
  })
  const document: Json = (await world.ask('GET /openapi.json')).json
  const operations = new Map<string, Json>(
    Object.values(document.paths).flatMap((path: Json) =>
      Object.values(path).map((operation: Json): [string, Json] => [operation.operationId, operation]),
    ),
  )
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'doc', ...document })
  const config = (await world.ask('GET /config', { headers: { Accept: 'application/json' } })).json
  const wanted: Record<string, unknown> = { CONFIG: config }
  let key = ''
  for (const [id, what, body, status = 200] of asked) {
    const sent =
      typeof body === 'string'
        ? wanted[body]
        : JSON.parse(JSON.stringify(body ?? null).replaceAll('BACKEND', backend.url))
    const told: Told = await world.ask(what.replace('KEY', key), sent === null ? {} : { body: sent })
    const operation = operations.get(id)
    assert.ok(operation, `there is no operation ${id}`)
    assert.equal(told.status, status, `${what}: ${told.text}`)
    if (id === 'keys.create') key = told.json.id
    holdsTo(ajv, document, operation, told, what)
  }
  const unasked = [...operations.keys()].filter(
    (id) => !asked.some(([name]) => name === id) && !elsewhere.has(id),
  )
  assert.deepEqual(unasked, [])
  await knowsNothing(world)
})

/** Asked in tests of their own. */
const elsewhere = new Set<string>()

/** RFC 9457 and the declared schema hold for whatever is refused. */
function holdsTo(ajv: Ajv2020, document: Json, operation: Json, told: Told, what: string): void {
  const declared = operation.responses[told.status]
  assert.ok(declared, `${what}: ${told.status} is not declared`)
  const isRef = declared.$ref !== undefined
  const { content } = isRef ? document.components.responses[told.status] : declared
  if (content === undefined) {
    assert.equal(told.text, '', what)
    return
  }
  const type = (told.headers.get('content-type') ?? '').split(';')[0] ?? ''
  assert.ok(content[type], `${what}: ${type} is not declared`)
  if (type !== 'application/json' && type !== 'application/problem+json') return
  const resolved = JSON.parse(
    JSON.stringify(content[type].schema).replaceAll('"#/components', '"doc#/components'),
  )
  const isValid = ajv.compile(resolved)
  assert.ok(
    isValid(told.json),
    `${what}: ${JSON.stringify(isValid.errors?.slice(0, 3))} in ${told.text.slice(0, 2_000)}`,
  )
}

async function knowsNothing({ ask }: AdminWorld): Promise<void> {
  assert.equal((await ask('GET /nothing')).status, 404)
}

function fileOf(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}
