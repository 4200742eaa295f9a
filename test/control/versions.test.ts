import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GatewayError } from '../../src/core/error.ts'
import { onBothDatabases, ownFolder } from '../store/kinds.ts'
import { type Node, route, startFrom, startNode, until, versionOf, yamlOf } from './nodes.ts'

const by = 'ada'

onBothDatabases((kind) => {
  const on = (name: string, run: (t: TestContext, url: string) => Promise<void>) =>
    test(`${kind.name}: ${name}`, async (t) => await run(t, await kind.url(t)))

  on('a write is a new version on every node, with who, why and what', async (t, url) => {
    const [one, two] = [await startNode(t, url, { a: 'first' }), await startNode(t, url, { a: 'first' })]
    const written = await one.gateway.control.write(
      [{ op: 'create', kind: 'routes', id: 'b', value: route('b', 'second') }],
      { by, message: 'b is needed' },
    )
    assert.deepEqual(
      [written.version, written.changes.map(({ kind, id, op }) => `${kind}/${id} ${op}`)],
      [2, ['routes/b create']],
    )
    assert.equal(await one.ask('b'), 'second')
    await until(async () => (await two.ask('b')) === 'second')
    assert.deepEqual([await versionOf(one), await versionOf(two)], [2, 2])
    const { items, total } = await two.gateway.control.versions({ limit: 10 })
    assert.deepEqual(
      [
        total,
        items.map(({ version, author, message, origin, summary }) => [
          version,
          author,
          message,
          origin,
          summary,
        ]),
      ],
      [
        2,
        [
          [2, by, 'b is needed', 'api', ['routes/b created']],
          [1, 'file', items[1]?.message, 'file', ['routes/a created', ...(items[1]?.summary.slice(1) ?? [])]],
        ],
      ],
    )
    assert.match((await two.gateway.control.get(2)).text, /^# kept/)
    const nodes = await one.gateway.control.nodes()
    assert.deepEqual(
      nodes.map(({ problem }) => problem),
      [null, null],
    )
  })

  on('a rollback is a new version with the old text', async (t, url) => {
    const node = await startNode(t, url, { a: 'first' })
    const { control } = node.gateway
    await control.write([{ op: 'patch', kind: 'routes', id: 'a', value: { respond: { body: 'changed' } } }], {
      by,
    })
    assert.equal(await node.ask('a'), 'changed')
    const back = await control.rollback(1, { by })
    assert.deepEqual([back.version, await node.ask('a')], [3, 'first'])
    assert.equal((await control.get(3)).message, 'back to version 1')
    await assert.rejects(control.rollback(9, { by }), reasonIs('NOT_FOUND'))
  })

  on(
    'what was written outlives a restart; the file counts again when it changes, and what it overwrites is named',
    async (t, url) => {
      const folder = await ownFolder(t)
      const node = await startNode(t, url, { a: 'first', b: 'b' }, folder)
      await node.gateway.control.write(
        [{ op: 'patch', kind: 'routes', id: 'a', value: { respond: { body: 'by the API' } } }],
        { by },
      )
      await node.gateway.shutdown()
      const again = await startFrom(t, join(folder, 'gateway.yaml'))
      assert.deepEqual([await again.ask('a'), await versionOf(again)], ['by the API', 2])
      again.replace(yamlOf(url, { a: 'from the file', b: 'b' }))
      await until(async () => (await again.ask('a')) === 'from the file')
      assert.equal(await versionOf(again), 3)
      const warned = await again.logged((line) => line.overwritten !== undefined)
      assert.deepEqual(warned.overwritten, ['routes/a'])
      await again.gateway.control.rollback(2, { by })
      assert.equal(await again.ask('a'), 'by the API')
    },
  )

  on('what does not load is refused whole, with its places, and nothing is stored', async (t, url) => {
    const node = await startNode(t, url, { a: 'first' })
    const { control } = node.gateway
    await assert.rejects(
      control.write(
        [
          { op: 'create', kind: 'routes', id: 'good', value: route('good', 'x') },
          {
            op: 'create',
            kind: 'routes',
            id: 'bad',
            value: { path: '/bad', upstream: 'nowhere', auth: 'none' },
          },
        ],
        { by },
      ),
      (error) =>
        error instanceof GatewayError &&
        error.violations.some(
          ({ field, detail }) => field === 'routes[2].upstream' && /nowhere/.test(detail),
        ),
    )
    // Only building it shows that.
    await assert.rejects(
      control.write([{ op: 'create', kind: 'routes', id: 'c', value: { ...route('c', 'x'), path: '/a' } }], {
        by,
      }),
      reasonIs('INVALID_ARGUMENT'),
    )
    assert.deepEqual([await node.ask('good'), (await control.versions({ limit: 9 })).total], [404, 1])
    assert.equal((await fetch(`${node.url}/readyz`)).status, 200)
  })

  on('of two writers on two nodes at once both are heard; with If-Match one is told 412', async (t, url) => {
    const [one, two] = [await startNode(t, url, { a: 'first' }), await startNode(t, url, { a: 'first' })]
    const create = (node: Node, id: string) =>
      node.gateway.control.write([{ op: 'create', kind: 'routes', id, value: route(id, id) }], { by })
    const ids = ['b', 'c', 'd', 'e', 'f', 'g']
    await Promise.all(ids.map((id, i) => create(i % 2 === 0 ? one : two, id)))
    for (const id of ids) for (const node of [one, two]) await until(async () => (await node.ask(id)) === id)
    assert.equal((await one.gateway.control.versions({ limit: 20 })).total, 7)
    const { etag: ifMatch = '' } = one.gateway.control.items('routes').find(({ id }) => id === 'a') ?? {}
    const change = (node: Node, body: string) =>
      node.gateway.control.write([{ op: 'patch', kind: 'routes', id: 'a', value: { respond: { body } } }], {
        by,
        ifMatch,
      })
    const before = one.gateway.control.version
    const outcomes = await Promise.allSettled([change(one, 'x'), change(two, 'y')])
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    const refused = outcomes.find((one) => one.status === 'rejected')?.reason as GatewayError
    await until(() => one.gateway.control.version > before)
    assert.equal(refused.reason, 'PRECONDITION_FAILED')
    assert.equal(refused.headers[0], 'ETag')
    assert.equal(refused.headers[1], one.gateway.control.items('routes').find(({ id }) => id === 'a')?.etag)
  })

  on('a version that does not load on one node is reported there, and runs when it does', async (t, url) => {
    const [folderOfOne, folderOfTwo] = [await ownFolder(t), await ownFolder(t)]
    const one = await startNode(t, url, { a: 'first' }, folderOfOne)
    const two = await startNode(t, url, { a: 'first' }, folderOfTwo)
    writeFileSync(join(folderOfOne, 'text.txt'), 'of a file')
    await one.gateway.control.write(
      [{ op: 'patch', kind: 'routes', id: 'a', value: { respond: { body: 'file://text.txt' } } }],
      { by },
    )
    assert.equal(await one.ask('a'), 'of a file')
    await two.logged((line) => String(line.message).startsWith('configuration refused'))
    assert.deepEqual([await two.ask('a'), await versionOf(two)], ['first', 1])
    await until(async () =>
      (await one.gateway.control.nodes()).some(({ problem }) => /text\.txt/.test(problem ?? '')),
    )
    const verbose = (await (await fetch(`${two.url}/readyz?verbose`)).json()) as {
      checks: { name: string; ok: boolean }[]
    }
    assert.equal(verbose.checks.find(({ name }) => name === 'reload')?.ok, false)
    writeFileSync(join(folderOfTwo, 'text.txt'), 'of its own file')
    await until(async () => (await two.ask('a')) === 'of its own file')
    assert.equal(await versionOf(two), 2)
  })

  on('a dry run, a check and a diff change nothing', async (t, url) => {
    const node = await startNode(t, url, { a: 'first' })
    const { control } = node.gateway
    const edit = { op: 'patch', kind: 'routes', id: 'a', value: { respond: { body: 'x' } } } as const
    const dry = await control.write([edit], { by, dryRun: true })
    assert.deepEqual([dry.version, dry.changes.length, control.version], [2, 1, 1])
    assert.deepEqual(
      await control.validate('routes: [{ id: a }]').then((problems) => problems.map(({ path }) => path)),
      ['routes[0].path'],
    )
    const changes = await control.diff({ text: yamlOf(url, { a: 'first', b: 'new' }) })
    assert.deepEqual(
      changes.map(({ kind, id, op }) => [kind, id, op]),
      [['routes', 'b', 'create']],
    )
    assert.deepEqual([await node.ask('a'), (await control.versions({ limit: 9 })).total], ['first', 1])
  })

  on('defaults that are written out are no difference, and no version is made of nothing', async (t, url) => {
    const node = await startNode(t, url, { a: 'first' })
    const { control } = node.gateway
    assert.deepEqual(
      await control.diff({ text: control.text.replace('path: /a', 'path: /a\n    methods: []') }),
      [],
    )
    const same = await control.write([{ op: 'merge', value: {} }], { by })
    assert.deepEqual([same.version, same.changes], [1, []])
  })

  on('code, foreign files and the stores are for who writes the file', async (t, url) => {
    const node = await startNode(t, url, { a: 'first' })
    const attempts = [
      { pluginModules: ['./evil.ts'] },
      { stores: { database: { url: 'sqlite:./other.db' } } },
      {
        routes: [
          { id: 'a', path: '/a', auth: 'none', respond: { status: 200, body: 'file:///etc/hostname' } },
        ],
      },
      {
        routes: [
          { id: 'a', path: '/a', auth: 'none', respond: { status: 200, body: 'file://../../etc/hostname' } },
        ],
      },
      {
        routes: [
          {
            id: 'a',
            path: '/a',
            auth: 'none',
            respond: { status: 200, body: '$' + '{NO:-fi}le:///etc/hostname' },
          },
        ],
      },
    ]
    for (const value of attempts)
      await assert.rejects(
        node.gateway.control.write([{ op: 'merge', value }], { by }),
        reasonIs('INVALID_ARGUMENT'),
        JSON.stringify(value),
      )
    assert.equal(await versionOf(node), 1)
  })
})

function reasonIs(reason: string) {
  return (error: unknown): boolean => error instanceof GatewayError && error.reason === reason
}

test('a file that cannot be read any more does not end what runs', async (t) => {
  const folder = await ownFolder(t)
  const node = await startNode(t, 'sqlite:./data/g.db', { a: 'first' }, folder)
  rmSync(join(folder, 'gateway.yaml'))
  await node.logged((line) => String(line.message).startsWith('configuration refused'))
  assert.equal(await node.ask('a'), 'first')
  assert.ok(readFileSync(join(folder, 'data/g.db')).length > 0)
})
