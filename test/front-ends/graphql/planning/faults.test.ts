import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadPlanner } from '../../../../src/front-ends/graphql/planning/planner.ts'
import { composeSupergraph } from '../../../../src/front-ends/graphql/supergraph.ts'
import { frontEndTo, link, startRecording } from '../authorization/recording.ts'
import { openDoor } from '../harness.ts'
import { faults } from './faults.ts'
import { operationOf } from './operation.ts'

describe('what the planner gets wrong by itself', () => {
  for (const { name, sources, query, variables, data } of faults) {
    it(`answers ${name}`, async (t) => {
      const subgraphs = await Promise.all(
        Object.entries(sources).map(([subgraph, source]) => startRecording(subgraph, source)),
      )
      const door = await openDoor(await frontEndTo(subgraphs))
      t.after(() => Promise.all([door.close(), ...subgraphs.map((one) => one.close())]))
      // Twice: a plan that is remembered must be right as well.
      for (const _ of [1, 2]) {
        const answer = await door.query(query, { variables })
        assert.deepEqual(answer.errors, [])
        assert.equal(JSON.stringify(answer.data), JSON.stringify(data))
      }
    })
  }
})

it('refuses a plan that asks for a field before what the field requires', async () => {
  const sources = {
    a: 'type E @key(fields: "k") { k: ID! id: ID! @external f0: E @requires(fields: "id") f1: Int @shareable }',
    b: 'type E @key(fields: "k") @key(fields: "id") { k: ID! id: ID! @shareable }',
    c: 'type Query { e: E } type E @key(fields: "k") @key(fields: "id") { k: ID! id: ID! @shareable f0: E @external f1: Int @external f2: Int @requires(fields: "f0 { f1 } f1") }',
  }
  const composed = await composeSupergraph(
    Object.entries(sources).map(([name, sdl]) => ({ name, sdl: `${link} ${sdl}` })),
  )
  const planner = await loadPlanner(composed.supergraphSdl)
  const plan = async (text: string) => planner.plan({ operation: operationOf(text), variables: {} })
  await plan('{ e { f2 } }')
  await plan('{ e { f0 { f1 } } }')
  // A right plan may come one day: then this case belongs among the others.
  await assert.rejects(plan('{ e { f0 { f2 } } }'), { reason: 'INTERNAL' })
  planner.close()
})
