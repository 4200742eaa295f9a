import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { z } from 'zod'
import { definePlugin, type PluginDefinition } from '../../src/pipeline/registry.ts'
import { folderOf } from '../config/files.ts'
import { compile, setOf } from '../front-ends/grpc/reflection/compile.ts'
import { startBackend, startGateway, type TestGateway } from '../world.ts'
import { send, startLoad } from './load.ts'

interface FileGateway extends TestGateway {
  path(name: string): string
  /** Puts a file in the place of the old one, as editors and config maps do. */
  replace(name: string, text: string): void
  /** Resolves when a configuration after the `version`-th is applied. */
  applied(version: number): Promise<unknown>
  refused(mistake: RegExp): Promise<unknown>
  verbose(): Promise<{ ready: boolean; checks: { name: string; ok: boolean; detail: string }[] }>
}

async function startFrom(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  {
    folder: path = folderOf(t, files),
    ...options
  }: {
    readonly plugins?: readonly PluginDefinition[]
    readonly watch?: boolean
    /** Where the files are already. */
    readonly folder?: (name: string) => string
  } = {},
): Promise<FileGateway> {
  const made = await startGateway(t, {}, { file: path('gateway.yaml'), watch: true, ...options })
  const logged: TestGateway['logged'] = (matches) =>
    within(
      10_000,
      made.logged(matches),
      () => `nothing of that was logged, but: ${JSON.stringify(made.logs)}`,
    )
  return {
    ...made,
    logged,
    path,
    replace: (name, text) => {
      writeFileSync(path(`${name}.new`), text)
      renameSync(path(`${name}.new`), path(name))
    },
    applied: (version) => logged((line) => Number(line.build) >= version),
    refused: (mistake) =>
      logged(
        (line) =>
          String(line.message).startsWith('configuration refused') && mistake.test(String(line.problems)),
      ),
    verbose: async () => JSON.parse((await send(`${made.url}/readyz?verbose`)).text),
  }
}

/** What is awaited, or a failure that says what came instead. */
function within<T>(ms: number, awaited: Promise<T>, otherwise: () => string): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(otherwise())), ms)
  return Promise.race([awaited, late.promise]).finally(() => clearTimeout(timer))
}

function yamlOf(upstreams: Readonly<Record<string, string>>, routes: readonly string[], more = ''): string {
  const named = Object.entries(upstreams).map(([name, url]) => `  ${name}: {targets: [{url: "${url}"}]}\n`)
  const lines = routes.map((route) => `  - {auth: none, ${route}}\n`)
  // What else this process does holds the gateway up: that is no load.
  const server =
    'server: {listen: "127.0.0.1:0", overload: {eventLoopDelay: 0s}, shutdown: {drainDelay: 0s, gracePeriod: 2s}}\n'
  return `${server}upstreams:\n${named.join('')}routes:\n${lines.join('')}${more}`
}

const named = (name: string) => (_req: unknown, res: ServerResponse) => void res.end(name)

// security.md: "0 failed over 16 reloads under load".
test('16 changes of the file, in place and by rename, are applied without a failed request', async (t) => {
  const [a, b] = await Promise.all([startBackend(t, named('a')), startBackend(t, named('b'))])
  const upstreams = { a: a.url, b: b.url }
  const version = (upstream: string, i: number): string =>
    yamlOf(upstreams, [
      `id: r, path: /x, upstream: ${upstream}`,
      `id: s, path: "/y${i % 2}", upstream: a`,
      'id: t, path: /z/**, upstream: b',
    ])
  const gateway = await startFrom(t, { 'gateway.yaml': version('a', 0) })
  const load = startLoad(gateway.url, ['/x', '/z/1', '/z/2/3'], 6)
  const startedAt = performance.now()
  for (let i = 1; i <= 16; i++) {
    const upstream = i % 2 === 0 ? 'a' : 'b'
    if (i % 4 < 2) writeFileSync(gateway.path('gateway.yaml'), version(upstream, i))
    else gateway.replace('gateway.yaml', version(upstream, i))
    await gateway.applied(i + 1)
    assert.equal((await send(`${gateway.url}/x`)).text, upstream)
    assert.equal((await send(`${gateway.url}/y${(i + 1) % 2}`)).status, 404)
  }
  const seconds = (performance.now() - startedAt) / 1_000
  await load.stop()
  t.diagnostic(
    `${load.done} requests over 16 reloads in ${seconds.toFixed(1)} s, ${load.failures.length} failed`,
  )
  assert.deepEqual(load.failures.slice(0, 5), [])
  assert.ok(load.done > 300)
})

test('a request in flight keeps its plan, and its upstream is closed when it has finished', async (t) => {
  const waiting: ServerResponse[] = []
  const old = await startBackend(t, (_req, res) => waiting.push(res))
  const next = await startBackend(t, named('next'))
  const closed: string[] = []
  const closer = definePlugin({
    name: 'closer',
    options: z.strictObject({ as: z.string() }),
    create: ({ as }) => ({
      onReply: (_x, reply) => void reply.headers.push('X-Plan', as),
      close: async () => void closed.push(as),
    }),
  })
  const route = (upstream: string): string =>
    `id: r, path: /x, upstream: ${upstream}, plugins: [{closer: {as: ${upstream}}}]`
  const gateway = await startFrom(
    t,
    { 'gateway.yaml': yamlOf({ old: old.url }, [route('old')]) },
    { plugins: [closer] },
  )
  const connected = once(old.server, 'connection') as Promise<[Socket]>
  const arrived = once(old.server, 'request')
  const slow = send(`${gateway.url}/x`)
  const [socket] = await connected
  await arrived
  let open = true
  const ended = once(socket, 'close').then(() => {
    open = false
  })
  gateway.replace('gateway.yaml', yamlOf({ next: next.url }, [route('next')]))
  await gateway.applied(2)
  const after = await send(`${gateway.url}/x`)
  assert.deepEqual([after.text, after.headers['x-plan']], ['next', 'next'])
  assert.deepEqual([open, closed], [true, []])
  waiting[0]?.end('old')
  const finished = await slow
  assert.deepEqual([finished.status, finished.text, finished.headers['x-plan']], [200, 'old', 'old'])
  await ended
  assert.deepEqual(closed, ['old'])
})

test('the old configuration is freed', async (t) => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const made: WeakRef<object>[] = []
  const weighty = definePlugin({
    name: 'weighty',
    options: z.strictObject({}),
    create: () => {
      const ballast = new Uint8Array(1_000_000)
      const plugin = { onReply: () => void ballast.length }
      made.push(new WeakRef(plugin))
      return plugin
    },
  })
  const backend = await startBackend(t)
  const yaml = (id: string): string =>
    yamlOf({ a: backend.url }, [`id: ${id}, path: /x, upstream: a, plugins: [weighty]`])
  const gateway = await startFrom(t, { 'gateway.yaml': yaml('r0') }, { plugins: [weighty], watch: false })
  for (let i = 1; i <= 10; i++) {
    await send(`${gateway.url}/x`)
    writeFileSync(gateway.path('gateway.yaml'), yaml(`r${i}`))
    assert.equal(await gateway.gateway.reload(), true)
  }
  for (
    let tries = 0;
    tries < 20 && made.filter((plugin) => plugin.deref() !== undefined).length > 2;
    tries++
  ) {
    await new Promise(setImmediate)
    gc()
  }
  const alive = made.filter((plugin) => plugin.deref() !== undefined).length
  t.diagnostic(`${alive} of ${made.length} configurations are in memory`)
  // The running one, and the one before while something of its last request is still on the stack.
  assert.ok(made.length === 11 && alive <= 2)
})

test('a bad change keeps the old configuration and says why everywhere, until a good one clears it', async (t) => {
  const backend = await startBackend(t)
  const good = yamlOf({ a: backend.url }, ['id: r, path: /x, upstream: a'])
  const gateway = await startFrom(t, { 'gateway.yaml': good })
  const load = startLoad(gateway.url, ['/x'], 2)
  gateway.replace('gateway.yaml', good.replace('upstream: a', 'upstream: b'))
  await gateway.refused(/gateway\.yaml:5:35: routes\[0\]\.upstream: there is no upstream "b"/)
  const { ready, checks } = await gateway.verbose()
  const reload = checks.find(({ name }) => name === 'reload')
  assert.deepEqual([ready, reload?.ok], [true, false])
  assert.match(String(reload?.detail), /routes\[0\]\.upstream: there is no upstream "b"/)
  assert.match(
    (await send(`${gateway.url}/metrics`)).text,
    /^gateway_config_reloads_total\{result="refused"\} 1$/m,
  )
  assert.match((await send(`${gateway.url}/metrics`)).text, /^gateway_config_version 1$/m)

  gateway.replace('gateway.yaml', good.replace('id: r', 'id: s'))
  await gateway.applied(2)
  const cleared = (await gateway.verbose()).checks.find(({ name }) => name === 'reload')
  assert.deepEqual([cleared?.ok, cleared?.detail], [true, 'the newest configuration is running'])
  const metrics = (await send(`${gateway.url}/metrics`)).text
  assert.match(metrics, /^gateway_config_reloads_total\{result="applied"\} 1$/m)
  assert.match(metrics, /^gateway_config_reloads_total\{result="refused"\} 1$/m)
  await load.stop()
  assert.deepEqual(load.failures.slice(0, 5), [])
})

test('an upstream that did not change keeps its connections, and one that is removed closes them', async (t) => {
  const [kept, gone] = await Promise.all([startBackend(t), startBackend(t)])
  const connections = { kept: 0, gone: 0, goneClosed: 0 }
  kept.server.on('connection', () => connections.kept++)
  const closed = new Promise<void>((resolve) => {
    gone.server.on('connection', (socket) => {
      connections.gone++
      socket.on('close', () => {
        connections.goneClosed++
        resolve()
      })
    })
  })
  const both = yamlOf({ k: kept.url, g: gone.url }, [
    'id: k, path: /k, upstream: k',
    'id: g, path: /g, upstream: g',
  ])
  const gateway = await startFrom(t, { 'gateway.yaml': both })
  await send(`${gateway.url}/k`)
  await send(`${gateway.url}/g`)
  gateway.replace('gateway.yaml', yamlOf({ k: kept.url }, ['id: k, path: /k2, upstream: k']))
  await gateway.applied(2)
  await closed
  assert.equal((await send(`${gateway.url}/k2`)).status, 200)
  assert.deepEqual(connections, { kept: 1, gone: 1, goneClosed: 1 })
})

test('the counters of a rate limit survive', async (t) => {
  const backend = await startBackend(t)
  const yaml = (more: string): string =>
    yamlOf({ a: backend.url }, [
      `id: r, path: /x, upstream: a, plugins: [{rateLimit: {name: two, limit: 2, window: 1m, by: ip}}]${more}`,
    ])
  const gateway = await startFrom(t, { 'gateway.yaml': yaml('') })
  const statuses = [await send(`${gateway.url}/x`)]
  for (const version of [2, 3]) {
    gateway.replace('gateway.yaml', yaml(`, priority: ${version}`))
    await gateway.applied(version)
    statuses.push(await send(`${gateway.url}/x`))
  }
  assert.deepEqual(
    statuses.map(({ status }) => status),
    [200, 200, 429],
  )
})

const proto = (path: string, more = ''): string => `syntax = "proto3";
package one;
import "google/api/annotations.proto";
${more}
message Empty {}
service One {
  rpc Get(Empty) returns (Empty) { option (google.api.http) = {get: "${path}"}; }
}
`
const part = (name: string): string =>
  `syntax = "proto3";\npackage one;\nmessage Part { string ${name} = 1; }\n`
const grpc = (pattern: string): string =>
  `grpc: {protos: ["${pattern}"], includeDirs: [.], services: {one.One: {upstream: a, auth: none}}}\n`
const plugin = (name: string): string =>
  `export const plugin = {name: 'mine', options: {safeParse: () => ({success: true, data: {}}), _zod: {def: {type: 'any'}, toJSONSchema: () => ({})}}, create: () => ({onReply: (x, reply) => void reply.headers.push('X-Mine', '${name}')})}\n`

const watched: readonly (readonly [
  name: string,
  files: Readonly<Record<string, string>>,
  more: string,
  change: (gateway: FileGateway) => void,
])[] = [
  [
    'an SDL file',
    { 'a.graphql': 'type Query { a: String }' },
    'graphql: {auth: none, subgraphs: {x: {upstream: a, schema: a.graphql}}}\n',
    ({ replace }) => replace('a.graphql', 'type Query { a: String b: String }'),
  ],
  [
    'a proto',
    { 'one.proto': proto('/v1/a') },
    grpc('one.proto'),
    ({ replace }) => replace('one.proto', proto('/v1/b')),
  ],
  [
    'a proto that another one imports',
    { 'one.proto': proto('/v1/a', 'import "part.proto";'), 'part.proto': part('a') },
    grpc('one.proto'),
    ({ replace }) => replace('part.proto', part('b')),
  ],
  [
    'a proto that a pattern finds now',
    { 'one.proto': proto('/v1/a') },
    grpc('*.proto'),
    ({ path }) => writeFileSync(path('two.proto'), part('a')),
  ],
  [
    'a proto in a folder that a pattern finds now',
    { 'one.proto': proto('/v1/a') },
    grpc('**/*.proto'),
    ({ path }) => {
      mkdirSync(path('new'))
      writeFileSync(path('new/two.proto'), part('a'))
    },
  ],
  [
    'a value read by file://',
    { id: 'one' },
    'consumers: [{id: "file://id"}]\n',
    ({ path }) => writeFileSync(path('id'), 'two'),
  ],
  [
    'a module with a plugin',
    { 'mine.js': plugin('one') },
    'pluginModules: [mine.js]\nplugins: [mine]\n',
    ({ replace }) => replace('mine.js', plugin('two')),
  ],
]

for (const [name, files, more, change] of watched) {
  test(`a change of ${name} is applied`, async (t) => {
    const yaml = yamlOf({ a: 'http://127.0.0.1:1' }, ['id: r, path: /x, upstream: a'], more)
    const gateway = await startFrom(t, { ...files, 'gateway.yaml': yaml })
    change(gateway)
    await gateway.applied(2)
    assert.deepEqual(
      gateway.logs.filter(({ message }) => String(message).startsWith('configuration refused')),
      [],
    )
  })
}

test('a descriptor set is watched: a change is applied, a broken one leaves the old one running', async (t) => {
  const set = (path: string): Uint8Array => setOf(compile({ 'one.proto': proto(path) }))
  const sets = 'grpc: {descriptorSets: ["*.binpb"], services: {one.One: {upstream: a, auth: none}}}\n'
  const folder = folderOf(t, {})
  writeFileSync(folder('one.binpb'), set('/v1/a'))
  const yaml = yamlOf({ a: 'http://127.0.0.1:1' }, ['id: r, path: /x, upstream: a'], sets)
  writeFileSync(folder('gateway.yaml'), yaml)
  const gateway = await startFrom(t, {}, { folder })
  const known = async (path: string) => (await send(`${gateway.url}${path}`)).status !== 404
  assert.deepEqual([await known('/v1/a'), await known('/v1/b')], [true, false])
  writeFileSync(gateway.path('one.binpb'), set('/v1/b'))
  await gateway.applied(2)
  assert.deepEqual([await known('/v1/a'), await known('/v1/b')], [false, true])
  writeFileSync(gateway.path('one.binpb'), set('/v1/c').subarray(0, -3))
  await gateway.refused(/grpc: .*one\.binpb: is cut off, or no descriptor set; .*--include_imports/)
  assert.deepEqual([await known('/v1/b'), await known('/v1/c')], [true, false])
  writeFileSync(gateway.path('one.binpb'), set('/v1/c'))
  await gateway.applied(3)
  writeFileSync(gateway.path('two.binpb'), setOf(compile({ 'two.proto': part('a') })))
  await gateway.applied(4)
  assert.equal(await known('/v1/c'), true)
})

test('a proto that breaks and is mended while requests flow loses none of them', async (t) => {
  const backend = await startBackend(t, named('a'))
  const gateway = await startFrom(t, {
    'gateway.yaml': yamlOf({ a: backend.url }, ['id: r, path: /x, upstream: a'], grpc('*.proto')),
    'one.proto': proto('/v1/a'),
  })
  const load = startLoad(gateway.url, ['/x'], 2)
  const mistakes: readonly (readonly [text: string, refusal: RegExp])[] = [
    [proto('/v1/a').replace('message Empty', 'messag Empty'), /one\.proto:5:1: illegal token 'messag'/],
    [proto('/v1/a').replace('(Empty) returns', '(Full) returns'), /one\.proto:7:11: no such .*Full/],
    [proto('/v1/{nope}'), /one\.proto:7:3: one\.One\.Get: the path names "nope"/],
    [proto('/v1/a', 'import "gone.proto";'), /one\.proto:4:8: "gone\.proto" is not in any of/],
  ]
  let version = 1
  for (const [text, refusal] of mistakes) {
    gateway.replace('one.proto', text)
    await gateway.refused(refusal)
    assert.equal((await send(`${gateway.url}/v1/a`)).status, 502)
    gateway.replace('one.proto', proto(`/v1/a`, `// ${version}`))
    await gateway.applied(++version)
  }
  await load.stop()
  assert.deepEqual(load.failures, [])
})

test('a file that a refused configuration lacks is watched for', async (t) => {
  const yaml = yamlOf({ a: 'http://127.0.0.1:1' }, ['id: r, path: /x, upstream: a'])
  const gateway = await startFrom(t, { 'gateway.yaml': yaml })
  gateway.replace(
    'gateway.yaml',
    `${yaml}graphql: {auth: none, subgraphs: {x: {upstream: a, schema: late.graphql}}}\n`,
  )
  await gateway.refused(/late\.graphql/)
  writeFileSync(gateway.path('late.graphql'), 'type Query { a: String }')
  await gateway.applied(2)
  assert.ok(gateway.gateway.rows.some(({ id }) => id === 'graphql'))
})

test('a file that is empty for a moment while it is written never runs', async (t) => {
  const backend = await startBackend(t)
  const yaml = yamlOf({ a: backend.url }, ['id: r, path: /x, upstream: a'])
  const gateway = await startFrom(t, { 'gateway.yaml': yaml })
  writeFileSync(gateway.path('gateway.yaml'), '')
  await gateway.refused(/is empty/)
  assert.equal((await send(`${gateway.url}/x`)).status, 200)
  rmSync(gateway.path('gateway.yaml'))
  await gateway.refused(/cannot be read/)
  assert.equal((await send(`${gateway.url}/x`)).status, 200)
  writeFileSync(gateway.path('gateway.yaml'), yaml.replace('id: r', 'id: s'))
  await gateway.applied(2)
})

test('a change is applied although something else writes into the folder all the time', async (t) => {
  const yaml = yamlOf({ a: 'http://127.0.0.1:1' }, ['id: r, path: /x, upstream: a'])
  const gateway = await startFrom(t, { 'gateway.yaml': yaml })
  const noise = setInterval(() => writeFileSync(gateway.path('some.log'), String(Date.now())), 20)
  try {
    gateway.replace('gateway.yaml', yaml.replace('id: r', 'id: s'))
    await gateway.applied(2)
  } finally {
    // Before the folder goes.
    clearInterval(noise)
  }
})

test('a change that comes while a reload is under way is not lost', async (t) => {
  const yaml = (id: string): string =>
    `pluginModules: [mine.js]\n${yamlOf({ a: 'http://127.0.0.1:1' }, [`id: ${id}, path: /x, upstream: a`])}`
  // The file of the configuration was read before its modules are loaded, and is watched again after that.
  const slow = `globalThis.triviumLoads?.()\nawait new Promise((resolve) => setTimeout(resolve, 400))\n${plugin('slow')}`
  const gateway = await startFrom(t, { 'gateway.yaml': yaml('first'), 'mine.js': plugin('quick') })
  Object.assign(globalThis, { triviumLoads: () => gateway.replace('gateway.yaml', yaml('second')) })
  gateway.replace('mine.js', slow)
  await gateway.applied(2)
  Object.assign(globalThis, { triviumLoads: undefined })
  await gateway.applied(3)
  assert.equal(gateway.gateway.rows[0]?.id, 'second')
})

test('what a change cannot touch before the next start is said', async (t) => {
  const yaml = yamlOf({ a: 'http://127.0.0.1:1' }, ['id: r, path: /x, upstream: a'])
  const gateway = await startFrom(t, { 'gateway.yaml': yaml })
  gateway.replace(
    'gateway.yaml',
    yaml.replace(
      'server: {',
      'observability: {log: {level: debug}}\nserver: {trustedProxies: [10.0.0.0/8], limits: {bodyBytes: 1mb}, ',
    ),
  )
  const { keys } = await gateway.logged(
    (line) => line.message === 'changed keys that take effect at the next start',
  )
  assert.deepEqual(keys, ['server.trustedProxies', 'observability'])
})

test('a folder of config maps that swaps its link is noticed', async (t) => {
  const yaml = (id: string): string =>
    yamlOf({ a: 'http://127.0.0.1:1' }, [`id: ${id}, path: /x, upstream: a`])
  const path = folderOf(t, {})
  for (const version of ['1', '2']) {
    mkdirSync(path(version))
    writeFileSync(`${path(version)}/gateway.yaml`, yaml(`r${version}`))
  }
  symlinkSync('1', path('..data'))
  symlinkSync('..data/gateway.yaml', path('gateway.yaml'))
  const gateway = await startGateway(t, {}, { file: path('gateway.yaml'), watch: true })
  symlinkSync('2', path('..data_tmp'))
  renameSync(path('..data_tmp'), path('..data'))
  await gateway.logged((line) => line.build === 2)
  assert.equal(gateway.gateway.rows[0]?.id, 'r2')
})

test('a stored operation that the new schema has not is refused, and the old one goes on', async (t) => {
  const subgraph = await startBackend(t, (_req, res) => {
    res.setHeader('Content-Type', 'application/json')
    res.end('{"data":{"user":{"name":"Ada"}}}')
  })
  const more = 'graphql: {auth: none, subgraphs: {a: {upstream: a, schema: a.graphql}}}\n'
  const operation = '{operation: "file://user.graphql", at: user}'
  const gateway = await startFrom(t, {
    'gateway.yaml': yamlOf({ a: subgraph.url }, [`id: r, path: /user, graphqlOperation: ${operation}`], more),
    'a.graphql': 'type Query { user: User } type User { name: String }',
    'user.graphql': '{ user { name } }',
  })
  const ask = async () => (await send(`${gateway.url}/user`)).text
  assert.equal(await ask(), '{"name":"Ada"}')
  gateway.replace('a.graphql', 'type Query { user: User } type User { fullName: String }')
  await gateway.refused(
    /graphqlOperation\.operation: file:\/\/user\.graphql line 1, column 10 of it: Cannot query field "name"/,
  )
  assert.equal(await ask(), '{"name":"Ada"}')
  gateway.replace('user.graphql', '{ user { name: fullName } }')
  await gateway.applied(2)
  assert.equal(await ask(), '{"name":"Ada"}')
})
