import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { silentLog } from '../../../../src/core/log.ts'
import { type Engine, startEngine } from '../../../../src/front-ends/graphql/engine.ts'
import { SharedSubscriptions } from '../../../../src/front-ends/graphql/subscriptions/shared-subscriptions.ts'
import { Engines, RunningEngine } from '../../../../src/front-ends/graphql/supergraph/engines.ts'
import { warmUp } from '../../../../src/front-ends/graphql/supergraph/warm-up.ts'
import { composeSupergraph } from '../../../../src/front-ends/graphql/supergraph.ts'
import { authorization, limits } from '../harness.ts'
import { link } from './changing-subgraph.ts'

const viewer = { introspection: true, suggestions: true }

interface Watched {
  readonly engine: Engine
  /** How often it was closed. */
  closed(): number
}

async function engineOf(t: TestContext, fields: string): Promise<Watched> {
  const { supergraphSdl } = await composeSupergraph([{ name: 'a', sdl: `${link}type Query { ${fields} }` }])
  const subgraph = { name: 'a', fetch: () => Promise.reject(new Error('nobody is asked')) }
  const guard = { authorization, maxCost: undefined, listSize: 10 }
  const engine = await startEngine({
    supergraphSdl,
    subgraphs: [subgraph],
    limits,
    viewer,
    guard,
    subscriptions: {
      shared: new SharedSubscriptions({ reconnects: 0, log: silentLog }),
      chargeEvents: false,
    },
    log: silentLog,
  })
  const { mock } = t.mock.method(engine, 'close')
  return { engine, closed: () => mock.callCount() }
}

describe('engines', () => {
  test('an engine is closed once, when it was retired and its last user has left', async (t) => {
    const engines = new Engines()
    const [first, second] = [await engineOf(t, 'a: Int'), await engineOf(t, 'b: Int')]
    engines.swap(new RunningEngine(first.engine, []))
    const [one, two] = [engines.enter(), engines.enter()]
    one.leave()
    assert.equal(first.closed(), 0)
    engines.swap(new RunningEngine(second.engine, []))
    assert.equal(engines.enter().engine, second.engine)
    assert.equal(first.closed(), 0)
    two.leave()
    assert.equal(first.closed(), 1)
    engines.close()
    assert.deepEqual([first.closed(), second.closed()], [1, 1])
  })

  test('one that nobody uses is closed as another takes over', async (t) => {
    const engines = new Engines()
    const [first, second] = [await engineOf(t, 'a: Int'), await engineOf(t, 'b: Int')]
    engines.swap(new RunningEngine(first.engine, []))
    engines.swap(new RunningEngine(second.engine, []))
    assert.equal(first.closed(), 1)
    engines.close()
  })

  test('whoever lasts is told of an engine that gets nothing new, by a swap and at the end', async (t) => {
    const engines = new Engines()
    const [first, second] = [await engineOf(t, 'a: Int'), await engineOf(t, 'b: Int')]
    const told: Engine[] = []
    engines.onRetire((engine) => told.push(engine))
    engines.swap(new RunningEngine(first.engine, []))
    assert.deepEqual(told, [])
    engines.swap(new RunningEngine(second.engine, []))
    assert.deepEqual(told, [first.engine])
    engines.retire()
    assert.deepEqual(told, [first.engine, second.engine])
    engines.close()
  })

  test('there is none at first: 503, with what is missing', () => {
    const engines = new Engines()
    engines.isMissing('subgraph "a" has not told its schema yet')
    assert.throws(() => engines.enter(), {
      reason: 'UNAVAILABLE',
      retryAfterMs: 1_000,
      message: 'There is no GraphQL schema: subgraph "a" has not told its schema yet.',
    })
  })
})

describe('a warm-up', () => {
  test('reads and plans so many of the most used, and keeps their order for the next one', async (t) => {
    const { engine } = await engineOf(t, 'a: Int b: Int c: Int')
    const used = [
      { text: '{ a }', uses: 40 },
      { text: '{ gone }', uses: 30 },
      { text: '{ b }', uses: 20 },
      { text: '{ c }', uses: 10 },
    ]
    const { planned, refused, late } = await warmUp(engine, used, { operations: 3, timeoutMs: 60_000 })
    assert.deepEqual([planned, late], [2, 0])
    assert.deepEqual(refused, [{ text: '{ gone }', reason: 'Cannot query field "gone" on type "Query".' }])
    engine.read('{ c }', viewer)
    assert.deepEqual(engine.mostUsed(3), [
      { text: '{ a }', uses: 20 },
      { text: '{ b }', uses: 10 },
      { text: '{ c }', uses: 1 },
    ])
    engine.close()
  })

  test('ends when its time is over', async (t) => {
    const { engine } = await engineOf(t, 'a: Int')
    const used = [{ text: '{ a }', uses: 1 }]
    assert.deepEqual(await warmUp(engine, used, { operations: 9, timeoutMs: 0 }), {
      planned: 0,
      refused: [],
      late: 1,
    })
    engine.close()
  })
})
