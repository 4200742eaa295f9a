import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parse } from 'graphql'
import { loadPlanner } from '../../../../src/front-ends/graphql/planning/planner.ts'
import { composeSupergraph } from '../../../../src/front-ends/graphql/supergraph.ts'
import { withoutEnforcedFeatures } from '../../../../src/front-ends/graphql/supergraph-features.ts'
import { frontEndTo, startRecording } from '../authorization/recording.ts'
import { openDoor } from '../harness.ts'
import { operationOf } from './operation.ts'

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", import: ["@key", "@external", "@requires", "@context", "@fromContext"])`

/** `Line.total` needs the currency of the order that it is reached through (Federation 2.8). */
const sources = {
  orders: {
    sdl: `${link}
type Query { orders: [Order!]! }
type Order @key(fields: "id") @context(name: "order") { id: ID! currency: String! line: Line! }
type Line @key(fields: "id") { id: ID! total(currency: String @fromContext(field: "$order { currency }")): String }`,
    resolvers: {
      Query: {
        orders: () => ['EUR', 'USD'].map((currency, n) => ({ id: n, currency, line: { id: `l${n}` } })),
      },
      Order: { __resolveReference: ({ id }: { id: string }) => ({ id }) },
      Line: {
        __resolveReference: ({ id }: { id: string }) => ({ id }),
        total: ({ id }: { id: string }, { currency }: { currency: string }) => `${id} in ${currency}`,
      },
    },
  },
  other: {
    sdl: `${link}
type Line @key(fields: "id") { id: ID! note: String }`,
    resolvers: { Line: { note: ({ id }: { id: string }) => `note ${id}` } },
  },
}

it('plans what fields take from the context, also where an alias has its name', async (t) => {
  const composed = await composeSupergraph(Object.entries(sources).map(([name, { sdl }]) => ({ name, sdl })))
  const planner = await loadPlanner(withoutEnforcedFeatures(parse(composed.supergraphSdl)))
  t.after(() => planner.close())
  const operation = operationOf('{ orders { currency: id line { total } } }')
  const { node, responseKeys } = await planner.plan({ operation, variables: {} })
  const fetches = node?.kind === 'Sequence' ? node.nodes : []
  const [orders, lines] = fetches.map((one) => (one.kind === 'Flatten' ? one.node : one))
  assert.ok(orders?.kind === 'Fetch' && lines?.kind === 'Fetch')
  assert.equal(orders.operation, '{orders{__typename currency currency__1:id line{__typename id}}}')
  assert.deepEqual(responseKeys, { currency__1: 'currency' })
  const [rewrite] = lines.contextRewrites ?? []
  assert.deepEqual(rewrite?.path, ['..', '... on Order', 'currency'])
  assert.deepEqual(lines.variableUsages, [rewrite?.renameKeyTo])
})

it('gives fields what they take from the context', async (t) => {
  const subgraphs = await Promise.all(
    Object.entries(sources).map(([name, source]) => startRecording(name, source)),
  )
  const door = await openDoor(await frontEndTo(subgraphs))
  t.after(() => Promise.all([door.close(), ...subgraphs.map((one) => one.close())]))
  const { data, errors } = await door.query('{ orders { currency: id line { total note } } }')
  assert.deepEqual(errors, [])
  assert.deepEqual(data, {
    orders: [
      { currency: '0', line: { total: 'l0 in EUR', note: 'note l0' } },
      { currency: '1', line: { total: 'l1 in USD', note: 'note l1' } },
    ],
  })
})
