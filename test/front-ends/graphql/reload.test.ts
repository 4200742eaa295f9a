import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Door, frontEndOver, openDoor } from './harness.ts'
import { type Subgraph, startSubgraph } from './subgraphs.ts'

async function openAll(t: TestContext): Promise<{ all: Subgraph[]; accounts: Subgraph; door: Door }> {
  const accounts = await startSubgraph('accounts')
  const all = [accounts, await startSubgraph('products'), await startSubgraph('reviews')]
  const door = await openDoor(await frontEndOver(all))
  t.after(() => Promise.all([door.close(), ...all.map((subgraph) => subgraph.close())]))
  return { all, accounts, door }
}

describe('a reload of GraphQL', () => {
  it('drops no request: the old front-end answers those that it has, and is closed when they have settled', async (t) => {
    const { all, accounts, door } = await openAll(t)
    const old = door.frontEnd
    let letGo = (): void => {}
    const asked = new Promise<void>((resolve) => {
      accounts.before = () => {
        resolve()
        return new Promise((go) => {
          letGo = go
        })
      }
    })
    const inFlight = door.query('{ me { name reviews { body } } }')
    await asked
    accounts.before = undefined
    door.frontEnd = await frontEndOver(all, { introspection: false })
    assert.equal((await door.query('{ __schema { types { name } } }')).status, 200)
    letGo()
    const { data, errors } = await inFlight
    assert.deepEqual(errors, [])
    assert.equal(data.me.reviews.length, 2)
    await old.close()
    assert.equal((await door.query('{ me { name } }')).data.me.name, 'Ada')
  })

  it('answers every request of a steady load over eight reloads', async (t) => {
    const { all, door } = await openAll(t)
    let reloading = true
    const client = async (): Promise<number> => {
      let answered = 0
      while (reloading) {
        const { data, errors } = await door.query('{ me { name reviews { product { title } } } }')
        assert.deepEqual(errors, [])
        assert.equal(data.me.reviews.length, 2)
        answered++
      }
      return answered
    }
    const clients = Promise.all([client(), client(), client(), client()])
    const retired = []
    for (let i = 0; i < 8; i++) {
      const next = await frontEndOver(all)
      retired.push(door.frontEnd)
      door.frontEnd = next
      await door.query('{ me { id } }')
    }
    reloading = false
    const answered = (await clients).reduce((sum, count) => sum + count, 0)
    assert.ok(answered >= 8, `${answered} answered`)
    await Promise.all(retired.map((frontEnd) => frontEnd.close()))
  })
})
