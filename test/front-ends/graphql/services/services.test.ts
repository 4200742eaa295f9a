import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServices } from './harness.ts'

interface Case {
  readonly name: string
  readonly query: string
  readonly variables?: object
  readonly data: object
  /** Every call, in any order. */
  readonly calls: readonly string[]
}

const cases: readonly Case[] = [
  {
    name: 'a field of the root is a gRPC call, its arguments are the request',
    query: '{ item(id: "1") { __typename id title kind rating tags isbn added sold weight maker { name } } }',
    data: {
      item: {
        __typename: 'Item',
        id: '1',
        title: 'Hammer',
        kind: 'TOOL',
        rating: 4.5,
        tags: ['iron'],
        isbn: 'x-1',
        added: '1970-01-01T00:00:00Z',
        sold: true,
        weight: 900,
        maker: { name: 'Acme' },
      },
    },
    calls: ['GetItem {"id":"1"}'],
  },
  {
    name: 'defaults of proto3 are values, what has presence and is absent is null, and so is an enum that is not said',
    query: '{ item(id: "3") { kind rating tags isbn added sold weight maker { name } } }',
    data: {
      item: {
        kind: null,
        rating: null,
        tags: [],
        isbn: null,
        added: null,
        sold: false,
        weight: 10,
        maker: null,
      },
    },
    calls: ['GetItem {"id":"3"}'],
  },
  {
    name: 'an id of 64 bits keeps its digits both ways',
    query: '{ item(id: "9007199254740993") { id } }',
    data: { item: { id: '9007199254740993' } },
    calls: ['GetItem {"id":"9007199254740993"}'],
  },
  {
    name: 'a number of JSON beyond 2^53 keeps its digits in a String',
    query: '{ person(id: 1) { serial } }',
    data: { person: { serial: '9007199254740993' } },
    calls: ['GET /people/1'],
  },
  {
    name: 'what is not found is null where the resolver says so',
    query: '{ item(id: "404") { id } }',
    data: { item: null },
    calls: ['GetItem {"id":"404"}'],
  },
  {
    name: 'enums, lists and defaults of arguments go into the request as the service spells them',
    query: 'query($kinds: [Kind!]) { items(kinds: $kinds) { title kind } }',
    variables: { kinds: ['PLAYTHING', 'TOOL'] },
    data: {
      items: [
        { title: 'Hammer', kind: 'TOOL' },
        { title: 'Ball', kind: 'PLAYTHING' },
      ],
    },
    calls: ['FindItems {"ids":[],"owners":[],"kinds":["KIND_TOY","KIND_TOOL"],"pageSize":10}'],
  },
  {
    name: 'a mutation sends its input object as a message',
    query: 'mutation { addItem(item: { title: "Saw", kind: TOOL, weight: 3 }) { id title kind weight } }',
    data: { addItem: { id: '77', title: 'Saw', kind: 'TOOL', weight: 3 } },
    calls: ['AddItem'],
  },
  {
    name: 'mutations are done one after the other, also when they are alike',
    query:
      'mutation { a: rename(id: 1, to: { name: "B" }) { name age } b: rename(id: 1, to: { name: "B" }) { name } c: rename(id: 2, to: { name: "C", age: null }) { name age } }',
    data: {
      a: { name: 'B', age: 36 },
      b: { name: 'B' },
      c: { name: 'C', age: null },
    },
    calls: [
      'PUT /people/1 {"name":"B"}',
      'PUT /people/1 {"name":"B"}',
      'PUT /people/2 {"name":"C","age":null}',
    ],
  },
  {
    name: 'parameters: a list is repeated, what is absent is left out, everything is encoded',
    query: '{ search(text: "a&b=c d", tags: ["x", "y&z"]) { name } }',
    data: { search: [{ name: 'Ada' }, { name: 'Alan' }] },
    calls: ['GET /people?q=a%26b%3Dc%20d&tag=x&tag=y%26z'],
  },
  {
    name: 'alike calls of one fetch are made once',
    query: '{ a: person(id: 1) { name } b: person(id: 1) { age } c: person(id: "2") { name } }',
    data: { a: { name: 'Ada' }, b: { age: 36 }, c: { name: 'Alan' } },
    calls: ['GET /people/1', 'GET /people/2'],
  },
  {
    name: 'a field of an object is a call with values of the object',
    query: '{ person(id: 1) { notes(last: 1) { text by { id } } } }',
    data: { person: { notes: [{ text: 'of 1', by: { id: '2' } }] } },
    calls: ['GET /people/1', 'GET /people/1/notes?last=1'],
  },
  {
    name: 'an object that is only known by its key is not loaded for the key alone',
    query: '{ items { title owner { id } } }',
    data: {
      items: [
        { title: 'Hammer', owner: { id: '1' } },
        { title: 'Ball', owner: { id: '2' } },
        { title: 'Rope', owner: { id: '1' } },
      ],
    },
    calls: ['FindItems'],
  },
  {
    name: 'entities of another service come in one batch, matched back by key, whatever their order',
    query: '{ items { title owner { name } } }',
    data: {
      items: [
        { title: 'Hammer', owner: { name: 'Ada' } },
        { title: 'Ball', owner: { name: 'Alan' } },
        { title: 'Rope', owner: { name: 'Ada' } },
      ],
    },
    calls: ['FindItems', 'GET /people?ids=1%2C2'],
  },
  {
    name: 'an entity whose fields are calls of their own is not loaded for them',
    query: '{ items { owner { notes(last: 1) { text } } } }',
    data: {
      items: [
        { owner: { notes: [{ text: 'of 1' }] } },
        { owner: { notes: [{ text: 'of 2' }] } },
        { owner: { notes: [{ text: 'of 1' }] } },
      ],
    },
    calls: ['FindItems', 'GET /people/1/notes?last=1', 'GET /people/2/notes?last=1'],
  },
  {
    name: 'a batch for fields gives each object its share of the answer',
    query: '{ search(text: "x") { name owns { title } } }',
    data: {
      search: [
        { name: 'Ada', owns: [{ title: 'Hammer' }, { title: 'Rope' }] },
        { name: 'Alan', owns: [{ title: 'Ball' }] },
      ],
    },
    calls: ['FindItems {"ids":[],"owners":["1","2"]', 'GET /people?q=x'],
  },
  {
    name: 'who has no share of it has an empty list',
    query: '{ person(id: 4) { owns(first: 3) { title } } }',
    data: { person: { owns: [] } },
    calls: ['FindItems {"ids":[],"owners":["4"],"kinds":[],"pageSize":3}', 'GET /people/4'],
  },
  {
    name: 'objects within the service are completed by its loader, in batches',
    query: '{ search(text: "x") { name friend { name friend { id } } } }',
    data: {
      search: [
        { name: 'Ada', friend: { name: 'Alan', friend: null } },
        { name: 'Alan', friend: null },
      ],
    },
    calls: ['GET /people?q=x', 'GET /people?ids=2'],
  },
  {
    name: 'what @skip and @include leave out is not loaded',
    query:
      'query($no: Boolean = false) { items { owner { id name @include(if: $no) age @skip(if: true) } } }',
    data: { items: [{ owner: { id: '1' } }, { owner: { id: '2' } }, { owner: { id: '1' } }] },
    calls: ['FindItems'],
  },
  {
    name: 'fragments and aliases are as everywhere',
    query:
      'query { first: item(id: "1") { ...I } } fragment I on Item { t: title ... on Item { m: maker { n: name } } }',
    data: { first: { t: 'Hammer', m: { n: 'Acme' } } },
    calls: ['GetItem'],
  },
]

for (const { name, query: text, variables, data, calls } of cases) {
  test(name, async (t) => {
    const { query, asked } = await startServices(t)
    const answer = await query(text, variables)
    assert.deepEqual(answer.errors, [])
    assert.deepEqual(answer.data, data)
    const said = asked.map(({ what, body }) => `${what} ${body}`.trim()).toSorted()
    assert.equal(said.length, calls.length, said.join('\n'))
    calls.toSorted().forEach((call, i) => {
      assert.ok(said[i]?.startsWith(call), `${said[i]} is not ${call}`)
    })
  })
}

test('batches are no larger than batchSize', async (t) => {
  const { query, asked } = await startServices(t, {
    instead: ({ what }, { grpc }) => {
      if (what !== 'FindItems') return false
      grpc?.(null, { items: [1, 2, 3, 4].map((id) => ({ id, title: 'x', ownerId: id })) })
      return true
    },
  })
  const { data } = await query('{ items { owner { name } } }')
  assert.deepEqual(
    data.items.map(({ owner }: { owner: { name: string } }) => owner.name),
    ['Ada', 'Alan', 'Grace', 'Edsger'],
  )
  assert.deepEqual(asked.map(({ what }) => what).slice(1), ['GET /people?ids=1%2C2%2C3', 'GET /people?ids=4'])
})

test('headers: values of the request by name, identity and tracing as in every call, nothing else of the client', async (t) => {
  const { query, asked } = await startServices(t)
  const { data } = await query(
    '{ whoami { tenant } }',
    {},
    { 'x-tenant': 'acme', 'x-other': '1', cookie: 'a=b' },
  )
  assert.deepEqual(data, { whoami: { tenant: 'acme' } })
  const headers = asked[0]?.headers ?? {}
  assert.equal(headers['x-arg'], 'fixed')
  assert.match(String(headers.traceparent), /^00-/)
  assert.equal(headers['x-gateway'], 'trivium')
  assert.equal(headers['x-other'], undefined)
  assert.equal(headers.cookie, undefined)
})

test('log and metrics count the calls by their upstream', async (t) => {
  const { query, logged, url } = await startServices(t)
  await query('{ items { owner { name } } }')
  const line = await logged((one) => one['graphql.operation.type'] === 'query')
  assert.deepEqual(String(line['gateway.upstream']).split(',').toSorted(), ['catalog', 'people'])
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /gateway_upstream_duration_seconds_count\{[^}]*upstream="people"[^}]*\} 1/)
})
