import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { planningDefaults } from '../../../../src/front-ends/graphql/planning/planning-options.ts'
import { ProgressiveOverride } from '../../../../src/front-ends/graphql/planning/progressive-override.ts'
import { frontEndTo, link, startRecording } from '../authorization/recording.ts'
import { openDoor } from '../harness.ts'
import { operationOf } from './operation.ts'

const withOverride = link.replace('"@key"', '"@key", "@override"')

/** `price` of a product moves from one subgraph to another as far as the label says. */
const sources = (label: string) => ({
  old: {
    sdl: `${withOverride}
type Query { product: Product }
type Product @key(fields: "id") { id: ID! price: Int name: String }`,
    resolvers: {
      Query: { product: () => ({ id: '1', price: 1, name: 'Lamp' }) },
      Product: { __resolveReference: () => ({ id: '1', price: 1, name: 'Lamp' }) },
    },
  },
  new: {
    sdl: `${withOverride}
type Product @key(fields: "id") { id: ID! price: Int @override(from: "old", label: "${label}") tax: Int @requires(fields: "name") name: String @external }`,
    resolvers: { Product: { __resolveReference: () => ({ id: '1', price: 2 }), tax: () => 3 } },
  },
})

describe('progressive @override', () => {
  const cases: readonly { label: string; on?: string[]; price: number }[] = [
    { label: 'percent(0)', price: 1 },
    { label: 'percent(100)', price: 2 },
    { label: 'beta', price: 1 },
    { label: 'beta', on: ['beta', 'other'], price: 2 },
    { label: 'beta', on: ['other'], price: 1 },
  ]
  for (const { label, on = [], price } of cases) {
    it(`takes a field labelled ${label} from the ${price === 1 ? 'old' : 'new'} subgraph with [${on}] on`, async (t) => {
      const subgraphs = await Promise.all(
        Object.entries(sources(label)).map(([name, source]) => startRecording(name, source)),
      )
      const planning = { ...planningDefaults, overrides: on }
      const door = await openDoor(await frontEndTo(subgraphs, { planning }))
      t.after(() => Promise.all([door.close(), ...subgraphs.map((one) => one.close())]))
      const { data, errors } = await door.query('{ product { price name tax } }')
      assert.deepEqual(errors, [])
      assert.deepEqual(data, { product: { price, name: 'Lamp', tax: 3 } })
    })
  }

  it('decides by chance for each request, both plans remembered', async (t) => {
    const subgraphs = await Promise.all(
      Object.entries(sources('percent(50)')).map(([name, source]) => startRecording(name, source)),
    )
    const door = await openDoor(await frontEndTo(subgraphs))
    t.after(() => Promise.all([door.close(), ...subgraphs.map((one) => one.close())]))
    const seen = new Set<number>()
    // That all of them are the same has a chance of 2 to the power of -199.
    for (let n = 0; n < 200 && seen.size < 2; n++)
      seen.add((await door.query('{ product { price } }')).data.product.price)
    assert.deepEqual([...seen].sort(), [1, 2])
  })

  it('gives a percentage its share', () => {
    const labels = new ProgressiveOverride([])
    const on = (label: string, at: number) => labels.isOn(label, at * 100)
    assert.equal(on('percent(12.5)', 0.1249), true)
    assert.equal(on('percent(12.5)', 0.125), false)
    assert.equal(on('percent(0)', 0), false)
    assert.equal(on('percent(100)', 0.999_999), true)
    assert.equal(on('percent(x)', 0), false)
  })

  it('decides a request once, and a subscription by what it is', () => {
    let drawn = 0
    const labels = new ProgressiveOverride([], () => {
      drawn += 0.01
      return drawn
    })
    const operation = operationOf('{ a }')
    const context = { x: {}, faults: [] } as never
    const first = labels.drawFor({ operation, variables: {}, context })
    assert.equal(labels.drawFor({ operation, variables: { b: 1 }, context }), first)
    assert.notEqual(labels.drawFor({ operation, variables: {} }), first)
    const events = operationOf('subscription { a }')
    const draws = [1, 2, 3, 4].map((id) => labels.drawFor({ operation: events, variables: { id } }))
    assert.deepEqual(
      draws,
      [1, 2, 3, 4].map((id) => labels.drawFor({ operation: events, variables: { id } })),
    )
    assert.equal(new Set(draws).size, 4)
  })
})
