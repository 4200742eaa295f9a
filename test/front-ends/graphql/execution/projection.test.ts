import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { buildSchema, graphqlSync } from 'graphql'
import { pathsOf, worldOf } from './world.ts'

const sdl = `
type Query {
  int: Int float: Float string: String boolean: Boolean id: ID color: Color any: Any
  must: Int! list: [Int] mustList: [Int!] mustBoth: [Int!]! nested: [[Int!]]
  dog: Dog node: Node named: Named animals: [Animal!] thing: Thing me: Person! maybe: Person
  echo(text: String): String
}
scalar Any
enum Color { RED BLUE HIDDEN @inaccessible }
interface Node { id: ID! }
interface Named implements Node { id: ID! name: String }
type Dog implements Node & Named { id: ID! name: String barks: Boolean friend: Named must: Int! }
type Cat implements Node & Named { id: ID! name: String meows: Boolean friend: Named }
type Stone implements Node { id: ID! weight: Int }
type Secret implements Node @inaccessible { id: ID! }
union Animal = Dog | Cat
union Thing = Dog | Stone
type Person { name: String! friend: Person friends: [Person!] strict: [Person!]! }
`

async function answering(data: object | string) {
  return worldOf({ a: { sdl, answer: () => (typeof data === 'string' ? data : { data }) } })
}

describe('the answer to values that a subgraph gives', () => {
  // graphql-js 16 passes a value on, or reports it, by `serialize` of its type.
  const leaves: [query: string, given: string, written: string][] = [
    ['{ int }', '7', '7'],
    ['{ int }', '-2147483648', '-2147483648'],
    ['{ int }', '2147483648', 'error'],
    ['{ int }', '1.5', 'error'],
    ['{ int }', '"12"', '12'],
    ['{ int }', '"x"', 'error'],
    ['{ int }', 'true', '1'],
    ['{ int }', '{}', 'error'],
    ['{ int }', '[1]', 'error'],
    ['{ float }', '1e21', '1e+21'],
    ['{ float }', '1e999', 'error'],
    ['{ float }', '-0', '0'],
    ['{ float }', '"1.5"', '1.5'],
    ['{ string }', '"a\\u0000\\"\\u2028\\ud800"', '"a\\u0000\\"\u2028\\ud800"'],
    ['{ string }', '"a\\"b"', '"a\\"b"'],
    ['{ string }', '"a\\\\b"', '"a\\\\b"'],
    ['{ string }', '"a\\n"', '"a\\n"'],
    ['{ string }', '"a\\u001fb"', '"a\\u001fb"'],
    ['{ string }', '"a\\ud800b"', '"a\\ud800b"'],
    ['{ string }', '"a\\udfff"', '"a\\udfff"'],
    ['{ string }', '"\\ud83d\\ude00 \\u007f\\ue000\\uffff"', '"\ud83d\ude00 \u007f\ue000\uffff"'],
    ['{ string }', '""', '""'],
    ['{ string }', '5', '"5"'],
    ['{ string }', 'false', '"false"'],
    ['{ string }', '{"a":1}', 'error'],
    ['{ id }', '5', '"5"'],
    ['{ id }', '1.5', 'error'],
    ['{ boolean }', 'false', 'false'],
    ['{ boolean }', '0', 'false'],
    ['{ boolean }', '"true"', 'error'],
    ['{ color }', '"RED"', '"RED"'],
    ['{ color }', '"GREEN"', 'error'],
    ['{ color }', '"HIDDEN"', 'error'],
    ['{ color }', '"constructor"', 'error'],
    ['{ any }', '{"__proto__":{"x":[1,null]},"toString":2}', '{"__proto__":{"x":[1,null]},"toString":2}'],
    ['{ list }', '[1,null,3]', '[1,null,3]'],
    ['{ list }', '[]', '[]'],
    ['{ list }', '{"0":1}', 'error'],
    ['{ list }', '7', 'error'],
    ['{ nested }', '[[1,2],null,[]]', '[[1,2],null,[]]'],
  ]
  for (const [query, given, written] of leaves) {
    it(`writes ${given} for ${query} as ${written}`, async () => {
      const field = query.replaceAll(/[{} ]/g, '')
      const world = await answering(`{"data":{"${field}":${given}}}`)
      const got = await world.run(query)
      assert.equal(got.text, `{"${field}":${written === 'error' ? 'null' : written}}`)
      assert.deepEqual(pathsOf(got), written === 'error' ? [field] : [])
      // What is wrong is said, but not the value: it may be one that clients must not see.
      assert.doesNotMatch(JSON.stringify(got.errors), /HIDDEN|GREEN/)
    })
  }

  // GraphQL specification section 6.4.4: an error of a field that may not be null nulls the nearest field around it that may.
  const nulls: [name: string, query: string, data: object, text: string, paths: string[]][] = [
    ['at the root', '{ must int }', { must: null, int: 1 }, 'null', ['must']],
    ['that is missing', '{ int must }', { int: 1 }, 'null', ['must']],
    [
      'in a list of what may not be null',
      '{ mustList int }',
      { mustList: [1, null], int: 2 },
      '{"mustList":null,"int":2}',
      ['mustList.1'],
    ],
    [
      'in a list that may not be null either',
      '{ mustBoth int }',
      { mustBoth: [null], int: 2 },
      'null',
      ['mustBoth.0'],
    ],
    [
      'in a list of lists',
      '{ nested }',
      { nested: [[1], [null, 2]] },
      '{"nested":[[1],null]}',
      ['nested.1.0'],
    ],
    [
      'below an object',
      '{ maybe { name } int }',
      { maybe: { name: null }, int: 1 },
      '{"maybe":null,"int":1}',
      ['maybe.name'],
    ],
    [
      'below a list of objects',
      '{ maybe { friends { name } } }',
      { maybe: { friends: [{ name: 'a' }, {}] } },
      '{"maybe":{"friends":null}}',
      ['maybe.friends.1.name'],
    ],
    [
      'below what may not be null up to the root',
      '{ me { strict { name } } }',
      { me: { strict: [{ name: 7 }, { name: null }] } },
      'null',
      ['me.strict.1.name'],
    ],
    ['that is of the wrong type', '{ must int }', { must: 'x', int: 1 }, 'null', ['must']],
    ['where an object should be', '{ maybe { name } }', { maybe: 'x' }, '{"maybe":null}', ['maybe']],
    [
      'where no list should be',
      '{ maybe { name } }',
      { maybe: [{ name: 'a' }] },
      '{"maybe":null}',
      ['maybe'],
    ],
  ]
  for (const [name, query, data, text, paths] of nulls) {
    it(`lets a null ${name} go up as far as it must`, async () => {
      const got = await (await answering(data)).run(query)
      assert.equal(got.text, text)
      assert.deepEqual(pathsOf(got), paths)
    })
  }

  it('names the field of a null that may not be, as graphql-js does', async () => {
    const { errors } = await (await answering({ me: {} })).run('{ me { name } }')
    assert.equal(errors[0]?.message, 'Cannot return null for non-nullable field Person.name.')
    assert.equal(errors[0]?.extensions?.code, 'INTERNAL_SERVER_ERROR')
  })

  it('does not pass on what was not asked for', async () => {
    const data = { maybe: { name: 'a', password: 'x', friend: { name: 'b' } }, other: 1 }
    assert.equal((await (await answering(data)).run('{ maybe { name } }')).text, '{"maybe":{"name":"a"}}')
  })
})

describe('the fields of an answer', () => {
  const dog = { __typename: 'Dog', id: '1', name: 'Rex', barks: true, must: 1 }
  const cat = { __typename: 'Cat', id: '2', name: 'Tom', meows: true }
  const cases: [
    name: string,
    query: string,
    data: object,
    text: string,
    variables?: Record<string, unknown>,
  ][] = [
    ['in the order of the operation', '{ string int }', { int: 1, string: 'a' }, '{"string":"a","int":1}'],
    [
      'merged by response key where the first of them stands',
      '{ maybe { name } int maybe { friend { name } } }',
      { int: 1, maybe: { name: 'a', friend: { name: 'b' } } },
      '{"maybe":{"name":"a","friend":{"name":"b"}},"int":1}',
    ],
    [
      'in the order of what is included',
      'query ($x: Boolean!) { int @include(if: $x) string int }',
      { int: 1, string: 'a' },
      '{"string":"a","int":1}',
      { x: false },
    ],
    [
      'skipped by a variable that was not sent, by its default',
      'query ($x: Boolean = true) { int @skip(if: $x) string }',
      { string: 'a' },
      '{"string":"a"}',
    ],
    [
      'included by a variable over its default',
      'query ($x: Boolean = true) { int @skip(if: $x) string }',
      { int: 1, string: 'a' },
      '{"int":1,"string":"a"}',
      { x: false },
    ],
    [
      'with both directives',
      '{ int @skip(if: false) @include(if: true) string @skip(if: false) @include(if: false) }',
      { int: 1 },
      '{"int":1}',
    ],
    [
      'of a fragment on an abstract type within another abstract type',
      '{ node { id ... on Named { name ... on Dog { barks } } } }',
      { node: dog },
      '{"node":{"id":"1","name":"Rex","barks":true}}',
    ],
    [
      'of a union within an interface',
      '{ node { ... on Animal { ... on Named { name } ... on Cat { meows } } } }',
      { node: cat },
      '{"node":{"name":"Tom","meows":true}}',
    ],
    ['of no fragment that applies', '{ node { ... on Stone { weight } } }', { node: cat }, '{"node":{}}'],
    [
      'of a fragment that is spread twice',
      '{ node { ...F ...F } named { ...F } } fragment F on Named { name }',
      { node: dog, named: cat },
      '{"node":{"name":"Rex"},"named":{"name":"Tom"}}',
    ],
    [
      'per concrete type of a list',
      '{ animals { __typename ... on Dog { barks } ... on Cat { meows } } }',
      { animals: [dog, cat, dog] },
      '{"animals":[{"__typename":"Dog","barks":true},{"__typename":"Cat","meows":true},{"__typename":"Dog","barks":true}]}',
    ],
    [
      '__typename, under aliases too, and at the root',
      '{ a: __typename node { kind: __typename __typename } __typename }',
      { node: dog },
      '{"a":"Query","node":{"kind":"Dog","__typename":"Dog"},"__typename":"Query"}',
    ],
    [
      '__typename of an object whose type is known without being asked for',
      '{ maybe { __typename friend { t: __typename } } }',
      { maybe: { friend: {} } },
      '{"maybe":{"__typename":"Person","friend":{"t":"Person"}}}',
    ],
    [
      'of the schema between those of subgraphs',
      '{ a: __type(name: "Dog") { name fields { name } } int s: __schema { queryType { name } } string }',
      { int: 1, string: 'a' },
      '{"a":{"name":"Dog","fields":[{"name":"id"},{"name":"name"},{"name":"barks"},{"name":"friend"},{"name":"must"}]},"int":1,"s":{"queryType":{"name":"Query"}},"string":"a"}',
    ],
    [
      'of the schema by a variable',
      'query ($n: String!) { __type(name: $n) { ...T } } fragment T on __Type { kind name }',
      {},
      '{"__type":{"kind":"ENUM","name":"Color"}}',
      { n: 'Color' },
    ],
    ['of no subgraph', '{ __typename }', {}, '{"__typename":"Query"}'],
  ]
  for (const [name, query, data, text, variables] of cases) {
    it(`are ${name}`, async () => {
      const got = await (await answering(data)).run(query, variables)
      assert.deepEqual(got.errors, [])
      assert.equal(got.text, text)
    })
  }

  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']
  for (const name of names) {
    it(`may be called ${name}`, async () => {
      const schema = buildSchema(sdl, { assumeValidSDL: true })
      const rootValue = { string: 'a', maybe: { name: 'b' } }
      const world = await worldOf({
        a: { sdl, answer: ({ query }) => graphqlSync({ schema, source: query, rootValue }) },
      })
      const got = await world.run(`{ ${name}: string maybe { ${name}: name } }`)
      assert.equal(got.text, `{"${name}":"a","maybe":{"${name}":"b"}}`)
      assert.deepEqual(got.errors, [])
    })
    it(`are null when they are called ${name} and a subgraph does not answer them`, async () => {
      const world = await answering({ maybe: {} })
      const got = await world.run(`{ ${name}: string maybe { ${name}: friend { name } } }`)
      assert.equal(got.text, `{"${name}":null,"maybe":{"${name}":null}}`)
      assert.deepEqual(got.errors, [])
    })
  }

  for (const typename of ['Stone', 'Secret', 'Nobody', 'Node', 7, null, '__proto__', 'constructor']) {
    it(`are an error where an object says that it is a ${typename}, which cannot be there`, async () => {
      const got = await (
        await answering({ named: { __typename: typename, id: '1', name: 'x' }, int: 1 })
      ).run('{ named { id name } int }')
      assert.equal(got.text, '{"named":null,"int":1}')
      assert.deepEqual(pathsOf(got), ['named'])
      assert.doesNotMatch(JSON.stringify(got.errors), /Secret|Nobody/)
    })
  }

  // An `@interfaceObject` does not know more, and the plan asks for more only where that matters.
  for (const typename of [undefined, 'Named']) {
    it(`are those of the interface where an object says that it is a ${typename}`, async () => {
      const world = await answering({ named: { __typename: typename, id: '1', name: 'x' } })
      const got = await world.run('{ named { id ... on Node { id } ... on Named { name } } }')
      assert.equal(got.text, '{"named":{"id":"1","name":"x"}}')
    })
    it(`are an error where they depend on the type of an object that says ${typename}`, async () => {
      for (const query of ['{ named { __typename } }', '{ named { id ... on Dog { barks } } }']) {
        const got = await (await answering({ named: { __typename: typename, id: '1' } })).run(query)
        assert.equal(got.text, '{"named":null}')
        assert.deepEqual(pathsOf(got), ['named'])
      }
    })
  }
})
