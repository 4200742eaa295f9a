import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { composeSupergraph } from '../../../src/front-ends/graphql/supergraph.ts'
import { plainDestination } from '../../traffic/plain-upstream.ts'
import { frontEndOver, openDoor, upstreamFor } from './harness.ts'
import { schemas, startSubgraph } from './subgraphs.ts'

const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])'

describe('composition', () => {
  it('lists every mistake with its subgraph, file and line', async () => {
    const subgraphs = [
      {
        name: 'a',
        file: 'schemas/a.graphql',
        sdl: `${link}\ntype Query { x: String }\ntype T { id: ID! }\ntype U { n: Int }`,
      },
      { name: 'b', file: 'schemas/b.graphql', sdl: `${link}\ntype T { id: Int }\n\ntype U { n: String }` },
    ]
    await assert.rejects(composeSupergraph(subgraphs), (error: Error) => {
      const [head, ...lines] = error.message.split('\n')
      assert.match(head ?? '', /do not compose. There are \d+ mistakes:/)
      assert.ok(lines.length >= 2)
      const type = lines.find((line) => line.includes('T.id') && line.includes('FIELD_TYPE_MISMATCH'))
      assert.match(type ?? '', /schemas\/a\.graphql:3:\d+ \(subgraph "a"\)/)
      assert.match(type ?? '', /schemas\/b\.graphql:2:\d+ \(subgraph "b"\)/)
      assert.ok(lines.some((line) => line.includes('U.n')))
      return true
    })
  })

  it('lists syntax errors of several subgraphs at once', async () => {
    const subgraphs = [
      { name: 'a', file: 'a.graphql', sdl: 'type Query {\n  x String\n}' },
      { name: 'b', sdl: 'type {' },
    ]
    await assert.rejects(composeSupergraph(subgraphs), (error: Error) => {
      assert.match(error.message, /- a\.graphql:2:5 \(subgraph "a"\): Syntax Error/)
      assert.match(error.message, /- b:1:6 \(subgraph "b"\): Syntax Error/)
      return true
    })
  })

  it('names the subgraph and the line of an invalid directive', async () => {
    const subgraphs = [
      {
        name: 'a',
        file: 'a.graphql',
        sdl: `${link}\ntype Query { t: T }\ntype T @key(fields: "nope") { id: ID! }`,
      },
    ]
    await assert.rejects(
      composeSupergraph(subgraphs),
      /a\.graphql:3:\d+ \(subgraph "a"\): .*nope.* \[KEY_INVALID_FIELDS\]/,
    )
  })

  it('loads a supergraph that was composed before', async (t) => {
    const { supergraphSdl: supergraph } = await composeSupergraph(
      Object.entries(schemas).map(([name, sdl]) => ({ name, sdl })),
    )
    const all = await Promise.all([
      startSubgraph('accounts'),
      startSubgraph('products'),
      startSubgraph('reviews'),
    ])
    const subgraphs = all.map(({ name, url }) => ({
      name,
      destination: plainDestination(upstreamFor(name, url)),
      path: '/graphql',
    }))
    const door = await openDoor(await frontEndOver([], { supergraph, subgraphs }))
    t.after(() => Promise.all([door.close(), ...all.map((subgraph) => subgraph.close())]))
    const { data } = await door.query('{ me { reviews { product { title } } } }')
    assert.equal(data.me.reviews[1].product.title, 'Desk')
  })

  it('refuses a supergraph that names a subgraph which is not configured', async () => {
    const { supergraphSdl: supergraph } = await composeSupergraph(
      Object.entries(schemas).map(([name, sdl]) => ({ name, sdl })),
    )
    await assert.rejects(
      frontEndOver([], { supergraph, subgraphs: [] }),
      /names a subgraph "accounts" that is not configured/,
    )
  })

  it('refuses a supergraph that is none', async () => {
    await assert.rejects(
      frontEndOver([], { supergraph: 'type Query { a: Int }', subgraphs: [] }),
      /supergraph/i,
    )
  })
})
