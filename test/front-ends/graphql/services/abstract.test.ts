import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startBackend, startGateway } from '../../../world.ts'
import { type Answer, v } from './harness.ts'

const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])
type Query { media: [Media!]! found: [Found] best: Media odd: Found }
interface Media { id: ID! title: String }
type Book implements Media @key(fields: "id") { id: ID! title: String pages: Int }
type Film implements Media { id: ID! title: String minutes: Int sequel: Media }
type Person { name: String }
union Found = Book | Film | Person`

const book = { kind: 'Book', id: '1', title: 'Emma', pages: 300 }
const film = { kind: 'Film', id: '2', title: 'Alien', minutes: 117, next: { kind: 'Film', id: '3' } }
const answers: Readonly<Record<string, unknown>> = {
  '/media': [book, film],
  '/found': [film, { kind: 'Person', name: 'Ada' }, null, book],
  '/best': book,
  '/odd': { kind: 'Constructor', name: 'x' },
}

/** One service over HTTP whose objects say in \`kind\` what they are. */
async function start(t: TestContext): Promise<(query: string) => Promise<Answer>> {
  const backend = await startBackend(t, (req, res) => {
    const { pathname } = new URL(req.url ?? '', 'http://x')
    res.setHeader('content-type', 'application/json').end(JSON.stringify(answers[pathname]))
  })
  const folder = mkdtempSync(join(tmpdir(), 'trivium-abstract-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 's.graphql'), sdl)
  const roots = ['media', 'found', 'best', 'odd'].map((name) => [
    `Query.${name}`,
    { rest: { path: `/${name}` } },
  ])
  const { url } = await startGateway(t, {
    upstreams: { s: { targets: [{ url: backend.url }] } },
    graphql: {
      auth: 'none',
      subgraphs: {
        s: {
          upstream: 's',
          schema: join(folder, 's.graphql'),
          resolvers: {
            ...Object.fromEntries(roots),
            'Media.__typename': { value: v('this.kind') },
            'Found.__typename': { value: v('this.kind') },
            'Film.sequel': { value: v('this.next') },
            Book: { rest: { path: '/best' } },
          },
        },
      },
    },
  })
  return async (query) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    })
    const { data, errors = [] } = (await response.json()) as Answer
    return { status: response.status, data, errors }
  }
}

const cases: readonly [name: string, query: string, data: object][] = [
  [
    'objects of an interface are what the service says',
    '{ media { __typename id title ... on Book { pages } ... on Film { minutes } } }',
    {
      media: [
        { __typename: 'Book', id: '1', title: 'Emma', pages: 300 },
        { __typename: 'Film', id: '2', title: 'Alien', minutes: 117 },
      ],
    },
  ],
  [
    'members of a union, and null among them',
    '{ found { __typename ... on Person { name } ... on Media { id } } }',
    {
      found: [
        { __typename: 'Film', id: '2' },
        { __typename: 'Person', name: 'Ada' },
        null,
        { __typename: 'Book', id: '1' },
      ],
    },
  ],
  [
    'one within another, made by a value',
    '{ found { ... on Film { sequel { __typename id title } } } }',
    { found: [{ sequel: { __typename: 'Film', id: '3', title: null } }, {}, null, {}] },
  ],
  ['without asking what they are', '{ best { title } }', { best: { title: 'Emma' } }],
]
for (const [name, query, data] of cases) {
  test(name, async (t) => {
    const answer = await (await start(t))(query)
    assert.deepEqual(answer.errors, [])
    assert.deepEqual(answer.data, data)
  })
}

test('an object of a type that is none of the union is null, with an error that quotes nothing', async (t) => {
  const { data, errors } = await (await start(t))('{ odd { __typename } best { id } }')
  assert.deepEqual(data, { odd: null, best: { id: '1' } })
  assert.deepEqual(errors[0]?.path, ['odd'])
  assert.equal(errors[0]?.extensions.reason, 'UPSTREAM_BAD_ANSWER')
  assert.doesNotMatch(errors[0]?.message ?? '', /Constructor/)
})
