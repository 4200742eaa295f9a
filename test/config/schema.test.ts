import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { configJsonSchema } from '../../src/config/json-schema.ts'
import { maskSecrets } from '../../src/config/mask.ts'
import { nearestWord } from '../../src/config/nearest-word.ts'
import { silentLog } from '../../src/core/log.ts'
import { createGateway } from '../../src/gateway.ts'
import { builtinPlugins } from '../../src/plugins/builtin.ts'

interface SchemaNode {
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly additionalProperties?: SchemaNode | boolean
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly anyOf?: readonly SchemaNode[]
  readonly $ref?: string
  readonly required?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
}

const root = new URL('../../', import.meta.url)
const schema = configJsonSchema(builtinPlugins) as SchemaNode & {
  readonly $defs: { readonly plugin: SchemaNode }
}
const yaml = readFileSync(new URL('gateway.yaml', root), 'utf8')

test('schemas/gateway.schema.json is what the declarations say (npm run reference)', () => {
  const written = JSON.parse(readFileSync(new URL('schemas/gateway.schema.json', root), 'utf8')) as object
  assert.deepEqual(written, JSON.parse(JSON.stringify(schema)))
})

test('every key is mentioned in gateway.yaml', () => {
  const missing = keysOf(schema, '')
    .filter(([, key]) => !new RegExp(`(^|[^A-Za-z])${key.replace('$', '\\$')}\\b`).test(yaml))
    .map(([path]) => path)
  assert.deepEqual(missing, [])
})

test('every key says what it means', () => {
  assert.deepEqual(
    keysOf(schema, '')
      .filter(([, , node]) => node.description === undefined)
      .map(([path]) => path),
    [],
  )
})

test('gateway.yaml is valid against the JSON schema, as an editor checks it', () => {
  assert.deepEqual(violations(parse(yaml), schema, ''), [])
})

test('the JSON schema refuses what the gateway refuses', () => {
  const wrong = {
    servr: {},
    server: { limits: { bodyBytes: 10, headersTimeout: '10' } },
    plugins: ['cros', { cors: { allowOrigin: [] } }],
    routes: [{ id: 'r', path: '/', auth: 'maybe' }],
  }
  assert.deepEqual(violations(wrong, schema, ''), [
    '.servr: unknown',
    '.server.limits.bodyBytes: no string',
    '.server.limits.headersTimeout: pattern',
    '.plugins.0: none fits',
    '.plugins.1: none fits',
    '.routes.0.auth: none fits',
  ])
})

test('what gateway.yaml spells out of limits and of its first upstream are the defaults', async () => {
  const options = { watch: false, offline: true, log: silentLog }
  const demo = await createGateway({ file: fileURLToPath(new URL('gateway.yaml', root)), ...options })
  const targets = [{ url: 'http://127.0.0.1:8001' }]
  const openapi = { file: 'schemas/users.openapi.yaml' }
  const upstream = { targets, healthChecks: { active: {} }, circuitBreaker: {}, openapi }
  const bare = await createGateway({ config: { upstreams: { 'users-v1': upstream } }, ...options })
  assert.deepEqual(demo.config.server.limits, bare.config.server.limits)
  assert.deepEqual(demo.config.upstreams['users-v1'], bare.config.upstreams['users-v1'])
  await Promise.all([demo.dispose(), bare.dispose()])
})

const masked: readonly (readonly [name: string, value: unknown, shown: unknown])[] = [
  ['a secret', { secret: 'x' }, { secret: '***' }],
  ['a key hash', { keys: [{ hash: 'sha256:00', name: 'n' }] }, { keys: [{ hash: '***', name: 'n' }] }],
  ['the password of a URL', 'redis://:pass@host:1/0', 'redis://:***@host:1/0'],
  ['the password of a URL with a user', 'rediss://me:p:a@host', 'rediss://me:***@host'],
  ["a plugin's apiKey", { signer: { apiKey: 'x', keyId: 'y' } }, { signer: { apiKey: '***', keyId: 'y' } }],
  ['a password with an @', 'redis://me:p@ss@host', 'redis://me:***@host'],
  [
    'all that a collector is told in headers',
    { tracing: { otlp: { url: 'http://c:4318', headers: { 'x-team': 'x' } } } },
    { tracing: { otlp: { url: 'http://c:4318', headers: { 'x-team': '***' } } } },
  ],
  ['no other URL', 'http://host:1/a@b', 'http://host:1/a@b'],
  ['no address of a key set', 'https://id.example/jwks', 'https://id.example/jwks'],
  ['numbers and nothing', [1, null, true], [1, null, true]],
]

for (const [name, value, shown] of masked) {
  test(`masks ${name}`, () => {
    assert.deepEqual(maskSecrets(value), shown)
  })
}

const words: readonly (readonly [word: string, known: readonly string[], nearest: string | undefined])[] = [
  ['lisen', ['listen', 'limits'], 'listen'],
  ['cros', ['metrics', 'cors'], 'cors'],
  ['TIMEOUT', ['timeouts'], 'timeouts'],
  ['strip', ['path', 'stripPrefix'], 'stripPrefix'],
  ['xyz', ['abc'], undefined],
  ['a', ['bcd'], undefined],
  ['ab', ['abcdef'], undefined],
  ['', ['a'], 'a'],
  ['constructor', [], undefined],
]

for (const [word, known, nearest] of words) {
  test(`the word nearest to "${word}" among ${known.join(', ')} is ${nearest}`, () => {
    assert.equal(nearestWord(word, known), nearest)
  })
}

/** Path, key and declaration of every key, but for the options of plugins. */
function keysOf(node: SchemaNode, path: string): [path: string, key: string, node: SchemaNode][] {
  const own = Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
    [`${path}.${key}`, key, child] as [string, string, SchemaNode],
    ...keysOf(child, `${path}.${key}`),
  ])
  const named =
    typeof node.additionalProperties === 'object' ? keysOf(node.additionalProperties, `${path}.<name>`) : []
  return [...own, ...named, ...(node.items === undefined ? [] : keysOf(node.items, `${path}[]`))]
}

/** The part of JSON schema that ours is written in. */
function violations(value: unknown, node: SchemaNode, path: string): string[] {
  if (node.$ref !== undefined) return violations(value, schema.$defs.plugin, path)
  if (node.anyOf !== undefined) {
    return node.anyOf.some((one) => violations(value, one, path).length === 0) ? [] : [`${path}: none fits`]
  }
  if (node.enum !== undefined) return node.enum.includes(value) ? [] : [`${path}: not listed`]
  if (node.type === 'object') return objectViolations(value, node, path)
  if (node.type === 'array') {
    if (!Array.isArray(value)) return [`${path}: no array`]
    return value.flatMap((item, i) => violations(item, node.items ?? {}, `${path}.${i}`))
  }
  if (node.type === 'integer') return Number.isInteger(value) ? [] : [`${path}: no integer`]
  if (node.type !== undefined && typeof value !== node.type) return [`${path}: no ${node.type}`]
  if (node.pattern !== undefined && !new RegExp(node.pattern).test(String(value))) return [`${path}: pattern`]
  return []
}

function objectViolations(value: unknown, node: SchemaNode, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path}: no object`]
  const missing = (node.required ?? [])
    .filter((key) => !(key in value))
    .map((key) => `${path}.${key}: missing`)
  const found = Object.entries(value).flatMap(([key, child]) => {
    const declared = node.properties?.[key] ?? node.additionalProperties
    return typeof declared === 'object'
      ? violations(child, declared, `${path}.${key}`)
      : [`${path}.${key}: unknown`]
  })
  return [...missing, ...found]
}
