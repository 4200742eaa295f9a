import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type BadAnswer, badAnswers } from './answers.ts'
import { type BadRequest, badRequests } from './requests.ts'
import { startWorld, type Told, type World } from './world.ts'

// The list of what federation must bear, from the outside: docs/security.md. Upstreams have 2 seconds here.

describe('bad input, through a gateway in a process of its own', () => {
  let world: World

  before(async () => {
    world = await startWorld()
    // What runs for the first time is compiled.
    for (const one of badRequests) await send(one)
    for (const one of badAnswers) if (!isSlow(one)) await answerBadly(one)
    await world.pause()
  })
  after(() => world.close())

  const send = ({ init, search }: BadRequest): Promise<Told> => world.send(init, search)
  const answerBadly = async ({ from, query, answer }: BadAnswer): Promise<Told> => {
    const subgraph = world.subgraphs[from]
    subgraph.instead = (_, res) => answer(res)
    try {
      return await world.ask(query)
    } finally {
      subgraph.instead = undefined
    }
  }
  const heldUpLittle = async (): Promise<void> => {
    const ms = await world.pause()
    assert.ok(ms < 300, `the event loop stood still for ${ms.toFixed(0)} ms`)
  }

  for (const one of badRequests) {
    it(`refuses ${one.name}: ${one.status} ${one.reason}`, async () => {
      const { status, errors, data, bytes } = await send(one)
      assert.deepEqual([status, errors[0], data], [one.status, one.reason, undefined])
      assert.ok(bytes < 50_000, `an answer of ${bytes} bytes`)
      await heldUpLittle()
    })
  }

  for (const one of badAnswers) {
    it(`answers the rest when a subgraph answers ${one.name}`, async () => {
      const startedAt = performance.now()
      const { status, data, errors, messages } = await answerBadly(one)
      assert.deepEqual({ status, data, errors }, { status: 200, data: one.data, errors: one.errors })
      assert.doesNotMatch(messages.join(), /TypeError|SyntaxError|node_modules|169\.254|\.ts:/)
      assert.ok(performance.now() - startedAt < 30_000)
      await heldUpLittle()
    })
  }

  it('gives back what it needed for all of that, and works', async (t) => {
    const round = async (): Promise<void> => {
      for (const one of badRequests) await send(one)
      for (const one of badAnswers) if (!isSlow(one)) await answerBadly(one)
    }
    await round()
    const before = await world.heap()
    for (let i = 0; i < 4; i++) await round()
    const more = ((await world.heap()) - before) / 1e6
    t.diagnostic(`${more.toFixed(1)} MB more after four rounds`)
    assert.ok(more < 8, `${more} MB more`)
    const { data, errors } = await world.ask('{ me { name reviews { body } } }')
    assert.deepEqual(errors, [])
    assert.equal(data.me.reviews.length, 2)
    assert.ok(world.isRunning)
  })
})

function isSlow({ errors }: BadAnswer): boolean {
  return errors.some((error) => error.endsWith('UPSTREAM_TIMEOUT'))
}
