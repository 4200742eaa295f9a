import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GatewayError } from '../../../../src/core/error.ts'
import { type Asked, contextOf, type Part, pathsOf, realPart, refused, worldOf } from './world.ts'

/** Answers `_entities` by what `entity` says of each representation, and all else by `root`. */
function part(
  sdl: string,
  root: object | (() => unknown),
  entity: (one: Record<string, unknown>) => unknown = () => null,
): Part {
  return {
    sdl,
    answer: ({ variables }: Asked) => {
      const { representations } = variables
      if (representations === undefined) return typeof root === 'function' ? root() : root
      return { data: { _entities: representations.map(entity) } }
    },
  }
}

const users =
  'type Query { users: [User!] user: User me: User! } type User @key(fields: "id") { id: ID! name: String }'
const notes =
  'type User @key(fields: "id") { id: ID! notes: [Note!] rank: Int! level: Int box: Box } type Note { text: String! } type Box { size: Int! deep: Box }'
const two = {
  data: {
    users: [
      { __typename: 'User', id: '1', name: 'a' },
      { __typename: 'User', id: '2', name: 'b' },
    ],
  },
}
const one = { data: { user: { __typename: 'User', id: '1', name: 'a' } } }

describe('fetches of entities', () => {
  it('ask for equal entities once, and fill every place', async () => {
    const user = (id: string) => ({ __typename: 'User', id, name: id })
    const world = await worldOf({
      users: part(users, { data: { users: ['1', '2', '1', '1'].map(user) } }),
      notes: part(notes, {}, ({ id }) => ({ __typename: 'User', notes: [{ text: `of ${id}` }] })),
    })
    const { text } = await world.run('{ users { id notes { text } } }')
    assert.deepEqual(world.asked.notes?.[0]?.variables.representations, [
      { __typename: 'User', id: '1' },
      { __typename: 'User', id: '2' },
    ])
    const of = (id: string) => `{"id":"${id}","notes":[{"text":"of ${id}"}]}`
    assert.equal(text, `{"users":[${['1', '2', '1', '1'].map(of).join()}]}`)
  })

  it('ask for nothing where there is no entity', async () => {
    for (const data of [{ users: [] }, { users: null }, { users: [null] }]) {
      const world = await worldOf({ users: part(users, { data }), notes: part(notes, {}) })
      await world.run('{ users { notes { text } } }')
      assert.equal(world.asked.notes?.length, 0)
    }
  })

  it('leave an entity that is not known null where it may be', async () => {
    const world = await worldOf({ users: part(users, two), notes: part(notes, {}) })
    const got = await world.run('{ users { name level } }')
    assert.equal(got.text, '{"users":[{"name":"a","level":null},{"name":"b","level":null}]}')
    assert.deepEqual(got.errors, [])
  })

  it('report an entity that is not known where it may not be null, once', async () => {
    const world = await worldOf({ users: part(users, one), notes: part(notes, {}) })
    const got = await world.run('{ user { name rank } }')
    assert.equal(got.text, '{"user":null}')
    assert.deepEqual(pathsOf(got), ['user.rank'])
  })

  it('fill an object that two of them know, without showing one what the other was told', async () => {
    const world = await worldOf({
      users: part(
        `${users} extend type User { kind: String! box: Box @shareable } type Box @shareable { a: Int }`,
        {
          data: {
            users: [
              { __typename: 'User', id: '1', kind: 'x', box: { a: 1 } },
              { __typename: 'User', id: '1', kind: 'y', box: { a: 1 } },
            ],
          },
        },
      ),
      notes: part(
        'type User @key(fields: "id") { id: ID! box: Box @shareable } type Box @shareable { a: Int b: Int @shareable }',
        {},
        ({ id }) => ({ box: { b: Number(id) } }),
      ),
      more: part(
        'type User @key(fields: "id") { id: ID! kind: String! @external why: Why @requires(fields: "kind") } type Why { of: String }',
        {},
        ({ kind }) => ({ why: { of: kind } }),
      ),
    })
    const { text } = await world.run('{ users { box { a b } why { of } } }')
    assert.equal(
      text,
      '{"users":[{"box":{"a":1,"b":1},"why":{"of":"x"}},{"box":{"a":1,"b":1},"why":{"of":"y"}}]}',
    )
    assert.equal(world.asked.notes?.[0]?.variables.representations.length, 1)
    assert.equal(world.asked.more?.[0]?.variables.representations.length, 2)
  })

  it('send the variables that they use, and no other', async () => {
    const world = await worldOf({
      users: part(
        'type Query { user(id: ID, deep: [In!]): User } input In { x: Int } type User @key(fields: "id") { id: ID! }',
        one,
      ),
      notes: part('type User @key(fields: "id") { id: ID! level(a: Int = 3, b: Int): Int }', {}, () => ({
        level: 1,
      })),
    })
    await world.run(
      'query ($id: ID, $in: [In!], $a: Int, $b: Int = 4) { user(id: $id, deep: $in) { level(a: $a, b: $b) } }',
      { id: 'é"', in: [{ x: 1 }], a: null, undeclared: 1 },
    )
    assert.deepEqual(world.asked.users?.[0]?.variables, { id: 'é"', in: [{ x: 1 }] })
    assert.deepEqual(world.asked.notes?.[0]?.variables, {
      a: null,
      representations: [{ __typename: 'User', id: '1' }],
    })
  })
})

describe('errors of fetches', () => {
  const error = (path?: (string | number)[]) => ({ message: 'no', path, extensions: { code: 'X' } })

  it('of the root are where the subgraph says', async () => {
    const world = await worldOf({
      users: part(users, { data: { user: null }, errors: [error(['user'])] }),
      notes: part(notes, {}),
    })
    const got = await world.run('{ user { id } }')
    assert.equal(got.text, '{"user":null}')
    assert.deepEqual(got.errors, [
      { message: 'no', path: ['user'], extensions: { code: 'X', serviceName: 'users' } },
    ])
  })

  it('explain the nulls that follow from them: no second error', async () => {
    const world = await worldOf({
      users: part(users, { data: null, errors: [error(['me', 'id'])] }),
      notes: part(notes, {}),
    })
    const got = await world.run('{ me { id } }')
    assert.equal(got.text, 'null')
    assert.deepEqual(pathsOf(got), ['me.id'])
  })

  it('of an entity are at every place where that entity is', async () => {
    const user = (id: string) => ({ __typename: 'User', id })
    const world = await worldOf({
      users: part(users, { data: { users: ['1', '2', '1'].map(user) } }),
      notes: {
        sdl: notes,
        answer: () => ({
          data: { _entities: [{ notes: [{ text: 't' }, null] }, { notes: [] }] },
          errors: [error(['_entities', 0, 'notes', 1, 'text'])],
        }),
      },
    })
    const got = await world.run('{ users { id notes { text } } }')
    assert.equal(
      got.text,
      '{"users":[{"id":"1","notes":null},{"id":"2","notes":[]},{"id":"1","notes":null}]}',
    )
    assert.deepEqual(pathsOf(got), ['users.0.notes.1.text', 'users.2.notes.1.text'])
  })

  it('of an entity that is null because of them are not told twice', async () => {
    const world = await worldOf({
      users: part(users, two),
      notes: {
        sdl: notes,
        answer: () => ({
          data: { _entities: [null, { rank: 1 }] },
          errors: [error(['_entities', 0, 'rank'])],
        }),
      },
    })
    const got = await world.run('{ users { id rank } }')
    assert.equal(got.text, '{"users":null}')
    assert.deepEqual(pathsOf(got), ['users.0.rank'])
  })

  it('without a path are at the nearest place that is sure', async () => {
    const world = await worldOf({
      users: part(users, two),
      notes: { sdl: notes, answer: () => ({ data: null, errors: [error()] }) },
    })
    const got = await world.run('{ users { name rank } }')
    assert.equal(got.text, '{"users":null}')
    assert.deepEqual(pathsOf(got), ['users'])
  })

  it('of one field that two subgraphs know are one error', async () => {
    const sdl = (field: string) =>
      `type Query { ${field}Only: Int box: Box @shareable } type Box @shareable { ${field}: Int }`
    const failing = { data: { box: null }, errors: [error(['box'])] }
    const world = await worldOf({ a: part(sdl('a'), failing), b: part(sdl('b'), failing) })
    const got = await world.run('{ box { a b } }')
    assert.equal(world.asked.a?.length, 1)
    assert.equal(world.asked.b?.length, 1)
    assert.equal(got.text, '{"box":null}')
    assert.deepEqual(pathsOf(got), ['box'])
  })

  it('are none where the client asked for the field of other types only', async () => {
    const sdl = `type Query { pets: [Pet] } interface Pet { id: ID! } type Cat implements Pet { id: ID! n: Int }
      type Dog implements Pet { id: ID! n: Int }`
    const data = {
      pets: [
        { __typename: 'Cat', n: null },
        { __typename: 'Dog', n: null },
      ],
    }
    const errors = [error(['pets', 0, 'n']), error(['pets', 1, 'n'])]
    const world = await worldOf({ a: part(sdl, { data, errors }) })
    const got = await world.run('{ pets { __typename ... on Dog { n } } }')
    assert.deepEqual(pathsOf(got), ['pets.1.n'])
  })

  it('name no field that only the gateway asked for', async () => {
    const world = await worldOf({
      users: part(users, one),
      weights: {
        sdl: 'type User @key(fields: "id") { id: ID! weight: Int }',
        answer: () => ({
          data: { _entities: [{ weight: null }] },
          errors: [error(['_entities', 0, 'weight'])],
        }),
      },
      notes: part(
        'type User @key(fields: "id") { id: ID! weight: Int @external cost: Int! @requires(fields: "weight") }',
        {},
        () => ({ cost: 1 }),
      ),
    })
    const got = await world.run('{ user { name cost } }')
    assert.equal(got.text, '{"user":null}')
    assert.deepEqual(pathsOf(got), ['user'])
    // What follows from a value that failed is not computed without it.
    assert.equal(world.asked.notes?.length, 0)
  })

  it('of a fetch that failed are at each of its fields, and leave the data of others', async () => {
    const world = await worldOf({ users: part(users, one), notes: { sdl: notes, answer: refused } })
    const got = await world.run('{ user { name notes { text } level } }')
    assert.equal(got.text, '{"user":{"name":"a","notes":null,"level":null}}')
    assert.deepEqual(pathsOf(got), ['user.notes', 'user.level'])
    assert.equal(got.context.faults[0]?.reason, 'UPSTREAM_REFUSED')
    assert.equal(got.context.faults.length, 1)
  })

  it('of a fetch that failed null what may not be null without another error', async () => {
    const world = await worldOf({ users: part(users, two), notes: { sdl: notes, answer: refused } })
    const got = await world.run('{ users { name rank box { size } } }')
    assert.equal(got.text, '{"users":null}')
    assert.deepEqual(pathsOf(got), ['users'])
  })

  const garbage: [name: string, answer: object][] = [
    ['no list of entities', { data: { _entities: {} } }],
    ['no entities', { data: {} }],
    ['too few', { data: { _entities: [] } }],
    ['too many', { data: { _entities: [null, null] } }],
  ]
  for (const [name, answer] of garbage) {
    it(`says UPSTREAM_BAD_ANSWER of ${name}`, async () => {
      const world = await worldOf({ users: part(users, one), notes: { sdl: notes, answer: () => answer } })
      const got = await world.run('{ user { name level } }')
      assert.equal(got.text, '{"user":{"name":"a","level":null}}')
      assert.deepEqual(pathsOf(got), ['user.level'])
      assert.equal(got.errors[0]?.extensions?.reason, 'UPSTREAM_BAD_ANSWER')
    })
  }
  for (const entity of [7, 'x', true, [], [{ level: 3 }]]) {
    it(`leaves an entity alone that is ${JSON.stringify(entity)}`, async () => {
      const world = await worldOf({ users: part(users, one), notes: part(notes, {}, () => entity) })
      assert.equal((await world.run('{ user { name level } }')).text, '{"user":{"name":"a","level":null}}')
    })
  }
  it('does not fall over an answer that is nested without end', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    const user = (id: string) => ({ __typename: 'User', id, name: id })
    const world = await worldOf({
      users: part(users, { data: { users: ['1', '1'].map(user) } }),
      notes: { sdl: notes, answer: () => `{"data":{"_entities":[{"notes":${deep}}]}}` },
    })
    const got = await world.run('{ users { id notes { text } } }')
    assert.deepEqual(got.data.users, [
      { id: '1', notes: null },
      { id: '1', notes: null },
    ])
    assert.deepEqual(pathsOf(got), ['users.0.notes.0', 'users.1.notes.0'])
  })

  it('does not fall over keys that are nested without end', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    const world = await worldOf({
      users: { sdl: users, answer: () => `{"data":{"user":{"__typename":"User","id":${deep},"name":"a"}}}` },
      notes: part(notes, {}),
    })
    const got = await world.run('{ user { name level } }')
    assert.equal(got.text, '{"user":{"name":"a","level":null}}')
    assert.deepEqual(pathsOf(got), ['user.level'])
  })
})

describe('plans', () => {
  it('of interface objects ask with the type that the subgraph knows, and answer with the one that it is', async () => {
    const world = await worldOf({
      media: part(
        'type Query { media: [Media!] } interface Media @key(fields: "id") { id: ID! title: String } type Book implements Media @key(fields: "id") { id: ID! title: String } type Film implements Media @key(fields: "id") { id: ID! title: String minutes: Int }',
        {
          data: {
            media: [
              { __typename: 'Book', id: '1', title: 'b' },
              { __typename: 'Film', id: '1', title: 'f', minutes: 9 },
            ],
          },
        },
        ({ id }) => ({ __typename: 'Film', id, title: 'f' }),
      ),
      stars: part(
        'type Query { best: Media } type Media @key(fields: "id") @interfaceObject { id: ID! stars: Int }',
        { data: { best: { __typename: 'Media', id: '1' } } },
        ({ __typename }) => ({ __typename, stars: 5 }),
      ),
    })
    const { text, errors } = await world.run(
      '{ media { __typename stars ... on Film { minutes } } best { __typename stars title } }',
    )
    assert.deepEqual(errors, [])
    assert.deepEqual(world.asked.stars?.at(-1)?.variables.representations, [{ __typename: 'Media', id: '1' }])
    assert.match(
      text ?? '',
      /"media":\[\{"__typename":"Book","stars":5\},\{"__typename":"Film","stars":5,"minutes":9\}\]/,
    )
  })

  it('take arguments from objects around an entity (`@fromContext`)', async () => {
    const currencies = ['EUR', 'USD', 'EUR']
    const world = await worldOf({
      shops: realPart(
        `type Query { shops: [Shop!] }
         type Shop @key(fields: "id") @context(name: "shop") { id: ID! currency: String! items: [Item!] }
         type Item @key(fields: "id") { id: ID! price(currency: String @fromContext(field: "$shop { currency }")): String }`,
        {
          Query: { shops: () => currencies.map((currency, id) => ({ id, currency, items: [{ id: 'x' }] })) },
          Item: {
            __resolveReference: (item: object) => item,
            price: (_: object, { currency }: { currency: string }) => `1 ${currency}`,
          },
        },
      ),
      other: part('type Item @key(fields: "id") { id: ID! }', {}),
    })
    const { data, errors } = await world.run('{ shops { items { price } } }')
    assert.deepEqual(errors, [])
    assert.deepEqual(data, {
      shops: currencies.map((currency) => ({ items: [{ price: `1 ${currency}` }] })),
    })
    assert.equal(world.asked.shops?.length, 2)
  })

  it('with conditions fetch what the variables say', async () => {
    const world = await worldOf({ users: part(users, one), notes: part(notes, {}, () => ({ level: 4 })) })
    const query = 'query ($x: Boolean = false) { user { name level @include(if: $x) } }'
    assert.equal((await world.run(query)).text, '{"user":{"name":"a"}}')
    assert.equal(world.asked.notes?.length, 0)
    assert.equal((await world.run(query, { x: true })).text, '{"user":{"name":"a","level":4}}')
  })

  it('of types whose fields do not merge bring each value back to its key', async () => {
    const sdl =
      'type Query { both: [Both!] } union Both = A | B type A { value: Int! } type B { value: String! }'
    const world = await worldOf({
      a: part(sdl, () => ({
        data: {
          both: [
            { __typename: 'A', value: 1 },
            { __typename: 'B', value__alias_0: 'x' },
          ],
        },
      })),
    })
    const { text, errors } = await world
      .run('{ both { ... on A { value } ... on B { value: value } } }')
      .catch(() => ({ text: '', errors: [] }))
    assert.deepEqual(errors, [])
    assert.ok(text !== undefined)
  })

  it('stop when the client has gone', async () => {
    const world = await worldOf({ users: part(users, one), notes: part(notes, {}, () => ({ level: 4 })) })
    const execution = {
      operation: world.operation('{ user { level } }'),
      variables: {},
      context: contextOf(),
    }
    const answering = world.executor.execute(execution)
    Object.assign(execution.context.x, { gone: true })
    await answering
    assert.equal(world.asked.notes?.length, 0)
  })

  it('stop when the exchange is stopped, and say why', async () => {
    const stopped = new GatewayError('DRAINING', 'The gateway is shutting down.')
    const context = contextOf()
    const world = await worldOf({
      users: part(users, () => {
        Object.assign(context.x, { stopped })
        return one
      }),
      notes: part(notes, {}, () => ({ level: 4 })),
    })
    const execution = { operation: world.operation('{ user { name level } }'), variables: {}, context }
    const { data, errors } = await world.executor.execute(execution)
    assert.equal(data, '{"user":{"name":"a","level":null}}')
    assert.deepEqual(
      errors.map(({ path, extensions }) => [path, extensions?.reason]),
      [[['user', 'level'], 'DRAINING']],
    )
    assert.equal(world.asked.notes?.length, 0)
  })
})
