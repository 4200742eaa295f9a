import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { chargeOperation } from '../../../src/core/request-cost.ts'
import { frontEndTo, link, type RecordingSubgraph, startRecording } from './authorization/recording.ts'
import { type Door, limits, openDoor } from './harness.ts'

const sdl = `${link}
type Query {
  name: String
  user: User
  users: [User!]
  matrix: [[User]]
  search(first: Int = 5, last: Int, filter: Filter): [User] @listSize(slicingArguments: ["first", "last"], requireOneSlicingArgument: false)
  top: [User] @listSize(assumedSize: 3)
  connection(first: Int): Connection @listSize(slicingArguments: ["first"], sizedFields: ["edges", "nodes"])
  heavy: String @cost(weight: 50)
  cheap: User @cost(weight: 0)
  free(text: String @cost(weight: 7)): String
  report: Report
  grade: Grade
  any: [Any]
}
type Mutation { rename(name: String): User erase: Boolean }
type User @key(fields: "id") { id: ID! name: String friends: [User] best: User pals(first: Int): [User] @listSize(slicingArguments: ["first"]) }
type Connection { edges: [Edge] nodes: [User] total: Int }
type Edge { node: User }
type Report @cost(weight: 20) { text: String }
enum Grade @cost(weight: 2) { A B }
type Robot { id: ID! parts: [User] }
union Any = User | Robot
input Filter { text: String @cost(weight: 4) ids: [ID!] and: [Filter!] }
`

const huge = Number.MAX_SAFE_INTEGER

/** Defaults of the IBM specification's examples and of Apollo Router: an object 1, a leaf 0; a field of a mutation 10. */
const costs: readonly [name: string, query: string, variables: object, cost: number][] = [
  ['a scalar', '{ name }', {}, 0],
  ['an object', '{ user { id name } }', {}, 1],
  ['objects in one another', '{ user { best { best { id } } } }', {}, 3],
  ['a list, by the size that lists are taken to have', '{ users { id } }', {}, 10],
  ['a list in a list', '{ users { friends { id } } }', {}, 10 * (1 + 10)],
  ['a list of lists', '{ matrix { id } }', {}, 100],
  ['an assumed size', '{ top { id } }', {}, 3],
  ['a size by argument', '{ search(first: 7) { id } }', {}, 7],
  ['the larger of two', '{ search(first: 7, last: 9) { id } }', {}, 9],
  ['the default of the argument', '{ search { id } }', {}, 5],
  ['a size by variable', 'query($n: Int) { search(first: $n) { id } }', { n: 40 }, 40],
  ['the default of the variable', 'query($n: Int = 6) { search(first: $n) { id } }', {}, 6],
  [
    'a variable that is not given: the default of the argument',
    'query($n: Int) { search(first: $n) { id } }',
    {},
    5,
  ],
  ['sized fields below', '{ connection(first: 4) { edges { node { id } } total } }', {}, 1 + 4 * (1 + 1)],
  [
    'sized fields below, in a fragment under another key',
    '{ connection(first: 4) { ...C } } fragment C on Connection { x: nodes { id } }',
    {},
    1 + 4,
  ],
  [
    'no size for another list below',
    '{ connection(first: 4) { nodes { friends { id } } } }',
    {},
    1 + 4 * (1 + 10),
  ],
  ['a weight of a field', '{ heavy }', {}, 50],
  ['a weight of 0', '{ cheap { id best { id } } }', {}, 1],
  ['a weight of an argument, when it is given', '{ a: free b: free(text: "x") }', {}, 7],
  ['a weight of a type', '{ report { text } }', {}, 20],
  ['a weight of an enum', '{ grade }', {}, 2],
  [
    'input objects and their weights',
    '{ search(first: 1, filter: {text: "x", and: [{ids: ["1"]}, {text: "y"}]}) { id } }',
    {},
    1 + (1 + 4) + 1 + (1 + 4),
  ],
  [
    'input objects by variable',
    'query($f: Filter) { search(first: 1, filter: $f) { id } }',
    { f: { and: [{}, {}] } },
    1 + 3,
  ],
  ['aliases', '{ a: users { id } b: users { id } }', {}, 20],
  [
    'a fragment that is spread twice',
    '{ a: users { ...F } b: users { ...F } } fragment F on User { best { id } }',
    {},
    40,
  ],
  [
    'fragments on each type',
    '{ any { ... on User { best { id } } ... on Robot { parts { id } } } }',
    {},
    10 * (1 + 1 + 10),
  ],
  [
    'what is left out',
    'query($x: Boolean!) { users @include(if: $x) { id } user @skip(if: true) { id } }',
    { x: false },
    0,
  ],
  [
    'what is not left out',
    'query($x: Boolean!) { users @include(if: $x) { id } user @skip(if: false) { id } }',
    { x: true },
    11,
  ],
  ['introspection', '{ __schema { types { fields { name } } } __typename }', {}, 0],
  [
    'a mutation, each field of it',
    'mutation { rename { id } again: erase ...M } fragment M on Mutation { more: erase }',
    {},
    31,
  ],
  [
    'a huge size',
    '{ search(first: 2147483647) { pals(first: 2147483647) { pals(first: 2147483647) { id } } } }',
    {},
    huge,
  ],
  ['a huge size of nothing', 'query($n: Int) { connection(first: $n) { total } }', { n: 2_147_483_647 }, 1],
  ['a negative size', '{ search(first: -5) { id } }', {}, 0],
  ['a negative size beside another', '{ search(first: 4, last: -5) { id } }', {}, 4],
]

describe('the cost of GraphQL operations', () => {
  let subgraph: RecordingSubgraph
  let door: Door
  let limited: Door
  let charged: { name: string; cost: number }[] = []

  before(async () => {
    subgraph = await startRecording('one', { sdl, resolvers: {} })
    const generous = { ...limits, cost: huge }
    door = await openDoor(await frontEndTo([subgraph], { limits: generous }))
    limited = await openDoor(
      await frontEndTo([subgraph], { limits: { ...limits, cost: 100, listSize: 20 } }),
      {
        onRequest: [
          (x) =>
            x.set(chargeOperation, (operation) => {
              charged.push(operation)
            }),
        ],
      },
    )
  })
  after(() => Promise.all([door.close(), limited.close(), subgraph.close()]))

  for (const [name, query, variables, cost] of costs) {
    it(`counts ${name}`, async () => {
      await door.query(query, { variables })
      assert.equal(door.exchanges.at(-1)?.attributes['graphql.operation.cost'], cost)
    })
  }

  it('refuses what costs more than the limit, before anything runs or is charged, and says how much', async () => {
    subgraph.heard.length = 0
    charged = []
    const within = await limited.query('query Ten { search(first: 100) { id } }')
    assert.deepEqual(within.errors, [])
    assert.deepEqual(charged, [{ name: 'Ten', cost: 100 }])
    assert.equal(subgraph.heard.length, 1)
    const above = await limited.query('query($n: Int) { search(first: $n) { id } }', {
      variables: { n: 101 },
    })
    assert.equal(above.status, 400)
    assert.equal(above.data, undefined)
    const [error] = above.errors
    assert.equal(error?.message, 'The operation costs 101, and the limit is 100.')
    assert.equal(error?.extensions.reason, 'GRAPHQL_LIMIT_EXCEEDED')
    assert.equal(error?.extensions.cost, 101)
    assert.equal(error?.extensions.limit, 100)
    assert.equal(charged.length, 1)
    assert.equal(subgraph.heard.length, 1)
  })

  it('notes of a batch what its operations cost together', async () => {
    const batching = await openDoor(
      await frontEndTo([subgraph], { limits: { ...limits, cost: 100 }, batching: { maxOperations: 3 } }),
    )
    const queries = [4, 5, 6].map((first) => ({ query: `{ search(first: ${first}) { id } }` }))
    const response = await batching.fetch({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(queries),
    })
    assert.equal(response.status, 200)
    assert.equal(batching.exchanges.at(-1)?.attributes['graphql.operation.cost'], 4 + 5 + 6)
    await batching.close()
  })

  it('takes lists to be as long as it is told', async () => {
    await limited.query('{ users { id } }')
    assert.equal(limited.exchanges.at(-1)?.attributes['graphql.operation.cost'], 20)
  })

  it('counts an operation of many fragments in little time', async () => {
    const doubling = Array.from(
      { length: 9 },
      (_, i) => `fragment F${i} on User { ...F${i + 1} ...F${i + 1} }`,
    )
    const query = `{ users { ...F0 } } ${doubling.join(' ')} fragment F9 on User { best { id } }`
    await door.query(query)
    assert.equal(door.exchanges.at(-1)?.attributes['graphql.operation.cost'], 10 * (1 + 2 ** 9))
  })
})
