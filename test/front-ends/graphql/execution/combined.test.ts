import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GraphQLError } from 'graphql'
import { type Asked, type Part, pathsOf, realPart, refused, worldOf } from './world.ts'

const people = {
  sdl: 'type Query { boss: Person staff: [Person!] } type Person @key(fields: "id") { id: ID! friend: Person }',
  resolvers: {
    Query: {
      boss: () => ({ id: '1', friend: { id: '2' } }),
      staff: () => [{ id: '3', friend: { id: '1' } }, { id: '4' }],
    },
  },
}
const facts = {
  sdl: 'type Person @key(fields: "id") { id: ID! name(upper: Boolean, suffix: String): String age: Int! }',
  resolvers: {
    Person: {
      __resolveReference: ({ id }: { id: string }) => (id === '9' ? null : { id }),
      name: ({ id }: { id: string }, { suffix = '' }) => `n${id}${suffix}`,
      age: ({ id }: { id: string }) => {
        if (id === '2') throw new GraphQLError('no', { extensions: { code: 'X' } })
        return Number(id)
      },
    },
  },
}
const query = '{ boss { name friend { name } } staff { name friend { name } } }'
const data = {
  boss: { name: 'n1', friend: { name: 'n2' } },
  staff: [
    { name: 'n3', friend: { name: 'n1' } },
    { name: 'n4', friend: null },
  ],
}

function open(answer?: (asked: Asked) => unknown) {
  const real = realPart(facts.sdl, facts.resolvers)
  const part: Part = answer === undefined ? real : { sdl: facts.sdl, answer }
  return worldOf({ people: realPart(people.sdl, people.resolvers), facts: part })
}

describe('fetches of one moment to one subgraph', () => {
  it('are one request', async () => {
    const world = await open()
    const got = await world.run(query)
    assert.deepEqual(got.errors, [])
    assert.deepEqual(got.data, data)
    assert.equal(world.asked.facts?.length, 1)
  })

  it('share the variables of the client, and have representations of their own', async () => {
    const world = await open()
    const got = await world.run(
      'query ($s: String = "?", $u: Boolean) { boss { name(suffix: $s, upper: $u) } staff { name(suffix: $s) } }',
      { s: '!' },
    )
    assert.deepEqual(got.data, { boss: { name: 'n1!' }, staff: [{ name: 'n3!' }, { name: 'n4!' }] })
    const [asked, ...others] = world.asked.facts ?? []
    assert.equal(others.length, 0)
    assert.deepEqual(Object.keys(asked?.variables).sort(), ['representations__0', 'representations__1', 's'])
  })

  it('are written once: the same text each time', async () => {
    const world = await open()
    await world.run(query)
    await world.run(query)
    assert.equal(world.asked.facts?.[0]?.query, world.asked.facts?.[1]?.query)
  })

  it('are sent apart where a name of the client could be taken for one of theirs', async () => {
    const world = await open()
    const got = await world.run(
      'query ($representations__0: String) { boss { name(suffix: $representations__0) } staff { name(suffix: $representations__0) } }',
      { representations__0: '!' },
    )
    assert.deepEqual(got.errors, [])
    assert.deepEqual(got.data, { boss: { name: 'n1!' }, staff: [{ name: 'n3!' }, { name: 'n4!' }] })
    assert.equal(world.asked.facts?.length, 2)
  })

  it('have errors each at its own places', async () => {
    const world = await open()
    const got = await world.run('{ boss { age friend { age } } staff { age friend { age } } }')
    assert.deepEqual(got.data, {
      boss: { age: 1, friend: null },
      staff: [
        { age: 3, friend: { age: 1 } },
        { age: 4, friend: null },
      ],
    })
    assert.deepEqual(pathsOf(got), ['boss.friend.age'])
  })

  it('fail together when nobody answers, and once in the log', async () => {
    const world = await open(refused)
    const got = await world.run('{ boss { id name } staff { id name } }')
    assert.deepEqual(got.data, {
      boss: { id: '1', name: null },
      staff: [
        { id: '3', name: null },
        { id: '4', name: null },
      ],
    })
    assert.deepEqual(pathsOf(got).sort(), ['boss.name', 'staff'])
    assert.equal(got.context.faults.length, 1)
  })

  it('do not take each other’s data away: what one made null is asked for again alone', async () => {
    const real = realPart(facts.sdl, facts.resolvers)
    const world = await open((asked) =>
      asked.query.includes('_1')
        ? { data: null, errors: [{ message: 'no', path: ['_0'], extensions: { code: 'X' } }] }
        : real.answer(asked),
    )
    const got = await world.run('{ boss { id name } staff { id name } }')
    assert.equal(got.errors.length, 1)
    assert.equal(world.asked.facts?.length, 2)
    const missing = [got.data.boss.name, ...got.data.staff.map((one: { name: string }) => one.name)]
    assert.ok(missing.includes(null) && missing.some((one) => one !== null), JSON.stringify(missing))
  })

  it('are each asked for alone where the subgraph takes no such request', async () => {
    const real = realPart(facts.sdl, facts.resolvers)
    const world = await open((asked) =>
      asked.query.includes('_1')
        ? { errors: [{ message: 'too many aliases', extensions: { code: 'X' } }] }
        : real.answer(asked),
    )
    const got = await world.run(query)
    assert.deepEqual(got.errors, [])
    assert.deepEqual(got.data, data)
  })
})

describe('mutations', () => {
  it('run one after the other, in the order of the operation', async () => {
    const order: string[] = []
    const mutation = (name: string) => async () => {
      order.push(`${name} begins`)
      await new Promise((resolve) => setTimeout(resolve, 5))
      order.push(`${name} ends`)
      return name
    }
    const sdl = (name: string) =>
      `type Query { ${name}: String } type Mutation { ${name}1: String ${name}2: String }`
    const part = (name: string) =>
      realPart(sdl(name), {
        Mutation: { [`${name}1`]: mutation(`${name}1`), [`${name}2`]: mutation(`${name}2`) },
      })
    const world = await worldOf({ a: part('a'), b: part('b') })
    const got = await world.run('mutation { b1 a1 a2 b2 }')
    assert.equal(got.text, '{"b1":"b1","a1":"a1","a2":"a2","b2":"b2"}')
    const wanted = ['b1', 'a1', 'a2', 'b2'].flatMap((name) => [`${name} begins`, `${name} ends`])
    assert.deepEqual(order, wanted)
  })
})

describe('subscriptions', () => {
  it('start with the fetch of their subgraph, and each event is completed by the others', async () => {
    const world = await worldOf({
      people: realPart(`${people.sdl} type Subscription { joined(team: ID): Person }`, people.resolvers),
      facts: realPart(facts.sdl, facts.resolvers),
    })
    const execution = {
      operation: world.operation('subscription ($team: ID) { joined(team: $team) { id name } }'),
      variables: { team: 'x' },
      context: { x: { gone: false }, faults: [] } as never,
    }
    const { subgraph, fetch } = await world.executor.subscription(execution)
    assert.equal(subgraph.name, 'people')
    assert.equal(fetch.type, 'subscription')
    assert.match(fetch.query, /^subscription.*joined\(team:\$team\)/)
    assert.equal(fetch.variables, '{"team":"x"}')
    const events = ['3', '4'].map((id) =>
      world.executor.executeEvent(execution, { data: { joined: { __typename: 'Person', id } }, errors: [] }),
    )
    assert.deepEqual(
      (await Promise.all(events)).map(({ data }) => data),
      ['{"joined":{"id":"3","name":"n3"}}', '{"joined":{"id":"4","name":"n4"}}'],
    )
    const errors = [{ message: 'no', path: ['joined'] }]
    const failed = await world.executor.executeEvent(execution, { data: { joined: null }, errors })
    assert.equal(failed.data, '{"joined":null}')
    assert.deepEqual(failed.errors[0]?.path, ['joined'])
  })
})
