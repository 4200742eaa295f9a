import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { frontEndTo, startRecording } from '../authorization/recording.ts'
import { openDoor } from '../harness.ts'
import { faults } from './faults.ts'

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
