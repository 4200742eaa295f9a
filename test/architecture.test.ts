import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../src/', import.meta.url))

/** Who may lean on what, by the longest prefix of the importer's path; a folder may always lean on itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'core/': [],
  'routing/': ['core/'],
  'config/': ['core/', 'routing/template.ts'],
  'pipeline/': ['core/', 'store/redis.ts'],
  'traffic/': ['core/'],
  'discovery/': ['core/'],
  'store/': ['core/'],
  'plugins/': ['core/', 'pipeline/registry.ts', 'store/'],
  'front-ends/json-body.ts': ['core/'],
  'front-ends/problem.ts': ['core/'],
  'front-ends/accept-socket.ts': ['core/'],
  'front-ends/watch-socket.ts': ['core/'],
  'issuer/': ['core/', 'store/'],
  'tracing/': ['core/'],
  'front-ends/auth/': ['core/', 'issuer/', 'front-ends/json-body.ts', 'front-ends/problem.ts'],
  'front-ends/rest/': ['core/', 'traffic/', 'front-ends/json-body.ts', 'front-ends/problem.ts'],
  'front-ends/graphql/': [
    'core/',
    'traffic/',
    'front-ends/json-body.ts',
    'front-ends/accept-socket.ts',
    'front-ends/watch-socket.ts',
  ],
  'front-ends/grpc/': [
    'core/',
    'traffic/',
    'routing/template.ts',
    'routing/open-api-path.ts',
    'front-ends/accept-socket.ts',
    'front-ends/watch-socket.ts',
  ],
  'api-docs/': ['core/', 'routing/', 'front-ends/problem.ts'],
  'request-log/': ['core/', 'store/'],
  'control/': ['core/', 'config/', 'store/'],
  'admin/': [
    'core/',
    'config/',
    'control/',
    'discovery/',
    'plugins/identity/',
    'request-log/',
    'routing/explain.ts',
    'store/',
  ],
  'listener/': ['core/', 'routing/', 'pipeline/'],
  'convert/': ['core/', 'config/problem.ts'],
  'cli/': [
    'issuer/',
    'convert/',
    'gateway.ts',
    'open-redis.ts',
    'traffic/upstream-tls.ts',
    'config/',
    'core/',
    'routing/',
    'plugins/identity/api-key.ts',
    'plugins/builtin.ts',
    'configured-supergraph.ts',
    'front-ends/graphql/supergraph.ts',
    'front-ends/graphql/supergraph/',
    'front-ends/graphql/requests/read-manifest.ts',
  ],
  'main.ts': ['cli/'],
  '': ['*'],
}

interface Import {
  readonly from: string
  readonly to: string
  /** Erased when the program runs. */
  readonly typeOnly: boolean
}

const files = globSync('**/*.ts', { cwd: root }).map((file) => file.replaceAll('\\', '/'))
const sources = new Map(files.map((file) => [file, readFileSync(root + file, 'utf8')]))
const imports = [...sources].flatMap(([file, text]) => importsOf(file, text))

function importsOf(from: string, text: string): Import[] {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?'(\.[^']+)'/gm)
  const calls = text.matchAll(/\b()(?:import|new URL|new Worker)\(\s*'(\.[^']+\.ts)'/g)
  return [...statements, ...calls].map(([statement, type, path = '']) => {
    const names =
      /\{([^}]*)\}/
        .exec(statement)?.[1]
        ?.split(',')
        .map((name) => name.trim()) ?? []
    const onlyTypes = names.length > 0 && names.every((name) => name === '' || name.startsWith('type '))
    const to = posix.normalize(posix.join(posix.dirname(from), path))
    return { from, to, typeOnly: type !== undefined && type !== '' ? true : onlyTypes }
  })
}

function isAllowed({ from, to }: Pick<Import, 'from' | 'to'>): boolean {
  const rule = Object.keys(mayImport)
    .filter((prefix) => from.startsWith(prefix))
    .reduce((longest, prefix) => (prefix.length > longest.length ? prefix : longest))
  if (rule.endsWith('/') && to.startsWith(rule)) return true
  return (mayImport[rule] ?? []).some(
    (target) => target === '*' || to === target || (target.endsWith('/') && to.startsWith(target)),
  )
}

test('each part of the gateway leans only on the parts below it', () => {
  const wrong = imports.filter((line) => !isAllowed(line)).map(({ from, to }) => `${from} -> ${to}`)
  assert.deepEqual(wrong, [])
})

test('the rules refuse the arrows that they are there for', () => {
  const planted = [
    ['core/route.ts', 'routing/table.ts'],
    ['plugins/cors.ts', 'traffic/upstream.ts'],
    ['plugins/cors.ts', 'front-ends/body.ts'],
    ['plugins/cors.ts', 'pipeline/run.ts'],
    ['front-ends/rest/front-end.ts', 'front-ends/grpc/metadata.ts'],
    ['front-ends/rest/front-end.ts', 'routing/template.ts'],
    ['config/load.ts', 'plugins/builtin.ts'],
    ['listener/listener.ts', 'gateway.ts'],
    ['main.ts', 'gateway.ts'],
    ['discovery/discovery.ts', 'traffic/upstream.ts'],
    ['traffic/upstream.ts', 'discovery/discovery.ts'],
  ] as const
  for (const [from, to] of planted) assert.equal(isAllowed({ from, to }), false, `${from} -> ${to}`)
})

test('imports are read in every form that they are written in', () => {
  const text = `import { a } from './a.ts'
import type { B } from './b.ts'
import { type C, type D } from './c.ts'
import {
  e,
} from '../core/e.ts'
export { f } from './f.ts'
import './g.ts'
const h = await import('./h.ts')
`
  assert.deepEqual(
    importsOf('x/y.ts', text).map(({ to, typeOnly }) => [to, typeOnly]),
    [
      ['x/a.ts', false],
      ['x/b.ts', true],
      ['x/c.ts', true],
      ['core/e.ts', false],
      ['x/f.ts', false],
      ['x/g.ts', false],
      ['x/h.ts', false],
    ],
  )
})

test('no modules import each other in a circle when they run', () => {
  const next = Map.groupBy(
    imports.filter(({ typeOnly }) => !typeOnly),
    ({ from }) => from,
  )
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' -> '))
    if (done.has(file) || way.includes(file)) return
    for (const { to } of next.get(file) ?? []) visit(to, [...way, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  assert.deepEqual(circles, [])
})

test('no file says two things: none has more than 250 lines', () => {
  const long = [...sources]
    .map(([file, text]) => [file, text.split('\n').length - 1] as const)
    .filter(([, lines]) => lines > 250)
  assert.deepEqual(long, [])
})

test('every export has a name', () => {
  const nameless = [...sources]
    .filter(([, text]) => /^export default|\bas default\b/m.test(text))
    .map(([file]) => file)
  assert.deepEqual(nameless, [])
})

test('every import of our own leads to a file', () => {
  assert.ok(imports.length > 100)
  assert.deepEqual(
    imports.filter(({ to }) => !sources.has(to)).map(({ from, to }) => `${from} -> ${to}`),
    [],
  )
})

test('nothing loads Apollo Server or Apollo Gateway, which sends metrics home', () => {
  const loading = [...sources]
    .filter(([, text]) => /'@apollo\/(?:server|gateway)/.test(text))
    .map(([file]) => file)
  assert.deepEqual(loading, [])
})
