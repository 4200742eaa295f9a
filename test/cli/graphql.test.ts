import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { composeSupergraph } from '../../src/front-ends/graphql/supergraph.ts'
import { folderOf } from '../config/files.ts'
import { changingSubgraph, link } from '../front-ends/graphql/supergraph/changing-subgraph.ts'
import { startBackend, startGateway } from '../world.ts'
import { runCli } from './child.ts'

const users = `${link}type Query {
  me: User
}

type User @key(fields: "id") {
  id: ID!
  name: String
}
`
const goods = `${link}type Query { best(count: Int = 3): [Product!]! }
type Product @key(fields: "upc") { upc: ID! price: Int buyer: User }
type User @key(fields: "id") { id: ID! bought: [Product!]! }
`
const config = `
upstreams: {a: {targets: [{url: http://127.0.0.1:1}]}}
graphql:
  auth: none
  limits: {listSize: 4}
  subgraphs: {users: {upstream: a, schema: users.graphql}, goods: {upstream: a, schema: goods.graphql}}
`
const manifest = JSON.stringify({ good: '{ me { id } }', bad: 'query Best { best { price } }' })
const files = {
  'gateway.yaml': config,
  'users.graphql': users,
  'goods.graphql': goods,
  'same.graphql': goods.replace('price: Int', 'price: Int stock: Int'),
  'other.graphql': goods.replace('price: Int', 'cents: Int'),
  'clash.graphql': `${link}type Query { x: Int }\n\ntype User @key(fields: "id") {\n  id: ID!\n  name: Int\n}\n`,
  'half.graphql': 'type Query {\n  a(: Int\n}\n',
  'manifest.json': manifest,
  'wrong.json': '[]',
  'two.graphql': 'query One { me { id } } query Two { me { name } }',
  'none.yaml': 'routes: []\n',
}

interface Case {
  readonly name: string
  readonly args: readonly string[]
  readonly code: number
  readonly out?: RegExp
  readonly err?: RegExp
}

const pairs = ['users=users.graphql', 'goods=goods.graphql']
const cases: readonly Case[] = [
  {
    name: 'compose prints the supergraph of a configuration',
    args: ['compose'],
    code: 0,
    out: /^schema\n[\s\S]*enum join__Graph \{\n {2}GOODS [\s\S]*\}\n$/,
  },
  { name: 'compose takes names and files', args: ['compose', ...pairs], code: 0, out: /join__Graph/ },
  {
    name: 'compose shows each mistake with subgraph, file and line',
    args: ['compose', 'users=users.graphql', 'clash=clash.graphql'],
    code: 1,
    err: /do not compose[\s\S]*clash\.graphql:6:3 \(subgraph "clash"\), users\.graphql:8:3 \(subgraph "users"\): .* \[FIELD_TYPE_MISMATCH\]\n- users\.graphql:8:3 \(subgraph "users"\), clash\.graphql:6:3 \(subgraph "clash"\): .* \[INVALID_FIELD_SHARING\]/,
  },
  {
    name: 'compose points into a file that does not parse',
    args: ['compose', 'half=half.graphql'],
    code: 1,
    err: /- half\.graphql:2:5 \(subgraph "half"\): Syntax Error/,
  },
  {
    name: 'compose says what a word must look like',
    args: ['compose', 'users.graphql'],
    code: 1,
    err: /^gateway: expected name=file, as in .*, not "users\.graphql"\n$/,
  },
  {
    name: 'compose names a file that is not there',
    args: ['compose', 'a=nowhere.graphql'],
    code: 1,
    err: /^gateway: nowhere\.graphql cannot be read: ENOENT/,
  },
  {
    name: 'compose needs graphql in the configuration',
    args: ['compose', '-c', 'none.yaml'],
    code: 1,
    err: /none\.yaml/,
  },
  {
    name: 'plan shows fetches in their order, and what they cost',
    args: ['plan', '{ me { name bought { price } } }'],
    code: 0,
    out: /^in turn\n {2}fetch users\n[\s\S]* {2}fetch goods for me\n {4}with \{ \.\.\. on User \{ __typename id \} \}[\s\S]*\n2 fetches, 2 in turn; cost 5\n$/,
  },
  {
    name: 'plan reads a file, and wants to know which of its operations is meant',
    args: ['plan', 'two.graphql'],
    code: 1,
    err: /say which operation by --operation: there are One, Two\n$/,
  },
  {
    name: 'plan takes one operation of several',
    args: ['plan', 'two.graphql', '--operation', 'Two', '--json'],
    code: 0,
    out: /"fetches": 1,\n {2}"inTurn": 1,\n {2}"subgraphs": \[\n {4}"users"\n {2}\],\n {2}"cost": 1,\n {2}"plan": \{/,
  },
  {
    name: 'plan follows the variables',
    args: [
      'plan',
      'query($no: Boolean!) { me { id } best @skip(if: $no) { upc } }',
      '--variables',
      '{"no": true}',
    ],
    code: 0,
    out: /\n1 fetch, 1 in turn; cost 1\n$/,
  },
  {
    name: 'plan says of introspection that nobody is asked',
    args: ['plan', '{ __typename }'],
    code: 0,
    out: /^nothing: no subgraph is asked\n\n0 fetches/,
  },
  {
    name: 'plan points at what is wrong with an operation',
    args: ['plan', '{ me { nobody } }'],
    code: 1,
    err: /^1:8: Cannot query field "nobody" on type "User"\.\n$/,
  },
  {
    name: 'plan knows no subscription where there is none',
    args: ['plan', 'subscription { news }'],
    code: 1,
    err: /^1:1: There are no subscriptions in this schema\.\n$/,
  },
  {
    name: 'plan wants variables as an object',
    args: ['plan', '{ me { id } }', '--variables', '[1]'],
    code: 1,
    err: /--variables must be a JSON object/,
  },
  {
    name: 'plan says how it is called',
    args: ['plan'],
    code: 1,
    err: /^gateway: usage: gateway graphql plan/,
  },
  {
    name: 'check sees no difference',
    args: ['check', ...pairs, '--against', 'super.graphql'],
    code: 0,
    out: /^clients see no difference\nno client breaks\n$/,
  },
  {
    name: 'check tells additions, which break nobody',
    args: ['check', 'users=users.graphql', 'goods=same.graphql', '--against', 'super.graphql'],
    code: 0,
    out: /^safe {6}Product\.stock was added\.\nno client breaks\n$/,
  },
  {
    name: 'check ends with 2 when something breaks',
    args: ['check', 'users=users.graphql', 'goods=other.graphql', '--against', 'super.graphql'],
    code: 2,
    out: /^breaking {2}Product\.price was removed\.\nsafe {6}Product\.cents was added\.\nclients break\n$/,
  },
  {
    name: 'check ends with 2 when a registered operation is lost',
    args: [
      'check',
      'users=users.graphql',
      'goods=other.graphql',
      '--against',
      'super.graphql',
      '--operations',
      'manifest.json',
    ],
    code: 2,
    out: /refused: bad\n {2}1:21: Cannot query field "price" on type "Product"\.\n1 of 2 operations are valid\nclients break\n$/,
  },
  {
    name: 'check ends with 0 when what breaks is in no registered operation',
    args: ['check', 'users=users.graphql', '--against', 'super.graphql', '--operations', 'only-me.json'],
    code: 0,
    out: /breaking {2}Product was removed\.[\s\S]*1 of 1 operations are valid\nno client breaks\n$/,
  },
  {
    name: 'check names a manifest that is none',
    args: ['check', ...pairs, '--against', 'super.graphql', '--operations', 'wrong.json'],
    code: 1,
    err: /^gateway: wrong\.json is no JSON object\n$/,
  },
  {
    name: 'check names a supergraph that is none',
    args: ['check', '--supergraph', 'users.graphql', '--against', 'super.graphql'],
    code: 1,
    err: /^gateway: ./,
  },
  {
    name: 'check says where it looks for a gateway',
    args: ['check', ...pairs, '--url', 'http://127.0.0.1:1/admin'],
    code: 1,
    err: /no gateway answers at http:\/\/127\.0\.0\.1:1\/admin/,
  },
]

const { supergraphSdl } = await composeSupergraph([
  { name: 'users', sdl: users },
  { name: 'goods', sdl: goods },
])
const composed = `${supergraphSdl.trimEnd()}\n`

describe('gateway graphql', { concurrency: 3 }, () => {
  for (const { name, args, code, out = /^$/, err = /^$/ } of cases) {
    test(name, async (t) => {
      const cwd = folderOf(t, {
        ...files,
        'super.graphql': composed,
        'only-me.json': JSON.stringify({ good: '{ me { id } }' }),
      })('')
      const ended = await runCli(['graphql', ...args], { cwd })
      assert.match(ended.out, out)
      assert.match(ended.err, err)
      assert.equal(ended.code, code)
    })
  }

  test('compose writes a file whole, and says so', async (t) => {
    const inFolder = folderOf(t, files)
    const { code, out, err } = await runCli(['graphql', 'compose', '-o', 'super.graphql'], {
      cwd: inFolder(''),
    })
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /^super\.graphql: written, \d+ bytes\n$/)
    assert.equal(readFileSync(inFolder('super.graphql'), 'utf8'), composed)
  })

  test('compose --json tells the hints too', async (t) => {
    const cwd = folderOf(t, {
      'a.graphql': `${link}type Query { a: Int } "One." type T @shareable { x: Int }`,
      'b.graphql': `${link}type Query { b: Int } "Another." type T @shareable { x: Int }`,
    })('')
    const { code, out } = await runCli(['graphql', 'compose', 'a=a.graphql', 'b=b.graphql', '--json'], {
      cwd,
    })
    const told = JSON.parse(out) as { supergraph: string; hints: string[] }
    assert.equal(code, 0)
    assert.match(told.supergraph, /join__Graph/)
    assert.match(told.hints.join('\n'), /^INCONSISTENT_DESCRIPTION: /m)
  })

  test('compose asks the live subgraphs of a configuration, and check the gateway that runs', async (t) => {
    const live = await changingSubgraph(t, users)
    const graphql = {
      auth: 'none',
      subgraphs: {
        users: { upstream: 'a', live: { interval: '1h', timeout: '20s' } },
        goods: { upstream: 'a', schema: 'goods.graphql' },
      },
    }
    const written = { upstreams: { a: { targets: [{ url: live.url }] } }, graphql }
    const cwd = folderOf(t, { ...files, 'gateway.yaml': JSON.stringify(written) })
    const { url } = await startGateway(t, {}, { file: cwd('gateway.yaml') })
    const check = ['graphql', 'check', '--url', `${url}/admin`]
    assert.deepEqual(await runCli(check, { cwd: cwd('') }), {
      code: 0,
      out: 'clients see no difference\nno client breaks\n',
      err: '',
    })
    live.change(users.replace('name', 'called'))
    const { code, out } = await runCli(check, { cwd: cwd('') })
    assert.equal(code, 2)
    assert.match(out, /^breaking {2}User\.name was removed\.\n/)
    const composedNow = await runCli(['graphql', 'compose'], { cwd: cwd('') })
    assert.match(composedNow.out, /called: String/)
    await live.stop()
    const without = await runCli(['graphql', 'compose'], { cwd: cwd('') })
    assert.equal(without.code, 1)
    assert.match(without.err, /^gateway: subgraph "users": .*refused the connection/)
  })

  test('validate asks no subgraph for its schema', async (t) => {
    const live = await changingSubgraph(t, users)
    const graphql = { auth: 'none', subgraphs: { users: { upstream: 'a', live: {} } } }
    const route = { id: 'r', path: '/r', auth: 'none', methods: ['GET'] }
    const written = (operation: string): string =>
      JSON.stringify({
        upstreams: { a: { targets: [{ url: live.url }] } },
        graphql,
        routes: [{ ...route, graphqlOperation: { operation } }],
      })
    const cwd = folderOf(t, { 'good.yaml': written('{ me { id } }'), 'bad.yaml': written('{ me { id }') })('')
    assert.equal((await runCli(['validate', 'good.yaml'], { cwd })).code, 0)
    const { code, err } = await runCli(['validate', 'bad.yaml'], { cwd })
    assert.equal(code, 1)
    assert.match(err, /routes\[0\]\.graphqlOperation\.operation: Syntax Error/)
    assert.equal(live.asked.length, 0)
  })

  test('check fetches a supergraph with a token', async (t) => {
    const sdl = composed
    const source = await startBackend(t, (req, res) => {
      if (req.headers.authorization === 'Bearer for-super') res.end(sdl)
      else res.writeHead(401).end()
    })
    const cwd = folderOf(t, files)('')
    const check = ['graphql', 'check', '--against', source.url]
    const refused = await runCli(check, { cwd })
    assert.deepEqual([refused.code, refused.err], [1, `gateway: ${source.url} answered 401\n`])
    assert.equal((await runCli([...check, '--token', 'for-super'], { cwd })).code, 0)
  })
})
